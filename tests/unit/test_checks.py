"""What a check says to an answer that is wrong, to none, and to an exercise that does not exist."""

import json
import re
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import create_autospec

import numpy as np
import pytest

import helpers
from helpers import checks, costs
from helpers.checks import lesson_06
from helpers.checks.looking import NotYet, arguments, counts, in_workspace, reason_in
from helpers.checks.v2.looking import versions
from helpers.mnist import Mnist

NO_IMAGES = np.zeros((0, 2, 2), np.uint8)
DATA = Mnist(NO_IMAGES, np.array([7, 7, 7, 1]), NO_IMAGES, np.array([7, 2]))
CLUSTER = SimpleNamespace(vm_size="Standard_NC4as_T4_v3")


def sentence(exercise: str, **variables) -> str:
    """What the check says to these variables, which do not solve the exercise."""
    verdict = checks.examine(exercise, variables)
    assert not verdict.solved, verdict.sentence
    return verdict.sentence


def test_it_looks_at_the_variables_of_the_notebook_that_asks_and_says_so(capsys):
    exec('import helpers\ndollars = 126.24\nhelpers.check("03.1")', {})
    assert capsys.readouterr().out.startswith("✓ Right · 03.1: 126.24 USD, for nothing.")
    exec('import helpers\ndollars = 31.56\nhelpers.check("03.1")', {})
    assert capsys.readouterr().out.startswith("✗ Not yet · 03.1: 31.56 USD is what one machine costs.")


def test_in_a_notebook_code_is_set_apart_and_nothing_of_an_answer_becomes_html(monkeypatch):
    shown = {}
    monkeypatch.setattr("helpers.display.show", shown.update)
    monkeypatch.setattr(checks, "examine", lambda *_: checks.Verdict(False, "`x` is <b>'1'</b>."))
    checks.check("03.1")
    assert "<code>x</code> is &lt;b&gt;'1'&lt;/b&gt;." in shown["text/html"]
    assert shown["text/plain"] == "✗ Not yet · 03.1: `x` is <b>'1'</b>."


@pytest.mark.parametrize(
    "name, told",
    [
        ("03.9", "There is no exercise 03.9. Lesson 03 has 03.1, 03.2, 03.3, 03.4."),
        ("v2.03.9", "There is no exercise v2.03.9. Lesson v2.03 has v2.03.1, v2.03.2, v2.03.3, v2.03.4."),
        ("v3.03.1", "names no exercise"),
        ("12.1", "There is no exercise 12.1. There is no lesson 12 with exercises."),
        ("three", 'names no exercise. Name one by its lesson and number, such as "04.2".'),
        (4.2, 'names no exercise. Name one by its lesson and number, such as "04.2".'),
        ("03.1.1", "There is no exercise 03.1.1."),
        ("../x.1", "names no exercise"),
    ],
)
def test_an_exercise_that_does_not_exist_is_told_with_those_that_do(name, told):
    with pytest.raises(helpers.NoSuchExercise) as error:
        helpers.check(name)
    assert told in str(error.value)


def test_a_cell_that_was_not_run_is_not_an_error():
    assert sentence("03.1") == "There is no `dollars` yet: run the cell above first."
    assert sentence("03.1", dollars=...).startswith("`dollars` is still `...`")
    assert sentence("02.1", sevens=3) == "`data` is not there: run the notebook's cells from the top down to here."
    assert "`ws` is no longer a workspace" in sentence("01.1", identity={}, ws="mine")


@pytest.mark.parametrize(
    "exercise, variables, told",
    [
        ("03.1", {"dollars": "126.24"}, "`dollars` is of type `str`; a number is expected."),
        ("02.1", {"sevens": 3.0, "data": DATA}, "`sevens` is of type `float`; a whole number is expected."),
        ("02.1", {"sevens": True, "data": DATA}, "`sevens` is of type `bool`"),
        ("02.4", {"damaged": ["x"], "copies": "."}, "`damaged` is of type `list`; a string is expected."),
        ("08.1", {"digits": "7210414959", "images": None}, "`digits` is of type `str`; a list is expected."),
        ("04.1", {"short": "a run"}, "`short` is of type `str`; a run is expected"),
        ("07.2", {"sweep": 3}, "`sweep` is no sweep"),
        ("06.1", {"is_intact": True}, "has to be a function"),
        ("08.1", {"digits": [[0.1] * 10] * 10, "images": None}, "should hold ten whole numbers"),
        ("08.1", {"digits": list("abcdefghij"), "images": None}, "should hold ten whole numbers"),
        ("09.2", {"untagged": [CLUSTER]}, "holds something of type `SimpleNamespace`; names are expected"),
        ("v2.09.2", {"untagged": [CLUSTER]}, "holds something of type `SimpleNamespace`; names are expected"),
        ("09.2", {"untagged": iter(["a"])}, "which gives its items only once: `list(...)` keeps them"),
    ],
)
def test_a_value_of_another_kind_is_told(exercise, variables, told):
    assert told in sentence(exercise, **variables)


@pytest.mark.parametrize(
    "exercise, variables, told",
    [
        ("02.1", {"sevens": 1, "data": DATA}, "in the test set"),
        ("02.1", {"sevens": 4, "data": DATA}, "in both sets"),
        ("02.1", {"sevens": 2, "data": DATA}, "2 is not the number of sevens"),
        ("03.1", {"dollars": 2.104}, "what an hour costs"),
        ("03.1", {"dollars": 99}, "Multiply machines, hours and the price"),
        ("07.1", {"low": 0.0001, "high": 0.01}, "takes exponents"),
        ("07.1", {"low": -4, "high": -2}, "exponents of 10"),
        ("07.1", {"low": -6, "high": -1}, "rates from 0.002479 to 0.3679"),
        ("03.1", {"dollars": 10**400}, "inf USD is not it"),
        ("08.1", {"digits": np.array(7), "images": DATA.test_images}, "a list is expected"),
        ("07.1", {"low": 1000, "high": 2000}, "rates from 5.185e+21 to 5.185e+21"),
        ("07.4", {"dollars": 4 * 0.526, "compute_target": CLUSTER}, "leaves out the two minutes"),
        ("07.4", {"dollars": 20 * 0.544, "compute_target": CLUSTER}, "never more than four at once"),
        ("07.1", {"low": -9.21, "high": -4.5}, "rates from 0.0001 to 0.01111"),
        ("07.4", {"dollars": 1, "compute_target": CLUSTER}, "How many machines are on"),
        ("09.1", {"dollars": costs.service(1, 1, 24 * 3600)}, "what a day costs"),
        ("09.1", {"dollars": 1000}, "takes cores, gigabytes and seconds"),
        ("v2.09.1", {"dollars": costs.bound("Standard_F2s_v2", 1, 720 * 3600)}, "what one machine costs"),
        ("v2.10.3", {"dollars": costs.bound("Standard_F4s_v2", 1, 1020)}, "that is one step"),
        ("v2.10.3", {"dollars": costs.bound("Standard_F4s_v2", 1, 3600)}, "the machine waits are missing"),
    ],
)
def test_a_wrong_answer_that_people_give_is_told_why_it_is_wrong(exercise, variables, told):
    assert told in sentence(exercise, **variables)


@pytest.mark.parametrize(
    "exercise, variables",
    [
        ("07.1", {"low": -9.2, "high": -4.6}),
        ("07.4", {"dollars": 2.17, "compute_target": CLUSTER}),
        ("v2.07.3", {"dollars": 2.17, "cluster": SimpleNamespace(size=CLUSTER.vm_size)}),
    ],
)
def test_a_figure_that_people_round_is_right(exercise, variables):
    assert checks.examine(exercise, variables).solved


def test_an_argument_may_be_written_with_its_value():
    def told(*given):
        return arguments(SimpleNamespace(get_details=lambda: {"runDefinition": {"arguments": given}}))

    assert told("--epochs=1", "--data-folder", "a=b") == {"--epochs": "1", "--data-folder": "a=b"}
    assert told("--epochs", 1, "--seed", 2) == {"--epochs": "1", "--seed": "2"}


LOG = """usage: train.py [--epochs EPOCHS] [--seed SEED]
train.py: error: argument --epochs: must be a whole number above 0, not '0'
"""


@pytest.mark.parametrize(
    "reason, told",
    [
        ("argument --epochs: wrong", "is not in the log"),
        ("[--epochs EPOCHS] [--seed SEED]", "does not say what was wrong"),
        (LOG, "more of the log than a line"),
    ],
)
def test_another_part_of_a_log_than_the_line_that_says_why_is_told(reason, told):
    with pytest.raises(NotYet, match=told):
        reason_in({"reason": reason}, LOG)
    assert reason_in({"reason": f"{LOG.splitlines()[1]}\n"}, LOG)


def test_a_model_is_told_what_it_lacks_as_it_gets_that(monkeypatch):
    run = SimpleNamespace(id="a-run", get_metrics=lambda: {"Final test accuracy": 0.97})
    model = SimpleNamespace(version=1, run_id=None, tags=None, properties=None)
    monkeypatch.setattr("helpers.checks.lesson_05._versions", lambda _: [model])
    for name, value, told in (
        ("run_id", "a-run", "comes from another run"),
        ("tags", {"data": "MNIST"}, "no tag `data`"),
        ("properties", {"accuracy": "0.97"}, "no property `accuracy`"),
        ("properties", {"accuracy": "0.9700"}, "the run measured '0.9700'"),
    ):
        assert told in sentence("05.1", run=run)
        setattr(model, name, value)
    assert checks.examine("05.1", {"run": run}).solved


def test_a_model_of_version_two_is_told_what_it_lacks_as_it_gets_that(monkeypatch):
    run = SimpleNamespace(data=SimpleNamespace(metrics={"Final test accuracy": 0.97}))
    model = SimpleNamespace(version="1", job_name=None, tags=None)
    monkeypatch.setattr("helpers.checks.v2.lesson_05._versions", lambda _: [model])
    monkeypatch.setattr("mlflow.get_run", lambda name: run)
    for name, value, told in (
        ("job_name", "a-job", "comes from elsewhere"),
        ("tags", {"data": "MNIST"}, "no tag `data`"),
        ("tags", {"data": "MNIST", "accuracy": "0.9700"}, "the job measured 0.9700"),
    ):
        assert told in sentence("v2.05.1", job=SimpleNamespace(name="a-job"))
        setattr(model, name, value)
    assert checks.examine("v2.05.1", {"job": SimpleNamespace(name="a-job")}).solved


def test_a_file_that_names_no_workspace_is_told_why(tmp_path, monkeypatch):
    (file := tmp_path / "mine.json").write_text("no JSON")
    assert "does not hold JSON" in sentence("01.2", config_file=file)
    ws = SimpleNamespace(subscription_id="s", resource_group="g", get_details=lambda: {"id": "/s/g/w"})
    ws.name = "w"
    monkeypatch.setattr("helpers.checks.lesson_01.workspace", lambda _: ws)
    for config, told in (([], "an object with entries"), ({"Scope": "/other"}, "names another workspace: /other")):
        file.write_text(json.dumps(config))
        assert told in sentence("01.2", config_file=file)
    for config in ({"Scope": "/s/g/w"}, {"subscription_id": "s", "resource_group": "g", "workspace_name": "w"}):
        file.write_text(json.dumps(config))
        assert checks.examine("01.2", {"config_file": file}).solved


@pytest.mark.parametrize(
    "stock, told",
    [
        ({}, "does not say how many `data` there are"),
        ({"data": ...}, "does not say how many `data` there are"),
        ({"data": ["mnist"]}, "has no number for `data`: `len` counts"),
        ({"data": 2}, "says 2 for `data`; the workspace lists 1"),
    ],
)
def test_what_is_listed_in_place_of_counted_is_told(stock, told):
    with pytest.raises(NotYet, match=told):
        counts({"stock": stock}, "stock", {"data": 1})
    assert counts({"stock": {"data": 1}}, "stock", {"data": 1}).startswith("data: 1.")


def test_a_sweep_of_another_argument_is_told(monkeypatch):
    trials = [SimpleNamespace(parameters={"learning-rate": rate}) for rate in (0.0005, 0.002)]
    monkeypatch.setattr("helpers.sweeps.trials", lambda *_: trials)
    sweep = SimpleNamespace(type="hyperdrive", get_status=lambda: "Completed")
    assert sentence("07.2", sweep=sweep) == "It varies `learning-rate`; the script's argument is `--learning-rate`."


def test_rates_that_were_drawn_by_chance_are_no_grid(monkeypatch):
    trials = [SimpleNamespace(parameters={"--learning-rate": rate}) for rate in (0.0005, 0.002)]
    monkeypatch.setattr("helpers.sweeps.trials", lambda *_: trials)
    tags = {"_aml_system_generator_config": json.dumps({"name": "RANDOM"})}
    sweep = SimpleNamespace(type="hyperdrive", get_status=lambda: "Completed", get_tags=lambda: tags)
    assert "`GridParameterSampling` leaves none out" in sentence("07.2", sweep=sweep)
    for noted in ({"_aml_system_generator_config": json.dumps({"name": "GRID"})}, {}):
        sweep.get_tags = lambda noted=noted: noted
        assert checks.examine("07.2", {"sweep": sweep}).solved


def asset(name, version, path, type="uri_folder", **tags):
    return SimpleNamespace(name=name, version=str(version), path=f"azureml://there/{path}/", type=type, tags=tags)


def assets(*listed, archived=()):
    """The variables of a notebook whose workspace has these versions of data assets."""
    from azure.ai.ml import MLClient
    from azure.core.exceptions import ResourceNotFoundError

    def get(name, version):
        for found in [*listed, *archived]:
            if (found.name, found.version) == (name, version):
                return found
        raise ResourceNotFoundError

    def of_name(name=None, list_view_type="ActiveOnly"):
        among = listed if list_view_type == "ActiveOnly" else archived
        return [found for found in among if found.name == name]

    client = create_autospec(MLClient, instance=True)
    client.data = SimpleNamespace(list=of_name, get=get)
    return {"ml_client": client}


def test_a_data_asset_has_its_tag_in_some_version_of_the_right_folder():
    other = asset("exercise-digits", 1, "mnist", purpose="exercise")
    untagged = asset("exercise-digits", 2, "test-set")
    assert "Version 2 has no tag `purpose`" in sentence("v2.02.1", **assets(other, untagged))
    tagged = asset("exercise-digits", 1, "test-set", purpose="exercise")
    assert checks.examine("v2.02.1", assets(untagged, archived=[tagged])).solved
    first_of_seven = asset("exercise-digits", 7, "test-set", purpose="exercise")
    assert checks.examine("v2.02.1", assets(first_of_seven)).solved


@pytest.mark.parametrize(
    "archive, told",
    [
        ([None], "`exercise-digits` is archived, with all its versions."),
        (["1", "2", "3"], "All versions of `exercise-digits` are archived."),
        ([None, "3"], "`exercise-digits` is archived, with all its versions."),
        (["3"], "Version 3, the newest, is archived."),
        (["1", "3"], "Version 3, the newest, is archived."),
    ],
)
def test_whoever_has_archived_too_much_is_told_the_call_that_brings_it_back(ml_client, archive, told):
    from azure.ai.ml.entities import Data

    data, name, variables = ml_client.data, "exercise-digits", {"ml_client": ml_client}
    Path("test-set").mkdir(exist_ok=True)
    Path("test-set", "images").write_text("0")
    for version in "123":
        data.create_or_update(Data(name=name, version=version, path="test-set", type="uri_folder"))
        data.restore(name, version=version)
    data.restore(name)
    for version in archive:
        data.archive(name, version=version)
    verdict = checks.examine("v2.02.3", variables)
    assert verdict.sentence.startswith(told)
    while "restore" in verdict.sentence:  # a learner does what is said, until there is nothing left to bring back
        eval(re.search(r"`(ml_client\.data\.restore\(.*?\))`", verdict.sentence)[1], variables)
        verdict = checks.examine("v2.02.3", variables)
    for version in "12":
        data.archive(name, version=version)
    assert checks.examine("v2.02.3", variables).sentence.startswith("Version 3 is what people find")


def test_whoever_has_registered_a_folder_for_the_file_is_given_another_name():
    labels, images = (f"t10k-{name}-ubyte.gz" for name in ("labels-idx1", "images-idx3"))
    folder = asset("exercise-labels", 1, "test-set")
    told = sentence("v2.02.2", **assets(folder))
    assert told.endswith("A name keeps the type of its first version, so register the file as `exercise-labels-2`.")
    assert checks.examine("v2.02.2", assets(folder, asset("exercise-labels-2", 1, labels, "uri_file"))).solved
    assert checks.examine("v2.02.2", assets(asset("exercise-labels", 1, labels, "uri_file"))).solved
    wrong = assets(folder, asset("exercise-labels-2", 1, images, "uri_file"))
    assert "`exercise-labels-2` refers to another file" in sentence("v2.02.2", **wrong)


def test_a_number_of_another_default_is_told():
    from azure.ai.ml import Input, Output, command

    def report(least):
        return command(
            command="test ${{inputs.counted}} ${{inputs.least}} ${{outputs.reported}}",
            inputs={"counted": Input(type="uri_folder"), "least": least},
            outputs={"reported": Output(type="uri_folder")},
            environment="e@latest",
        )

    assert "`least` is 5 by default; it should be 4." in sentence("v2.10.1", report=report(5))
    assert "`least` is None by default" in sentence("v2.10.1", report=report(Input(type="integer")))
    for four in (4, 4.0, Input(type="integer", default=4)):
        assert checks.examine("v2.10.1", {"report": report(four)}).solved


def test_the_status_of_a_job_is_told_in_azure_mls_word(monkeypatch):
    from azure.ai.ml import command

    status = Enum("JobStatus", {"RUNNING": "Running"}, type=str)  # as the client has it of a job that has not ended
    variables = looked_at(monkeypatch, command(command="true", environment="e@latest"), {})
    variables["short"]._status = status.RUNNING
    assert "The job is Running. Wait for its end" in sentence("v2.04.1", **variables)
    endless = {"endless": variables["short"], "ml_client": variables["ml_client"]}
    assert "The job `endless` is Running, and costs money" in sentence("v2.04.4", **endless)


def test_steps_that_are_not_connected_are_told():
    from azure.ai.ml import Input, Output, command
    from azure.ai.ml.dsl import pipeline

    def step(name, makes):
        line = f"cp -r ${{{{inputs.{name}}}}} ${{{{outputs.{makes}}}}}"
        given, made = Input(type="uri_folder"), Output(type="uri_folder")
        return command(command=line, inputs={name: given}, outputs={makes: made}, environment="e@latest")

    count, report = step("folder", "counted"), step("counted", "reported")

    @pipeline
    def counting(data):
        first = count(folder=data)
        report(counted=first.outputs.counted)

    @pipeline
    def apart(data):
        count(folder=data)
        report(counted=data)

    @pipeline
    def idle(data):
        nothing = command(command="true", environment="e@latest")
        nothing()
        count(folder=data)

    data = Input(type="uri_folder", path="azureml:mnist:1")
    assert "are not one of `count` and one of `report`" in sentence("v2.10.2", job=idle(data=data))
    assert checks.examine("v2.10.2", {"job": counting(data=data)}).solved
    assert "does not read what `azureml_anonymous` counts" in sentence("v2.10.2", job=apart(data=data))
    assert "`job` is no pipeline" in sentence("v2.10.2", job=count)
    assert "Its inputs are ['counted']; they should be `counted, least`" in sentence("v2.10.1", report=report)


def looked_at(monkeypatch, job, metrics):
    """The variables of a notebook whose workspace has this job, completed, with these metrics."""
    import mlflow
    from azure.ai.ml import MLClient

    job.name, job._status = "a-job", "Completed"
    run = SimpleNamespace(data=SimpleNamespace(metrics=metrics))
    monkeypatch.setattr(mlflow, "MlflowClient", lambda *_: SimpleNamespace(get_run=lambda _: run))
    client = create_autospec(MLClient, instance=True)
    client.jobs.get.return_value = job
    return {"ml_client": client, "short": job, "model": SimpleNamespace(job_name=job.name), "rate": 0.001}


def test_a_job_that_is_not_of_the_lessons_is_told_what_it_lacks(monkeypatch):
    from azure.ai.ml import command

    def job(**inputs):
        return command(command="true", environment="e@latest", inputs=inputs, tags={"purpose": "exercise"})

    for given in ({}, {"images": 3}):
        variables = looked_at(monkeypatch, job(**given), {})
        assert "The job has no input `epochs`" in sentence("v2.04.1", **variables)
        assert "The job has no input `learning_rate`" in sentence("v2.05.3", **variables)
    variables |= {"model": SimpleNamespace(job_name=None)}
    assert "`model` comes from no job" in sentence("v2.05.3", **variables)
    variables = looked_at(monkeypatch, job(epochs=1, first_layer_neurons=30), {})
    assert "The job has not logged `Final test accuracy`" in sentence("v2.04.1", **variables)
    variables = looked_at(monkeypatch, job(epochs=1, first_layer_neurons=30), {"Final test accuracy": 0.9})
    assert checks.examine("v2.04.1", variables).solved


def test_a_run_that_is_not_of_the_lessons_is_told_what_it_lacks():
    run = SimpleNamespace(get_details=dict, get_metrics=lambda **_: {})
    for of in (run, None):  # the latter where the model comes from files
        assert "no `--learning-rate`" in sentence("05.3", rate=0.001, model=SimpleNamespace(run=of))
    assert "has logged no `Loss`" in sentence("04.3", best_epoch=1, lesson_run=run)


@pytest.mark.parametrize(
    "exercise, told", [("04.1", "The run has not"), ("05.1", "The run has not"), ("v2.05.1", "The job has not")]
)
def test_a_script_that_does_not_measure_the_test_images_is_told(monkeypatch, exercise, told):
    import mlflow
    from azureml.core import Run

    run = create_autospec(Run, instance=True)
    run.get_status.return_value = "Completed"
    run.get_metrics.return_value = {"Accuracy": 0.9}
    given = ["--epochs", "1", "--first-layer-neurons", "30"]
    run.get_details.return_value = {"runDefinition": {"arguments": given}}
    monkeypatch.setattr(mlflow, "get_run", lambda _: SimpleNamespace(data=SimpleNamespace(metrics={"Accuracy": 0.9})))
    for lesson in ("lesson_05", "v2.lesson_05"):
        monkeypatch.setattr(f"helpers.checks.{lesson}._versions", lambda variables: [])
    said = sentence(exercise, short=run, run=run, job=SimpleNamespace(name="a-job"))
    assert said.startswith(f"{told} logged `Final test accuracy`")


def test_a_version_that_is_no_number_is_told():
    variables = assets(asset("x", "first", "test-set"))
    with pytest.raises(NotYet, match="`x` has a version 'first'"):
        versions(variables["ml_client"], "data", "x", "there is none")


def network(scaled, raw):
    """What lesson 6's exercises look at: probabilities of four images, and a network that gives those of raw pixels."""
    data = Mnist(NO_IMAGES, np.array([], int), np.zeros((4, 2, 2), np.uint8), np.array([0, 0, 1, 1]))
    rows = {name: np.eye(10)[digits] * sure[:, None] for name, (digits, sure) in {"s": scaled, "r": raw}.items()}
    return {
        "data": data,
        "probabilities": rows["s"],
        "predictions": rows["s"].argmax(axis=1),
        "network": SimpleNamespace(predict=lambda *_, **__: rows["r"]),
    }


def test_the_shares_of_lesson_6_are_measured_and_not_looked_up():
    given = network(
        scaled=(np.array([0, 1, 1, 2]), np.array([1, 0.5, 1, 0.6])),  # sure of two, and right about both
        raw=(np.array([0, 1, 1, 2]), np.array([1, 1, 1, 0.5])),
    )
    assert checks.examine("06.3", given | {"when_sure": 1.0}).solved
    assert checks.examine("06.3", given | {"when_sure": 0.9995}).solved
    assert "0.5000 is the share of images of which it is sure" in sentence("06.3", when_sure=0.5, **given)
    assert checks.examine("06.4", given | {"share_sure": 0.75}).solved
    assert "is the share for scaled pixels" in sentence("06.4", share_sure=0.5, **given)
    assert lesson_06._mean(given) == 0.5
    assert "a share is asked for" in sentence("06.3", when_sure=50, **given)


def test_a_function_that_says_yes_to_everything_is_found_out(tmp_path):
    folders = {"model_folder": tmp_path, "tampered_folder": tmp_path}
    assert "says True to the folder" in sentence("06.1", is_intact=lambda folder: True, **folders)
    assert "says False to the model" in sentence("06.1", is_intact=lambda folder: False, **folders)
    assert "returns a `str`" in sentence("06.1", is_intact=lambda folder: "yes", **folders)


def test_a_function_that_fails_is_told_with_its_error(tmp_path):
    said = sentence("06.1", is_intact=lambda folder: folder + "x", model_folder=tmp_path, tampered_folder=tmp_path)
    assert said.startswith("`is_intact(model_folder)` raises TypeError: unsupported operand")


def test_a_request_of_another_image_is_not_the_repaired_one():
    image = np.full((2, 2), 255, np.uint8)
    given = {"images": image[None]}
    assert "the text of a JSON object" in sentence("08.2", fixed="seven", **given)
    assert "has 1 pixels; one image has 4" in sentence("08.2", fixed=json.dumps({"data": [1]}), **given)
    column = json.dumps({"data": [[0], [0.25], [0.5], [1]]})
    assert "pixels of the shape (4, 1); an image is (4,) or (2, 2)" in sentence("08.2", fixed=column, **given)
    assert "still pixels up to 255" in sentence("08.2", fixed=json.dumps({"data": [255] * 4}), **given)
    assert "not those of `images[0]`" in sentence("08.2", fixed=json.dumps({"data": [0.5] * 4}), **given)


def test_only_what_is_not_there_is_taken_for_not_yet():
    from azureml.exceptions import ComputeTargetException

    def refuse(message):
        raise ComputeTargetException(message)

    with pytest.raises(NotYet, match="make it first"):
        in_workspace(lambda: refuse("ComputeTargetNotFound: Compute Target with name x not found"), "make it first")
    with pytest.raises(ComputeTargetException, match="no permission"):
        in_workspace(lambda: refuse("no permission"), "make it first")
