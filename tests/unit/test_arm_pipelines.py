"""Pipelines and components of SDK v2, offline: steps in order, what is handed on, what fails, and what is refused."""

import contextlib
import io
import time
from pathlib import Path

import pytest
from azure.ai.ml import Input, Output, PyTorchDistribution, command, load_component, load_job
from azure.ai.ml.dsl import pipeline
from azure.ai.ml.entities import Data
from azure.ai.ml.exceptions import JobException, PipelineChildJobError
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from classroom import copies, forward
from small_v2 import make_cluster, make_environment, wait_for

from helpers.offline.arm import pipeline_jobs
from helpers.offline.engine.history import studio
from helpers.offline.engine.jobs.run_records import list_runs
from helpers.offline.engine.pipelines import in_order
from helpers.offline.engine.workspace import folder as folders
from helpers.offline.engine.workspace.errors import Invalid

STEP = """
import pathlib, sys, time
*read, written = sys.argv[1:]
words = [pathlib.Path(one, "words.txt").read_text() if pathlib.Path(one).is_dir() else one for one in read]
print(" ".join(words))
if "fail" in words:
    raise ValueError("no such word")
if "wait" in words:
    time.sleep(600)
pathlib.Path(written, "words.txt").write_text(" ".join(words))
"""
PREPARE = """
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
type: command
name: prepare
version: "1"
inputs:
  raw: {type: uri_folder}
  word: {type: string, default: prepared}
  more: {type: string, optional: true}
outputs:
  prepared: {type: uri_folder}
code: ./step
command: python step.py ${{inputs.raw}} ${{inputs.word}} $[[${{inputs.more}}]] ${{outputs.prepared}}
environment: azureml:small:1
"""
YAML = """
type: pipeline
experiment_name: from-yaml
inputs: {raw: {type: uri_folder, path: ./raw}}
outputs: {model: {type: uri_folder}}
settings: {default_compute: azureml:cpu}
jobs:
  first:
    component: azureml:prepare:1
    inputs: {raw: "${{parent.inputs.raw}}", more: more}
  second:
    component: azureml:prepare:1
    inputs: {raw: "${{parent.jobs.first.outputs.prepared}}", word: again}
    outputs: {prepared: "${{parent.outputs.model}}"}
"""
NAMED = """
type: pipeline
experiment_name: named
settings: {default_compute: azureml:cpu}
jobs:
  named:
    type: command
    display_name: By YAML
    description: told, too
    tags: {by: YAML}
    properties: {p: "2"}
    command: echo
    environment: azureml:small:1
  unnamed: {type: command, command: echo, environment: azureml:small:1}
"""


RANKS = """
type: command
name: ranks
version: "1"
command: echo $RANK of $WORLD_SIZE >> ${{outputs.told}}/$RANK.txt
outputs: {told: {type: uri_folder}}
environment: azureml:small:1
distribution: {type: pytorch, process_count_per_instance: 2}
"""


@pytest.fixture(scope="module")
def prepare(ml_client):
    """The component "prepare", read from YAML; it is registered, too."""
    make_cluster(ml_client)
    make_environment(ml_client)
    for name, content in {"step/step.py": STEP, "raw/words.txt": "raw", "prepare.yml": PREPARE}.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(content, encoding="utf-8")
    made = ml_client.components.create_or_update(load_component("prepare.yml"))
    assert (made.name, made.version) == ("prepare", "1")
    return load_component("prepare.yml")


def two_steps(prepare, word="trained"):
    """A pipeline in Python: the component from YAML, and a command whose output is the pipeline's."""
    train = command(
        code="step",
        command="python step.py ${{inputs.data}} ${{inputs.word}} ${{outputs.model}}",
        environment="small@latest",
        inputs={"data": Input(type="uri_folder"), "word": "trained"},
        outputs={"model": Output(type="uri_folder")},
    )

    @pipeline(default_compute="cpu", experiment_name="chains", display_name="two steps")
    def chain(raw, word):
        prepared = prepare(raw=raw)
        trained = train(data=prepared.outputs.prepared, word=word)
        return {"model": trained.outputs.model}

    return chain(raw=Input(type="uri_folder", path="raw"), word=word)


@pytest.fixture(scope="module")
def streamed(ml_client, prepare):
    """A pipeline that has ended, and what jobs.stream printed of it."""
    submitted = ml_client.jobs.create_or_update(two_steps(prepare))
    assert submitted.type == "pipeline" and submitted.status == "NotStarted"
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        ml_client.jobs.stream(submitted.name)
    return wait_for(ml_client, submitted.name, "Completed"), printed.getvalue()


def test_a_pipeline_runs_its_steps_in_order_and_hands_on_what_they_write(ml_client, streamed, tmp_path):
    chain, _ = streamed
    ml_client.jobs.download(chain.name, download_path=tmp_path, all=True)
    assert (tmp_path / "named-outputs/model/words.txt").read_text() == "raw prepared trained"
    assert "'trained'" in (tmp_path / "artifacts/logs/azureml/executionlogs.txt").read_text()
    assert (chain.display_name, chain.experiment_name) == ("two steps", "chains")
    assert list(chain.jobs) == ["prepared", "trained"] and list(chain.inputs) == ["raw", "word"]


def test_stream_tells_the_steps(streamed):
    chain, told = streamed
    lines = [f"The step 'prepared' ({chain.name}_prepared) is submitted", "The step 'prepared' ended: Completed"]
    lines += ["The step 'trained' ended: Completed", "The pipeline ended: Completed", "Execution Summary"]
    places = [told.index(line) for line in lines]
    assert places == sorted(places)


def test_steps_are_the_pipelines_children(ml_client, streamed, tmp_path):
    chain, _ = streamed
    children = {child.display_name: child for child in ml_client.jobs.list(parent_job_name=chain.name)}
    assert {name: (child.status, child.compute) for name, child in children.items()} == {
        "prepared": ("Completed", "cpu"),
        "trained": ("Completed", "cpu"),
    }
    step = children["prepared"].name
    assert all(child.studio_url.startswith(f"{studio.ADDRESS}/experiments/") for child in children.values())
    assert f"/runs/{step}?" in ml_client.jobs.get(step).studio_url
    assert ml_client.jobs.get(step).status == "Completed"
    assert step not in [job.name for job in ml_client.jobs.list()]
    ml_client.jobs.download(step, download_path=tmp_path, output_name="prepared")
    assert (tmp_path / "named-outputs/prepared/words.txt").read_text() == "raw prepared"
    with pytest.raises(PipelineChildJobError):  # as on Azure
        ml_client.jobs.stream(step)


def test_steps_run_in_as_many_processes_as_their_components_or_they_themselves_say(ml_client, prepare):
    Path("ranks.yml").write_text(RANKS, encoding="utf-8")
    ranks = load_component("ranks.yml")

    @pipeline(default_compute="cpu")
    def told():
        found = {}
        for name in ("by_component", "by_step"):
            step = ranks()
            step.name, found[name] = name, step.outputs.told
        step.distribution = PyTorchDistribution(process_count_per_instance=1)
        step.resources = {"instance_count": 2}
        return found

    job = wait_for(ml_client, ml_client.jobs.create_or_update(told()).name, "Completed")
    ml_client.jobs.download(job.name, all=True)
    for name in ("by_component", "by_step"):
        words = sorted(file.read_text() for file in Path("named-outputs", name).glob("*.txt"))
        assert words == ["0 of 2\n", "1 of 2\n"]


OUTER = """
type: pipeline
settings: {default_compute: azureml:cpu}
outputs: {model: {type: uri_folder}}
jobs:
  first: {type: pipeline, component: ./inner.yml, inputs: {raw: {type: uri_folder, path: ./raw}, word: one}}
  second:
    type: pipeline
    component: ./inner.yml
    inputs: {raw: "${{parent.jobs.first.outputs.made}}"}
    outputs: {made: "${{parent.outputs.model}}"}
  third: {component: ./prepare.yml, inputs: {raw: "${{parent.jobs.second.outputs.made}}"}}
"""
INNER = """
type: pipeline
name: inner
version: "1"
inputs: {raw: {type: uri_folder}, word: {type: string, default: inner}, more: {type: string, optional: true}}
outputs: {made: {type: uri_folder}}
jobs:
  begin:
    component: ./prepare.yml
    inputs: {raw: "${{parent.inputs.raw}}", word: "${{parent.inputs.word}}", more: "${{parent.inputs.more}}"}
  end:
    component: ./prepare.yml
    inputs: {raw: "${{parent.jobs.begin.outputs.prepared}}", word: end}
    outputs: {prepared: "${{parent.outputs.made}}"}
"""


@pytest.fixture(scope="module")
def nested(ml_client, prepare):
    """What a pipeline of pipelines is read from."""
    Path("inner.yml").write_text(INNER, encoding="utf-8")
    Path("outer.yml").write_text(OUTER, encoding="utf-8")
    return "outer.yml"


def steps_below(ml_client, name):
    """What jobs.list tells of those below a job: status by what comes after its own name."""
    listed = {child.name.removeprefix(f"{name}_"): child.status for child in ml_client.jobs.list(parent_job_name=name)}
    return dict(sorted(listed.items()))


def test_a_pipelines_step_can_be_a_pipeline(ml_client, nested, tmp_path):
    name = ml_client.jobs.create_or_update(load_job(nested)).name
    wait_for(ml_client, name, "Completed")
    ml_client.jobs.download(name, download_path=tmp_path, output_name="model")
    assert (tmp_path / "named-outputs/model/words.txt").read_text() == "raw one end inner end"
    assert steps_below(ml_client, name) == dict.fromkeys(("first", "second", "third"), "Completed")
    assert steps_below(ml_client, f"{name}_first") == dict.fromkeys(("begin", "end"), "Completed")
    inner, step = ml_client.jobs.get(f"{name}_first"), ml_client.jobs.get(f"{name}_first_begin")
    assert (inner.display_name, inner.compute, step.compute) == ("first", None, "cpu")


def test_what_fails_in_an_inner_pipeline_is_told_of_the_outer_one(ml_client, nested):
    name = ml_client.jobs.create_or_update(load_job(nested, params_override=[{"jobs.first.inputs.word": "fail"}])).name
    wait_for(ml_client, name, "Failed")
    told = ml_client.jobs._runs_operations.get_run_details(name).error.error.message
    assert f"({name}_first) ended as Failed: The step 'begin' ({name}_first_begin) ended as Failed" in told
    assert steps_below(ml_client, name) == {"first": "Failed"}


def test_an_inner_pipeline_is_canceled_with_the_outer_one(ml_client, nested):
    name = ml_client.jobs.create_or_update(load_job(nested, params_override=[{"jobs.first.inputs.word": "wait"}])).name
    deadline = time.monotonic() + 60
    while not steps_below(ml_client, name) or steps_below(ml_client, f"{name}_first") != {"begin": "Running"}:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    ml_client.jobs.begin_cancel(name).result()
    assert steps_below(ml_client, name) == {"first": "Canceled"}
    assert steps_below(ml_client, f"{name}_first") == {"begin": "Canceled"}


def test_a_component_that_is_a_pipeline_is_registered_again_as_it_is(ml_client, nested):
    for _ in range(2):
        registered = load_component("inner.yml", params_override=[{"name": "chain"}])
        assert ml_client.components.create_or_update(registered).version == "1"
    ml_client.components.archive("chain")


def test_an_inner_pipeline_that_cannot_run_is_refused_before_there_is_an_outer_one(ml_client, nested):
    Path("inner.yml").write_text(INNER.replace("begin.outputs.prepared", "begin.outputs.cooked"), encoding="utf-8")
    try:
        with pytest.raises(HttpResponseError, match=r"step 'first' cannot run.*output 'cooked' of 'begin'"):
            ml_client.jobs.create_or_update(load_job(nested))
    finally:
        Path("inner.yml").write_text(INNER, encoding="utf-8")


SWEEPING = """
type: pipeline
settings: {default_compute: azureml:cpu}
outputs: {best: {type: uri_folder, name: best-of-sweep}}
jobs:
  tried:
    type: sweep
    trial: ./tried.yml
    inputs: {unit: m}
    outputs: {kept: "${{parent.outputs.best}}"}
    search_space: {rate: {type: choice, values: [0.1, 0.4, 0.2]}}
    sampling_algorithm: grid
    objective: {goal: maximize, primary_metric: rate}
    limits: {max_total_trials: 3, max_concurrent_trials: 3}
  read:
    command: grep "0.4 m" ${{inputs.kept}}/rate.txt
    environment: azureml:small:1
    inputs: {kept: "${{parent.jobs.tried.outputs.kept}}"}
"""
TRIED = """
type: command
name: tried
inputs: {rate: {type: number}, unit: {type: string}}
outputs: {kept: {type: uri_folder}}
command: >-
  python -c "import mlflow; mlflow.log_metric('rate', ${{inputs.rate}})" &&
  echo ${{inputs.rate}} ${{inputs.unit}} > ${{outputs.kept}}/rate.txt
environment: azureml:small:1
"""


def test_a_step_that_is_a_sweep_hands_on_what_its_best_trial_has_made(ml_client, prepare, tmp_path):
    Path("tried.yml").write_text(TRIED, encoding="utf-8")
    Path("sweeping.yml").write_text(SWEEPING, encoding="utf-8")
    name = ml_client.jobs.create_or_update(load_job("sweeping.yml")).name
    wait_for(ml_client, name, "Completed")
    ml_client.jobs.download(name, download_path=tmp_path, output_name="best")
    assert (tmp_path / "named-outputs/best/rate.txt").read_text() == "0.4 m\n"
    assert [one.version for one in ml_client.data.list("best-of-sweep")] == ["1"]
    sweep = ml_client.jobs.get(f"{name}_tried")
    best = ml_client.jobs.get(sweep.properties["best_child_run_id"])
    assert best.tags["hyperparameters"] == '{"rate": 0.4}' and best.status == "Completed"
    assert [child.status for child in ml_client.jobs.list(parent_job_name=sweep.name)] == ["Completed"] * 3


def test_a_sweep_that_the_service_refuses_is_no_step(ml_client, prepare):
    Path("tried.yml").write_text(TRIED, encoding="utf-8")
    Path("sweeping.yml").write_text(SWEEPING.replace("trials: 3", "trials: 2000"), encoding="utf-8")
    with pytest.raises(HttpResponseError, match=r"step 'tried' cannot run\. max_total_trials is 2000"):
        ml_client.jobs.create_or_update(load_job("sweeping.yml"))


def test_what_names_no_compute_runs_on_serverless_ones(ml_client, prepare):
    details = {"environment": "small@latest", "distribution": PyTorchDistribution(), "instance_count": 2}
    alone = command(
        command="echo $WORLD_SIZE > ${{outputs.told}}", outputs={"told": Output(type="uri_file")}, **details
    )

    @pipeline(default_compute="serverless")
    def step():
        one = command(command="echo ran", environment="small@latest")()
        one.resources, one.queue_settings = {"instance_type": "Standard_F2s_v2"}, {"job_tier": "Spot"}

    submitted = [ml_client.jobs.create_or_update(job).name for job in (alone, step())]
    for name in submitted:
        wait_for(ml_client, name, "Completed")
    ml_client.jobs.download(submitted[0], output_name="told")
    assert Path("named-outputs/told/told").read_text() == "2\n"
    (child,) = ml_client.jobs.list(parent_job_name=submitted[1])
    assert child.compute == "serverless"


def test_a_step_that_fails_is_named_in_the_pipelines_error(ml_client, prepare):
    name = ml_client.jobs.create_or_update(two_steps(prepare, word="fail")).name
    wait_for(ml_client, name, "Failed")
    with pytest.raises(
        JobException, match=rf"step 'trained' \({name}_trained\) ended as Failed.*ValueError: no such word"
    ):
        ml_client.jobs.stream(name)
    statuses = {child.display_name: child.status for child in ml_client.jobs.list(parent_job_name=name)}
    assert statuses == {"prepared": "Completed", "trained": "Failed"}


def test_a_pipeline_is_canceled_with_its_steps(ml_client, prepare):
    name = ml_client.jobs.create_or_update(two_steps(prepare, word="wait")).name
    deadline = time.monotonic() + 120
    while (f"{name}_trained", "Running") not in [
        (child.name, child.status) for child in ml_client.jobs.list(parent_job_name=name)
    ]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    ml_client.jobs.begin_cancel(name).result()
    assert ml_client.jobs.get(name).status == "Canceled"
    assert [child.status for child in ml_client.jobs.list(parent_job_name=name)] == ["Canceled", "Completed"]


def test_steps_have_the_names_descriptions_tags_and_properties_that_they_were_given(ml_client, prepare):
    given = {"display_name": "By command", "description": "told", "tags": {"by": "command", "ä": "1"}}
    made = command(command="echo", environment="small@latest", **given)

    @pipeline(default_compute="cpu", experiment_name="named")
    def chain(raw):
        made()
        prepared = prepare(raw=raw)
        prepared.display_name, prepared.tags = "By component", {"by": "component"}

    asked = chain(raw=Input(type="uri_folder", path="raw"))
    name = ml_client.jobs.create_or_update(asked).name
    wait_for(ml_client, name, "Completed")
    Path("named.yml").write_text(NAMED, encoding="utf-8")
    of_yaml = ml_client.jobs.create_or_update(load_job("named.yml")).name
    wait_for(ml_client, of_yaml, "Completed")
    runs = [run for one in (name, of_yaml) for run in list_runs(folders.open_folder(), "named", parent_id=one)]
    told = {run.display_name: (run.description, run.tags, run.properties.get("p")) for run in runs}
    assert told == {
        "By command": ("told", {"by": "command", "ä": "1"}, None),
        "By component": ("", {"by": "component"}, None),
        "By YAML": ("told, too", {"by": "YAML"}, "2"),
        "unnamed": ("", {}, None),
    }
    children = [child for one in (name, of_yaml) for child in ml_client.jobs.list(parent_job_name=one)]
    assert {child.display_name: child.tags for child in children} == {key: value[1] for key, value in told.items()}


def test_a_pipeline_in_yaml_of_registered_components(ml_client, prepare, tmp_path):
    Path("chain.yml").write_text(YAML, encoding="utf-8")
    name = ml_client.jobs.create_or_update(load_job("chain.yml")).name
    wait_for(ml_client, name, "Completed")
    ml_client.jobs.download(name, download_path=tmp_path, output_name="model")
    assert (tmp_path / "named-outputs/model/words.txt").read_text() == "raw prepared more again"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("parent.inputs.raw", "parent.jobs.second.outputs.prepared", "'first' waits for 'second' waits for 'first'"),
        ('raw: "${{parent.inputs.raw}}", ', "", "step 'first' has no value for its input 'raw'"),
        ("parent.inputs.raw", "parent.inputs.row", "input 'row'; the pipeline has: raw"),
        ("first.outputs.prepared", "first.outputs.cooked", "output 'cooked' of 'first', which has: prepared"),
        ("jobs.first.outputs", "jobs.third.outputs", "step 'third'; there are: first, second"),
        ("azureml:prepare:1", "azureml:prepare:7", "no component 'prepare' version '7'. It has the versions 1"),
        ("component: azureml:prepare:1", "tags: {'': b}\n    component: azureml:prepare:1", "no name for a tag"),
        ("azureml:cpu", "azureml:no-such", "step 'first' cannot run. Unknown compute target 'no-such'"),
    ],
)
def test_a_pipeline_that_cannot_run_is_refused_before_there_is_one(ml_client, prepare, old, new, message):
    before = [job.name for job in ml_client.jobs.list()]
    Path("wrong.yml").write_text(YAML.replace(old, new), encoding="utf-8")
    with pytest.raises(HttpResponseError, match=message):
        ml_client.jobs.create_or_update(load_job("wrong.yml"))
    assert [job.name for job in ml_client.jobs.list()] == before


@pytest.mark.parametrize(
    ("of_step", "of_pipeline", "default", "taken"),
    [("a", "b", "c", "a"), (None, "b", "c", "b"), (None, "b", None, "b"), (None, None, "c", "c")],
)
def test_a_step_runs_on_its_own_compute_or_on_the_pipelines(of_step, of_pipeline, default, taken):
    asked = {"computeId": of_pipeline, "settings": {"default_compute": default}}
    assert pipeline_jobs._compute(asked, {"computeId": of_step}) == taken


def test_the_client_sends_a_pipelines_own_compute(ml_client, prepare):
    own = YAML.replace("settings: {default_compute: azureml:cpu}", "compute: azureml:cpu")
    Path("own.yml").write_text(own.replace('raw: "${{parent.jobs.first.outputs.prepared}}", ', ""), encoding="utf-8")
    with pytest.raises(HttpResponseError, match="step 'second' has no value"):  # the first has its compute
        ml_client.jobs.create_or_update(load_job("own.yml"))


def test_a_registered_component_is_found_and_not_changed(ml_client, prepare):
    found = ml_client.components.get("prepare", version="1")
    assert list(found.inputs) == ["raw", "word", "more"] and list(found.outputs) == ["prepared"]
    assert ml_client.components.get("prepare", label="latest").version == "1"
    assert [one.name for one in ml_client.components.list()] == ["prepare"]
    again = ml_client.components.create_or_update(load_component("prepare.yml"))
    assert (again.version, again.code) == ("1", found.code)
    Path("changed.yml").write_text(PREPARE.replace("default: prepared", "default: changed"), encoding="utf-8")
    with pytest.raises(HttpResponseError, match="'prepare' version '1' exists with another content"):
        ml_client.components.create_or_update(load_component("changed.yml"))


def test_description_display_name_and_tags_of_a_component_can_change(ml_client, prepare):
    made = ml_client.components.create_or_update(
        command(name="told", command="echo", environment="small@latest").component
    )
    made.description, made.display_name, made.tags = "what it does", "Told", {"a": "b"}
    ml_client.components.create_or_update(made)
    there = ml_client.components.get("told", version=made.version)
    assert (there.description, there.display_name, there.tags) == ("what it does", "Told", {"a": "b"})
    assert [one.version for one in ml_client.components.list("told")] == [made.version]
    made.command = "echo other"
    with pytest.raises(HttpResponseError, match="exists with another content"):
        ml_client.components.create_or_update(made)


def test_a_component_is_downloaded_with_its_code(ml_client, prepare, tmp_path):
    code = tmp_path / "code of it"
    (code / "inner").mkdir(parents=True)
    (code / "run.py").write_text("print('runs')")
    (code / "inner" / "data.txt").write_text("data")
    made = command(name="carried", command="python run.py", code=code, environment="small@latest").component
    ml_client.components.create_or_update(made)
    for folder in ("first", "second"):
        ml_client.components.download("carried", tmp_path / folder, version="1")
        assert (tmp_path / folder / "code" / "run.py").read_text() == "print('runs')"
        assert (tmp_path / folder / "code" / "inner" / "data.txt").read_text() == "data"
    again = load_component(tmp_path / "first" / "component_spec.yaml", params_override=[{"version": "2"}])
    assert ml_client.components.create_or_update(again).version == "2"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n": 9}, "input 'n' of the step 'one' is 9; its max is 5"),
        ({"n": 0}, "input 'n' of the step 'one' is 0; its min is 1"),
        ({"n": "many"}, "input 'n' of the step 'one' is 'many', and no integer"),
        ({"word": "c"}, "input 'word' of the step 'one' is one of a, b, and not c"),
        ({"word": Input(type="uri_folder", path="raw")}, "'word' .* is of the type string, and is given files"),
    ],
)
def test_a_value_that_a_component_does_not_take_is_refused(ml_client, prepare, given, message):
    inputs = {
        "n": Input(type="integer", min=1, max=5, default=2),
        "word": Input(type="string", enum=["a", "b"], default="a"),
    }
    line = "echo ${{inputs.n}} ${{inputs.word}}"
    limited = command(name="limited", command=line, inputs=inputs, environment="small@latest").component

    @pipeline(default_compute="cpu")
    def one_step():
        one = limited(**given)  # noqa: F841 - the step's name

    with pytest.raises(HttpResponseError, match=message):
        ml_client.jobs.create_or_update(one_step())


def test_a_component_is_given_its_version_and_got_without_one(ml_client, prepare):
    def numbered(line, **given):
        made = command(name="numbered", command=line, environment="small@latest").component
        return ml_client.components.create_or_update(made, **given)

    assert [numbered("echo one").version, numbered("echo two").version] == ["1", "2"]
    assert numbered("echo two", skip_if_no_change=True).version == "2"
    latest = ml_client.components.get("numbered")
    assert (latest.version, latest.command) == ("2", "echo two")
    assert ml_client.components.create_or_update(latest).version == "2"
    assert numbered("echo three", version="named").version == "named"
    assert ml_client.components.get("numbered", label="latest").version == "named"
    with pytest.raises(ResourceNotFoundError, match="no component 'no-such'"):
        ml_client.components.get("no-such")


def test_steps_are_ordered_by_what_they_wait_for():
    assert in_order({"c": ["b", "a"], "b": ["a"], "a": []}) == ["a", "b", "c"]
    with pytest.raises(Invalid, match="circle: 'a' waits for 'a'"):
        in_order({"a": ["a"]})


def test_the_lessons_pipeline_runs_in_the_environment_that_its_parameter_names(ml_client, tmp_path):
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "file").touch()
    ml_client.data.create_or_update(Data(name="digits", path=tmp_path / "mnist", type="uri_folder"))
    names = {"environment_name": "another-env", "data_name": "digits"}
    variables = forward.run(copies.LESSONS / "v2" / "10_pipeline.ipynb", names, until="job")
    used = {step: node.component.environment for step, node in variables["job"].jobs.items()}
    other = used.pop("registered")
    assert set(used) == {"prepared", "trained", "evaluated"}
    assert {str(environment).removeprefix("azureml:") for environment in used.values()} == {"another-env@latest"}
    assert "register-env-v2" in str(other)
