"""Whether a job's environment can be had: its conda specification against what is installed here.

The service would build an image from the specification; offline the job runs on this interpreter, so what it asks for
has to be installed, in a version that it admits. What is missing fails the run, as a failed image build would.
"""

import platform
import re
from importlib import metadata

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

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
SUCCESSORS = {
    "tensorflow-gpu": "tensorflow-gpu was removed from the package index; its successor is tensorflow[and-cuda]"
}


def check(environment: dict | None) -> tuple[list[str], list[str]]:
    """The lines of the build log, and a sentence for each thing that is missing.

    `environment` is the serialised environment; its python.condaDependencies is what is looked at.
    """
    python = (environment or {}).get("python") or {}
    conda = python.get("condaDependencies") or {}
    if not environment or python.get("userManagedDependencies"):
        return ["The environment is managed by the user: nothing to check."], []
    lines = [
        f"Environment {environment.get('name')}: checked against Python {platform.python_version()} on this machine."
    ]
    image = ((environment.get("docker") or {}).get("baseImage")) or "none"
    lines.append(f"Base image {image}: not used offline; the script runs as a process of this machine.")
    missing = []
    for dependency in conda.get("dependencies") or []:
        if isinstance(dependency, dict):
            results = [_check_pip(requirement) for requirement in dependency.get("pip") or []]
        else:
            results = [_check_conda(str(dependency))]
        for line, problem in results:
            lines.append(line)
            if problem:
                missing.append(problem)
    return lines, missing


def _check_conda(text: str) -> tuple[str, str | None]:
    """A conda match specification, such as `numpy=1.26` or `conda-forge::pip>=24`."""
    name, version = re.fullmatch(r"(?:[^:]+::)?([\w.\-]+)\s*(.*)", text.strip()).groups() if text.strip() else ("", "")
    name = name.lower()
    version = version.split("=", 2)[1] if re.match(r"=[^=]+=", version) else version  # a build string is dropped
    if name == "python":
        wanted = version.lstrip("= ")
        fits = not wanted or platform.python_version().startswith(wanted.rstrip("*").rstrip("."))
        note = "" if fits else f" (the job runs on {platform.python_version()}, the interpreter of this machine)"
        return f"  python{version}{note}", None
    if name in NOT_PYTHON or name == "pip":
        return f"  {text}: belongs to the image", None
    if re.match(r"=[^=]", version):
        version = f"=={version[1:].rstrip('*').rstrip('.')}.*"  # conda's `=1.2` admits every 1.2.x
    return _check_pip(f"{name}{version}")


def _check_pip(text: str) -> tuple[str, str | None]:
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        if text.lstrip().startswith("-"):
            return f"  {text}: an option of pip, not used offline", None
        return f"  {text}: not understood", f"{text!r} is no requirement that pip understands."
    name = re.sub(r"[-_.]+", "-", requirement.name).lower()
    if requirement.marker and not requirement.marker.evaluate():
        return f"  {text}: not for this machine", None
    if name in PROVIDED:
        return f"  {text}: stands in the mocked SDK", None
    try:
        installed = metadata.version(name)
    except metadata.PackageNotFoundError:
        hint = SUCCESSORS.get(name, "install it beside this project, or take it out of the specification")
        return f"  {text}: MISSING", f"{text} is not installed ({hint})."
    if not _admits(requirement.specifier, installed):
        return (
            f"  {text}: MISSING, {installed} is installed",
            f"{text} is asked for, but {installed} is installed.",
        )
    return f"  {text}: {installed} is installed", None


def _admits(specifier: SpecifierSet, version: str) -> bool:
    try:
        return specifier.contains(version, prereleases=True)
    except InvalidSpecifier:
        return False
