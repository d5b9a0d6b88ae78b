"""The bare matrix products of an epoch of the article's network, forward and backward: no training can be faster.

They are what a training step has, in the order that it needs them: what comes in of a layer is what came out of the one
before it, and back. And they are compiled as the training script is, and share out their work among threads as it
does; so what an epoch takes beyond them is what it does beyond them, whatever the processor and its libraries.

python tests/bench/floor.py does an epoch of 1,200 steps with 50 images for each line that it reads, and prints its
seconds. With --update, each step also changes the weights by RMSprop, as Keras defines it.
"""

import itertools
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

STEPS, BATCH, WIDTHS = 1200, 50, (784, 300, 100, 10)
UPDATE = "--update" in sys.argv
RATE = 1e-9  # the products of random images stay what they are

weights = [tf.random.normal(shape) / shape[0] ** 0.5 for shape in itertools.pairwise(WIDTHS)]
images = tf.random.normal((8, BATCH, WIDTHS[0]))  # other ones in each step: what is the same is computed once


@tf.function(jit_compile=True)
def epoch(kernels, velocities):
    """The gradients of the last step and the weights after it, so that nothing is left out."""
    gradients = [tf.zeros_like(kernel) for kernel in kernels]
    for step in tf.range(STEPS):
        activations = [images[step % 8]]
        for kernel in kernels:
            activations.append(activations[-1] @ kernel)
        back, found = activations.pop(), []
        for kernel, activation in zip(reversed(kernels), reversed(activations), strict=True):
            found.append(tf.matmul(activation, back, transpose_a=True))
            if activation is not activations[0]:
                back = tf.matmul(back, kernel, transpose_b=True)
        gradients = found[::-1]
        if UPDATE:
            velocities = [0.9 * old + 0.1 * new * new for old, new in zip(velocities, gradients, strict=True)]
            kernels = [
                kernel - RATE * gradient / tf.sqrt(velocity + 1e-7)
                for kernel, gradient, velocity in zip(kernels, gradients, velocities, strict=True)
            ]
    return gradients + kernels


def timed():
    began = time.perf_counter()
    for found in epoch(weights, [tf.ones_like(kernel) for kernel in weights]):
        found.numpy()
    return time.perf_counter() - began


timed()  # compiles
print("ready", flush=True)
for _ in sys.stdin:
    print(timed(), flush=True)
