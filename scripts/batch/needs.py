"""What notebooks need of the workspace, and the notebooks that therefore have to run before them.

A notebook says it once, in its metadata:

    "workspace": {"needs": {"02_data": {"dataset": "dataset_name"}}, "removes": {"compute": "delete_clusters"}}

needs, of what 02_data makes, the dataset that the parameter `dataset_name` names, and removes the compute targets where
the parameter `delete_clusters` is true.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import nbformat

from batch import UsageError

WORDS = {
    "dataset": "the dataset {}",
    "data": "the data asset {}",
    "compute": "the compute target {}",
    "run": "a completed run of the experiment {}",
    "job": "a completed job of the experiment {}",
    "model": "the model {}",
}


OF_ONE_SDK = {"dataset": "v1", "run": "v1", "data": "v2", "job": "v2"}  # the kinds that the other does not know
CLIENT_OF_V2 = re.compile(r"\b(azure\.ai\.ml|ml_client)\b")


@dataclass(frozen=True)
class Need:
    """A thing in the workspace, the name of the notebook that makes it, and the SDK by which it is asked for."""

    maker: str
    kind: str
    name: str
    sdk: str = "v1"

    def __str__(self) -> str:
        return WORDS.get(self.kind, f"the {self.kind} {{}}").format(self.name)


@dataclass(frozen=True)
class Dependence:
    """What a notebook needs of the workspace, and the kinds of things that it removes from it."""

    needs: tuple[Need, ...]
    removes: tuple[str, ...]


def read_dependence(notebook: Path, values: dict[str, object]) -> Dependence:
    """What the notebook's metadata says, given the values of all its parameters. Raises UsageError for nonsense."""
    read = nbformat.read(notebook, as_version=4)
    declared, sdk = read.metadata.get("workspace", {}), sdk_of(read.cells)
    try:
        needs = [
            Need(maker, kind, values[parameter], OF_ONE_SDK.get(kind, sdk))
            for maker, things in declared.get("needs", {}).items()
            for kind, parameter in things.items()
        ]
        removes = [kind for kind, parameter in declared.get("removes", {}).items() if values[parameter]]
    except (KeyError, AttributeError) as error:
        raise UsageError(f"{notebook}: its metadata has a `workspace` that cannot be understood: {error!r}") from error
    return Dependence(tuple(needs), tuple(removes))


def sdk_of(cells: list[nbformat.NotebookNode]) -> str:
    """The SDK that the code of a notebook's cells speaks, "v1" or "v2": each has a login of its own."""
    code = (cell.source for cell in cells if cell.cell_type == "code")
    return "v2" if any(map(CLIENT_OF_V2.search, code)) else "v1"


def plan(
    chosen: list[Path],
    series: Collection[Path],
    dependence: Callable[[Path], Dependence],
    look: Callable[[Collection[Need]], set[Need]],
    addable: Collection[Path],
) -> list[Path]:
    """The notebooks to run, in order: the chosen ones, each after those of `addable` that make what it lacks.

    `series` has all notebooks; `dependence` is asked of those alone that have to run. `look` returns which of some
    needs the workspace lacks, and is only asked where it matters. Raises UsageError where something is lacking that
    only other notebooks make.
    """
    lacking: dict[Need, bool] = {}
    while True:
        planned, unmet, unknown = each_after_its_makers(chosen, series, dependence, lacking)
        if not unknown:
            break
        found = look(unknown)
        lacking |= {need: need in found for need in unknown}
    if planned == chosen or set(planned) - set(chosen) <= set(addable):
        return planned
    lines = [
        f"{notebook.stem} needs {need}, which is not in the workspace: {need.maker} makes it."
        for notebook, need in unmet
        if notebook in chosen
    ]
    order = ", ".join(notebook.stem for notebook in planned)
    raise UsageError("\n".join([*lines, f"Nothing was run. --with-needed would run {order}."]))


def each_after_its_makers(
    chosen: list[Path],
    series: Collection[Path],
    dependence: Callable[[Path], Dependence],
    lacking: dict[Need, bool],
) -> tuple[list[Path], list[tuple[Path, Need]], set[Need]]:
    """The chosen notebooks, each after those that make what it needs and the workspace lacks.

    Also returns the needs, and whose they are, for which a notebook was added or moved; and those of which `lacking`
    does not know yet, which count as met.
    """
    named = {path.stem: path for path in series}
    planned: list[Path] = []
    unmet: list[tuple[Path, Need]] = []
    unknown: set[Need] = set()
    removed_at: dict[str, int] = {}  # of each kind, where in the plan it is removed

    def is_met(need: Need) -> bool:
        maker = named.get(need.maker)
        if maker in planned:
            return planned.index(maker) > removed_at.get(need.kind, -1)
        if need.kind in removed_at:
            return False
        if need not in lacking:
            unknown.add(need)
        return not lacking.get(need)

    def add(notebook: Path, waiting: tuple[Path, ...]) -> None:
        for need in dependence(notebook).needs:
            if is_met(need):
                continue
            maker = named.get(need.maker)
            if maker is None:
                raise UsageError(
                    f"{notebook.stem} needs what {need.maker} makes, and there is no such notebook that can be read."
                )
            if maker in planned:
                raise UsageError(f"{notebook.stem} needs {need}, and a notebook that is to run before it removes that.")
            if maker in waiting:
                raise UsageError(f"{notebook.stem} and {maker.stem} need each other, as their metadata has it.")
            unmet.append((notebook, need))
            add(maker, (*waiting, notebook))
        removed_at.update({kind: len(planned) for kind in dependence(notebook).removes})
        planned.append(notebook)

    for notebook in chosen:
        if notebook not in planned:
            add(notebook, ())
    return planned, unmet, unknown


def lacking_in_workspace(needs: Collection[Need], backend: str, offline_folder: Path, cwd: Path) -> set[Need]:
    """Those of the needs that the workspace does not hold, as a process of its own finds: it imports the SDK.

    Raises UsageError where the workspace cannot be asked.
    """
    if backend == "offline" and not offline_folder.is_dir():
        return set(needs)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "needs.json")
        file.write_text(json.dumps(sorted({(need.sdk, need.kind, need.name) for need in needs})), encoding="utf-8")
        asked = subprocess.run([sys.executable, "-m", "helpers.needs", backend, str(file)], cwd=cwd, check=False)
        if asked.returncode:
            raise UsageError("the workspace could not be asked for what the notebooks need, so nothing was run.")
        lacking = {tuple(asked) for asked in json.loads(file.read_text(encoding="utf-8"))}
    return {need for need in needs if (need.sdk, need.kind, need.name) in lacking}
