"""Conda environment specifications."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from azureml._config_element import config_folder
from azureml._strict import module_getattr
from azureml.exceptions import UserErrorException

__getattr__ = module_getattr(__name__)

CHANNELS = "channels"
PACKAGES = "dependencies"
PIP = "pip"
PYTHON_PREFIX = "python"
CPU = "cpu"
GPU = "gpu"
CONDA_FILE_NAME = "auto_conda_dependencies.yml"
DEFAULT_SDK_ORIGIN = "https://pypi.python.org/simple"
PYTHON_DEFAULT_VERSION = "3.10.18"
TENSORFLOW_DEFAULT_VERSION = "2.2.0"
TENSORFLOW_PACKAGE_PREFIX = "tensorflow"
CNTK_DEFAULT_VERSION = "2.7"
CNTK_PACKAGE_PREFIX = "cntk"

_KEYS = ("name", "channels", "dependencies", "prefix", "variables")
_VERSION = re.compile(r"\d+\.\d+(\.\d+)?([ab]\d+)?$")


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len(keys) != len(set(keys)):
            raise yaml.constructor.ConstructorError(None, None, "found duplicate key", node.start_mark)
        return super().construct_mapping(node, deep)


def _default():
    return {
        "name": "project_environment",
        PACKAGES: ["python=3.8.13", {PIP: ["azureml-defaults"]}],
        CHANNELS: ["anaconda", "conda-forge"],
    }


class CondaDependencies:
    """A conda specification that can be read, changed and written.

    Read from `conda_dependencies_file_path`, or the SDK's default: Python and `azureml-defaults`.
    Comments in a file are not kept. Raises FileNotFoundError, and UserErrorException for a file that is no
    specification.
    """

    DEFAULT_NUMBER_OF_CONDA_PACKAGES = 0
    DEFAULT_NUMBER_OF_PIP_PACKAGES = 0

    def __init__(self, conda_dependencies_file_path=None, _underlying_structure=None):
        if conda_dependencies_file_path is not None:
            self._conda_dependencies = _load(Path(conda_dependencies_file_path))
        elif _underlying_structure is not None:
            self._conda_dependencies = _underlying_structure
        else:
            self._conda_dependencies = _default()
        _validate_structure(self._conda_dependencies)

    @staticmethod
    def create(
        pip_indexurl=None,
        pip_packages=None,
        conda_packages=None,
        python_version=PYTHON_DEFAULT_VERSION,
        pin_sdk_version=True,
    ):
        """Make a specification of these packages, `azureml-defaults` where no pip package is named.

        pip_indexurl: where pip looks for packages beside its index.
        pin_sdk_version: accepted; the real SDK's list of packages to pin is empty in effect.
        """
        dependencies = CondaDependencies()
        dependencies.set_pip_option(f"--find-links {pip_indexurl or CondaDependencies.sdk_origin_url()}")
        dependencies.set_pip_option(f"--extra-index-url {DEFAULT_SDK_ORIGIN}")
        dependencies.set_python_version(python_version)
        if pip_packages is None:
            pip_packages = ["azureml-defaults"]
        else:
            for package in list(dependencies.pip_packages):
                dependencies.remove_pip_package(package)
        for package in pip_packages:
            dependencies.add_pip_package(package)
        for package in conda_packages or []:
            dependencies.remove_conda_package(package)
        for package in conda_packages or []:
            dependencies.add_conda_package(package)
        return dependencies

    @staticmethod
    def merge_requirements(requirements):
        """["a>1", "a<2"] → ["a>1,<2"]."""
        merged = {}
        for requirement in requirements:
            name = _package_name(requirement)
            merged.setdefault(name, []).append(requirement[len(name) :].strip())
        return [name + ",".join(filter(None, constraints)) for name, constraints in merged.items()]

    @staticmethod
    def sdk_origin_url():
        """The index that the SDK's own packages come from."""
        return f"{DEFAULT_SDK_ORIGIN}/index.html"

    @property
    def conda_channels(self):
        """An iterator over the channels."""
        return iter(list(self._conda_dependencies.get(CHANNELS, [])))

    @property
    def conda_packages(self):
        """An iterator over the conda packages, Python among them."""
        return iter([package for package in self._packages() if not isinstance(package, dict)])

    @property
    def pip_packages(self):
        """An iterator over the pip packages."""
        return iter([item for item in self._pip() or [] if not _is_option(item)])

    @property
    def pip_options(self):
        """An iterator over the lines of the pip part that are options."""
        return iter([item for item in self._pip() or [] if _is_option(item)])

    def get_default_number_of_packages(self):
        """How many conda and how many pip packages the SDK's default has."""
        default = CondaDependencies()
        return len(list(default.conda_packages)), len(list(default.pip_packages))

    def get_python_version(self):
        """The version of Python that is asked for, or None."""
        index = self._python_index()
        return None if index is None else _version(self._packages()[index])

    def set_python_version(self, version):
        """Ask for this version of Python."""
        index = self._python_index()
        if index is None:
            self._made(PACKAGES).append(f"{PYTHON_PREFIX}={version}")
        elif self.get_python_version() != version:
            self._packages()[index] = f"{PYTHON_PREFIX}={version}"

    def add_channel(self, channel):
        """Add a conda channel, unless it is there."""
        if channel not in self._made(CHANNELS):
            self._made(CHANNELS).append(channel)

    def remove_channel(self, channel):
        """Remove a conda channel, if it is there."""
        if channel in self._conda_dependencies.get(CHANNELS, []):
            self._conda_dependencies[CHANNELS].remove(channel)

    def add_conda_package(self, conda_package):
        """Add a conda package, unless it is there; "python=3.11" replaces the version of Python."""
        if conda_package in self._packages():
            return
        if _package_name(conda_package) == PYTHON_PREFIX and PACKAGES in self._conda_dependencies:
            version = _version(conda_package)
            if version is None:
                raise UserErrorException(f"invalid version number '{conda_package}'")
            self.set_python_version(version)
        else:
            self._made(PACKAGES).append(conda_package)

    def remove_conda_package(self, conda_package):
        """Remove a conda package, if it is there. Raises UserErrorException for Python."""
        if conda_package not in self._packages():
            return
        if _package_name(conda_package) == PYTHON_PREFIX:
            raise UserErrorException("python must not be removed from conda dependencies")
        self._packages().remove(conda_package)

    def add_pip_package(self, pip_package):
        """Add a pip package in place of any other version of it."""
        self.remove_pip_package(pip_package)
        items = self._pip(make=True)
        if pip_package not in items:  # of a package that is there twice, one is removed
            items.append(pip_package)

    def remove_pip_package(self, pip_package):
        """Remove a pip package, of whatever version, if it is there."""
        if _is_option(pip_package):
            raise UserErrorException(f"Invalid package name {pip_package}")
        _remove_last(self._pip(), _package_name(pip_package), _package_name)

    def set_pip_option(self, pip_option):
        """Add a line such as "--pre" or "--index-url …" to the pip part, in place of the same option."""
        if not _is_option(pip_option):
            raise UserErrorException(f"Invalid pip option {pip_option}")
        items = self._pip(make=True)
        same = [index for index, item in enumerate(items) if _first_word(item) == _first_word(pip_option)]
        for index in same:
            items[index] = pip_option
        if not same:
            items.append(pip_option)

    def remove_pip_option(self, pip_option):
        """Remove an option from the pip part, if it is there."""
        if not _is_option(pip_option):
            raise UserErrorException(f"Invalid pip option {pip_option}")
        _remove_last(self._pip(), _first_word(pip_option), _first_word)

    def set_pip_index_url(self, index_url):
        """Add the option `index_url`, e.g. "--index-url https://…"."""
        self.set_pip_option(index_url)

    def set_pip_requirements(self, pip_requirements):
        """Make these lines the whole pip part."""
        self._pip(make=True)
        for item in self._packages():
            if isinstance(item, dict) and PIP in item:
                item[PIP] = pip_requirements

    def add_cntk_package(self, core_type=CPU):
        """Add CNTK as a pip package in place of any other; core_type: "cpu" or "gpu"."""
        package = _framework(CNTK_PACKAGE_PREFIX, core_type, "==", CNTK_DEFAULT_VERSION)
        self._replace_pip_packages(CNTK_PACKAGE_PREFIX, package)

    def add_tensorflow_pip_package(self, core_type=CPU, version=None):
        """Add TensorFlow as a pip package in place of any other; core_type: "cpu" or "gpu"."""
        package = _framework(TENSORFLOW_PACKAGE_PREFIX, core_type, "==", version or TENSORFLOW_DEFAULT_VERSION)
        self._replace_pip_packages(TENSORFLOW_PACKAGE_PREFIX, package)

    def add_tensorflow_conda_package(self, core_type=CPU, version=None):
        """Add TensorFlow as a conda package in place of any other; core_type: "cpu" or "gpu"."""
        package = _framework(TENSORFLOW_PACKAGE_PREFIX, core_type, "=", version or TENSORFLOW_DEFAULT_VERSION)
        for other in list(self.conda_packages):
            if other.startswith(TENSORFLOW_PACKAGE_PREFIX):
                self.remove_conda_package(other)
        self.add_conda_package(package)

    def save_to_file(self, base_directory, conda_file_path=None):
        """Write to `conda_file_path` below `base_directory` and return it.

        By default it is auto_conda_dependencies.yml in the project's configuration folder.
        """
        conda_file_path = conda_file_path or f"{config_folder(base_directory)}/{CONDA_FILE_NAME}"
        self._write(Path(base_directory).absolute() / conda_file_path)
        return conda_file_path

    def save(self, path=None):
        """Write to the file `path` and return it."""
        if Path(path).is_dir():
            raise UserErrorException(
                "Cannot save a conda environment specification file to a directory. "
                "Give a path that ends in the file's name."
            )
        if not Path(path).parent.is_dir():
            raise UserErrorException(
                "Cannot save the conda environment specification file to an invalid path. "
                f"There is no folder {Path(path).parent}."
            )
        self._write(Path(path))
        return path

    def serialize_to_string(self):
        """The specification as YAML."""
        return yaml.safe_dump(self._conda_dependencies, sort_keys=False, allow_unicode=True)

    def as_dict(self) -> Any:
        """The specification as a dictionary of its own."""
        return json.loads(json.dumps(self._conda_dependencies))

    def _write(self, path):
        if self._python_index() is None:
            raise UserErrorException("Python package is missing. Call set_python_version().")
        path.write_text(self.serialize_to_string(), encoding="utf-8")

    def _made(self, key):
        return self._conda_dependencies.setdefault(key, [])

    def _packages(self):
        return self._conda_dependencies.get(PACKAGES, [])

    def _pip(self, make=False):
        for item in self._packages():
            if isinstance(item, dict) and PIP in item:
                return item[PIP]
        if not make:
            return None
        self._made(PACKAGES).append({PIP: []})
        return self._packages()[-1][PIP]

    def _python_index(self):
        for index, item in enumerate(self._packages()):
            if isinstance(item, str) and _package_name(item) == PYTHON_PREFIX:
                return index
        return None

    def _replace_pip_packages(self, prefix, package):
        for other in list(self.pip_packages):
            if other.startswith(prefix):
                self.remove_pip_package(other)
        self.add_pip_package(package)


def _load(path):
    with path.open(encoding="utf-8") as file:
        try:
            return yaml.load(file, _Loader)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise UserErrorException(
                f"Environment error: not a valid YAML structure in {path}: {error}", inner_exception=error
            ) from error


def _validate_structure(structure):
    if not isinstance(structure, dict):
        raise UserErrorException("Environment error: not a valid YAML structure")
    for key in structure:
        if key not in _KEYS:
            raise UserErrorException(f"Environment error: unknown {key} key in environment specification")
    for key in (CHANNELS, PACKAGES):
        if key in structure and not isinstance(structure[key], list):
            raise UserErrorException(f"Environment error: {key} in the environment specification is not a list")
    for item in structure.get(PACKAGES, []):
        if isinstance(item, dict) and not isinstance(item.get(PIP, []), list):
            raise UserErrorException("Environment error: pip in the environment specification is not a list")


def _is_option(item):
    return item.startswith("-")


def _first_word(item):
    return item.split()[0]


def _package_name(requirement):
    if requirement.endswith(".whl"):
        return requirement.split("/")[-1].split("-")[0]
    return re.split(r"[\[=|<>~!]", requirement)[0]


def _version(requirement):
    match = _VERSION.search(requirement)
    return match.group() if match else None


def _remove_last(items, wanted, key):
    for index in reversed(range(len(items or []))):
        if key(items[index]) == wanted:
            items.remove(items[index])  # where the same text is there twice, this is the first
            return


def _framework(prefix, core_type, operator, version):
    if core_type not in (CPU, GPU):
        raise UserErrorException(f"Invalid core type {core_type}. Only accept 'cpu' or 'gpu'")
    return f"{prefix}{'-gpu' if core_type == GPU else ''}{operator}{version}"
