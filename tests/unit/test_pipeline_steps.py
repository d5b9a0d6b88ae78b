"""The scripts of the pipeline's steps, one by one: what each hands on, and what it refuses."""

import json
import runpy
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from helpers import mnist
from helpers.training import stage_training_script


@pytest.fixture
def step(monkeypatch):
    """Runs a step's script, by its name, with these arguments."""
    folder = stage_training_script("pipeline")
    before = set(sys.modules)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")

    def run(name, **arguments):
        words = [word for key, value in arguments.items() for word in (f"--{key.replace('_', '-')}", str(value))]
        monkeypatch.setattr(sys, "argv", [name, *words])
        runpy.run_path(str(folder / f"{name}.py"), run_name="__main__")

    yield run
    for name in set(sys.modules) - before:  # they have other tests' names
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
            del sys.modules[name]


@pytest.fixture
def data(step, tmp_path):
    """Twenty training images and ten test images, as the first step takes them."""
    write_idx = runpy.run_path(str(stage_training_script("pipeline") / "prepare.py"))["write_idx"]
    images, labels = np.arange(20 * 4, dtype=np.uint8).reshape(20, 2, 2), np.arange(20, dtype=np.uint8) % 10
    (tmp_path / "data").mkdir()
    for name, array in zip(mnist.FILES, [images, labels, images[:10], labels[:10]], strict=True):
        write_idx(tmp_path / "data" / name, array)
    return tmp_path / "data"


def test_the_first_images_are_handed_on_and_all_for_the_test(step, data, tmp_path):
    (kept := tmp_path / "kept").mkdir()
    step("prepare", data_folder=data, images=7, output_folder=kept)
    whole, part = mnist.load(data), mnist.load(kept)
    assert np.array_equal(part.train_images, whole.train_images[:7])
    assert np.array_equal(part.train_labels, whole.train_labels[:7])
    assert np.array_equal(part.test_images, whole.test_images) and len(part.test_labels) == 10


@pytest.mark.parametrize("images", [0, 21])
def test_more_images_than_there_are_or_none_are_refused(step, data, tmp_path, images):
    with pytest.raises(ValueError, match=f"{images} training images are wanted, but there are only 20"):
        step("prepare", data_folder=data, images=images, output_folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_the_evaluation_lets_only_good_models_pass(step, data, tmp_path, monkeypatch):
    model = SimpleNamespace(evaluate=lambda images, labels, **options: {"accuracy": 0.75})
    saving = SimpleNamespace(load_model=lambda path, safe_mode: model)
    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(saving=saving))
    given = {"data_folder": data, "model_folder": tmp_path, "output_folder": tmp_path}
    with pytest.raises(ValueError, match=r"the accuracy is 0\.7500, and has to be 0\.76 at least"):
        step("evaluate", **given, least_accuracy=0.76)
    assert not (tmp_path / "evaluation.json").exists()
    step("evaluate", **given, least_accuracy=0.75)
    assert json.loads((tmp_path / "evaluation.json").read_text()) == {"accuracy": 0.75, "images": 10}
