"""Which `azureml` an import finds: the mocked SDK on this machine, or the installed one that talks to Azure."""

import importlib.metadata
import sys
from pathlib import Path

MOCKED_SDK = Path(__file__).resolve().parent / "offline" / "sdk_v1"
BACKENDS = ("offline", "azure")


class BackendError(Exception):
    """The backend cannot be used; the message says what to do."""


def use_backend(backend: str) -> None:
    """Make `import azureml` find the mocked SDK ("offline") or the installed one ("azure"), and say which it is.

    Offline, the workspace's folder is opened too, so that one that cannot be used is told here.
    Raises BackendError for another name, where azureml was imported from the other side before, and where
    azureml-core is not installed; FolderError where the offline workspace cannot be used.
    """
    if backend not in BACKENDS:
        raise BackendError(f'There is no backend {backend!r}. Use "offline" or "azure".')
    imported = imported_backend()
    if imported not in (None, backend):
        raise BackendError(
            f"azureml was already imported for the backend {imported!r}, and a kernel cannot hold both. "
            f"Restart the kernel, and run use_backend({backend!r}) before the first import of azureml."
        )

    from helpers.offline.arm import client

    sys.path[:] = [entry for entry in sys.path if entry != str(MOCKED_SDK)]
    if backend == "offline":
        sys.path.insert(0, str(MOCKED_SDK))
        client.use()
        print(f"Offline: Azure ML's calls run on this machine; the workspace is kept in {_offline_folder()}")
    else:
        print(f"Azure: azureml-core {_installed_version()}; the workspace is the one that config.json names")


def imported_backend() -> str | None:
    """The backend whose azureml this process has imported; None before the first import."""
    if "azureml" not in sys.modules:
        return None
    return "offline" if str(MOCKED_SDK / "azureml") in sys.modules["azureml"].__path__ else "azure"


def _offline_folder() -> str:
    """Open the offline workspace; its folder, relative to the repository where it lies inside."""
    from helpers.offline.engine.workspace import folder

    path = folder.open_folder()
    return str(path.relative_to(folder.REPOSITORY) if path.is_relative_to(folder.REPOSITORY) else path)


def _installed_version() -> str:
    try:
        return importlib.metadata.version("azureml-core")
    except importlib.metadata.PackageNotFoundError:
        raise BackendError(
            "azureml-core is not installed in this kernel's environment. Use the repository's environment "
            "(`make lab`), or install it: pip install -r requirements.txt"
        ) from None
