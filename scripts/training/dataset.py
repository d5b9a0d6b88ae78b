"""The MNIST images in three sets, and as the network takes them."""

import sys
from pathlib import Path

import numpy as np

try:
    import mnist  # it is put beside this script when the job is submitted
except ModuleNotFoundError:
    sys.path.append(str(Path(__file__).resolve().parents[2] / "helpers"))
    import mnist


def load(folder, validation_split, seed):
    """Training, validation and test set, each a pair: images (n, 28, 28), uint8, and labels (n,).

    validation_split: the share of the training images to validate on; with 0, the test set validates, too.
    Raises OSError or ValueError for files that are missing or damaged, and for a split that leaves one set empty.
    """
    data = mnist.load(folder)
    test = data.test_images, data.test_labels
    if validation_split == 0:
        return (data.train_images, data.train_labels), test, test
    total = len(data.train_images)
    held_out = round(validation_split * total)
    if not 0 < held_out < total:
        raise ValueError(f"--validation-split {validation_split} of {total} images leaves one part empty")
    order = np.random.default_rng(seed).permutation(total)
    parts = order[held_out:], order[:held_out]
    training, validation = ((data.train_images[part], data.train_labels[part]) for part in parts)
    return training, validation, test


def flat(pair):
    """Images as the network takes them, (n, pixels) and scaled, and their labels."""
    images, labels = pair
    return scale(images.reshape(len(images), -1)), labels


def scale(images):
    """Pixels of 0 to 255 as the network takes them, float32 from 0 to 1."""
    return images / np.float32(255)
