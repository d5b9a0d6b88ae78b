"""The exercises of lesson 2: data."""

from collections.abc import Mapping

import numpy as np

from helpers import mnist
from helpers.checks.looking import NotYet, given, in_workspace, require, text, whole, workspace

DATASET = "exercise-digits"
IMAGES, LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"


def exercise_1(variables: Mapping[str, object]) -> str:
    told, data = whole(variables, "sevens"), given(variables, "data")
    in_training, in_test = (int(np.sum(labels == 7)) for labels in (data.train_labels, data.test_labels))
    require(told != in_test, f"{told:,} is how many there are in the test set. Count in the training set.")
    require(told != in_training + in_test, f"{told:,} is how many there are in both sets. Count in the training set.")
    require(told == in_training, f"{told:,} is not the number of sevens among the training labels.")
    share = in_training / len(data.train_labels)
    return f"{told:,} of {len(data.train_labels):,} images show a 7: {share:.1%}, a little more than a tenth."


def exercise_2(variables: Mapping[str, object]) -> str:
    versions = _versions(variables)
    fitting = [number for number, (_, names) in versions.items() if names == {IMAGES, LABELS}]
    newest = max(versions)
    require(
        fitting,
        f"The dataset `{DATASET}` is registered, but version {newest} holds {_told(versions[newest][1])} instead of "
        "the two files of the test set.",
    )
    tags = versions[min(fitting)][0].tags or {}
    require(
        tags.get("purpose") == "exercise", f"Version {min(fitting)} has no tag `purpose` with the value `exercise`."
    )
    return f"Version {min(fitting)} of `{DATASET}` refers to two files; not a byte of them was copied."


def exercise_3(variables: Mapping[str, object]) -> str:
    versions = _versions(variables)
    newest = max(versions)
    require(
        versions[newest][1] == {LABELS},
        f"The latest version, {newest}, holds {_told(versions[newest][1])}; it should hold the labels alone.",
    )
    before = [number for number, (_, names) in versions.items() if names == {IMAGES, LABELS}]
    require(before, "No earlier version holds both files: do the exercise before this one first.")
    return f"Version {newest} has the labels alone, and whoever asks for version {max(before)} still gets both files."


def exercise_4(variables: Mapping[str, object]) -> str:
    told, folder = text(variables, "damaged"), given(variables, "copies")
    wrong = [row for row in mnist.check(folder) if not row.md5_ok]
    require(wrong, "All four copies are intact: run the cell that damages one again.")
    names = [row.name for row in mnist.check(folder)]
    require(told in names, f"`damaged` is {told!r}; one of the files' names is asked for: {', '.join(names)}.")
    require(told == wrong[0].name, f"`{told}` is intact. Compare the checksums of all four files.")
    return f"`{told}` is the one. One bit was changed, which nobody would have seen in a picture."


def _versions(variables: Mapping[str, object]) -> dict[int, tuple]:
    """Each version of the exercise's dataset: the dataset, and the names of its files."""
    from azureml.core import Dataset

    ws = workspace(variables)
    missing = f"The workspace has no dataset `{DATASET}` yet. `register` gives a dataset its name."
    latest = in_workspace(lambda: Dataset.get_by_name(ws, name=DATASET), missing)
    found = {}
    for number in range(1, latest.version + 1):
        try:
            dataset = in_workspace(lambda number=number: Dataset.get_by_name(ws, name=DATASET, version=number), missing)
        except NotYet:
            continue  # this version was removed
        found[number] = dataset, {path.rsplit("/", 1)[-1] for path in dataset.to_path()}
    return found


def _told(names: set[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "no file"
