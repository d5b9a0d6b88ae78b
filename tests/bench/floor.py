"""The bare matrix products of an epoch of the article's network, forward and backward: no training can be faster.

They are what a training step has, in the order that it needs them: what comes in of a layer is what came out of the one
before it, and back. And they are compiled as the training script is, and share out their work among threads as it
does; so what an epoch takes beyond them is what it does beyond them, whatever the processor and its libraries.

python tests/bench/floor.py does an epoch of 1,200 steps with 50 images for each line that it reads, and prints its
seconds.
"""

import itertools
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

STEPS, BATCH, WIDTHS = 1200, 50, (784, 300, 100, 10)

weights = [tf.random.normal(shape) / shape[0] ** 0.5 for shape in itertools.pairwise(WIDTHS)]
images = tf.random.normal((8, BATCH, WIDTHS[0]))  # other ones in each step: what is the same is computed once


@tf.function(jit_compile=True)
def epoch():
    """The gradients of the last step, so that none of the products is left out."""
    gradients = [tf.zeros_like(kernel) for kernel in weights]
    for step in tf.range(STEPS):
        activations = [images[step % 8]]
        for kernel in weights:
            activations.append(activations[-1] @ kernel)
        back, found = activations.pop(), []
        for kernel, activation in zip(reversed(weights), reversed(activations), strict=True):
            found.append(tf.matmul(activation, back, transpose_a=True))
            if activation is not activations[0]:
                back = tf.matmul(back, kernel, transpose_b=True)
        gradients = found[::-1]
    return gradients


def timed():
    began = time.perf_counter()
    for gradient in epoch():
        gradient.numpy()
    return time.perf_counter() - began


timed()  # compiles
print("ready", flush=True)
for _ in sys.stdin:
    print(timed(), flush=True)
