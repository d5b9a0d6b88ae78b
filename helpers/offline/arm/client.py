"""Makes the installed azure-ai-ml work on the offline workspace, from its first import in this process on.

Until somebody imports it nothing is loaded: `use` only asks to be called back by the import. Nothing of the client is
replaced but what would leave the machine (the end of the wire, the logins, what needs Docker or a feed of files), how
long it waits between two looks, and what it asks itself at length: that is answered alike.
"""

import functools
import importlib.machinery
import os
import sys
import warnings
from collections.abc import Callable, Iterable

from helpers.imports import quick_import
from helpers.offline.arm.wire import COVERAGE, RESOURCE_GROUP, SUBSCRIPTION_ID, WORKSPACE

SDK = "azure-ai-ml"
KNOWN = "1.35"  # the release that requirements.txt has, which the routes are tested with
LOOK, LAST_LOOK = 0.2, 1.0  # seconds between two looks of jobs.stream(): at first, and of a job that takes a minute

_taken_over: set[str] = set()  # the modules that work offline in this process


def use() -> None:
    """Have MLClient and azure-identity's credentials work offline, whether they are imported already or later."""
    _after_import("azure.identity", _take_over_logins)
    # Azure's storage asks with aiohttp's help whether it is used through that, which nobody does here.
    _after_import("azure.ai.ml", _take_over_client, without=["aiohttp"])


def leave() -> None:
    """Have what is not imported yet work on Azure, as it is installed."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]


def taken_over() -> str | None:
    """What this process has imported for the offline workspace, if anything: azure-ai-ml, or azure-identity alone."""
    return next((name for name in ("azure.ai.ml", "azure.identity") if name in _taken_over), None)


class _Finder:
    """Finds one module as all others are found, and has its import, which does without some, followed by a call."""

    def __init__(self, name: str, call: Callable, without: Iterable[str]):
        self.name, self.call, self.without = name, call, without

    def find_spec(self, name, path=None, target=None):
        specification = importlib.machinery.PathFinder.find_spec(name, path, target) if name == self.name else None
        if specification and specification.loader:
            execute = specification.loader.exec_module

            def execute_and_call(module):
                with quick_import(self.without):
                    execute(module)
                self.call(module)

            specification.loader.exec_module = execute_and_call
        return specification


def _after_import(name: str, call: Callable, without: Iterable[str] = ()) -> None:
    if name in sys.modules:
        call(sys.modules[name])
    elif not any(isinstance(finder, _Finder) and finder.name == name for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder(name, call, without))


def _take_over_client(ml) -> None:
    """Answer what the client sends, whoever it says it is; telemetry is off."""
    from importlib.metadata import version

    from helpers.offline.arm import workspaces

    installed = version(SDK)
    if not installed.startswith(f"{KNOWN}."):
        warnings.warn(
            f"{SDK} {installed} is installed; the offline workspace answers what {SDK} {KNOWN} asks "
            "(pip install -r requirements.txt). What a newer one asks beyond that is refused by name.",
            stacklevel=2,
        )
    if ml.__name__ in _taken_over:
        return
    _taken_over.add(ml.__name__)
    _take_over_wire()
    _take_over_programs()
    _look_more_often()
    _upload_without_a_word()
    _ask_quickly()
    real_init, real_from_config = ml.MLClient.__init__, ml.MLClient.from_config.__func__

    @functools.wraps(real_init)
    def __init__(self, credential, *arguments, **options):
        own = None if credential is None else OfflineCredential()
        real_init(self, own, *arguments, **(options | {"enable_telemetry": False}))
        workspaces.names.add(self.workspace_name)
        self._online_endpoints._local_endpoint_helper = _NoDocker()
        self._online_deployments._local_deployment_helper = _NoDocker()

    @functools.wraps(real_from_config)
    def from_config(cls, credential, *, path=None, file_name=None, **options):
        if path is None and file_name is None:  # the offline workspace needs no file, and reads none
            return cls(credential, SUBSCRIPTION_ID, RESOURCE_GROUP, WORKSPACE, **options)
        return real_from_config(cls, credential, path=path, file_name=file_name, **options)

    ml.MLClient.__init__, ml.MLClient.from_config = __init__, classmethod(from_config)


def _take_over_wire() -> None:
    """Every session of azure-core in this process sends through our adapter, those that are open already too."""
    from azure.core.pipeline.transport import RequestsTransport

    from helpers.offline.arm import transport

    real_open = RequestsTransport.open

    @functools.wraps(real_open)
    def open_offline(self):
        real_open(self)
        transport.mount(self.session)

    RequestsTransport.open = open_offline


def _look_more_often() -> None:
    from azure.ai.ml.operations import _job_ops_helper

    if not any(f"AZUREML_RUN_POLLING_INTERVAL_{end}" in os.environ for end in ("MIN", "MAX")):
        _job_ops_helper._wait_before_polling = _pause


def _pause(seconds: float) -> float:
    """The seconds until the next look of jobs.stream(), after so many: on Azure they are from two to a minute, too.

    A look takes some hundredths of a second, in which what is looked at could go on.
    """
    return min(max(LOOK, seconds / 50), LAST_LOOK)


def _upload_without_a_word() -> None:
    """An upload that shows no progress prints nothing: of an empty line on stderr a notebook makes a red box.

    The line ends the progress bar, and the client prints it also where there is none.
    """
    from azure.ai.ml._artifacts import _blob_storage_helper

    real_upload = _blob_storage_helper.BlobStorageClient.upload

    @functools.wraps(real_upload)
    def upload(self, *arguments, show_progress: bool = True, **options):
        _blob_storage_helper.print = print if show_progress else _nothing
        return real_upload(self, *arguments, show_progress=show_progress, **options)

    _blob_storage_helper.BlobStorageClient.upload = upload


def _nothing(*given, **named) -> None:
    pass


def _ask_quickly() -> None:
    """Two questions that the client asks itself are answered alike, and in no time.

    Whether this is a notebook it asks by importing IPython, which takes half a second; whether a class is used by
    itself, and not by its user, by reading the source of every caller up to the first.
    """
    from azure.ai.ml._telemetry import logging_handler
    from azure.ai.ml._utils import _experimental
    from azure.ai.ml.entities import _resource

    in_jupyter_notebook = logging_handler.in_jupyter_notebook

    def is_notebook() -> bool:
        return "IPython" in sys.modules and in_jupyter_notebook()

    def is_used_by_itself() -> bool:
        frame = sys._getframe()
        while frame and frame.f_code.co_name != "_from_rest_object":
            frame = frame.f_back
        return frame is not None

    logging_handler.in_jupyter_notebook = _resource.in_jupyter_notebook = is_notebook
    _experimental._should_skip_warning = is_used_by_itself


def _take_over_programs() -> None:
    """What the client has another program do: mount datastores, and fetch files that a component includes.

    Feature stores it looks for among the workspaces, and would tell of none.
    """
    from azure.ai.ml._utils._artifact_utils import ArtifactCache
    from azure.ai.ml.operations import DataOperations, DatastoreOperations, FeatureStoreOperations

    def refused(what: str) -> Callable:
        def refuse(self, *arguments, **options):
            raise NotImplementedError(f"{what} is not supported offline. See {COVERAGE}.")

        return refuse

    DataOperations.mount = DatastoreOperations.mount = refused("Mounting on this machine")
    ArtifactCache.get = ArtifactCache.set = refused("A feed of artifacts")
    FeatureStoreOperations.get = FeatureStoreOperations.list = refused("A feature store")


class _NoDocker:
    """In the place of the client's helpers for local=True."""

    def __getattr__(self, name: str):
        raise NotImplementedError(f"local=True needs Docker and is not supported offline. See {COVERAGE}.")


def _take_over_logins(identity) -> None:
    """Credentials can be made, and handed to MLClient; a token there is none."""
    from azure.identity import CredentialUnavailableError

    _taken_over.add(identity.__name__)

    def no_token(self, *scopes, **options):
        raise CredentialUnavailableError(
            "There is no token offline, and nothing that asks for one: MLClient takes any credential. "
            'use_backend("azure") in a fresh kernel logs in.'
        )

    for name in identity.__all__:
        if hasattr(getattr(identity, name), "get_token"):
            getattr(identity, name).get_token = getattr(identity, name).get_token_info = no_token


class OfflineCredential:
    """What MLClient asks in the place of the credential that it was given: its tokens are nobody's."""

    def get_token(self, *scopes, **options):
        import jwt
        from azure.core.credentials import AccessToken

        audience = scopes[0].removesuffix("/.default") if scopes else ""
        return AccessToken(jwt.encode({"aud": audience, "tid": "offline"}, key=None, algorithm="none"), 2**33)
