"""Registered models: files with a name, a version, and where they come from."""

import ast
import builtins
import keyword
import logging
import os
import re
import shutil
import tempfile
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from azureml import _engine
from azureml._deploy import deploy
from azureml._filters import has_each
from azureml._run_details import USER
from azureml._strict import module_getattr, refuse, refuse_unknown, unsupported
from azureml.core.container_registry import ContainerRegistry
from azureml.exceptions import (
    AzureMLException,
    ModelNotFoundException,
    ModelPathNotFoundException,
    RunEnvironmentException,
    ServiceException,
    UserErrorException,
    WebserviceException,
)

__getattr__ = module_getattr(__name__)

_logger = logging.getLogger(__name__)

MODELS_DIR = str(Path(os.environ.get("AML_APP_ROOT", ""), "azureml-models"))


class Model:
    """A registered model: by `id` ("name:version"), or by name and version, the latest by default.

    tags, properties: what it must have, as ["name", ["other name", "its value"]]. Raises WebserviceException
    ("ModelNotFound: …") where the workspace has none such.
    """

    class Framework:
        """What a model was made with."""

        CUSTOM = "Custom"
        TENSORFLOW = "TensorFlow"
        SCIKITLEARN = "ScikitLearn"
        ONNX = "Onnx"
        TFKERAS = "TfKeras"
        PYTORCH = "PyTorch"
        MULTI = "Multi"

    def __init__(
        self,
        workspace,
        name=None,
        id=None,
        tags=None,
        properties=None,
        version=None,
        run_id=None,
        model_framework=None,
        expand=True,
        **kwargs,
    ):
        refuse_unknown("Model()", kwargs, ("_model_dto",))
        record = kwargs.get("_model_dto") or _find(
            workspace, name, id, version, tags=tags, properties=properties, run_id=run_id, framework=model_framework
        )
        self.workspace = workspace
        self.mime_type = "application/json"
        self.unpack = False
        self.resource_configuration = None
        self.parent_id = None
        self.derived_model_ids = None
        self.run = None
        self.datasets = {}
        self.sample_input_dataset = None
        self.sample_output_dataset = None
        self._set(record)
        if expand:
            self._expand(record)

    def _set(self, record):
        self._record = record
        self.name = record.name
        self.version = record.version
        self.id = record.id
        self.created_by = {"userName": USER}
        self.created_time = datetime.fromisoformat(record.created)
        self.description = record.description
        self.tags = dict(record.tags)
        self.properties = dict(record.properties)
        self.model_framework = record.extra.get("framework", Model.Framework.CUSTOM)
        self.model_framework_version = record.extra.get("framework_version")
        self.url = f"aml://asset/{record.id}"
        self.experiment_name = record.extra.get("experiment")
        self.run_id = record.run_id

    def _expand(self, record):
        from azureml.core.run import Run

        if record.run_id:
            try:
                self.run = Run.get(self.workspace, record.run_id)
            except ServiceException as error:
                _logger.warning("The run that made model %s is gone: %s", self.id, error.message)
        for scenario, dataset_id in record.extra.get("datasets", ()):
            dataset = _dataset(self.workspace, dataset_id)
            if dataset is not None:
                self.datasets.setdefault(scenario, []).append(dataset)
        for sample in ("sample_input_dataset", "sample_output_dataset"):
            if record.extra.get(sample):
                setattr(self, sample, _dataset(self.workspace, record.extra[sample]))

    def __repr__(self):
        return (
            f"{type(self).__name__}(workspace={self.workspace!r}, name={self.name}, id={self.id}, "
            f"version={self.version}, tags={self.tags}, properties={self.properties})"
        )

    # Registering

    @staticmethod
    def register(
        workspace,
        model_path,
        model_name,
        tags=None,
        properties=None,
        description=None,
        datasets=None,
        model_framework=None,
        model_framework_version=None,
        child_paths=None,
        sample_input_dataset=None,
        sample_output_dataset=None,
        resource_configuration=None,
    ):
        """Register a file or folder below the working directory; of the folder only child_paths, if given.

        datasets: (scenario, dataset) pairs. Raises WebserviceException for a refused name or a missing child path,
        FileNotFoundError and PermissionError for a path that is not there or not below the working directory.
        """
        refuse("Model.register()", resource_configuration=resource_configuration)
        _check_name(model_name)
        source = _checked_path(model_path, child_paths)
        print(f"Registering model {model_name}")
        with _only(source, child_paths) as chosen:
            return _register(
                workspace,
                model_name,
                chosen,
                run=None,
                tags=tags,
                properties=properties,
                description=description,
                datasets=datasets,
                model_framework=model_framework,
                model_framework_version=model_framework_version,
                sample_input_dataset=sample_input_dataset,
                sample_output_dataset=sample_output_dataset,
            )

    @staticmethod
    def _register_from_run(run, model_name, model_path, **details):
        _check_name(model_name)
        model_path = os.path.normpath(model_path).replace(os.sep, "/")
        files = run.get_file_names()
        if not any(name == model_path or name.startswith(f"{model_path}/") for name in files):
            raise ModelPathNotFoundException(
                f"Could not locate the provided model_path {model_path} in the set of files uploaded to the run: "
                f"{files}\nSee https://aka.ms/run-logging for more details."
            )
        with _engine.translated():
            source = _engine.run_files.file_or_folder(run._folder, run.id, model_path)
        return _register(run.experiment.workspace, model_name, source, run=run, **details)

    # Finding

    @staticmethod
    def list(
        workspace,
        name=None,
        tags=None,
        properties=None,
        run_id=None,
        latest=False,
        dataset_id=None,
        expand=True,
        page_count=255,
        model_framework=None,
    ):
        """The workspace's models, the newest first, filtered; latest: the latest version of each only."""
        if page_count and not 20 <= page_count <= 255:
            raise UserErrorException(f"Expected page_count value is between 20 and 255. Provided: {page_count}")
        if tags is not None and not isinstance(tags, builtins.list):
            raise UserErrorException(
                f'Expected tags must be list type. Ex. ["key", ["key2", "key2 value"]]: provided {type(tags)}'
            )
        records = _query(workspace, name, tags, properties, run_id, model_framework, latest)
        return [
            Model(workspace, _model_dto=record, expand=expand)
            for record in records
            if dataset_id is None or dataset_id in (id for _, id in record.extra.get("datasets", ()))
        ]

    @staticmethod
    def get_model_path(model_name, version=None, _workspace=None):
        """The path of a model's file or folder, which is downloaded to azureml-models/ first where need be.

        In a job, or with a workspace, the workspace's model; otherwise what azureml-models/ has, or the path
        `model_name` itself. Raises ModelNotFoundException.
        """
        from azureml.core.run import Run

        if version is not None and not isinstance(version, int):
            raise WebserviceException("version should be an int")
        with suppress(RunEnvironmentException):
            _workspace = Run.get_context(allow_offline=False).experiment.workspace
        if _workspace is not None:
            return _downloaded(_workspace, model_name, version)
        return _local_path(model_name, version)

    # Files

    def download(self, target_dir=".", exist_ok=False, exists_ok=None):
        """Write the model's files below target_dir; the path of the file, or of the folder that has them all.

        Raises WebserviceException where a file is there already, unless exist_ok.
        """

        if exists_ok is not None:
            raise WebserviceException("Both exists_ok and exist_ok are set. Please use exist_ok only.")
        with _engine.translated(EngineError=WebserviceException):
            targets = {
                name: _engine.names.safe_join(Path(os.path.normpath(target_dir)), name) for name in self._record.files
            }
        for target in targets.values():
            if target.exists() and not exist_ok:
                raise WebserviceException(f"File already exists. To overwrite, set exist_ok to True. {target}")
        for name, target in targets.items():
            _engine.files.copy_whole(self._record.path / name, target)
        return os.path.commonpath(list(map(str, targets.values())))

    def get_sas_urls(self):
        """Where the model's files are: a dict of file name to address."""
        return {name: (self._record.path / name).as_uri() for name in self._record.files}

    # Changing

    def update(
        self,
        tags=None,
        description=None,
        sample_input_dataset=None,
        sample_output_dataset=None,
        resource_configuration=None,
    ):
        """Replace the model's tags and description."""
        refuse(
            "Model.update()",
            sample_input_dataset=sample_input_dataset,
            sample_output_dataset=sample_output_dataset,
            resource_configuration=resource_configuration,
        )
        changes = {"tags": tags and _texts(tags), "description": description}
        self._update({name: value for name, value in changes.items() if value})

    def update_tags_properties(self, add_tags=None, remove_tags=None, add_properties=None):
        """Add and remove tags, add properties. Raises WebserviceException for a property that is there already."""
        duplicates = set(add_properties or {}) & set(self.properties)
        if duplicates:
            raise WebserviceException(
                "Error, properties are immutable, the following keys cannot be added/modified: "
                + ",".join(sorted(duplicates))
            )
        tags = dict(self.tags)
        for key, value in (add_tags or {}).items():
            if key in tags:
                print(f"Replacing tag {key} -> {tags[key]} with {key} -> {value}")
            tags[key] = value
        for key in [remove_tags] if isinstance(remove_tags, str) else remove_tags or ():
            if key in tags:
                del tags[key]
            else:
                print(f"Tag with key {key} not found.")
        self._update({"tags": _texts(tags), "properties": self.properties | _texts(add_properties)})

    def add_tags(self, tags):
        """Add tags from a dict."""
        self.update_tags_properties(add_tags=tags)
        print("Model tag add operation complete.")

    def remove_tags(self, tags):
        """Remove the tags of these names."""
        self.update_tags_properties(remove_tags=tags)
        print("Model tag remove operation complete.")

    def add_properties(self, properties):
        """Add properties from a dict. Raises WebserviceException for one that is there already."""
        self.update_tags_properties(add_properties=properties)
        print("Model properties add operation complete.")

    def delete(self):
        """Delete this version of the model. Raises WebserviceException where a web service uses it."""
        with _engine.translated(EngineError=WebserviceException):
            using = _engine.services.using(self.workspace._folder, self.id)
            if using:
                raise WebserviceException(
                    f"Model {self.id} cannot be deleted: it is used by {', '.join(using)}. Delete the service first."
                )
            _engine.models.delete(self.workspace._folder, self.name, self.version)

    def add_dataset_references(self, datasets):
        """Not supported offline: give datasets= when the model is registered."""
        unsupported("Model.add_dataset_references()")

    def _update(self, changes):
        with _engine.translated(EngineError=WebserviceException):
            record = _engine.models.update(self.workspace._folder, self.name, self.version, **changes)
        self._set(record)

    # As a dict

    def serialize(self):
        """The model as a dict of JSON values."""
        return {
            "createdTime": self.created_time.isoformat(),
            "createdBy": self.created_by,
            "description": self.description,
            "id": self.id,
            "mimeType": self.mime_type,
            "name": self.name,
            "framework": self.model_framework,
            "frameworkVersion": self.model_framework_version,
            "tags": self.tags,
            "properties": self.properties,
            "unpack": self.unpack,
            "url": self.url,
            "version": self.version,
            "experimentName": self.experiment_name,
            "runId": self.run_id,
            "runDetails": str(self.run),
            "datasets": [
                {"name": scenario, "id": dataset.id}
                for scenario, datasets in self.datasets.items()
                for dataset in datasets
            ],
            "resourceConfiguration": None,
            "sampleInputDatasetId": getattr(self.sample_input_dataset, "id", None),
            "sampleOutputDatasetId": getattr(self.sample_output_dataset, "id", None),
        }

    @staticmethod
    def deserialize(workspace, model_payload):
        """The model that serialize() made a dict of. Raises WebserviceException where it is not there any more."""
        return Model(workspace, id=model_payload["id"])

    # Serving

    @staticmethod
    def deploy(
        workspace,
        name,
        models,
        inference_config=None,
        deployment_config=None,
        deployment_target=None,
        overwrite=False,
        show_output=False,
    ):
        """Start a web service of the models, behind the entry script of inference_config; at once, a Webservice.

        models: registered ones, or their ids. deployment_config: of AciWebservice, the default, or LocalWebservice.
        overwrite: in place of a service that has the name. Raises WebserviceException.
        """
        refuse("Model.deploy()", deployment_target=deployment_target)
        if show_output:
            Model.print_configuration(models, inference_config, deployment_config, deployment_target)
        return deploy(workspace, name, models, inference_config, deployment_config, overwrite, show_output)

    @staticmethod
    def package(workspace, models, inference_config=None, generate_dockerfile=False, image_name=None, image_label=None):
        """Not supported offline."""
        unsupported("Model.package()")

    @staticmethod
    def profile(
        workspace,
        profile_name,
        models,
        inference_config,
        input_dataset,
        cpu=None,
        memory_in_gb=None,
        description=None,
    ):
        """Not supported offline."""
        unsupported("Model.profile()")

    @staticmethod
    def print_configuration(models, inference_config, deployment_config, deployment_target):
        """Print what a deployment is made of."""
        if models:
            print(f"Models: {[getattr(model, 'id', model) for model in models]}")
        if deployment_target:
            print(f"Compute target: {deployment_target.name}")
        if inference_config:
            print(f"Entry script: {inference_config._script_path()}")
            dependencies = inference_config._dependencies()
            if dependencies is not None:
                print(f"Environment dependencies: {dependencies.as_dict()['dependencies']}")
        if deployment_config:
            deployment_config.print_deploy_configuration()


class InferenceConfig:
    """How a web service answers: its entry script, which has init() and run(), and the environment that it runs in.

    The script is relative to source_directory if that is given. Raises WebserviceException where a file is missing or
    the script's name is no module's, and UserErrorException where it is no Python.
    """

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
        _check_exists(self._script_path(), "entry_script")
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


def _check_exists(path, what):
    if not Path(path).exists():
        raise WebserviceException(f"{what} {os.path.normpath(path)} doesn't exist. ")


def _check_name(name):
    if not isinstance(name, str) or not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9\-\._]{0,254}", name):
        raise WebserviceException(
            "Error, provided model name is invalid. It must only consist of letters, numbers, dashes, periods, or "
            "underscores, start with a letter or number, and be between 1 and 255 characters long."
        )


def _checked_path(model_path, child_paths):
    """The absolute path to register. The service's rule: it is there, and below the working directory."""
    path, here = Path(os.path.normpath(Path.cwd() / model_path)), Path.cwd()
    if not path.exists():
        raise FileNotFoundError(f"Path does not exist: {model_path}")
    if not path.is_relative_to(here):
        raise PermissionError(f"Unauthorized access: Path outside current working directory: {model_path}")
    for child in child_paths or ():
        if not (path / child).exists():
            raise WebserviceException(f'Error, provided child path "{child}" cannot be found')
    return path


@contextmanager
def _only(source, child_paths):
    """`source`, or a copy of it with the child paths alone."""
    if not child_paths:
        yield source
        return
    with tempfile.TemporaryDirectory() as folder:
        chosen = Path(folder) / source.name
        for child in child_paths:
            with _engine.translated(EngineError=WebserviceException):
                target = _engine.names.safe_join(chosen, os.path.normpath(child))
            target.parent.mkdir(parents=True, exist_ok=True)
            if (source / child).is_dir():
                shutil.copytree(source / child, target, dirs_exist_ok=True)
            else:
                shutil.copyfile(source / child, target)
        yield chosen


def _register(
    workspace,
    name,
    source,
    *,
    run,
    tags,
    properties,
    description,
    datasets,
    model_framework,
    model_framework_version,
    sample_input_dataset,
    sample_output_dataset,
):
    if model_framework is None and model_framework_version is not None:
        raise WebserviceException("Model framework version cannot be provided without a valid framework")
    extra = {
        "framework": model_framework or Model.Framework.CUSTOM,
        "framework_version": model_framework_version,
        "experiment": run and run.experiment.name,
        "datasets": [[scenario, _dataset_id(dataset)] for scenario, dataset in datasets or ()],
        "sample_input_dataset": sample_input_dataset and _dataset_id(sample_input_dataset),
        "sample_output_dataset": sample_output_dataset and _dataset_id(sample_output_dataset),
    }
    with _engine.translated(EngineError=WebserviceException):
        record = _engine.models.register(
            workspace._folder,
            name,
            source,
            stored_as=source.name,
            tags=_texts(tags),
            properties=_texts(properties),
            description=description,
            run_id=run and run.id,
            extra=extra,
        )
    return Model(workspace, _model_dto=record)


def _dataset_id(dataset):
    from azureml.data.abstract_dataset import AbstractDataset

    if not isinstance(dataset, AbstractDataset):
        raise WebserviceException(
            f"Invalid dataset of type {type(dataset)} passed, must be of type Dataset or DatasetSnapshot"
        )
    if dataset.id is None:
        raise WebserviceException(
            'Unable to register Model with provided Dataset with ID "None". This likely means that the Dataset is '
            "unregistered. Please register the Dataset and try again."
        )
    return dataset.id


def _dataset(workspace, dataset_id):
    """The dataset of this id, or None (with a warning) where it is gone."""
    from azureml.core.dataset import Dataset

    try:
        return Dataset.get_by_id(workspace, dataset_id)
    except AzureMLException as error:
        _logger.warning("Cannot find Saved Dataset with ID %s: %s", dataset_id, error.message)


def _query(workspace, name=None, tags=None, properties=None, run_id=None, framework=None, latest=False):
    """The models that pass the filters, the last registered first."""
    with _engine.translated(EngineError=WebserviceException):
        records = _engine.models.list_all(workspace._folder, name, latest)
    return [
        record
        for record in records
        if has_each(record.tags, tags)
        and has_each(record.properties, properties)
        and run_id in (None, record.run_id)
        and framework in (None, record.extra.get("framework", Model.Framework.CUSTOM))
    ]


def _find(workspace, name, id, version, **filters):
    """The one model that is asked for; of several the last version."""
    if not id and not name:
        raise WebserviceException("Error, one of id or name must be provided.")
    wanted_name, _, wanted_version = (id or (f"{name}:{version}" if version else f"{name}:")).partition(":")
    exact = bool(wanted_version)
    found = [
        record
        for record in _query(workspace, wanted_name, **({} if exact else filters))
        if not exact or str(record.version) == wanted_version
    ]
    if not found:
        asked = {"name": name, "id": id, "version": version, **filters}
        told = ", ".join(f"{key} {value}" for key, value in asked.items() if value)
        raise WebserviceException(f"ModelNotFound: Model with {told} not found in provided workspace")
    return max(found, key=lambda record: record.version)


def _downloaded(workspace, name, version):
    """The workspace's model below azureml-models/, downloaded unless it is there."""
    cached = Path(MODELS_DIR, name, str(version))
    if version is not None and cached.is_dir():
        return _local_path(name, version)
    try:
        model = Model(workspace, name, version=version, expand=False)
    except WebserviceException:
        there = sorted(f"{model.name}/{model.version}" for model in Model.list(workspace, expand=False))
        raise ModelNotFoundException(f"Model/Version {name}/{version} not found in workspace. {there}") from None
    return model.download(Path(MODELS_DIR, name, str(model.version)), exist_ok=True)


def _local_path(name, version):
    """The model in azureml-models/, the latest version there by default, or the path `name` itself."""
    versions = Path(MODELS_DIR) / name
    if version is None and versions.is_dir():
        version = max((entry.name for entry in versions.iterdir()), key=int, default=None)
    cached = versions / str(version)
    if cached.is_dir():
        entries = list(cached.iterdir())
        if len(entries) != 1:
            names = [entry.name for entry in entries]
            raise WebserviceException(f"Dir {cached} can contain only 1 file or folder. Found {names}")
        return str(entries[0])
    if Path(name).exists():
        return name
    raise ModelNotFoundException(
        f"Model {name} not found in cache at {MODELS_DIR} or in current working directory {Path.cwd()}. "
    )


def _texts(tags):
    return {str(name): "" if value is None else str(value) for name, value in (tags or {}).items()}
