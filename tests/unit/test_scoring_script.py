"""The scoring script: what it takes, what it answers, and that a bad request is told what is wrong with it."""

import hashlib
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

SCRIPT = Path(__file__).parents[2] / "scripts" / "scoring" / "score.py"


@pytest.fixture(scope="module")
def score():
    """The script, with a network that sees an image's first pixel and takes ten times that for the digit."""
    specification = importlib.util.spec_from_file_location("score", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "numpy")
        specification.loader.exec_module(module)
    module.network = lambda images: np.eye(10, dtype=np.float32)[np.round(images[:, 0] * 10).astype(int)]
    return module


def image(digit, shape=784):
    pixels = np.zeros(784)
    pixels[0] = digit / 10
    return pixels.reshape(shape).tolist()


@pytest.mark.parametrize(
    "data, digits",
    [
        (image(3), [3]),
        (image(3, (28, 28)), [3]),
        ([image(3), image(9)], [3, 9]),
        ([image(1, (28, 28)), image(2, (28, 28)), image(4, (28, 28))], [1, 2, 4]),
        ([0] * 784, [0]),
    ],
)
def test_one_image_or_many_are_read(score, data, digits):
    answer = json.loads(json.dumps(score.run(json.dumps({"data": data}))))
    assert answer["digits"] == digits
    assert [np.argmax(row) for row in answer["probabilities"]] == digits
    assert all(sum(row) == 1 for row in answer["probabilities"])


BAD = {
    "no-json": ("{'data': [1]}", "not JSON"),
    "empty": ("", "not JSON"),
    "deep": ("[" * 100_000, "not JSON"),
    "no-object": ("[1, 2]", "JSON object"),
    "no-data": ('{"images": []}', "JSON object"),
    "null": ('{"data": null}', "have to be numbers"),
    "text": ('{"data": ["a"]}', "have to be numbers"),
    "bool": (json.dumps({"data": [True] * 784}), "have to be numbers"),
    "huge": (json.dumps({"data": [10**400] * 784}), "have to be numbers"),
    "ragged": (json.dumps({"data": [image(1), image(2)[:-1]]}), "not all of the same shape"),
    "no-image": ('{"data": []}', "shape (0,)"),
    "short": (json.dumps({"data": [image(1)[:-1]]}), "shape (1, 783)"),
    "number": ('{"data": 0.5}', "shape ()"),
    "four-axes": (json.dumps({"data": [[image(1, (28, 28))]]}), "shape (1, 1, 28, 28)"),
    "nan": (json.dumps({"data": [*image(1)[:-1], float("nan")]}), "NaN"),
    "infinite": (json.dumps({"data": [*image(1)[:-1], float("inf")]}), "from 0 to 1"),
    "negative": (json.dumps({"data": [*image(1)[:-1], -0.1]}), "from 0 to 1"),
    "bytes": (json.dumps({"data": [255] * 784}), "divide them by 255"),
}


@pytest.mark.parametrize("request_text, told", BAD.values(), ids=BAD)
def test_what_is_wrong_is_told_with_status_400(score, request_text, told):
    answer = score.run(request_text)
    assert answer.status_code == 400
    assert told in answer.get_json()["message"]
    assert "Traceback" not in answer.get_data(as_text=True)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(st.one_of(st.text(), JSON.map(json.dumps), JSON.map(lambda data: json.dumps({"data": data}))))
def test_nothing_else_is_ever_raised(score, request_text):
    answer = score.run(request_text)
    assert answer.status_code == 400


def test_a_file_that_is_not_the_one_trained_is_not_loaded(score, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.keras").write_bytes(b"something else")
    (folder / "training.json").write_text(json.dumps({"sha256": hashlib.sha256(b"the model").hexdigest()}))
    with pytest.raises(RuntimeError, match="not the file that was trained"):
        score.load(tmp_path)
