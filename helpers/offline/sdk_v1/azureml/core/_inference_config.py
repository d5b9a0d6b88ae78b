"""How a web service answers: InferenceConfig."""

import ast
import keyword
import logging
import os
from pathlib import Path

from azureml._strict import refuse, unsupported
from azureml.core.container_registry import ContainerRegistry
from azureml.exceptions import UserErrorException, WebserviceException

_logger = logging.getLogger("azureml.core.model")


class InferenceConfig:
    """How a web service answers: its entry script, which has init() and run(), and the environment that it runs in.

    The script is relative to source_directory if that is given. Raises WebserviceException where a file is missing or
    the script's name is no module's, and UserErrorException where it is no Python.
    """

    __module__ = "azureml.core.model"

    def __init__(
        self,
        entry_script,
        runtime=None,
        conda_file=None,
        extra_docker_file_steps=None,
        source_directory=None,
        enable_gpu=None,
        description=None,
        base_image=None,
        base_image_registry=None,
        cuda_version=None,
        environment=None,
    ):
        refuse(
            "InferenceConfig()",
            runtime=runtime,
            conda_file=conda_file,
            extra_docker_file_steps=extra_docker_file_steps,
            enable_gpu=enable_gpu or None,
            base_image=base_image,
            base_image_registry=base_image_registry,
            cuda_version=cuda_version,
        )
        self.entry_script = entry_script
        self.runtime = runtime
        self.conda_file = conda_file
        self.extra_docker_file_steps = extra_docker_file_steps
        self.source_directory = source_directory
        self.enable_gpu = enable_gpu
        self.cuda_version = cuda_version
        self.description = description
        self.base_image = base_image
        self.base_image_registry = ContainerRegistry()
        self.environment = environment
        self.validate_configuration()

    def __repr__(self):
        fields = ("entry_script", "runtime", "conda_file", "extra_docker_file_steps", "source_directory")
        fields += ("enable_gpu", "base_image", "base_image_registry")
        return f"{type(self).__name__}({', '.join(f'{field}={getattr(self, field)}' for field in fields)})"

    def validate_configuration(self):
        """Check the script and its folder, and warn of an environment that has no scoring server."""
        if not self.entry_script:
            raise WebserviceException("Error, need to specify entry_script.")
        dependencies = self._dependencies()
        if dependencies and "azureml-defaults" not in dependencies.serialize_to_string():
            _logger.warning(
                "Warning, azureml-defaults not detected in provided environment pip dependencies. It brings the server "
                "that a web service needs, and should be included."
            )
        if self.source_directory:
            self.source_directory = os.path.realpath(self.source_directory)
            _check_exists(self.source_directory, "source directory")
        _check_exists(
            self._script_path(), "entry_script", "entry_script should be path relative to current working directory"
        )
        name = Path(self.entry_script).stem
        if Path(self.entry_script).suffix != ".py":
            raise WebserviceException("Invalid driver type. Currently only Python drivers are supported.")
        if not name.isidentifier() or keyword.iskeyword(name):
            raise WebserviceException(
                f'Error, invalid name "{name}" for provided entry script. The script must be importable as a valid '
                "python module: its name is a Python identifier and no keyword."
            )
        self.validation_script_content()

    def validation_script_content(self):
        """Raise UserErrorException where the script cannot be read, or is no Python."""
        path = self._script_path()
        try:
            content = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UserErrorException(f"Failed to open {path}, please check if it exists and is text: {error}") from None
        try:
            ast.parse(content, str(path))
        except (SyntaxError, ValueError) as error:
            raise UserErrorException(f"{error}. Please check it and try local deployment to verify.") from None

    def build_create_payload(self, workspace, name, model_ids):
        """Not supported offline: no image is made."""
        unsupported("InferenceConfig.build_create_payload()")

    def build_profile_payload(
        self,
        profile_name,
        input_data=None,
        workspace=None,
        models=None,
        dataset_id=None,
        container_resource_requirements=None,
        description=None,
    ):
        """Not supported offline: nothing is profiled."""
        unsupported("InferenceConfig.build_profile_payload()")

    def _script_path(self):
        return Path(self.source_directory or "", self.entry_script)

    def _dependencies(self):
        return self.environment.python.conda_dependencies if self.environment else None


def _check_exists(path, what, rule=""):
    if not Path(path).exists():
        raise WebserviceException(f"{what} {os.path.normpath(path)} doesn't exist. {rule}")
