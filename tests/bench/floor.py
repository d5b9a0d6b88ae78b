"""The bare matrix products of an epoch of the article's network, forward and backward: no training can be faster.

python tests/bench/floor.py EPOCHS prints the seconds of each epoch of 1,200 steps with 50 images.
"""

import itertools
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

STEPS, BATCH, WIDTHS = 1200, 50, (784, 300, 100, 10)

weights = [tf.random.normal(shape) for shape in itertools.pairwise(WIDTHS)]
activations = [tf.random.normal((BATCH, width)) for width in WIDTHS]


@tf.function
def epoch():
    used = 0.0  # a little of each product, so that none is optimised away
    for _ in tf.range(STEPS):
        for layer, kernel in enumerate(weights):
            used += tf.matmul(activations[layer], kernel)[0, 0]  # forward
            used += tf.matmul(activations[layer], activations[layer + 1], transpose_a=True)[
                0, 0
            ]  # the kernel's gradient
            if layer > 0:
                used += tf.matmul(activations[layer + 1], kernel, transpose_b=True)[0, 0]  # input's gradient
    return used


epoch()
for _ in range(int(sys.argv[1])):
    began = time.perf_counter()
    epoch().numpy()
    print(time.perf_counter() - began, flush=True)
