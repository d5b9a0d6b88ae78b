"""What Azure and Python have retired since the article was written, and the successors.

Sources: Azure's retirement pages of the NC, NCv2, NCv3, ND and NV series; the list of supported images in
github.com/Azure/AzureML-Containers; the package index for tensorflow-gpu; peps.python.org for Python's releases.
"""

import re
from pathlib import Path

_T4, _A100 = "Standard_NC4as_T4_v3", "Standard_NC24ads_A100_v4"

# VM size, in lower case: (day of its retirement, successor)
VM_SIZES: dict[str, tuple[str, str]] = {
    **{f"standard_nc{n}{suffix}": ("2023-08-31", _T4) for n in (6, 12, 24) for suffix in ("", "_promo")},
    **{f"standard_nc24r{suffix}": ("2023-08-31", _T4) for suffix in ("", "_promo")},
    **{f"standard_nc{n}s_v2": ("2023-08-31", _A100) for n in ("6", "12", "24", "24r")},
    **{f"standard_nd{n}": ("2023-08-31", _A100) for n in ("6s", "12s", "24s", "24rs")},
    **{f"standard_nv{n}": ("2023-08-31", _T4) for n in (6, 12, 24)},
    **{f"standard_nc{n}s_v3": ("2025-09-30", _A100 if n == 24 else _T4) for n in (6, 12, 24)},
    "standard_nc24rs_v3": ("2025-03-31", _A100),
}

# What the name of an image of mcr.microsoft.com/azureml/ contains, and since when it is no longer maintained
IMAGES = {
    "ubuntu18.04": "January 2023",
    "ubuntu20.04": "April 2025",
    "openmpi4.1.0-cuda11.8-cudnn8-ubuntu22.04": "March 2026",
}
GPU_IMAGE = "mcr.microsoft.com/azureml/openmpi5.0-cuda12.6-ubuntu24.04"
CPU_IMAGE = "mcr.microsoft.com/azureml/openmpi5.0-ubuntu24.04"

OLDEST_PYTHON = (3, 11)  # 3.10 ended in October 2026


class Retired(Exception):
    """Something that was asked for is retired; the message names it and its successor."""


def check_current(vm_size: str = "", base_image: str = "", conda_file: str | Path = "") -> None:
    """Raise Retired, with a line for each retired thing, if what is given, or what the conda file asks for, is one."""
    problems = [vm_size_problem(vm_size), image_problem(base_image)]
    if conda_file:
        problems += package_problems(Path(conda_file))
    if any(problems):
        raise Retired("\n".join(filter(None, problems)))


def vm_size_problem(name: str) -> str | None:
    """A sentence if the VM size is retired. Upper and lower case are the same, as for Azure."""
    if name.lower() not in VM_SIZES:
        return None
    date, successor = VM_SIZES[name.lower()]
    return f"The VM size {name} was retired by Azure on {date}. Use its successor {successor}."


def image_problem(name: str) -> str | None:
    """A sentence if the base image is one of Azure ML's that is no longer maintained."""
    for part, since in IMAGES.items():
        if "mcr.microsoft.com/azureml/" in name and part in name:
            successor = GPU_IMAGE if "cuda" in name else CPU_IMAGE
            return f"The base image {name} has not been maintained since {since}. Use its successor {successor}."
    return None


def package_problems(conda_file: Path) -> list[str]:
    """A sentence for each retired package in a conda specification. Raises ValueError where it is not a mapping."""
    import yaml

    specification = yaml.safe_load(conda_file.read_text(encoding="utf-8"))
    if not isinstance(specification, dict):
        raise ValueError(f"{conda_file} is not a conda specification: a mapping with `dependencies` is expected")
    problems = []
    for dependency in specification.get("dependencies") or []:
        if isinstance(dependency, str):
            problems.append(_conda_problem(dependency))
        elif isinstance(dependency, dict):
            problems += [_pip_problem(line) for line in dependency.get("pip") or []]
    return [problem for problem in problems if problem]


def _conda_problem(dependency: str) -> str | None:
    python = re.match(r"python\s*==?\s*(\d+)\.(\d+)", dependency)
    if python and (int(python[1]), int(python[2])) < OLDEST_PYTHON:
        return f"{dependency}: this Python is past its end of life. Use its successor python=3.11."
    return _pip_problem(re.sub(r"(?<![=<>~!])=(?!=)", "==", dependency))  # conda writes = where pip writes ==


def _pip_problem(line: str) -> str | None:
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    try:
        requirement = Requirement(line)
    except InvalidRequirement:  # a path, an option or an address
        return None
    if canonicalize_name(requirement.name) == "tensorflow-gpu":
        return f"{line}: removed from the package index in December 2022. Use its successor tensorflow[and-cuda]."
    if canonicalize_name(requirement.name) == "keras" and not _admits_from(requirement.specifier, "3"):
        return f"{line}: Keras 2 is no longer maintained. Use its successor keras>=3.15.1,<4."
    return None


def _admits_from(specifier, version: str) -> bool:
    """Whether a release from `version` on is admitted: the first, a far one, or one that the specifier names itself."""
    from packaging.version import Version

    named = [part.version.removesuffix(".*") for part in specifier if part.operator != "==="]
    tried = [Version(text) for text in (version, "999", *named)]
    return any(release >= Version(version) and specifier.contains(release) for release in tried)
