"""Environments: the packages, base image and variables that a script runs with."""

import json
import logging
from pathlib import Path

from azureml import _engine
from azureml._config_element import ConfigElement
from azureml._strict import module_getattr, refuse_unknown, unsupported
from azureml.core._environment_sections import (  # noqa: F401  the real SDK has them all here
    _DEFAULT_IMAGE,
    DockerBuildContext,
    DockerImagePlatform,
    DockerSection,
    PythonSection,
    SparkPackage,
    SparkSection,
    _DatabricksSection,
)
from azureml.core.conda_dependencies import PYTHON_DEFAULT_VERSION, CondaDependencies
from azureml.core.container_registry import ContainerRegistry  # noqa: F401  likewise
from azureml.exceptions import UserErrorException

__getattr__ = module_getattr(__name__)

module_logger = logging.getLogger(__name__)

DEFAULT_CPU_IMAGE = _DEFAULT_IMAGE
DEFAULT_GPU_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-cuda11.8-cudnn8-ubuntu22.04"

_LABELS = "environment_labels"  # an asset for each environment's name: label to version
_CONDA_DEPENDENCIES_FILE_NAME = "conda_dependencies.yml"
_BASE_DOCKERFILE_FILE_NAME = "BaseDockerfile"
_DEFINITION_FILE_NAME = "azureml_environment.json"


class Environment(ConfigElement):
    """A named definition of Python packages, base image and variables.

    Raises TypeError for a name that is no str.
    """

    _fields = {
        "name": None,
        "version": None,
        "_environment_variables": None,
        "python": PythonSection,
        "docker": DockerSection,
        "spark": SparkSection,
        "databricks": _DatabricksSection,
        "r": None,
        "inferencing_stack_version": None,
        "asset_id": None,
    }

    def __init__(self, name, **kwargs):
        refuse_unknown("Environment()", kwargs, allowed=["_skip_defaults"])
        if name is not None and not isinstance(name, str):
            raise TypeError(f"Environment name expected str, {type(name)} found")
        skip_defaults = kwargs.get("_skip_defaults", False)
        self.name = name
        self.version = None
        self.python = PythonSection(_skip_defaults=skip_defaults)
        self.docker = DockerSection(_skip_defaults=skip_defaults)
        self.spark = SparkSection()
        self.databricks = _DatabricksSection()
        self.r = None
        self.inferencing_stack_version = None
        self.asset_id = None
        self._environment_variables = {} if skip_defaults else {"EXAMPLE_ENV_VAR": "EXAMPLE_VALUE"}
        self._initialized = True

    @property
    def environment_variables(self):
        """Deprecated for a run's variables: use RunConfiguration.environment_variables."""
        return self._environment_variables

    @environment_variables.setter
    def environment_variables(self, value):
        module_logger.warning(
            "Property environment_variables is deprecated. "
            "Use RunConfiguration.environment_variables to set runtime variables."
        )
        self._environment_variables = value

    def __str__(self):
        return f"Environment(Name: {self.name},\nVersion: {self.version})"

    def __repr__(self):
        return json.dumps(self._serialize_to_dict(), indent=4, sort_keys=True)

    @classmethod
    def _deserialize(cls, values):
        if set(values) <= {"name", "version"}:
            return EnvironmentReference(values.get("name"), values.get("version"))
        return Environment(values.get("name"), _skip_defaults=True)._populate(values)

    def register(self, workspace):
        """Keep the definition in the workspace and return it with its version.

        An unchanged definition keeps its version; a changed one gets the next. Raises Exception, as the service's
        answer, for a name that the service refuses or a version that holds another definition.
        """
        definition = {**self._serialize_to_dict(), "version": None, "assetId": None}
        wanted = self.version
        if wanted is not None:
            module_logger.warning(
                "Environment version is set. Attempting to register desired version. "
                "To auto-version, reset version to None."
            )

        def choose(latest):
            if latest is not None and latest.body == definition and wanted in (None, str(latest.version)):
                return latest
            following = latest.version + 1 if latest else 1
            if wanted not in (None, str(following)):
                raise _engine.errors.NotAllowed(
                    f"Version {wanted} of environment {self.name} cannot be registered: versions are never "
                    f"changed, and the next one is {following}. Set version to None."
                )
            return definition

        with _engine.translated(InvalidName=_not_registered, NotAllowed=_not_registered):
            _check_name(self.name)
            asset = _engine.assets.add_if(workspace._folder, "environment", self.name, choose)
        return _from_asset(asset)

    @staticmethod
    def get(workspace, name, version=None, label=None):
        """A registered environment, its latest version by default, or the one that a label means.

        One of Microsoft's own (AzureML-…) holds what is known of it; all its versions are the same offline. Raises
        Exception, as the service's answer, where there is none.
        """
        if label and version:
            raise UserErrorException("Only one of version or label can be specified")
        with _engine.translated(NotFound=_not_found):
            if label and label.lower() != "latest":
                version = _labelled(workspace, name, label)
            number = _version_number(name, version)
            if str(name).startswith(_engine.curated.PREFIX):
                return _curated(name, number or 1)
            asset = _engine.assets.get(workspace._folder, "environment", name, number)
        return _from_asset(asset)

    @staticmethod
    def list(workspace):
        """Name to Environment, the latest version of each; Microsoft's own are among them."""
        with _engine.translated():
            registered = _engine.assets.list_latest(workspace._folder, "environment")
        return {
            **{asset.name: _from_asset(asset) for asset in registered},
            **{name: _curated(name, 1) for name in _engine.curated.NAMES},
        }

    @staticmethod
    def label(workspace, name, version, labels):
        """Let each of the labels, a list of str, mean this version, whatever it meant before.

        Raises Exception, as the service's answer, where there is no such environment.
        """
        with _engine.translated(NotFound=_not_found):
            labelled = _engine.assets.get(workspace._folder, "environment", name, _version_number(name, version))
            known = _engine.assets.add_if(workspace._folder, _LABELS, name, lambda latest: latest or {})
            change = dict.fromkeys(labels, labelled.version)
            _engine.assets.update(workspace._folder, _LABELS, name, known.version, lambda body: body | change)

    def clone(self, new_name):
        """A copy of the definition under another name, not registered."""
        if not new_name:
            raise UserErrorException("Name is required to instantiate an Environment object")
        copy = Environment._deserialize(self._serialize_to_dict())
        copy.name, copy.version, copy.asset_id = new_name, None, None
        return copy

    @staticmethod
    def from_conda_specification(name, file_path):
        """Make an environment of a conda file. Raises as CondaDependencies does."""
        conda_dependencies = CondaDependencies(conda_dependencies_file_path=file_path)
        if not conda_dependencies.get_python_version():
            module_logger.warning('No Python version provided, defaulting to "%s"', PYTHON_DEFAULT_VERSION)
            conda_dependencies.set_python_version(PYTHON_DEFAULT_VERSION)
        environment = Environment(name=name)
        environment.python.conda_dependencies = conda_dependencies
        return environment

    @staticmethod
    def from_pip_requirements(name, file_path, pip_version=None):
        """Make an environment of a requirements file."""
        environment = Environment(name=name)
        conda_dependencies = environment.python.conda_dependencies
        conda_dependencies.set_pip_requirements(Path(file_path).read_text(encoding="utf-8").splitlines())
        conda_dependencies.add_conda_package(f"pip={pip_version}" if pip_version else "pip")
        return environment

    @staticmethod
    def from_dockerfile(name, dockerfile, conda_specification=None, pip_requirements=None):
        """Make an environment of a Dockerfile (text or path) and at most one list of packages."""
        environment = _from_dependencies(name, conda_specification, pip_requirements)
        environment.docker.base_image = None
        environment.docker.base_dockerfile = dockerfile
        return environment

    @staticmethod
    def from_docker_image(name, image, container_registry=None, conda_specification=None, pip_requirements=None):
        """Make an environment of an image and at most one list of packages."""
        environment = _from_dependencies(name, conda_specification, pip_requirements)
        environment.docker.base_image = image
        if container_registry:
            environment.docker.base_image_registry = container_registry
        return environment

    @staticmethod
    def from_docker_build_context(name, docker_build_context):
        """Make an environment of a build context."""
        environment = Environment(name, _skip_defaults=True)
        environment.docker.build_context = docker_build_context
        return environment

    @staticmethod
    def from_existing_conda_environment(name, conda_environment_name):
        """Not supported offline."""
        unsupported("Environment.from_existing_conda_environment()")

    @staticmethod
    def add_private_pip_wheel(workspace, file_path, exist_ok=False):
        """Not supported offline."""
        unsupported("Environment.add_private_pip_wheel()")

    def get_image_details(self, workspace):
        """Not supported offline: no image is built there."""
        unsupported("Environment.get_image_details()")

    def build(self, workspace, image_build_compute=None):
        """Not supported offline: no image is built there."""
        unsupported("Environment.build()")

    def build_local(self, workspace, platform=None, **kwargs):
        """Not supported offline: no image is built there."""
        unsupported("Environment.build_local()")

    def save_to_directory(self, path, overwrite=False):
        """Write the definition, the conda file and the Dockerfile as files that can be edited."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=overwrite)
        written = self._serialize_to_dict()
        if self.python.conda_dependencies:
            self.python.conda_dependencies.save_to_file(path, _CONDA_DEPENDENCIES_FILE_NAME)
            del written["python"]["condaDependencies"]
        if self.docker.base_dockerfile:
            (folder / _BASE_DOCKERFILE_FILE_NAME).write_text(self.docker.base_dockerfile, encoding="utf-8")
            del written["docker"]["baseDockerfile"]
        (folder / _DEFINITION_FILE_NAME).write_text(json.dumps(written, indent=4), encoding="utf-8")

    @staticmethod
    def load_from_directory(path):
        """Read what save_to_directory wrote. Raises FileNotFoundError."""
        folder = Path(path)
        if not (folder / _DEFINITION_FILE_NAME).is_file():
            raise FileNotFoundError(str(folder / _DEFINITION_FILE_NAME))
        definition = (folder / _DEFINITION_FILE_NAME).read_text(encoding="utf-8")
        environment = Environment._deserialize(json.loads(definition))
        conda_file = folder / _CONDA_DEPENDENCIES_FILE_NAME
        if conda_file.is_file():
            environment.python.conda_dependencies = CondaDependencies(conda_file)
        dockerfile = folder / _BASE_DOCKERFILE_FILE_NAME
        if dockerfile.is_file():
            environment.docker.base_dockerfile = dockerfile.read_text(encoding="utf-8")
        return environment


class EnvironmentReference(ConfigElement):
    """The name and version of a registered environment, in place of its definition."""

    _fields = {"name": None, "version": None}

    def __init__(self, name, version=None):
        self.name = name
        self.version = version
        self._initialized = True

    def __repr__(self):
        return json.dumps(self._serialize_to_dict(), indent=4)

    def get_environment(self, workspace):
        """The Environment that is meant."""
        return Environment.get(workspace, self.name, self.version)


def _from_dependencies(name, conda_specification, pip_requirements):
    if conda_specification and pip_requirements:
        raise UserErrorException(
            "Only one of conda_specification or pip_requirements can be specified as python dependencies"
        )
    if conda_specification:
        return Environment.from_conda_specification(name, conda_specification)
    if pip_requirements:
        return Environment.from_pip_requirements(name, pip_requirements)
    environment = Environment(name)
    environment.python.user_managed_dependencies = True
    return environment


def _curated(name, version):
    known = _engine.curated.definition(name)
    if known is None:
        raise _engine.errors.NotFound(_engine.curated.unknown(name))
    return Environment._deserialize({**known, "version": str(version)})


def _from_asset(asset):
    return Environment._deserialize({**asset.body, "version": str(asset.version)})


def _registered(workspace, definition):
    """An environment's definition with its version: what is submitted is registered, as the service does it.

    The version that it names, or the latest one, where that says the same; else the next one. One without a name, or
    with a name that only Microsoft's own have, stays as it is.
    """
    name, version = definition["name"], definition["version"]
    plain = {**definition, "version": None, "assetId": None}
    try:
        _check_name(name)
        asset = _engine.assets.get(workspace._folder, "environment", name, _version_number(name, version))
        same = asset.body == plain
    except _engine.errors.InvalidName:
        return definition
    except _engine.errors.NotFound:
        same = False
    if not same:
        asset = _engine.assets.add_if(
            workspace._folder,
            "environment",
            name,
            lambda latest: latest if latest is not None and latest.body == plain else plain,
        )
    return {**definition, "version": str(asset.version)}


def _version_number(name, version):
    try:
        return None if version is None else int(version)
    except ValueError:
        raise _engine.errors.NotFound(f"The workspace has no environment {name!r} version {version!r}.") from None


def _labelled(workspace, name, label):
    """The version that a label means."""
    labels = {asset.name: asset.body for asset in _engine.assets.list_latest(workspace._folder, _LABELS)}.get(name, {})
    if label not in labels:
        raise _engine.errors.NotFound(f"The workspace has no environment {name!r} with the label {label!r}.")
    return labels[label]


def _check_name(name):
    rule = "1 to 255 letters, digits, hyphens, underscores and dots, the first a letter or digit"
    _engine.names.check_name("environment", name, r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}", rule)
    if name.lower().startswith(("azureml-", "microsoft")):
        raise _engine.errors.InvalidName(f"{name!r} begins as only Microsoft's own environments do.")


# The service's answers reach the user as bare exceptions, here as in the real SDK.


def _not_found(sentence):
    return Exception(f"Error retrieving the environment definition. Code: 404\n: {sentence}")


def _not_registered(sentence):
    return Exception(f"Error registering the environment definition. Code: 400\n: {sentence}")
