"""Whether a job's environment can be had: its conda specification against what is installed here.

The service would build an image from the specification; offline the job runs on this interpreter, so what it asks for
has to be installed, in a version that it admits. What is missing fails the run, as a failed image build would.
(A job that asks for an environment of its own gets one: see virtual_environments.)
"""

import platform
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib import metadata

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from helpers.offline.engine.environments import curated
from helpers.offline.engine.workspace.errors import Invalid

SERVER = "azureml-inference-server-http"  # which no mock stands for: it serves entry scripts offline, too
PROVIDED = {  # the mocked SDK stands for these
    "azureml-core",
    "azureml-dataprep",
    "azureml-dataset-runtime",
    "azureml-defaults",
    "azureml-mlflow",
    "azureml-sdk",
    "azureml-telemetry",
    "azureml-train-core",
    "inference-schema",
}
NOT_PYTHON = {  # conda packages of the image, which only a GPU machine or a cluster needs
    "cuda",
    "cuda-nvcc",
    "cuda-toolkit",
    "cudatoolkit",
    "cudnn",
    "libgcc",
    "libgcc-ng",
    "libstdcxx-ng",
    "nccl",
    "openmpi",
    "openssl",
}
STANDS_FOR = {  # one imports as the other does: which of them is installed depends on the machine
    "tensorflow": "tensorflow-cpu",
    "tensorflow-cpu": "tensorflow",
}
NOTHING_BUILT = (
    "This is one of Microsoft's environments, whose image is there on Azure. Nothing is built of it: the script runs "
    "with what is installed here, and an import of what is MISSING fails."
)
SUCCESSORS = {
    "sklearn": "sklearn is what it is imported as; the package is scikit-learn",
    "tensorflow-gpu": "tensorflow-gpu was removed from the package index; its successor is tensorflow[and-cuda]",
}


@dataclass(frozen=True)
class Specification:
    """What a virtual environment is built from: the Pythons that are admitted, and pip's lines in their order.

    `notes` tells what is left out, and why.
    """

    python: SpecifierSet
    requirements: list[str]
    notes: list[str]


def specification(environment: dict) -> Specification:
    """The serialised environment's conda specification in pip's words. Raises Invalid where it cannot be read."""
    python, requirements = SpecifierSet(), []
    notes = [_heading(environment, "built as a virtual environment of this machine")]
    for is_pip, text in _dependencies(environment):
        name, version = (package_name(text), "") if is_pip else _from_conda(text)
        if name.startswith("azureml-") and name != SERVER:
            notes.append(f"  {text}: stands in the mocked SDK")
        elif is_pip:
            requirements.append(text)
        elif name == "python":
            try:
                python = SpecifierSet(version)
            except InvalidSpecifier as error:
                raise Invalid(f"{text!r} is no version of Python; write e.g. python=3.11.") from error
        elif name == "pip":
            notes.append(f"  {text}: the one that comes with Python is used")
        elif name in NOT_PYTHON:
            notes.append(f"  {text}: no Python package, and not available offline")
        else:
            requirements.append(f"{name}{version}")
    return Specification(python, requirements, notes)


def check(environment: dict | None) -> tuple[list[str], list[str]]:
    """The lines of the build log, and a sentence for each thing that is missing.

    `environment` is the serialised environment; its python.condaDependencies is what is looked at.
    """
    if not environment or is_managed_by_user(environment):
        return ["The environment is managed by the user: nothing to check."], []
    lines = [_heading(environment, f"checked against Python {platform.python_version()} on this machine")]
    missing = []
    for is_pip, text in _dependencies(environment):
        line, problem = _check_pip(text) if is_pip else _check_conda(text)
        lines.append(line)
        if problem:
            missing.append(problem)
    if curated.is_one(environment):
        return [*lines, NOTHING_BUILT], []
    return lines, missing


def is_managed_by_user(environment: dict) -> bool:
    return bool((environment.get("python") or {}).get("userManagedDependencies"))


def asks_for(environment: dict, names: Collection[str]) -> bool:
    """Whether one of these packages is among the dependencies."""
    return any(package_name(text) in names for _, text in _dependencies(environment))


def lacking(environment: dict | None) -> dict[str, str]:
    """What a script that imports the SDK is told where the environment does not bring it, as on Azure: {name: why}.

    Of an environment that is managed by its user nothing is known.
    """
    if not environment or is_managed_by_user(environment):
        return {}
    asked = {package_name(text) for _, text in _dependencies(environment)} - {SERVER}
    if any(name.startswith("azureml-") for name in asked):
        return {}
    why = f"The environment {environment.get('name')!r} has no package that brings it: add azureml-defaults to them."
    return {"azureml": why}


def _heading(environment: dict, what: str) -> str:
    image = (environment.get("docker") or {}).get("baseImage") or "none"
    return (
        f"Environment {environment.get('name')}: {what}.\n"
        f"Base image {image}: not used offline; the script runs as a process of this machine."
    )


def _dependencies(environment: dict) -> Iterator[tuple[bool, str]]:
    """Each dependency in its order, and whether it is pip's (and not conda's). Raises Invalid for what is no list."""
    conda = (environment.get("python") or {}).get("condaDependencies") or {}
    for dependency in _listed(conda, "dependencies"):
        if isinstance(dependency, dict):
            yield from ((True, str(line).strip()) for line in _listed(dependency, "pip"))
        else:
            yield False, str(dependency).strip()


def _listed(specification: dict, name: str) -> list:
    value = specification.get(name) or []
    if not isinstance(value, (list, tuple)):
        raise Invalid(f"The conda specification's {name} is {value!r}; it has to be a list.")
    return value


def package_name(requirement: str) -> str:
    """The name that a line of pip's asks for, normalised; empty for an option or a file."""
    name = re.match(r"[\w.\-]*", "" if requirement.startswith("-") else requirement)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def _from_conda(text: str) -> tuple[str, str]:
    """Name and version of conda's match specification, as pip writes them: `numpy=1.26` is numpy and ==1.26.*."""
    parts = re.fullmatch(r"(?:[^:\s]+::)?([\w.\-]+)\s*(.*)", text)
    if not parts:
        return text, ""
    return parts[1].lower(), ",".join(_version_from_conda(part.strip()) for part in parts[2].split(","))


def _version_from_conda(version: str) -> str:
    with_build = re.fullmatch(r"(?:=?=\s*)?(\d[\w.!+]*)[=\s]\s*[\w.*]+", version)  # `=1.26.4=py311_0`
    if with_build:
        return f"=={with_build[1]}"
    if re.match(r"=[^=]", version):
        return f"=={version[1:].strip().rstrip('*').rstrip('.')}.*"  # conda's `=1.2` admits every 1.2.x
    if re.match(r"\d", version):
        return f"=={version}"
    return "" if version == "*" else version


def _check_conda(text: str) -> tuple[str, str | None]:
    name, version = _from_conda(text)
    if name == "python":
        fits = _admits(version, platform.python_version())
        note = "" if fits else f" (the job runs on {platform.python_version()}, the interpreter of this machine)"
        return f"  {text}{note}", None
    if name in NOT_PYTHON or name == "pip":
        return f"  {text}: belongs to the image", None
    return _check_pip(f"{name}{version}")


def _check_pip(text: str) -> tuple[str, str | None]:
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        if text.lstrip().startswith("-"):
            return f"  {text}: an option of pip, not used offline", None
        return f"  {text}: not understood", f"{text!r} is no requirement that pip understands."
    name = package_name(text)
    if requirement.marker and not requirement.marker.evaluate():
        return f"  {text}: not for this machine", None
    if name in PROVIDED:
        return f"  {text}: stands in the mocked SDK", None
    installed = _installed(name) or _installed(STANDS_FOR.get(name))
    if not installed:
        hint = SUCCESSORS.get(name, "install it beside this project, or take it out of the specification")
        return f"  {text}: MISSING", f"{text} is not installed ({hint})."
    if not _admits(str(requirement.specifier), installed):
        return (
            f"  {text}: MISSING, {installed} is installed",
            f"{text} is asked for, but {installed} is installed.",
        )
    return f"  {text}: {installed} is installed", None


def _installed(name: str | None) -> str | None:
    """The version of this package that is installed here, None if it is not."""
    try:
        return metadata.version(name) if name else None
    except metadata.PackageNotFoundError:
        return None


def _admits(specifier: str, version: str) -> bool:
    try:
        return SpecifierSet(specifier).contains(version, prereleases=True)
    except InvalidSpecifier:
        return False
