"""The parts of an environment: Python and its packages, the image, Spark, Databricks."""

import logging
from enum import Enum
from pathlib import Path

from azureml._config_element import ConfigElement
from azureml._strict import refuse_unknown, unsupported
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.container_registry import ContainerRegistry

_DEFAULT_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:20251130.v1"
_DEFAULT_SHM_SIZE = "2g"

_logger = logging.getLogger("azureml.core.environment")


class PythonSection(ConfigElement):
    """The interpreter and its packages."""

    __module__ = "azureml.core.environment"

    _fields = {
        "user_managed_dependencies": bool,
        "interpreter_path": None,
        "_conda_dependencies_file": None,
        "_base_conda_environment": None,
    }

    def __init__(self, **kwargs):
        refuse_unknown("PythonSection()", kwargs, allowed=["_skip_defaults"])
        self.interpreter_path = "python"
        self.user_managed_dependencies = False
        self.conda_dependencies = None if kwargs.get("_skip_defaults") else CondaDependencies()
        self._conda_dependencies_file = None
        self._base_conda_environment = None
        self._initialized = True

    @property
    def conda_dependencies_file(self):
        """Deprecated: use Environment.from_conda_specification."""
        return self._conda_dependencies_file

    @conda_dependencies_file.setter
    def conda_dependencies_file(self, value):
        _logger.warning("Property conda_dependencies_file is deprecated. Use Environment.from_conda_specification")
        self._conda_dependencies_file = value or None

    def _serialize_to_dict(self):
        written = super()._serialize_to_dict()
        if self.conda_dependencies is not None:
            written["condaDependencies"] = self.conda_dependencies.as_dict()
        return written

    @classmethod
    def _deserialize(cls, values):
        section = cls(_skip_defaults=True)._populate(values)
        conda = values.get("condaDependencies", values.get("conda_dependencies"))
        if conda is not None:
            section.conda_dependencies = CondaDependencies(_underlying_structure=conda)
        return section


class DockerImagePlatform(ConfigElement):
    """The operating system and processor that the image is for."""

    __module__ = "azureml.core.environment"

    _fields = {"os": None, "architecture": None}

    def __init__(self):
        self.os = "Linux"
        self.architecture = "amd64"
        self._initialized = True


class DockerBuildContext(ConfigElement):
    """Where the files are that an image is built from."""

    __module__ = "azureml.core.environment"

    class LocationType(Enum):
        """What kind of place that is."""

        __module__ = "azureml.core.environment"

        Git = "git"
        StorageAccount = "storageAccount"

    _fields = {"location_type": LocationType, "location": None, "dockerfile_path": None}

    def __init__(self, location_type=None, location=None, dockerfile_path="Dockerfile"):
        self.location_type = location_type
        self.location = location
        self.dockerfile_path = dockerfile_path or "Dockerfile"
        self._initialized = True

    @staticmethod
    def from_local_directory(workspace, path, dockerfile_path="Dockerfile"):
        """Not supported offline: no image is built there."""
        unsupported("DockerBuildContext.from_local_directory()")


class DockerSection(ConfigElement):
    """The image. Offline it is recorded, and the job runs in the machine's own Python.

    base_image, base_dockerfile and build_context exclude each other: setting one clears the others.
    """

    __module__ = "azureml.core.environment"

    _fields = {
        "_enabled": bool,
        "_base_image": None,
        "_base_dockerfile": None,
        "_build_context": DockerBuildContext,
        "_shared_volumes": bool,
        "_shm_size": None,
        "_arguments": None,
        "base_image_registry": ContainerRegistry,
        "platform": DockerImagePlatform,
    }

    def __init__(self, **kwargs):
        refuse_unknown("DockerSection()", kwargs, allowed=["_skip_defaults"])
        defaults = not kwargs.get("_skip_defaults")
        self._enabled = False
        self._base_image = _DEFAULT_IMAGE if defaults else None
        self._base_dockerfile = None
        self._build_context = None
        self._shared_volumes = True
        self._shm_size = _DEFAULT_SHM_SIZE if defaults else None
        self._arguments = []
        self.base_image_registry = ContainerRegistry()
        self.platform = DockerImagePlatform()
        self._initialized = True

    @property
    def base_image(self):
        """The image's name in its registry."""
        return self._base_image

    @base_image.setter
    def base_image(self, value):
        self._set_base("base_image", value)

    @property
    def base_dockerfile(self):
        """The Dockerfile's text; may be set to the text, the path of a file or an open file."""
        return self._base_dockerfile

    @base_dockerfile.setter
    def base_dockerfile(self, value):
        if hasattr(value, "read"):
            value = value.read()
        # A text of several lines can be longer than a path may be, which is_file() would choke on.
        elif value and "\n" not in value and Path(value).is_file():
            value = Path(value).read_text(encoding="utf-8")
        self._set_base("base_dockerfile", value)

    @property
    def build_context(self):
        """The DockerBuildContext."""
        return self._build_context

    @build_context.setter
    def build_context(self, value):
        self._set_base("build_context", value)

    def _set_base(self, name, value):
        setattr(self, f"_{name}", value or None)
        if not value:
            return
        for other in {"base_image", "base_dockerfile", "build_context"} - {name}:
            if getattr(self, f"_{other}"):
                setattr(self, f"_{other}", None)
                _logger.warning("Property %s is mutually exclusive with %s. Reset %s to None", other, name, other)

    @property
    def gpu_support(self):
        """Deprecated: a GPU is used where there is one."""
        self._warn_gpu_support()
        return True

    @gpu_support.setter
    def gpu_support(self, _):
        self._warn_gpu_support()

    @property
    def enabled(self):
        """Deprecated: use azureml.core.runconfig.DockerConfiguration."""
        return self._enabled

    @enabled.setter
    def enabled(self, value=False):
        _logger.warning(
            "'enabled' is deprecated. Please use the azureml.core.runconfig.DockerConfiguration object "
            "with the 'use_docker' param instead."
        )
        self._enabled = value

    @property
    def shared_volumes(self):
        """Deprecated: use azureml.core.runconfig.DockerConfiguration."""
        return self._shared_volumes

    @shared_volumes.setter
    def shared_volumes(self, value=True):
        self._warn_deprecated("shared_volumes")
        self._shared_volumes = value

    @property
    def arguments(self):
        """Deprecated: use azureml.core.runconfig.DockerConfiguration."""
        return self._arguments

    @arguments.setter
    def arguments(self, value=None):
        self._warn_deprecated("arguments")
        self._arguments = value

    @property
    def shm_size(self):
        """Deprecated: use azureml.core.runconfig.DockerConfiguration."""
        return self._shm_size

    @shm_size.setter
    def shm_size(self, value=None):
        self._warn_deprecated("shm_size")
        self._shm_size = value

    @staticmethod
    def _warn_deprecated(name):
        _logger.warning(
            "'%s' is deprecated. Please use the azureml.core.runconfig.DockerConfiguration object instead.",
            name,
        )

    @staticmethod
    def _warn_gpu_support():
        _logger.warning("'gpu_support' is no longer necessary; a GPU is used where there is one.")

    @classmethod
    def _deserialize(cls, values):
        return cls(_skip_defaults=True)._populate(values)


class SparkPackage(ConfigElement):
    """A Maven package for Spark."""

    __module__ = "azureml.core.environment"

    _fields = {"group": None, "artifact": None, "version": None}

    def __init__(self, group=None, artifact=None, version=None):
        self.group = group
        self.artifact = artifact
        self.version = version
        self._initialized = True


class SparkSection(ConfigElement):
    """What Spark needs; recorded, not used offline."""

    __module__ = "azureml.core.environment"

    _fields = {"repositories": None, "packages": [SparkPackage], "precache_packages": bool}

    def __init__(self, **kwargs):
        refuse_unknown("SparkSection()", kwargs, allowed=["_skip_defaults"])
        self.repositories = []
        self.packages = []
        self.precache_packages = True
        self._initialized = True


class _DatabricksSection(ConfigElement):
    __module__ = "azureml.core.environment"
    _fields = dict.fromkeys(["maven_libraries", "pypi_libraries", "rcran_libraries", "jar_libraries", "egg_libraries"])

    def __init__(self):
        for name in self._fields:
            setattr(self, name, [])
        self._initialized = True
