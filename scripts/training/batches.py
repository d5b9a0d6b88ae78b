"""The training images in batches, each epoch in an order of its own that follows from seed and epoch alone.

So a training that is resumed meets the very batches that it would have met, and processes that train together share
out each batch without a word between them.
"""

from contextlib import contextmanager

import numpy as np

CHUNK = 20  # batches that TensorFlow is given at a time, at most: few enough to stay in a processor's cache
AHEAD = 2  # chunks that are drawn while it computes
SHIFT = 2  # pixels that an image is moved by at most, up or down and left or right


class Batches:
    """In each step of an epoch images (n, height · width) and labels (n,). Set `epoch` before each epoch.

    images, labels: all there are, (total, height, width) and (total,).
    batch_size: images of a step, those of all processes together; a multiple of `shares`.
    repeat: passes over the images in an epoch. From the second on each image is moved a little, so that an epoch
    has `repeat` times the images, and needs no more memory.
    shares, mine: a batch is cut into so many equal shares, and this process gets those of the slice `mine`. Where the
    last batch of a pass does not divide, `left_out` images are left out, others in each pass.
    """

    def __init__(self, images, labels, batch_size, seed, repeat=1, shares=1, mine=slice(None)):
        self.images, self.labels = images, labels
        self.batch_size, self.seed, self.repeat = batch_size, seed, repeat
        self.shares, self.mine = shares, mine
        self.epoch = 0
        self.left_out = len(labels) % batch_size % shares
        self.full, rest = divmod(len(labels) - self.left_out, batch_size)
        self.steps = self.full + bool(rest)  # of a pass
        self._drawn = None, None, None

    def __len__(self):
        return self.steps * self.repeat

    def __getitem__(self, step):
        images, labels = self._take(step, 1)
        return images[0], labels[0]

    def for_keras(self):
        """What `fit` takes, for the backend that Keras runs on; on TensorFlow, for a model that is `step_by_step`."""
        import keras

        return self._dataset() if keras.backend.backend() == "tensorflow" else self.one_by_one()

    def one_by_one(self):
        """The batches as a keras.utils.PyDataset."""
        import keras

        batches = self

        class Steps(keras.utils.PyDataset):
            def __len__(self):
                return len(batches)

            def __getitem__(self, step):
                return batches[step]

        return Steps()

    def _dataset(self):
        """A tf.data.Dataset of chunks, several batches of one size each: images (count, n, height · width)."""
        import tensorflow as tf

        # All of one size where that goes, since TensorFlow compiles anew for each.
        count = max(count for count in range(1, CHUNK + 1) if self.full % count == 0)

        def chunks():
            for first in range(0, len(self), self.steps):
                for step in range(0, self.full, count):
                    yield self._take(first + step, count)
                if self.full < self.steps:
                    yield self._take(first + self.full, 1)

        signature = (
            tf.TensorSpec((None, None, self.images[0].size), self.images.dtype),
            tf.TensorSpec((None, None), self.labels.dtype),
        )
        number = self.repeat * (self.full // count + self.steps - self.full)
        dataset = tf.data.Dataset.from_generator(chunks, output_signature=signature)
        return dataset.apply(tf.data.experimental.assert_cardinality(number)).prefetch(AHEAD)

    def _take(self, step, count):
        """`count` batches of one pass and size: images (count, n, height · width) and labels (count, n)."""
        number, step = divmod(step, self.steps)
        order, shifts = self._draw(number)
        places = order[step * self.batch_size :][: count * self.batch_size]
        places = places.reshape(count, self.shares, -1)[:, self.mine].reshape(count, -1)
        images = self.images[places] if number == 0 else moved(self.images, places, shifts[places])
        return images.reshape(*places.shape, -1), self.labels[places]

    def _draw(self, number):
        """The order of a pass of this epoch, and how far each image is moved, (total, 2) in pixels."""
        key = self.seed, self.epoch, number
        if self._drawn[0] != key:
            random = np.random.default_rng(key)
            order = random.permutation(len(self.labels))[: len(self.labels) - self.left_out]
            shifts = random.integers(-SHIFT, SHIFT + 1, (len(self.labels), 2), "i1")
            self._drawn = key, order, shifts  # at once, since TensorFlow calls from a thread of its own
        return self._drawn[1:]


def moved(images, places, shifts):
    """The images at `places`, each moved down and right by its row of `shifts` (…, 2); 0 comes in at the edges."""
    margin = [(0, 0)] * (images.ndim - 2) + [(SHIFT, SHIFT)] * 2
    padded = np.pad(images[places.reshape(-1)], margin)
    windows = np.lib.stride_tricks.sliding_window_view(padded, images.shape[1:], axis=(1, 2))
    down, right = (SHIFT - shifts.reshape(-1, 2)).T
    return windows[np.arange(len(padded)), down, right].reshape(*places.shape, *images.shape[1:])


@contextmanager
def step_by_step(model):
    """Within, each training step of a model on TensorFlow makes one step for each of the batches of a chunk.

    The compiled program loops over them, and does not come back to Python or TensorFlow between two. The model has to
    have been evaluated before: Keras would build its metrics from a chunk as if it were a batch.
    """
    import tensorflow as tf

    one_step = model.train_step

    def steps(chunk):
        images, labels = chunk
        last = tf.shape(images)[0] - 1

        def step(number):
            one_step((images[number], labels[number]))
            return number + 1

        tf.while_loop(lambda number: number < last, step, [0])
        return one_step((images[last], labels[last]))

    model.train_step = steps
    try:
        yield
    finally:
        del model.train_step
