"""Each public method of azure-ai-ml's MLClient in a call: those that are supported offline, and those that are not.

docs/offline-coverage-v2.md is made of these tables (scripts/coverage_table_v2.py); test_v2_coverage.py makes the calls.
"""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import MagicMock

from azure.ai.ml import Input, Output, RayDistribution, TensorFlowDistribution, command, spark
from azure.ai.ml.data_transfer import Database
from azure.ai.ml.entities import (
    AzureMLOnlineInferencingServer,
    BuildContext,
    CommandComponent,
    ComputeInstance,
    Data,
    DataCollector,
    DataImport,
    Environment,
    FeatureSet,
    FeatureSetSpecification,
    FeatureStore,
    Index,
    KubernetesCompute,
    KubernetesOnlineDeployment,
    KubernetesOnlineEndpoint,
    ManagedOnlineEndpoint,
    Model,
    ModelPackage,
    Registry,
    ServerlessEndpoint,
    SshJobService,
    Workspace,
)
from azure.ai.ml.sweep import Choice
from azure.core.exceptions import ResourceNotFoundError
from small_endpoints import deploy, deployment, make_endpoint, make_model
from small_v2 import make_cluster, make_environment, wait_for

PYTORCH = "azureml://registries/azureml/environments/acpt-pytorch-2.8-cuda12.6/labels/latest"
KUBERNETES = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/kube"
EVALUATOR = {"is-evaluator": "true", "is-promptflow": "true"}
FEATURES = """
source: {type: csv, path: a.csv, timestamp_column: {name: time}}
features: [{name: height, type: float}]
index_columns: [{name: id, type: string}]
"""
STORED = "azureml://datastores/workspaceblobstore/paths/table"


def groups(client_class: type) -> dict[str, list[str]]:
    """The public methods of each group of operations of MLClient."""
    found = {}
    for name, member in inspect.getmembers(client_class, lambda member: isinstance(member, property)):
        operations = inspect.signature(member.fget, eval_str=True).return_annotation
        if inspect.isclass(operations) and operations.__module__.startswith("azure.ai.ml.operations"):
            methods = inspect.getmembers(operations, inspect.isfunction)
            found[name] = [method for method, _ in methods if not method.startswith("_")]
    return found


def file(name: str = "files/a.txt", content: str = "a") -> str:
    """The folder of a file that is written below the working directory."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return str(path.parent)


def job(**details):
    make = {"command": "echo ran", "compute": "cpu", "environment": "small@latest"}
    return command(**make | details)


def data(client):
    return client.data.create_or_update(Data(name="digits", version="1", path=file(), type="uri_folder"))


def model(client):
    return client.models.create_or_update(Model(name="model", version="1", path=file()))


def evaluator(client):
    made = Model(name="judge", version="1", path=file(), properties=EVALUATOR)
    return client.evaluators.create_or_update(made)


def ended(client) -> str:
    """The name of a job that has ended; it is submitted once."""
    try:
        client.jobs.get("told")
    except ResourceNotFoundError:
        make_cluster(client), make_environment(client)
        client.jobs.create_or_update(job(name="told"))
    return wait_for(client, "told", "Completed").name


def deployed(client) -> str:
    """The name of an endpoint with a deployment `blue`, which is deployed once."""
    try:
        client.online_deployments.get("blue", "asked")
    except ResourceNotFoundError:
        make_environment(client, "served", ["azureml-inference-server-http"]), make_model(client)
        make_endpoint(client, "asked")
        deploy(client, deployment("blue", "asked"))
    return "asked"


def is_deleted_deployment(client) -> bool:
    """Delete a deployment that is still being made."""
    client.online_deployments.begin_create_or_update(deployment("gone", deployed(client)))
    client.online_deployments.begin_delete("gone", "asked").result()
    return "gone" not in names(client.online_deployments.list("asked"))


def has_new_key(client) -> bool:
    before = client.online_endpoints.get_keys(make_endpoint(client, "keys").name).primary_key
    client.online_endpoints.begin_regenerate_keys("keys").result()
    return client.online_endpoints.get_keys("keys").primary_key != before


def names(listed) -> list[str]:
    return [one.name for one in listed]


def is_archived_and_restored(operations, made) -> bool:
    """Archive a version and bring it back; whether the list of versions follows."""
    operations.archive(made.name, version=made.version)
    hidden = list(operations.list(made.name)) == []
    operations.restore(made.name, version=made.version)
    return hidden and [one.version for one in operations.list(made.name)] == [made.version]


def archived_job(client) -> bool:
    name = ended(client)
    client.jobs.archive(name)
    hidden = name not in names(client.jobs.list())
    client.jobs.restore(name)
    return hidden and name in names(client.jobs.list())


def component(client):
    make_environment(client)
    return client.components.create_or_update(part())


def part():
    return CommandComponent(name="part", command="echo 1", environment="small@latest", version="1")


def nested_sweep():
    swept = job(command="echo ${{inputs.a}}", inputs={"a": 1})(a=Choice([{"b": Choice([1, 2])}]))
    return swept.sweep(sampling_algorithm="random", primary_metric="a", goal="maximize", compute="cpu")


def registering_sweep():
    swept = job(command="echo ${{inputs.a}}", inputs={"a": 1}, outputs={"o": Output(type="uri_folder", name="kept")})
    return swept(a=Choice([1, 2])).sweep(
        sampling_algorithm="random", primary_metric="a", goal="maximize", compute="cpu"
    )


def spark_job():
    return spark(
        code=file("spark/run.py"),
        entry={"file": "run.py"},
        driver_cores=1,
        driver_memory="1g",
        executor_cores=1,
        executor_memory="1g",
        executor_instances=1,
        resources={"instance_type": "Standard_E8S_V3", "runtime_version": "3.4"},
    )


# Each returns something true where the call did what it says. None needs another to have been called.
SUPPORTED: dict[str, Callable] = {
    "workspaces.get": lambda c: c.workspaces.get(c.workspace_name).mlflow_tracking_uri.startswith("sqlite:"),
    "workspaces.list": lambda c: names(c.workspaces.list()) == ["offline"],
    "datastores.get": lambda c: c.datastores.get("workspaceblobstore").container_name == "azureml-blobstore",
    "datastores.get_default": lambda c: c.datastores.get_default().name == "workspaceblobstore",
    "datastores.list": lambda c: "workspacefilestore" in names(c.datastores.list()),
    "compute.begin_create_or_update": lambda c: make_cluster(c).provisioning_state == "Succeeded",
    "compute.begin_attach": lambda c: c.compute.begin_attach(make_cluster(c)).result().name == "cpu",
    "compute.begin_update": lambda c: c.compute.begin_update(make_cluster(c)).result().name == "cpu",
    "compute.begin_delete": lambda c: (
        make_cluster(c, "gone") and c.compute.begin_delete("gone").status() == "Succeeded"
    ),
    "compute.get": lambda c: make_cluster(c) and c.compute.get("cpu").size == "STANDARD_DS3_V2",
    "compute.list": lambda c: make_cluster(c) and "cpu" in names(c.compute.list()),
    "compute.list_nodes": lambda c: ended(c) and len(list(c.compute.list_nodes("cpu"))) == 1,
    "compute.list_sizes": lambda c: "Standard_NC4as_T4_v3" in names(c.compute.list_sizes()),
    "compute.list_usage": lambda c: len(list(c.compute.list_usage())) > 5,
    "data.create_or_update": lambda c: data(c).version == "1",
    "data.get": lambda c: data(c) and c.data.get("digits", label="latest").type == "uri_folder",
    "data.list": lambda c: data(c) and names(c.data.list()) == ["digits"],
    "data.archive": lambda c: is_archived_and_restored(c.data, data(c)),
    "data.restore": lambda c: is_archived_and_restored(c.data, data(c)),
    "environments.create_or_update": lambda c: make_environment(c).version == "1",
    "environments.get": lambda c: make_environment(c) and c.environments.get("small", version="1").image,
    "environments.list": lambda c: make_environment(c) and "small" in names(c.environments.list()),
    "environments.archive": lambda c: is_archived_and_restored(c.environments, make_environment(c)),
    "environments.restore": lambda c: is_archived_and_restored(c.environments, make_environment(c)),
    "jobs.create_or_update": lambda c: ended(c) == "told",
    "jobs.get": lambda c: c.jobs.get(ended(c)).status == "Completed",
    "jobs.list": lambda c: ended(c) in names(c.jobs.list()),
    "jobs.stream": lambda c: c.jobs.stream(ended(c)) is None,
    "jobs.download": lambda c: c.jobs.download(ended(c), download_path="down") is None and Path("down").is_dir(),
    "jobs.update": lambda c: c.jobs.update(ended(c), display_name="changed").display_name == "changed",
    "jobs.archive": archived_job,
    "jobs.restore": archived_job,
    "jobs.begin_cancel": lambda c: c.jobs.begin_cancel(ended(c)).status() == "Succeeded",
    "jobs.show_services": lambda c: c.jobs.show_services(ended(c)) is None,
    "jobs.validate": lambda c: c.jobs.validate(job()).passed,
    "models.create_or_update": lambda c: model(c).version == "1",
    "models.get": lambda c: model(c) and c.models.get("model", version="1").type == "custom_model",
    "models.list": lambda c: model(c) and "model" in names(c.models.list()),
    "models.download": lambda c: c.models.download(model(c).name, "1") is None and Path("model/files/a.txt").is_file(),
    "models.archive": lambda c: is_archived_and_restored(c.models, model(c)),
    "models.restore": lambda c: is_archived_and_restored(c.models, model(c)),
    "online_endpoints.begin_create_or_update": lambda c: make_endpoint(c).provisioning_state == "Succeeded",
    "online_endpoints.begin_delete": lambda c: (
        c.online_endpoints.begin_delete(make_endpoint(c, "gone").name).result() is None
        and "gone" not in names(c.online_endpoints.list())
    ),
    "online_endpoints.begin_regenerate_keys": has_new_key,
    "online_endpoints.get": lambda c: c.online_endpoints.get(make_endpoint(c).name).auth_mode == "key",
    "online_endpoints.get_keys": lambda c: c.online_endpoints.get_keys(make_endpoint(c).name).secondary_key,
    "online_endpoints.invoke": lambda c: (
        c.online_endpoints.invoke(
            deployed(c), request_file=file("request/a.json", "7") + "/a.json", deployment_name="blue"
        )
        == '{"got": 7, "by": "first"}'
    ),
    "online_endpoints.list": lambda c: make_endpoint(c).name in names(c.online_endpoints.list()),
    "online_deployments.begin_create_or_update": lambda c: deployed(c) == "asked",
    "online_deployments.begin_delete": is_deleted_deployment,
    "online_deployments.get": lambda c: c.online_deployments.get("blue", deployed(c)).instance_count == 1,
    "online_deployments.get_logs": lambda c: (
        "init was called" in c.online_deployments.get_logs("blue", deployed(c), lines=100)
    ),
    "online_deployments.list": lambda c: "blue" in names(c.online_deployments.list(deployed(c))),
    "components.create_or_update": lambda c: component(c).version == "1",
    "components.get": lambda c: component(c) and c.components.get("part", label="latest").command == "echo 1",
    "components.download": lambda c: (
        component(c)
        and c.components.download("part", "part-files", version="1") is None
        and Path("part-files").is_dir()
    ),
    "components.list": lambda c: component(c) and names(c.components.list()) == ["part"],
    "components.archive": lambda c: is_archived_and_restored(c.components, component(c)),
    "components.restore": lambda c: is_archived_and_restored(c.components, component(c)),
    "components.validate": lambda c: c.components.validate(part()).passed,
    "evaluators.create_or_update": lambda c: evaluator(c).version == "1",
    "evaluators.get": lambda c: evaluator(c) and c.evaluators.get("judge", version="1").properties == EVALUATOR,
    "evaluators.list": lambda c: evaluator(c) and names(c.evaluators.list("judge")) == ["judge"],
    "evaluators.download": lambda c: c.evaluators.download(evaluator(c).name, "1") is None and Path("judge").is_dir(),
}


def submit(made: Callable = job, **details) -> Callable:
    """Ready to run but for what the details ask for, or the job that is made with them."""
    return lambda c: (make_cluster(c), make_environment(c), c.jobs.create_or_update(made(**details)))


# What of a supported call is not supported, in words and in a call that is refused with the page's name.
LIMITS: dict[str, dict[str, Callable]] = {
    "compute.begin_create_or_update": {
        "computes other than AmlCompute": lambda c: c.compute.begin_create_or_update(
            ComputeInstance(name="mine", size="STANDARD_DS3_V2")
        ),
    },
    "compute.begin_attach": {
        "computes other than AmlCompute": lambda c: c.compute.begin_attach(
            KubernetesCompute(name="kube", resource_id=KUBERNETES)
        ),
    },
    "components.create_or_update": {
        "components of other types than `command` and `pipeline`": lambda c: c.components.create_or_update(
            spark_job().component
        ),
    },
    "data.create_or_update": {
        "the type `mltable`": lambda c: c.data.create_or_update(
            Data(name="t", path=STORED, type="mltable", skip_validation=True)
        ),
    },
    "environments.create_or_update": {
        "a Docker build context": lambda c: c.environments.create_or_update(
            Environment(name="built", build=BuildContext(path=file("built/Dockerfile")))
        ),
    },
    "jobs.create_or_update": {
        "inputs of the type `mltable`": submit(inputs={"t": Input(type="mltable", path=STORED)}),
        "outputs of the type `mltable`": submit(outputs={"t": Output(type="mltable")}),
        "outputs of the mode `direct`": submit(outputs={"o": Output(type="uri_folder", mode="direct")}),
        "outputs of a sweep that are registered under a name": submit(registering_sweep),
        "several nodes without a distribution": submit(instance_count=2),
        "parameter servers": submit(distribution=TensorFlowDistribution(parameter_server_count=1), instance_count=2),
        "a choice among search spaces": submit(nested_sweep),
        "jobs of other types than `command`, `sweep` and `pipeline`": submit(spark_job),
        "the distribution Ray": submit(distribution=RayDistribution(), instance_count=2),
        "curated environments of which nothing is known": submit(environment=PYTORCH),
        "interactive services": submit(services={"ssh": SshJobService()}),
    },
    "jobs.list": {
        "`schedule_defined` and `scheduled_job_name`": lambda c: list(c.jobs.list(schedule_defined=True)),
    },
    "models.create_or_update": {
        "a path on the web": lambda c: c.models.create_or_update(Model(name="w", path="https://example.com/model")),
        "the type `triton_model`": lambda c: c.models.create_or_update(
            Model(name="t", path=file(), type="triton_model")
        ),
    },
    "online_endpoints.begin_create_or_update": {
        "`auth_mode` of `aml_token` and `aad_token`": lambda c: make_endpoint(c, "token", auth_mode="aml_token"),
        "endpoints on Kubernetes": lambda c: c.online_endpoints.begin_create_or_update(
            KubernetesOnlineEndpoint(name="kubernetes", compute=make_cluster(c).name)
        ),
        "`local=True`, as of all these calls": lambda c: c.online_endpoints.begin_create_or_update(
            ManagedOnlineEndpoint(name="local"), local=True
        ),
    },
    "online_deployments.begin_create_or_update": {
        "deployments on Kubernetes": lambda c: c.online_deployments.begin_create_or_update(
            KubernetesOnlineDeployment(name="other", endpoint_name=deployed(c))
        ),
        "data collection": lambda c: deploy(c, deployment("other", deployed(c), data_collector=DataCollector({}))),
        "`model_mount_path`": lambda c: deploy(c, deployment("other", deployed(c), model_mount_path="/mounted")),
    },
}

# What the other methods are called with, where texts and mock objects do not do; all are refused with the page's name.
UNSUPPORTED: dict[str, Callable] = {
    "components.prepare_for_sign": lambda c: c.components.prepare_for_sign(part()),
    "data.import_data": lambda c: c.data.import_data(
        DataImport(name="d", path=STORED, source=Database(query="select 1", connection="azureml:c"))
    ),
    "feature_sets.begin_create_or_update": lambda c: c.feature_sets.begin_create_or_update(
        FeatureSet(
            name="f",
            version="1",
            entities=[],
            specification=FeatureSetSpecification(path=file("features/FeatureSetSpec.yaml", FEATURES)),
        )
    ),
    "feature_stores.begin_create": lambda c: c.feature_stores.begin_create(FeatureStore(name="f")),
    "indexes.create_or_update": lambda c: c.indexes.create_or_update(Index(name="i", version="1", path=file())),
    "models.package": lambda c: c.models.package(
        "model", "1", ModelPackage(target_environment="e", inferencing_server=AzureMLOnlineInferencingServer())
    ),
    "registries.begin_create": lambda c: c.registries.begin_create(
        Registry(name="r", location="local", replication_locations=[])
    ),
    "serverless_endpoints.begin_create_or_update": lambda c: c.serverless_endpoints.begin_create_or_update(
        ServerlessEndpoint(name="s", model_id="azureml://registries/r/models/m")
    ),
    "workspaces.begin_update": lambda c: c.workspaces.begin_update(c.workspaces.get(c.workspace_name)),
    "workspaces.begin_create": lambda c: c.workspaces.begin_create(Workspace(name="other")),
}

# Refused by the client itself, on Azure as here, before or after it has asked: by these words.
OWN_REFUSALS = {
    "capability_hosts.begin_create_or_update": "Invalid workspace kind",
    "components.prepare_for_sign": "has no attribute 'path'",
    "data.list_materialization_status": "unexpected keyword argument",
    "deployment_templates.archive": "not found",
    "deployment_templates.create_or_update": "must be a DeploymentTemplate",
    "deployment_templates.delete": "No value for given attribute",
    "deployment_templates.get": "not found",
    "deployment_templates.list": "No value for given attribute",
    "deployment_templates.restore": "not found",
    "feature_stores.begin_delete": "is not a feature store",
    "feature_stores.begin_update": "was not found",
}


def call_unsupported(client, name: str) -> None:
    """Call a method that is in no table of the supported ones."""
    if name in UNSUPPORTED:
        return UNSUPPORTED[name](client)
    group, method = name.split(".")
    function = getattr(getattr(client, group), method)
    given, text = {}, client.workspace_name if group in ("workspaces", "feature_stores") else "x"
    for parameter in inspect.signature(function).parameters.values():
        named = parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
        if named and (parameter.default is parameter.empty or parameter.name in ("name", "version")):
            takes_text = parameter.annotation is parameter.empty or "str" in str(parameter.annotation)
            given[parameter.name] = text if takes_text else MagicMock()
    answer = function(**given)
    return list(answer) if isinstance(answer, Iterator) else answer  # what is listed is asked for when it is read
