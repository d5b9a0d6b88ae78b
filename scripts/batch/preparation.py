"""What the runner finds out before it runs anything: which notebooks, with what, from where on, and at what cost."""

import argparse
import functools
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from batch.cost import describe_costs
from batch.manifest import (
    claim_output,
    count_complete,
    describe_inputs,
    hash_folders,
    offline_folder,
    prepare_output,
    prepare_reports,
    read_manifest,
)
from batch.needs import Dependence, Need, lacking_in_workspace, plan, read_dependence
from batch.parameters import (
    all_values,
    assign_values,
    describe_parameters,
    read_all_parameters,
    read_parameters_file,
)
from batch.selection import select_notebooks
from helpers import REPOSITORY

CODE_FOLDERS = ("helpers", "scripts")


@dataclass(frozen=True)
class Work:
    """The notebooks to run, in order, of which the first `complete` need not be run again.

    inputs: what each is made from; removers: the notebooks of the series that remove what others have made; manifest:
    the entries of those that have run; claim: closing it lets other runs write to the output folder.
    """

    notebooks: list[Path]
    complete: int
    backend: str
    inputs: dict[Path, dict]
    removers: list[Path]
    manifest: dict[str, dict]
    output: Path
    claim: IO

    def entries(self) -> dict[str, dict | None]:
        """The manifest entry of each notebook by its name, in order; None for one that was not run."""
        return {notebook.stem: self.manifest.get(notebook.stem) for notebook in self.notebooks}


def prepare(options: argparse.Namespace) -> Work | None:
    """Check what can be checked, and tell what will be run and what it can cost; None if that was all.

    Raises UsageError and PricesError.
    """
    chosen = select_notebooks(options.notebook, options.notebooks, options.root)
    parameters = read_all_parameters(chosen, options.notebooks)
    if options.help_parameters:
        print("\n".join(describe_parameters({notebook: parameters[notebook] for notebook in chosen})))
        return None
    assign = functools.partial(
        assign_values, parameters, read_parameters_file(options.parameters_file), options.parameter
    )
    assign(chosen)  # tells of all that is wrong at once
    removers = [path for path in parameters if read_dependence(path, all_values(parameters[path], {})).removes]
    code_hash = hash_folders(REPOSITORY, CODE_FOLDERS)

    # Only of a notebook that has to run: what is given is read by the notebook's annotations, which are evaluated.
    @functools.cache
    def given(notebook: Path) -> dict[str, object]:
        return assign([notebook])[notebook]

    def values(notebook: Path) -> dict[str, object]:
        return all_values(parameters[notebook], given(notebook))

    @functools.cache
    def dependence(notebook: Path) -> Dependence:
        return read_dependence(notebook, values(notebook))

    def inputs_of(notebook: Path) -> dict[str, object]:
        return describe_inputs(notebook, code_hash, values(notebook), given(notebook), dependence(notebook).removes)

    inputs = {notebook: inputs_of(notebook) for notebook in chosen}
    prepare_reports(options.junit, options.html)
    output = prepare_output(options.output, list(parameters))
    claim = claim_output(output)
    manifest = read_manifest(output)

    def to_run(notebooks: list[Path], complete: Collection[Path]) -> list[Path]:
        addable = parameters if options.with_needed else complete
        return plan(notebooks, list(parameters), dependence, look, addable)

    def look(needs: Collection[Need]) -> set[Need]:
        return lacking_in_workspace(needs, backend, offline_folder(chosen[0]), cwd=chosen[0].parent)

    backend = values(chosen[0]).get("backend", "offline")
    complete, why = count_complete(chosen, inputs, manifest, output) if options.resume else (0, "")
    planned = to_run(chosen[complete:], chosen[:complete])
    if again := [chosen.index(notebook) for notebook in planned if notebook in chosen[:complete]]:
        complete, why = min(again), "what it made is no longer in the workspace"
        planned = to_run(chosen[complete:], ())

    if options.resume and planned:
        first = planned[0].stem
        print(f"--resume: {complete} of {len(chosen)} are complete. {first} and what follows it run: {why}.")
    if added := [notebook for notebook in planned if notebook not in chosen]:
        names = ", ".join(notebook.stem for notebook in added)
        print(f"--with-needed: {names} {'runs' if len(added) == 1 else 'run'}, too")
        inputs |= {notebook: inputs_of(notebook) for notebook in added}
    notebooks = [*chosen[:complete], *planned]
    bounds = describe_costs({notebook: values(notebook) for notebook in notebooks})
    for notebook in planned:
        if notebook in bounds:
            print(bounds[notebook], flush=True)
    return Work(notebooks, complete, backend, inputs, removers, manifest, output, claim)
