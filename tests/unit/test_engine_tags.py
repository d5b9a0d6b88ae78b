"""Tags and properties of any name, in a store that takes fewer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.offline.engine.assets import models
from helpers.offline.engine.history import tags
from helpers.offline.engine.jobs import run_records
from helpers.offline.engine.workspace import folder
from helpers.offline.engine.workspace.errors import Invalid

WIDE = {
    "plain": "1",
    "accuracy (%)": "2",
    "größe": "3",
    "a//b": "4",
    "../up": "5",
    " :x: ": "6",
    "a=b&c": "7",
    ".": "8",
    "mlflow.user": "9",
    "azureml.error": "none of the engine's",
}
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
VALUES = st.none() | st.text("ab ", max_size=3)


def without(name):
    return {other: value for other, value in WIDE.items() if other != name}


@given(given=st.dictionaries(NAMES, VALUES, max_size=5), prefix=st.sampled_from(["", tags.PROPERTY]))
def test_what_is_stored_is_told(given, prefix):
    store = tags.stored(given, prefix)
    assert all(tags.is_mlflow_name(name) and isinstance(text, str) for name, text in store.items())
    assert tags.told(store, prefix) == given
    assert tags.told(store, tags.PROPERTY if prefix == "" else "") == {}


def test_tags_and_properties_of_runs_experiments_and_models_have_any_name(offline_folder, tmp_path):
    opened = folder.open_folder()
    run_id = run_records.create_run(opened, "e", tags=WIDE, properties=WIDE)
    run_records.set_tags(opened, run_id, {"100 %": "yes"})
    run_records.remove_tags(opened, run_id, ["größe", "not there?"])
    record = run_records.get_run(opened, run_id)
    assert record.tags == without("größe") | {"100 %": "yes"}
    assert record.properties == WIDE

    run_records.set_experiment_tags(opened, "e", WIDE)
    run_records.remove_experiment_tags(opened, "e", ["a//b"])
    assert run_records.get_experiment(opened, "e")["tags"] == without("a//b")

    (tmp_path / "model.txt").write_text("x")
    model = models.register(opened, "m", tmp_path / "model.txt", stored_as="model.txt", tags=WIDE, properties=WIDE)
    assert (model.tags, model.properties) == (WIDE, WIDE)
    changed = models.update(opened, "m", model.version, tags={"a=b&c": "8"}, properties={"one more?": "9"})
    assert (changed.tags, changed.properties) == ({"a=b&c": "8"}, {**WIDE, "one more?": "9"})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"": "x"}, "is no name"),
        ({None: "x"}, "None is no name"),
        ({"%" * 100: "x"}, "too long"),
        ({"a\udcff": "x"}, "is no text: character 2"),
        ({"a": "x" * 8001}, "8001 characters"),
    ],
)
def test_what_no_store_can_keep_is_refused(given, words):
    with pytest.raises(Invalid, match=words):
        tags.stored(given)
