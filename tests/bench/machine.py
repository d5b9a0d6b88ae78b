"""What the figures were measured on."""

import os
import platform
from importlib import metadata
from pathlib import Path

SETS = ("avx2", "avx512f", "avx512_bf16", "amx_tile")  # of instructions, which matrix products gain by


def described() -> str:
    """The processor and how much it has to do, the system, and the packages that compute, in two lines."""
    told = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    facts = dict(line.split(":", 1) for line in told.splitlines() if ":" in line)
    facts = {name.strip(): text.strip() for name, text in facts.items()}
    processor = facts.get("model name") or platform.processor() or platform.machine()
    sets = [name for name in SETS if name in facts.get("flags", "").split()]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "not known"
    tensorflow = next(iter(metadata.packages_distributions().get("tensorflow", [])), None)
    packages = [f"{name} {metadata.version(name)}" for name in ("keras", tensorflow, "jax", "numpy") if name]
    return (
        f"{processor}, {cores} cores, {' '.join(sets) or 'no AVX2'}, load {load}, {platform.system()}\n"
        f"Python {platform.python_version()}, {', '.join(packages)}"
    )
