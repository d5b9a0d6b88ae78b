"""The training images in batches, each epoch in an order of its own that follows from seed and epoch alone.

So a training that is resumed meets the very batches that it would have met, and processes that train together share
out each batch without a word between them.
"""

import numpy as np
from dataset import scale

SHIFT = 2  # pixels that an image is moved by at most, up or down and left or right


class Batches:
    """In each step of an epoch images (n, height · width), scaled, and labels (n,). Set `epoch` before each epoch.

    images, labels: all there are, (total, height, width) of uint8, and (total,).
    batch_size: images of a step, those of all processes together; a multiple of `shares`.
    repeat: passes over the images in an epoch. From the second on each image is moved a little, and 0 comes in at its
    edges. So an epoch has `repeat` times the images, and needs no more memory.
    shares, mine: a batch is cut into so many equal shares, and this process gets those of the slice `mine`. Where the
    last batch of a pass does not divide, `left_out` images are left out, others in each pass.
    """

    def __init__(self, images, labels, batch_size, seed, repeat=1, shares=1, mine=slice(None)):
        self.labels = labels
        self.batch_size, self.seed, self.repeat = batch_size, seed, repeat
        self.shares, self.mine = shares, mine
        self.epoch = 0
        self.left_out = len(labels) % batch_size % shares
        self.full, rest = divmod(len(labels) - self.left_out, batch_size)
        self.steps = self.full + bool(rest)  # of a pass
        self.parts = [(first, count) for first, count in ((0, self.full), (self.full, self.steps - self.full)) if count]
        # With a margin around it a moved image is another window, which is told by the place of its first pixel alone.
        self.shape = images.shape[1:]
        self.padded = np.pad(images, [(0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT)])
        rows = self.padded.reshape(-1, self.padded.shape[2])
        self._windows = np.lib.stride_tricks.sliding_window_view(rows, self.shape)
        self._drawn = None, None

    def __len__(self):
        return self.steps * self.repeat

    def __getitem__(self, step):
        firsts, labels = (array[0] for array in self._take(step, 1))
        images = self._windows[np.divmod(firsts, self.padded.shape[2])]
        return scale(images.reshape(len(labels), -1)), labels

    def chunk(self, number):
        """An epoch in few pieces: of each pass first all batches that are full, then the one that is not, if any.

        Returns of one of these `repeat` · len(`parts`) chunks the places of the images' first pixels in `padded`, and
        the labels, each of shape (batches, n).
        """
        number, part = divmod(number, len(self.parts))
        first, count = self.parts[part]
        return self._take(number * self.steps + first, count)

    def _take(self, step, count):
        """`count` batches of one pass and size: the places of the images' first pixels in `padded`, and the labels.

        Both are of shape (count, n).
        """
        number, step = divmod(step, self.steps)
        wanted = slice(step * self.batch_size, (step + count) * self.batch_size)
        return tuple(
            array[wanted].reshape(count, self.shares, -1)[:, self.mine].reshape(count, -1)
            for array in self._draw(number)
        )

    def _draw(self, number):
        """A pass of this epoch in its order: the place of each image's first pixel in `padded`, and its label."""
        key = self.seed, self.epoch, number
        if self._drawn[0] != key:
            random = np.random.default_rng(key)
            order = random.permutation(len(self.labels))[: len(self.labels) - self.left_out]
            rows, columns = random.integers(0, 2 * SHIFT + 1, (2, len(order))) if number else (SHIFT, SHIFT)
            _, height, width = self.padded.shape
            firsts = (order * height + rows) * width + columns
            # All at once, since TensorFlow calls from a thread of its own.
            self._drawn = key, (firsts, self.labels[order])
        return self._drawn[1]
