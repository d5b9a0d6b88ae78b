"""Experiments: names, lists, tags, archiving, and the runs they have."""

from datetime import UTC, datetime, timedelta

import pytest
from azureml.core import Experiment, Run
from azureml.core.experiment import ViewType
from azureml.exceptions import UserErrorException


def interactive(experiment, **details):
    return experiment.start_logging(outputs=False, snapshot_directory=None, **details)


@pytest.mark.parametrize("name", ["", "with space", "-begins", "_begins", "a/b", "x" * 256, "ü.", None, "a\n"])
def test_names_that_the_service_refuses(workspace, name):
    with pytest.raises(UserErrorException, match="Experiment name must be between 1 and 255 characters"):
        Experiment(workspace, name)


def test_an_experiment_is_made_when_it_is_first_named(workspace):
    made = Experiment(workspace, "Tutorial-Keras-Minst")
    assert Experiment(workspace, "Tutorial-Keras-Minst").id == made.id
    assert workspace.experiments["Tutorial-Keras-Minst"].id == made.id
    assert repr(made) == "Experiment(Name: Tutorial-Keras-Minst,\nWorkspace: offline)"
    assert made._repr_html_().startswith("<table")
    assert made.get_portal_url().endswith(f"/#/experiments/{made.id}/runs?workflowType=machine_learning")


def test_an_experiment_that_is_not_to_be_made_must_be_there(workspace):
    with pytest.raises(UserErrorException, match="no experiment 'never-made'"):
        Experiment(workspace, "never-made", _create_in_cloud=False)


def test_tags(workspace):
    experiment = Experiment(workspace, "tagged")
    experiment.tag("team", "vision")
    experiment.set_tags({"year": 2026})
    assert experiment.tags == {}  # as it was read
    experiment.refresh()
    assert experiment.tags == {"team": "vision", "year": "2026"}
    experiment.remove_tags(["year", "no such"])
    assert Experiment(workspace, "tagged").tags == {"team": "vision"}
    assert [found.name for found in Experiment.list(workspace, tags={"team": "vision"})] == ["tagged"]
    assert Experiment.list(workspace, tags="year") == []


def test_an_archived_experiment_is_hidden_until_it_is_used(workspace):
    experiment = Experiment(workspace, "old")
    assert experiment.archived_time is None
    experiment.archive()
    assert abs(datetime.now(UTC) - experiment.archived_time) < timedelta(minutes=1)
    assert "old" not in workspace.experiments
    assert [found.name for found in Experiment.list(workspace, view_type=ViewType.ArchivedOnly)] == ["old"]
    with pytest.raises(UserErrorException, match="Cannot rename"):
        experiment.reactivate("new-name")
    interactive(experiment).complete()
    assert experiment.archived_time is None
    assert "old" in workspace.experiments


def test_runs_are_listed_newest_first_and_filtered(workspace):
    experiment = Experiment(workspace, "listed")
    first = interactive(experiment, tags={"kind": "a"}, properties={"author": "x"})
    second = interactive(experiment, tags={"kind": "b"})
    child = second.child_run()
    child.complete()
    first.complete()
    second.cancel()
    assert [first.number, second.number] == [1, 2]
    assert ids(experiment.get_runs()) == [second.id, first.id]
    assert set(ids(experiment.get_runs(include_children=True))) == {first.id, second.id, child.id}
    assert ids(experiment.get_runs(tags={"kind": "a"})) == [first.id]
    assert ids(experiment.get_runs(tags="kind")) == [second.id, first.id]
    assert ids(experiment.get_runs(properties={"author": "x"})) == [first.id]
    assert ids(experiment.get_runs(type="azureml.scriptrun")) == []
    assert ids(Run.list(experiment, status="Canceled")) == [second.id]
    with pytest.raises(ValueError, match="Unknown filter type"):
        list(experiment.get_runs(tags=["kind"]))


def test_unknown_arguments_are_refused_by_name(workspace):
    with pytest.raises(NotImplementedError, match="colour"):
        Experiment(workspace, "strict", colour="red")
    with pytest.raises(NotImplementedError, match="colour"):
        interactive(Experiment(workspace, "strict"), colour="red")
    assert list(Experiment(workspace, "strict").get_runs()) == []


def ids(runs):
    return [run.id for run in runs]
