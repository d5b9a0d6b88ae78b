"""Which Azure ML the SDKs of this process speak to: the offline workspace on this machine, or the real one."""

import importlib.metadata
import os
import sys
from pathlib import Path

MOCKED_SDK = Path(__file__).resolve().parent / "offline" / "sdk_v1"
BACKENDS = ("offline", "azure")
LOOPBACK = ("127.0.0.1", "localhost")  # not ::1, which the real SDK's data library takes for a port

_chosen = []  # the backends that were asked for, in turn


class BackendError(Exception):
    """The backend cannot be used; the message says what to do."""


def use_backend(backend: str) -> None:
    """Have both SDKs speak to the offline workspace ("offline") or to Azure ("azure"), and say which it is.

    Of version 1, `import azureml` finds the mocked SDK or the installed one. Version 2 is the installed azure.ai.ml
    either way; offline its requests are answered in this process. Neither is imported here.
    Offline, the workspace's folder is opened too, so that one that cannot be used is told here. A proxy of the
    environment is from then on not asked for addresses of this machine, where offline services and LocalWebservice are.
    Raises BackendError for another name, where an SDK was imported for the other side before, and where one is not
    installed; FolderError where the offline workspace cannot be used.
    """
    from helpers.offline.arm import client
    from helpers.offline.engine.workspace import telemetry

    if backend not in BACKENDS:
        raise BackendError(f'There is no backend {backend!r}. Use "offline" or "azure".')
    for sdk, imported in imported_backends().items():
        if imported != backend:
            raise BackendError(
                f"{sdk} was already imported for the backend {imported!r}, and a kernel cannot hold both. "
                f"Restart the kernel, and run use_backend({backend!r}) before the first import of {sdk}."
            )

    _keep_loopback_from_proxies()
    sys.path[:] = [entry for entry in sys.path if entry != str(MOCKED_SDK)]
    if backend == "offline":
        sys.path.insert(0, str(MOCKED_SDK))
        client.use()
        os.environ.update(telemetry.OFF)
        print(f"Offline: Azure ML's calls run on this machine; the workspace is kept in {_offline_folder()}")
        for name in _drills_on():
            print(f"The drill {name!r} is on in this workspace; helpers.drills.stop({name!r}) ends it.")
    else:
        client.leave()
        sdks = ", ".join(f"{name} {_installed_version(name)}" for name in ("azureml-core", "azure-ai-ml"))
        print(f"Azure: {sdks}; the workspace is the one that config.json names")
    _chosen.append(backend)


def _keep_loopback_from_proxies() -> None:
    """Add this machine's own addresses to those that this process, and what it starts, ask for without a proxy."""
    listed = [part.strip() for part in (os.environ.get("no_proxy") or os.environ.get("NO_PROXY", "")).split(",")]
    without = ",".join(dict.fromkeys([*filter(None, listed), *LOOPBACK]))
    os.environ.update(no_proxy=without, NO_PROXY=without)  # programs read one or the other


def offline_drills():
    """What a drill does to the offline workspace: a module. Raises BackendError where Azure is in use."""
    if _chosen[-1:] == ["azure"]:
        raise BackendError("A drill breaks the workspace on purpose, so it needs the offline one, not Azure.")
    from helpers.offline import drills

    return drills


def imported_backends() -> dict[str, str]:
    """The backend for which this process has imported an SDK, by the SDK; those that it has not are not there."""
    from helpers.offline.arm import client

    found = {}
    if "azureml" in sys.modules:
        offline = str(MOCKED_SDK / "azureml") in sys.modules["azureml"].__path__
        found["azureml"] = "offline" if offline else "azure"
    if taken_over := client.taken_over():
        found[taken_over] = "offline"
    elif "azure.ai.ml" in sys.modules and "azure" in _chosen:  # before a choice it can still become either
        found["azure.ai.ml"] = "azure"
    return found


def _drills_on() -> list[str]:
    """The drills that somebody has left on in the offline workspace."""
    from helpers.offline.engine.workspace import faults, folder

    return faults.get(folder.open_folder(), faults.DRILLS, [])


def _offline_folder() -> str:
    """Open the offline workspace; its folder, relative to the repository for somebody who works in that."""
    from helpers.offline.engine.workspace import folder

    path = folder.open_folder()
    is_inside = all(place.is_relative_to(folder.REPOSITORY) for place in (path, Path.cwd()))
    return str(path.relative_to(folder.REPOSITORY) if is_inside else path)


def _installed_version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        raise BackendError(
            f"{package} is not installed in this kernel's environment. Use the repository's environment "
            "(`make lab`), or install it: pip install -r requirements.txt"
        ) from None
