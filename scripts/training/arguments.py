"""The command line: what each argument may be, and what the training depends on."""

import argparse
import math
from contextlib import contextmanager
from pathlib import Path

ARTICLE_BATCH = 50
GROWTH = {"constant": 0.0, "sqrt": 0.5, "linear": 1.0}  # of the learning rate: the power of the batch size
FREE = ("epochs", "resume_from", "data_folder", "output_folder", "join_seconds")  # may differ when going on


def parse():
    """The arguments of the command line; ends the process with code 2 where they are wrong."""
    return parser().parse_args()


@contextmanager
def refusing():
    """End the process, as for a wrong argument, where what is inside raises OSError or ValueError."""
    try:
        yield
    except (OSError, ValueError) as error:
        refuser = parser()
        refuser.exit(2, f"{refuser.prog}: error: {error}\n")


def parser():
    parser = argparse.ArgumentParser(
        description="Train a network of two hidden layers on MNIST.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    count = number(int, "a whole number above 0", lambda value: value > 0)
    rate = number(float, "a number above 0", lambda value: 0 < value < math.inf)
    share = number(float, "a number from 0 to below 1", lambda value: 0 <= value < 1)
    seed = number(int, "a whole number from 0 to 4294967295", lambda value: 0 <= value < 2**32)
    add = parser.add_argument
    add("--data-folder", type=Path, required=True, help="holds the four MNIST files, anywhere below it")
    add("--output-folder", type=Path, default=Path("outputs"), help="gets model/ and checkpoints/")
    add("--batch-size", type=count, default=ARTICLE_BATCH, help="images per step, of all processes together")
    add("--first-layer-neurons", type=count, default=300, help="width of the first hidden layer")
    add("--second-layer-neurons", type=count, default=100, help="width of the second hidden layer")
    add("--learning-rate", type=rate, default=0.001, help="of RMSprop")
    add(
        "--learning-rate-rule",
        choices=GROWTH,
        default="constant",
        help=f"how the learning rate grows with a --batch-size above {ARTICLE_BATCH}, as more processes allow it: "
        "not at all, with its square root, or as it does",
    )
    add("--epochs", type=count, default=20, help="passes over the training set")
    add(
        "--dataset-repeat",
        type=count,
        default=1,
        metavar="K",
        help="train on K times the images in each epoch: as they are, and K-1 times moved by up to two pixels",
    )
    add("--resume-from", type=Path, help="go on from the checkpoint in this folder, or this file")
    add("--join-seconds", type=count, default=300, help="how long processes wait for each other at the start")
    add("--seed", type=seed, default=42, help="of the weights, the split and the order of the images")
    add(
        "--validation-split",
        type=share,
        default=0.1,
        help="share of the training images to validate on. Whoever chooses a model by its validation figures "
        "fits it a little to them, so the test images stay out of it until the end. 0 is the article's way: "
        "all training images are trained on, and the test images validate",
    )
    return parser


def number(convert, wanted, is_right):
    """An argparse type: `convert` the text, and refuse what is not `wanted`, which `is_right` decides."""

    def parse(text):
        try:
            value = convert(text)
        except ValueError:
            value = math.nan
        if not is_right(value):
            raise argparse.ArgumentTypeError(f"must be {wanted}, not {text!r}")
        return value

    return parse


def learning_rate(args):
    """The rate for this batch size, by the rule that was chosen."""
    return args.learning_rate * max(1, args.batch_size / ARTICLE_BATCH) ** GROWTH[args.learning_rate_rule]


def of_training(args):
    """What the training depends on, but for the number of epochs, by name."""
    return {name: value for name, value in vars(args).items() if name not in FREE}
