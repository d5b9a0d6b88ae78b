"""Registered models: files with a name, a version, and where they come from."""

import builtins
import logging
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from azureml import _engine
from azureml._deploy import deploy, print_configuration
from azureml._run_details import USER
from azureml._strict import module_getattr, refuse, refuse_unknown, unsupported
from azureml._tags import texts
from azureml.core._inference_config import InferenceConfig  # noqa: F401  the real SDK has it here
from azureml.core._model_files import download, downloaded, local_path
from azureml.core._model_lookup import dataset_of, find, query, told
from azureml.core._model_registration import check_name, checked_path, only, register
from azureml.core.resource_configuration import ResourceConfiguration
from azureml.exceptions import (
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
        record = kwargs.get("_model_dto") or find(
            workspace, name, id, version, tags=tags, properties=properties, run_id=run_id, framework=model_framework
        )
        self.workspace = workspace
        self.mime_type = "application/json"
        self.unpack = False
        self.parent_id = self.derived_model_ids = None
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
        self.description = record.description or None
        self.tags = dict(record.tags)
        self.properties = dict(record.properties)
        self.model_framework = record.extra.get("framework", Model.Framework.CUSTOM)
        self.model_framework_version = record.extra.get("framework_version")
        self.url = f"aml://asset/{record.id}"
        self.experiment_name = record.extra.get("experiment")
        self.run_id = record.run_id
        self.resource_configuration = ResourceConfiguration.deserialize(record.extra.get("resource_configuration"))

    def _expand(self, record):
        from azureml.core.run import Run

        if record.run_id:
            try:
                self.run = Run.get(self.workspace, record.run_id)
            except ServiceException as error:
                _logger.warning("The run that made model %s is gone: %s", self.id, error.message)
        for scenario, dataset_id in record.extra.get("datasets", ()):
            dataset = dataset_of(self.workspace, dataset_id)
            if dataset is not None:
                self.datasets.setdefault(scenario, []).append(dataset)
        for sample in ("sample_input_dataset", "sample_output_dataset"):
            if record.extra.get(sample):
                setattr(self, sample, dataset_of(self.workspace, record.extra[sample]))

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
        check_name(model_name)
        source = checked_path(model_path, child_paths)
        print(f"Registering model {model_name}")
        with only(source, child_paths) as chosen:
            record = register(
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
                resource_configuration=resource_configuration,
            )
        return Model(workspace, _model_dto=record)

    @staticmethod
    def _register_from_run(run, model_name, model_path, **details):
        check_name(model_name)
        model_path = os.path.normpath(model_path).replace(os.sep, "/")
        files = run.get_file_names()
        if not any(name == model_path or name.startswith(f"{model_path}/") for name in files):
            raise ModelPathNotFoundException(
                f"Could not locate the provided model_path {model_path} in the set of files uploaded to the run: "
                f"{files}\nSee https://aka.ms/run-logging for more details."
            )
        with _engine.translated():
            source = _engine.run_files.file_or_folder(run._folder, run.id, model_path)
        workspace = run.experiment.workspace
        name = Path(model_path).name  # a model that MLflow keeps elsewhere has another name there
        return Model(workspace, _model_dto=register(workspace, model_name, source, run=run, stored_as=name, **details))

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
        records = query(workspace, name, tags, properties, run_id, model_framework, latest)
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
            return downloaded(MODELS_DIR, _workspace, model_name, version)
        return local_path(MODELS_DIR, model_name, version)

    # Files

    def download(self, target_dir=".", exist_ok=False, exists_ok=None):
        """Write the model's files below target_dir; the path of the file, or of the folder that has them all.

        Raises WebserviceException where a file is there already, unless exist_ok.
        """
        if exists_ok is not None:
            raise WebserviceException("Both exists_ok and exist_ok are set. Please use exist_ok only.")
        return download(self._record, target_dir, exist_ok)

    def get_sas_urls(self):
        """Where the model's files are: a dict of file name to address."""
        with _engine.translated(EngineError=WebserviceException):
            return {name: self._record.where(name).as_uri() for name in self._record.files}

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
        self._update(tags=texts(tags) if tags else None, description=description or None)

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
        changed = texts(tags) if add_tags or remove_tags else None  # they stay as the workspace has them by now
        self._update(tags=changed, properties=texts(add_properties or {}))

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
        with told(self.id):
            using = _engine.services.using(self.workspace._folder, self.id)
            if using:
                raise WebserviceException(
                    f"Model {self.id} cannot be deleted: it is used by {', '.join(using)}. Delete the service first."
                )
            _engine.models.delete(self.workspace._folder, self.name, self.version)

    def add_dataset_references(self, datasets):
        """Not supported offline: give datasets= when the model is registered."""
        unsupported("Model.add_dataset_references()")

    def _update(self, **changes):
        with told(self.id):
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

        models: registered ones, or their ids. deployment_config: of AciWebservice, the default, LocalWebservice, or
        AksWebservice, whose AksCompute is the deployment_target. overwrite: in place of a service that has the name.
        Without an inference_config, a model of ScikitLearn in one file, which is unpickled there, or of TensorFlow in
        SavedModel's format is served by itself. Raises WebserviceException.
        """
        if show_output:
            Model.print_configuration(models, inference_config, deployment_config, deployment_target)
        wanted = (models, inference_config, deployment_config, deployment_target)
        return deploy(workspace, name, *wanted, overwrite, show_output)

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
        print_configuration(models, inference_config, deployment_config, deployment_target)
