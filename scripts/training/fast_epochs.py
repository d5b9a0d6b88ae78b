"""Epochs that do not come back to Python after each step, which for a network this small takes longer than the step.

docs/performance.md has what each of these settings saves.
"""

from contextlib import contextmanager

import keras
import numpy as np

EVALUATION_BATCH = 1000  # bears on speed alone


@contextmanager
def fast_epochs(model, batches, validation, world):
    """Within, the compiled model is set for speed. Yields what `fit` takes to train on, and to validate on.

    batches: the Batches to train on. validation: images (n, pixels), scaled, and labels, those of this process.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        validation = at_once(*validation)
        with settings(model, jit_compile=True):
            model.evaluate(validation, verbose=0)
            with step_by_step(model, batches):
                yield chunks(batches), validation
    else:
        validation = in_batches(*validation, world.devices * max(1, EVALUATION_BATCH // world.shares))
        with settings(model, steps_per_execution=100 if backend == "jax" else 1):  # PyTorch takes 1 alone
            yield Steps(batches), Steps(validation)


@contextmanager
def settings(model, **changes):
    """Within, the model computes with these settings of `compile`. They are not saved with it.

    They would make `predict` slow to start for whoever loads it.
    """
    before = {name: getattr(model, name) for name in changes}
    try:
        change(model, changes)
        yield
    finally:
        change(model, before)


def change(model, changes):
    for name, value in changes.items():
        setattr(model, name, value)
    model.train_function = model.test_function = None  # built anew with them, as after `compile`


class Steps(keras.utils.PyDataset):
    """For `fit`, the batches of anything that has them by number."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, step):
        return self.batches[step]


def in_batches(images, labels, size):
    return [(images[first : first + size], labels[first : first + size]) for first in range(0, len(labels), size)]


def at_once(images, labels):
    """A tf.data.Dataset of all images and labels in one batch, which need not be cut anew in each epoch."""
    import tensorflow as tf

    return untuned(tf.data.Dataset.from_tensors((images, labels)))


def chunks(batches):
    """A tf.data.Dataset of the chunks of each epoch, for a model that is `step_by_step`.

    Not one `from_generator`: on Python 3.11 that has the whole process get blocks of over 128 kB from the system and
    give them back at once, where none is free (TensorFlow's ApplyPython311MemoryPatch). A step's products need some.
    """
    import tensorflow as tf

    def chunk(number):
        firsts, labels = tf.numpy_function(batches.chunk, [number], (tf.int64, batches.labels.dtype))
        return tf.ensure_shape(firsts, (None, None)), tf.ensure_shape(labels, (None, None))

    return untuned(tf.data.Dataset.range(batches.repeat * len(batches.parts)).map(chunk))


def untuned(dataset):
    """The tf.data.Dataset without the thread that tunes it: an epoch may wait for that for as long as one takes."""
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


@contextmanager
def step_by_step(model, batches):
    """Within, each training step of a model on TensorFlow makes one step for each of the batches of a chunk.

    The compiled program takes the images of each batch from all there are, which it holds, and does not come back to
    Python or TensorFlow between two batches. The model has to have been evaluated before: Keras would build its
    metrics from a chunk as if it were a batch.
    """
    import tensorflow as tf

    model.optimizer.build(model.trainable_variables)  # or TensorFlow goes through the steps twice: first to make them
    one_step = model.train_step
    pixels = tf.constant(batches.padded.reshape(-1))
    rows, columns = (np.arange(size) for size in batches.shape)
    window = (rows[:, None] * batches.padded.shape[2] + columns).reshape(-1)  # from an image's first pixel on

    def steps(chunk):
        firsts, labels = chunk

        def step(number):
            images = tf.gather(pixels, firsts[number][:, None] + window)
            one_step((tf.cast(images, tf.float32) / 255, labels[number]))
            return number + 1

        tf.while_loop(lambda number: number < tf.shape(labels)[0], step, [0])
        return model.get_metrics_result()

    model.train_step = steps
    try:
        yield
    finally:
        del model.train_step
