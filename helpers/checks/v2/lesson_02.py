"""The exercises of lesson 2 in version 2: data. The damaged file is found as in version 1."""

from collections.abc import Mapping
from contextlib import suppress

from helpers.checks.lesson_02 import LABELS, exercise_4
from helpers.checks.looking import NotYet, require
from helpers.checks.v2.looking import archived, client, in_workspace, restored, versions

DIGITS, ONE_FILE = "exercise-digits", "exercise-labels"
SECOND_NAME = f"{ONE_FILE}-2"  # for whom the first is a folder, which it then is for good

__all__ = ["exercise_1", "exercise_2", "exercise_3", "exercise_4"]


def exercise_1(variables: Mapping[str, object]) -> str:
    missing = f"The workspace has no data asset `{DIGITS}` yet. `ml_client.data.create_or_update` makes one."
    ml_client = client(variables)
    newest = versions(ml_client, "data", DIGITS, missing)[0]
    fitting = [asset for asset in _up_to(ml_client.data, newest) if _ends(asset, "test-set")]
    require(fitting, f"`{DIGITS}` is there, but refers to something else than the folder `test_set`.")
    asset = fitting[-1]
    require(asset.type == "uri_folder", f"`{DIGITS}` is a `{asset.type}`; a folder is a `uri_folder`.")
    tagged = [asset for asset in fitting if (asset.tags or {}).get("purpose") == "exercise"]
    require(tagged, f"Version {asset.version} has no tag `purpose` with the value `exercise`.")
    return f"`{DIGITS}` holds the test set, uploaded into the workspace's store: your folder may go now."


def exercise_2(variables: Mapping[str, object]) -> str:
    ml_client = client(variables)
    missing = f"The workspace has no data asset `{ONE_FILE}` yet. `ml_client.data.create_or_update` makes one."
    asset = versions(ml_client, "data", ONE_FILE, missing)[0]
    if asset.type != "uri_file":
        other_name = (
            f"`{ONE_FILE}` is a `{asset.type}`; a single file is a `uri_file`. A name keeps the type of its first "
            f"version, so register the file as `{SECOND_NAME}`."
        )
        asset = versions(ml_client, "data", SECOND_NAME, other_name)[0]
    require(asset.type == "uri_file", f"`{asset.name}` is a `{asset.type}`; a single file is a `uri_file`.")
    require(_ends(asset, LABELS), f"`{asset.name}` refers to another file than `labels_file`.")
    return "A single file: a job that takes it is given the path of the file, and not of a folder to search."


def exercise_3(variables: Mapping[str, object]) -> str:
    ml_client = client(variables)
    missing = f"The workspace has no data asset `{DIGITS}` yet. Do exercise 02.1 first."
    newest, *others = [asset.version for asset in versions(ml_client, "data", DIGITS, missing)]
    hidden = [asset.version for asset in archived(ml_client, "data", DIGITS)]
    latest = max([newest, *hidden], key=int)
    restoring = restored("data", DIGITS, latest)
    require(newest == latest, f"Version {latest}, the newest, is archived. {restoring} brings it back.")
    require(int(newest) > 1, f"`{DIGITS}` has one version. Register the folder under the same name once more.")
    require(not others, f"Still listed beside version {newest}: {', '.join(others)}. Archive what is not the newest.")
    earlier = str(int(newest) - 1)
    in_workspace(lambda: ml_client.data.get(DIGITS, version=earlier), f"Version {earlier} is not there any more.")
    return f"Version {newest} is what people find, and whoever asks for version {earlier} still gets it."


def _up_to(data, newest) -> list:
    """The versions of an asset up to this one, also those that are out of sight by a later exercise."""
    found = []
    for number in range(1, int(newest.version) + 1):
        with suppress(NotYet):  # there is no version of this number
            found.append(in_workspace(lambda number=number: data.get(newest.name, version=str(number)), ""))
    return found


def _ends(asset, name: str) -> bool:
    return asset.path.rstrip("/").endswith(f"/{name}")
