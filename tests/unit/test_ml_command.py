"""The command `ml` on an offline workspace: what it makes, lists and says, and what it refuses."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from azure.core.polling import LROPoller
from click.testing import CliRunner
from small_v2 import make_environment

from helpers.ml.command import main

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = {"type": "amlcompute", "name": "cpu", "size": "Standard_DS3_v2", "min_instances": 0, "max_instances": 2}
ENVIRONMENT = {
    "name": "small",
    "image": "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04",
    "conda_file": {"name": "small", "dependencies": ["python=3.11", "pip", {"pip": ["numpy"]}]},
}
ENDPOINT = {"name": "echo", "auth_mode": "key", "tags": {"for": "tests"}}
DEPLOYMENT = {
    "name": "blue",
    "endpoint_name": "echo",
    "code_configuration": {"code": "scoring", "scoring_script": "score.py"},
    "environment": "azureml:served@latest",
    "instance_type": "Standard_F2s_v2",
    "instance_count": 1,
}
JOB = {
    "type": "command",
    "code": "source",
    "command": "python go.py ${{inputs.word}}",
    "inputs": {"word": "world"},
    "environment": "azureml:small@latest",
    "compute": "azureml:cpu",
}
SCRIPT = """
import sys
from pathlib import Path
Path("outputs/word.txt").write_text(sys.argv[1])
sys.exit(sys.argv[1] == "fail")
"""


def ml(*words):
    """What the command ends with: exit_code, stdout, stderr."""
    return CliRunner().invoke(main, list(words), prog_name="ml", catch_exceptions=False)


def answer(*words):
    """What the command prints as JSON."""
    result = ml(*words)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module", autouse=True)
def files(ml_client):
    """A cluster, an environment and a completed job, made from files beside the working directory."""
    for name, content in {"cluster": CLUSTER, "environment": ENVIRONMENT, "job": JOB}.items():
        Path(f"{name}.yml").write_text(yaml.safe_dump(content))
    Path("source").mkdir()
    Path("source/go.py").write_text(SCRIPT)
    Path("data.yml").write_text(yaml.safe_dump({"type": "uri_folder", "name": "words", "path": "source"}))
    answer("compute", "create", "-f", "cluster.yml")
    answer("environment", "create", "-f", "environment.yml")
    answer("job", "create", "-f", "job.yml", "-n", "first", "--stream")


def test_a_file_is_created_with_values_replaced_and_shown(tmp_path):
    made = answer("compute", "create", "-f", "cluster.yml", "--name", "other", "--set", "max_instances=1")
    assert (made["name"], made["max_instances"], made["provisioning_state"]) == ("other", 1, "Succeeded")
    assert answer("compute", "show", "-n", "other")["size"] == "STANDARD_DS3_V2"
    assert ml("compute", "delete", "-n", "other", "--yes").exit_code == 0
    assert [one["name"] for one in answer("compute", "list")] == ["cpu"]


def test_assets_have_versions_which_can_be_archived():
    for _ in range(2):
        answer("data", "create", "-f", "data.yml")
    assert sorted(one["version"] for one in answer("data", "list", "-n", "words")) == ["1", "2"]
    assert answer("data", "show", "-n", "words")["version"] == "2"
    assert answer("data", "show", "-n", "words", "-v", "1")["version"] == "1"
    assert ml("data", "archive", "-n", "words", "-v", "2").exit_code == 0
    assert [one["version"] for one in answer("data", "list", "-n", "words")] == ["1"]
    assert [one["version"] for one in answer("data", "list", "-n", "words", "--archived-only")] == ["2"]
    assert [one["version"] for one in answer("data", "list", "-n", "words", "--include-archived", "-r", "1")] == ["2"]
    assert ml("data", "restore", "-n", "words", "-v", "2").exit_code == 0
    assert len(answer("data", "list", "-n", "words")) == 2


def test_what_needs_no_file_is_described_by_options():
    made = answer("compute", "create", "-n", "bare", "--type", "AmlCompute", "--max-instances", "1")
    assert (made["name"], made["min_instances"], made["max_instances"]) == ("bare", 0, 1)
    assert answer("compute", "update", "-n", "bare", "--max-instances", "3", "--query", "max_instances") == 3
    assert answer("compute", "list-nodes", "-n", "bare") == []
    begun = ml("compute", "delete", "-n", "bare", "--yes", "--no-wait")
    assert begun.stdout == "" and "It has begun" in begun.stderr
    made = answer("data", "create", "-n", "bare", "--path", "source", "--type", "uri_folder", "--description", "code")
    assert (made["version"], made["description"]) == ("1", "code")
    assert answer("environment", "create", "-n", "bare", "--image", "python:3.11")["image"] == "python:3.11"
    assert answer("model", "create", "-n", "bare", "-v", "7", "--path", "source")["version"] == "7"


def test_what_is_there_is_changed():
    answer("model", "create", "-n", "changed", "--path", "source")
    made = answer("model", "update", "-n", "changed", "--set", "tags.stage=tested", "description=code")
    assert (made["tags"], made["description"]) == ({"stage": "tested"}, "code")
    made = answer("job", "update", "-n", "first", "--set", "tags.of=words", "--set", "display_name=first job")
    assert (made["display_name"], made["tags"]) == ("first job", {"of": "words"})
    assert ml("job", "archive", "-n", "first").exit_code == 0
    assert "first" not in answer("job", "list", "--query", "[].name")
    assert answer("job", "list", "--archived-only", "--query", "[].name") == ["first"]
    assert ml("job", "restore", "-n", "first").exit_code == 0
    assert "first" in answer("job", "list", "--query", "[].name")


def test_the_workspace_can_be_named_as_with_az():
    shown = ml("workspace", "show", "-g", "a-group", "-w", "mine", "--query", "[name, resource_group, id]", "-o", "tsv")
    name, group, id = shown.stdout.splitlines()
    assert (name, group) == ("mine", "a-group") and "/subscriptions/00000000-" in id
    everything = ("--subscription", "s", "--resource-group", "a-group", "--workspace-name", "mine")
    assert answer("workspace", "show", *everything, "--query", "id").startswith("/subscriptions/s/")


def test_what_a_workspace_has_is_shown(ml_client):
    assert answer("workspace", "show")["name"] == "offline" == answer("workspace", "list")[0]["name"]
    assert answer("datastore", "show", "-n", "workspaceblobstore")["container_name"] == "azureml-blobstore"
    assert "workspaceblobstore" in answer("datastore", "list", "--query", "[].name")
    part = {"type": "command", "name": "part", "command": "echo 1", "environment": "azureml:small@latest"}
    Path("part.yml").write_text(yaml.safe_dump(part))
    assert answer("component", "create", "-f", "part.yml")["command"] == "echo 1"
    assert answer("component", "list", "--query", "[].name") == ["part"]


def test_a_job_is_validated_without_being_submitted():
    assert answer("job", "validate", "-f", "job.yml") == {"result": "Succeeded"}
    steps = {"step": {"type": "command", "command": "echo 1", "environment": "azureml:small@latest"}}
    Path("pipeline.yml").write_text(yaml.safe_dump({"type": "pipeline", "jobs": steps}))
    refused = ml("job", "validate", "-f", "pipeline.yml")
    assert refused.exit_code == 1 and "Compute not set" in refused.stderr
    assert ml("job", "validate", "-f", "pipeline.yml", "--set", "settings.default_compute=azureml:cpu").exit_code == 0


def test_a_job_is_followed_listed_downloaded_and_registered(tmp_path):
    shown = answer("job", "show", "-n", "first")
    assert shown["status"] == "Completed"
    assert shown["component"]["creation_context"]["created_by_type"] == "User"
    assert [one["name"] for one in answer("job", "list", "-r", "1")] == ["first"]
    assert ml("job", "download", "-n", "first", "-p", str(tmp_path)).exit_code == 0
    assert (tmp_path / "artifacts" / "outputs" / "word.txt").read_text() == "world"

    model = {"name": "word", "type": "custom_model", "path": "azureml://jobs/first/outputs/artifacts/paths/outputs/"}
    Path("model.yml").write_text(yaml.safe_dump(model))
    assert answer("model", "create", "-f", "model.yml")["version"] == "1"
    assert ml("model", "download", "-n", "word", "-v", "1", "-p", str(tmp_path / "models")).exit_code == 0
    assert [path.read_text() for path in (tmp_path / "models" / "word").rglob("word.txt")] == ["world"]


def test_following_a_job_that_fails_fails_and_says_why():
    result = ml("job", "create", "-f", "job.yml", "-n", "failing", "--set", "inputs.word=fail", "--stream")
    assert result.exit_code == 1
    assert "exited with status code 1" in result.stderr
    assert result.stdout == ""


def test_each_form_of_an_answer():
    assert yaml.safe_load(ml("job", "show", "-n", "first", "-o", "yaml").stdout)["name"] == "first"
    heading, line, *rows = ml("job", "list", "-o", "table").stdout.splitlines()
    assert heading.split("  ")[0] == "Name" and set(line) == {"-", " "}
    assert "first" in [row.split()[0] for row in rows]
    assert ml("model", "list", "-n", "no-such", "-o", "table").stdout == "There are none.\n"
    assert "status  " in ml("job", "show", "-n", "first", "-o", "table").stdout


def test_a_query_takes_a_part_of_the_answer():
    assert ml("job", "show", "-n", "first", "--query", "status", "-o", "tsv").stdout == "Completed\n"
    query = "[?name=='first'].{name: name, word: inputs.word}"
    assert answer("job", "list", "--query", query) == [{"name": "first", "word": "world"}]
    of_cluster = "[{a: name, b: min_instances, c: idle_time_before_scale_down, d: tags}]"
    table = ml("compute", "show", "-n", "cpu", "--query", of_cluster, "-o", "table").stdout
    assert [line.split() for line in table.splitlines()] == [
        ["A", "B", "C"],
        ["---", "-", "---"],
        ["cpu", "0", "120"],
    ]
    assert ml("compute", "show", "-n", "cpu", "--query", of_cluster, "-o", "tsv").stdout == "cpu\t0\t120\tNone\n"
    assert ml("job", "show", "-n", "first", "--query", "no_such").stdout == ""
    assert ml("job", "show", "-n", "first", "-o", "none").stdout == ""


def test_a_job_is_followed_to_its_end_or_ended():
    followed = ml("job", "stream", "-n", "first")
    assert (followed.exit_code, followed.stdout) == (0, "") and "Execution Summary" in followed.stderr
    answer("job", "create", "-f", "job.yml", "-n", "endless", "--set", "command=sleep 600")
    canceled = ml("job", "cancel", "-n", "endless")
    assert (canceled.exit_code, canceled.stdout) == (0, "")
    assert answer("job", "show", "-n", "endless", "--query", "status") == "Canceled"


def test_an_endpoint_is_made_from_files_asked_and_deleted(ml_client, tmp_path, monkeypatch):
    make_environment(ml_client, "served", ["azureml-inference-server-http"])
    for name, content in {"endpoint": ENDPOINT, "deployment": DEPLOYMENT}.items():
        (tmp_path / f"{name}.yml").write_text(yaml.safe_dump(content))
    (tmp_path / "scoring").mkdir()
    (tmp_path / "scoring" / "score.py").write_text(
        "import json\ndef init(): pass\ndef run(data): return json.loads(data)"
    )
    (tmp_path / "request.json").write_text("[7]")
    result = LROPoller.result  # which prints dots while it waits; on Azure it always does
    monkeypatch.setattr(LROPoller, "result", lambda poller, *given: print(".", end="") or result(poller, *given))
    of_echo, ask = ("-n", "echo"), ("online-endpoint", "invoke", "-n", "echo", "-r", str(tmp_path / "request.json"))

    made = answer("online-endpoint", "create", "-f", str(tmp_path / "endpoint.yml"))
    assert (made["name"], made["auth_mode"], made["tags"]) == ("echo", "key", {"for": "tests"})
    assert ml(*ask).exit_code == 1 and "'echo' has no deployment with traffic" in ml(*ask).stderr
    deployed = answer("online-deployment", "create", "-f", str(tmp_path / "deployment.yml"), "--all-traffic")
    assert (deployed["name"], deployed["provisioning_state"]) == ("blue", "Succeeded")
    assert ml(*ask).stdout == "[7]\n"
    for what in ("endpoint", "deployment"):
        again = ml(f"online-{what}", "create", "-f", str(tmp_path / f"{what}.yml"))
        assert again.exit_code == 1 and f"exists already; `ml online-{what} update` changes it" in again.stderr
    assert answer("online-endpoint", "show", *of_echo)["traffic"] == {"blue": 100}
    assert [one["name"] for one in answer("online-endpoint", "list")] == ["echo"]
    assert [one["name"] for one in answer("online-deployment", "list", "-e", "echo")] == ["blue"]
    assert len(set(answer("online-endpoint", "get-credentials", *of_echo).values())) == 2
    for traffic, told in (("blue=90", "has to add up to 100 per cent"), ("green=100", "names 'green'")):
        refused = ml("online-endpoint", "update", *of_echo, "--traffic", traffic)
        assert refused.exit_code == 1 and told in refused.stderr
    named = answer("online-endpoint", "update", *of_echo, "--traffic", "blue=0", "--set", "tags.for=all")
    assert named["tags"] == {"for": "all"}
    key = answer("online-endpoint", "get-credentials", *of_echo, "--query", "secondaryKey")
    assert ml("online-endpoint", "regenerate-keys", *of_echo, "--key-type", "secondary").stdout == ""
    assert answer("online-endpoint", "get-credentials", *of_echo, "--query", "secondaryKey") != key
    of_blue = ("-n", "blue", "--endpoint", "echo")
    assert answer("online-deployment", "show", *of_blue, "--query", "instance_count") == 1
    assert "POST /score" in ml("online-deployment", "get-logs", *of_blue).stdout
    mirrored = ml("online-endpoint", "update", *of_echo, "--mirror-traffic", "green=10")
    assert mirrored.exit_code == 1 and "'green'" in mirrored.stderr
    assert answer("online-deployment", "update", *of_blue, "--set", "instance_count=2")["instance_count"] == 2
    assert ml("online-deployment", "delete", "-n", "blue", "-e", "echo", "--yes").stdout == ""
    assert ml("online-endpoint", "delete", *of_echo, "-y").stdout == ""
    assert answer("online-endpoint", "list") == []


@pytest.mark.parametrize(
    "words, code, told",
    [
        (
            ["job", "wash"],
            2,
            "There is no `ml job wash`. There are: archive, cancel, create, download, list, "
            "restore, show, stream, update, validate.",
        ),
        (
            ["batch-endpoint"],
            2,
            "There are: component, compute, data, datastore, environment, job, model, online-deployment, "
            "online-endpoint, workspace.",
        ),
        (["job", "create", "-f", "no-such.yml"], 2, "'no-such.yml' does not exist"),
        (["job", "create", "-f", "cluster.yml"], 1, "Unsupported job type: amlcompute"),
        (["job", "create", "-f", "job.yml", "--set", "word"], 2, "--set takes KEY=VALUE"),
        (["job", "create", "-f", "job.yml", "--set", "compute=azureml:nowhere"], 1, "nowhere"),
        (["job", "show", "-n", "no-such"], 1, "no run 'no-such'"),
        (["job", "update", "-n", "first", "--set", "status.of.it=1"], 2, "There is no status.of.it to set"),
        (["job", "create", "-f", "job.yml", "--set", "inputs.word=a", "b"], 2, "--set takes KEY=VALUE"),
        (["compute", "delete", "-n", "cpu"], 1, "Are you sure? The option --yes answers this"),
        (["compute", "create", "-n", "c"], 1, "Unknown compute type"),
        (["online-deployment", "update", "-n", "blue"], 2, "Name the deployment and its endpoint"),
        (["job", "show", "-n", "first", "--query", "[?"], 2, "It is no JMESPath"),
        (["job", "show", "-n", "first", "--query", "abs(name)"], 1, "abs()"),
        (["data", "show", "-n", "no-such"], 1, "no-such does not exist"),
        (["online-endpoint", "update", "-n", "e"], 1, "'e'"),
        (["online-endpoint", "update", "-n", "e", "--traffic", "all"], 2, "NAME=PERCENT NAME=PERCENT\", not 'all'"),
        (["online-endpoint", "update", "-n", "e", "--mirror-traffic", "b=x"], 2, "NAME=PERCENT NAME=PERCENT"),
        (["online-deployment", "create", "-f", "job.yml", "--all-traffic", "--no-wait"], 2, "leave out --no-wait"),
    ],
)
def test_what_cannot_be_done_is_told_without_a_traceback(words, code, told):
    result = ml(*words)
    assert result.exit_code == code, result.output
    assert told in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_stdout_holds_the_answer_alone(offline_folder):
    command = [sys.executable, str(ROOT / "scripts" / "ml.py"), "job", "list"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(result.stdout) == []
    assert "Offline" in result.stderr
