"""Outputs of a job that are no files of its run: what tests/twins does not compare with the real SDK's."""

from pathlib import Path

import pytest
from azureml.core import Dataset, Environment, Experiment, ScriptRunConfig
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.data import OutputFileDatasetConfig
from azureml.exceptions import UserErrorException
from sdk_world import source

SCRIPT = """
import os, sys
for name in ("a.csv", "b.txt"):
    with open(os.path.join(sys.argv[1], name), "w") as file:
        file.write(name)
sys.exit(int(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def cluster(workspace):
    ComputeTarget.create(workspace, "cpu", AmlCompute.provisioning_configuration("Standard_DS3_v2", max_nodes=1))
    return "cpu"


@pytest.fixture
def ended(workspace, cluster, tmp_path):
    """Makes the run, which has ended, of a script that writes two files into an output, and exits with a code."""

    def run(output, code=0, command=None):
        plain = Environment("plain")
        plain.python.user_managed_dependencies = True
        what = source(tmp_path / "code", SCRIPT)
        if command:
            what = {"source_directory": what["source_directory"], "command": command}
        else:
            what["arguments"] = [output, code]
        config = ScriptRunConfig(**what, compute_target=cluster, environment=plain)
        submitted = Experiment(workspace, "outputs").submit(config)
        submitted.wait_for_completion(raise_on_error=False)
        return submitted

    return run


def names(workspace, path):
    try:
        return Dataset.File.from_files((workspace.get_default_datastore(), path)).to_path()
    except UserErrorException:
        return []


def test_a_mounted_output_is_in_the_datastore_as_it_is_written_and_registered_when_the_run_has_completed(
    workspace, ended
):
    output = OutputFileDatasetConfig("made").as_mount().register_on_complete("mounted")
    failed = ended(output, 3)
    assert (failed.get_status(), failed.get_details()["outputDatasets"]) == ("Failed", [])
    assert names(workspace, f"dataset/{failed.id}/made") == ["/a.csv", "/b.txt"]
    assert "mounted" not in workspace.datasets
    run = ended(output)
    assert workspace.datasets["mounted"].to_path() == ["/a.csv", "/b.txt"]
    (told,) = run.get_details()["outputDatasets"]
    assert told["dataset"].name == "mounted" and told["outputDetails"]["mechanism"] == "Mount"


def test_a_place_on_the_compute_and_a_command(workspace, ended):
    destination = (workspace.get_default_datastore(), "placed")
    output = OutputFileDatasetConfig("made", destination=destination, source="/tmp/made")
    run = ended(None, command=["python", "train.py", output, "0"])
    assert run.get_status() == "Completed"
    assert names(workspace, "placed") == ["/a.csv", "/b.txt"]


def test_an_uploaded_output_goes_by_its_patterns_and_never_over_others(workspace, ended):
    destination = (workspace.get_default_datastore(), "uploaded")
    output = OutputFileDatasetConfig("made", destination=destination).as_upload(source_globs="*.csv")
    assert ended(output, 1).get_status() == "Failed" and names(workspace, "uploaded") == []
    assert ended(output).get_status() == "Completed" and names(workspace, "uploaded") == ["/a.csv"]
    refused = ended(output)
    assert refused.get_status() == "Failed"
    message = refused.get_details()["error"]["error"]["message"]
    assert "The output made: uploaded/a.csv is in the datastore already; pass overwrite=True" in message
    kept = Path(message.rpartition("They are in ")[2].rstrip("."), "made", "b.txt")
    assert kept.read_text() == "b.txt"


def test_what_cannot_be_is_told_before_the_run_begins(workspace, ended):
    with pytest.raises(UserErrorException, match="Request failed"):
        ended(OutputFileDatasetConfig("made").register_on_complete("no/name"))
    with pytest.raises(Exception, match="is no name for a file here"):
        ended(OutputFileDatasetConfig("made", destination=(workspace.get_default_datastore(), "../out")))
    with pytest.raises(Exception, match="is no name for a file here"):
        ended(OutputFileDatasetConfig("made", source="/tmp/../.."))
    with pytest.raises(ValueError, match="not supposed to be called directly"):
        type(OutputFileDatasetConfig().read_delimited_files())()
