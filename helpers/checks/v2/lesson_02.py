"""The exercises of lesson 2 in version 2: data. The damaged file is found as in version 1."""

from collections.abc import Mapping

from helpers.checks.lesson_02 import LABELS, exercise_4
from helpers.checks.looking import require
from helpers.checks.v2.looking import client, in_workspace, versions

DIGITS, ONE_FILE = "exercise-digits", "exercise-labels"

__all__ = ["exercise_1", "exercise_2", "exercise_3", "exercise_4"]


def exercise_1(variables: Mapping[str, object]) -> str:
    missing = f"The workspace has no data asset `{DIGITS}` yet. `ml_client.data.create_or_update` makes one."
    data = client(variables).data
    fitting = [asset for asset in versions(data, DIGITS, missing) if _ends(asset, "test-set")]
    require(fitting, f"`{DIGITS}` is there, but refers to something else than the folder `test_set`.")
    asset = fitting[0]
    require(asset.type == "uri_folder", f"`{DIGITS}` is a `{asset.type}`; a folder is a `uri_folder`.")
    tagged = [asset for asset in fitting if (asset.tags or {}).get("purpose") == "exercise"]
    archived = int(asset.version) > 1  # what had the tag may be out of sight by the exercise after the next
    require(tagged or archived, f"Version {asset.version} has no tag `purpose` with the value `exercise`.")
    return f"`{DIGITS}` holds the test set, uploaded into the workspace's store: your folder may go now."


def exercise_2(variables: Mapping[str, object]) -> str:
    missing = f"The workspace has no data asset `{ONE_FILE}` yet. `ml_client.data.create_or_update` makes one."
    asset = versions(client(variables).data, ONE_FILE, missing)[0]
    require(asset.type == "uri_file", f"`{ONE_FILE}` is a `{asset.type}`; a single file is a `uri_file`.")
    require(_ends(asset, LABELS), f"`{ONE_FILE}` refers to another file than `labels_file`.")
    return "A single file: a job that takes it is given the path of the file, and not of a folder to search."


def exercise_3(variables: Mapping[str, object]) -> str:
    data = client(variables).data
    listed = versions(data, DIGITS, f"No version of `{DIGITS}` is listed. Do exercise 02.1 first.")
    newest, *others = [asset.version for asset in listed]
    require(int(newest) > 1, f"`{DIGITS}` has one version. Register the folder under the same name once more.")
    require(not others, f"Still listed beside version {newest}: {', '.join(others)}. Archive what is not the newest.")
    earlier = str(int(newest) - 1)
    in_workspace(lambda: data.get(DIGITS, version=earlier), f"Version {earlier} is not there any more.")
    return f"Version {newest} is what people find, and whoever asks for version {earlier} still gets it."


def _ends(asset, name: str) -> bool:
    return asset.path.rstrip("/").endswith(f"/{name}")
