"""The first step of the pipeline: a small MNIST of the first training images, and of all test images."""

import argparse
import gzip
import struct
from pathlib import Path

import mnist


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-folder", type=Path, required=True, help="holds the four MNIST files")
    parser.add_argument("--images", type=int, required=True, help="how many training images to take")
    parser.add_argument("--output-folder", type=Path, required=True, help="gets files of the same names")
    args = parser.parse_args()

    data = mnist.load(args.data_folder)
    there = len(data.train_images)
    if not 0 < args.images <= there:
        raise ValueError(f"{args.images:,} training images are wanted, but there are only {there:,}")
    kept = [data.train_images[: args.images], data.train_labels[: args.images], data.test_images, data.test_labels]
    for name, array in zip(mnist.FILES, kept, strict=True):
        write_idx(args.output_folder / name, array)
    print(f"{args.images:,} of {there:,} training images, and {len(data.test_images):,} test images")


def write_idx(path, array):
    """Write bytes of any shape as a gzipped IDX file."""
    header = bytes([0, 0, 0x08, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes(), compresslevel=1))


if __name__ == "__main__":
    main()
