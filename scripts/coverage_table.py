"""Write docs/offline-coverage.md: which public members of the real SDK's classes the mocked SDK supports.

Nothing in it is kept by hand. The real members are read from the installed azureml-core. A member is not supported
where the mocked class lacks it, or where its body is one call of `unsupported()`. It is supported in part where its
body, or a function that it calls, gives arguments to `refuse()` or may come to call `unsupported()`.
"""

import ast
import importlib
import inspect
import json
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import in_venv  # noqa: F401 - before what may not be there

ROOT = Path(__file__).resolve().parents[1]
SDK = ROOT / "helpers" / "offline" / "sdk_v1"
SURFACE = ROOT / "tests" / "contract" / "surface.py"
PAGE = ROOT / "docs" / "offline-coverage.md"

# The classes that the notebooks use or get, by the name that the page gives them.
CLASSES = {
    "Workspace": "azureml.core.workspace.Workspace",
    "InteractiveLoginAuthentication": "azureml.core.authentication.InteractiveLoginAuthentication",
    "AzureCliAuthentication": "azureml.core.authentication.AzureCliAuthentication",
    "ServicePrincipalAuthentication": "azureml.core.authentication.ServicePrincipalAuthentication",
    "MsiAuthentication": "azureml.core.authentication.MsiAuthentication",
    "Dataset": "azureml.core.dataset.Dataset",
    "Dataset.File": "azureml.data.dataset_factory.FileDatasetFactory",
    "Dataset.Tabular": "azureml.data.dataset_factory.TabularDatasetFactory",
    "FileDataset": "azureml.data.file_dataset.FileDataset",
    "TabularDataset": "azureml.data.tabular_dataset.TabularDataset",
    "DataType": "azureml.data.dataset_factory.DataType",
    "DatasetConsumptionConfig": "azureml.data.dataset_consumption_config.DatasetConsumptionConfig",
    "OutputFileDatasetConfig": "azureml.data.output_dataset_config.OutputFileDatasetConfig",
    "OutputTabularDatasetConfig": "azureml.data.output_dataset_config.OutputTabularDatasetConfig",
    "Datastore": "azureml.core.datastore.Datastore",
    "AzureBlobDatastore": "azureml.data.azure_storage_datastore.AzureBlobDatastore",
    "AzureFileDatastore": "azureml.data.azure_storage_datastore.AzureFileDatastore",
    "DataPath": "azureml.data.datapath.DataPath",
    "ComputeTarget": "azureml.core.compute.compute.ComputeTarget",
    "AmlCompute": "azureml.core.compute.amlcompute.AmlCompute",
    "AksCompute": "azureml.core.compute.aks.AksCompute",
    "AmlComputeStatus": "azureml.core.compute.amlcompute.AmlComputeStatus",
    "Environment": "azureml.core.environment.Environment",
    "CondaDependencies": "azureml.core.conda_dependencies.CondaDependencies",
    "DockerConfiguration": "azureml.core.runconfig.DockerConfiguration",
    "RunConfiguration": "azureml.core.runconfig.RunConfiguration",
    "ScriptRunConfig": "azureml.core.script_run_config.ScriptRunConfig",
    "Experiment": "azureml.core.experiment.Experiment",
    "Run": "azureml.core.run.Run",
    "ScriptRun": "azureml.core.script_run.ScriptRun",
    "HyperDriveConfig": "azureml.train.hyperdrive.runconfig.HyperDriveConfig",
    "HyperDriveRun": "azureml.train.hyperdrive.run.HyperDriveRun",
    "RandomParameterSampling": "azureml.train.hyperdrive.sampling.RandomParameterSampling",
    "GridParameterSampling": "azureml.train.hyperdrive.sampling.GridParameterSampling",
    "BayesianParameterSampling": "azureml.train.hyperdrive.sampling.BayesianParameterSampling",
    "BanditPolicy": "azureml.train.hyperdrive.policy.BanditPolicy",
    "MedianStoppingPolicy": "azureml.train.hyperdrive.policy.MedianStoppingPolicy",
    "TruncationSelectionPolicy": "azureml.train.hyperdrive.policy.TruncationSelectionPolicy",
    "NoTerminationPolicy": "azureml.train.hyperdrive.policy.NoTerminationPolicy",
    "PrimaryMetricGoal": "azureml.train.hyperdrive.runconfig.PrimaryMetricGoal",
    "RunDetails": "azureml.widgets.run_details.RunDetails",
    "Model": "azureml.core.model.Model",
    "InferenceConfig": "azureml.core.model.InferenceConfig",
    "Webservice": "azureml.core.webservice.webservice.Webservice",
    "AciWebservice": "azureml.core.webservice.aci.AciWebservice",
    "AciServiceDeploymentConfiguration": "azureml.core.webservice.aci.AciServiceDeploymentConfiguration",
    "AksWebservice": "azureml.core.webservice.aks.AksWebservice",
    "AksServiceDeploymentConfiguration": "azureml.core.webservice.aks.AksServiceDeploymentConfiguration",
    "LocalWebservice": "azureml.core.webservice.local.LocalWebservice",
    "LocalWebserviceDeploymentConfiguration": "azureml.core.webservice.local.LocalWebserviceDeploymentConfiguration",
}

INTRODUCTION = """\
# What the offline backend supports

The offline backend is a mocked SDK: `azureml` with the import paths and signatures of azureml-core, on this machine.
These are the classes that are supported, at least in part, with every public member that they have in azureml-core
{version}.

A call, name or argument that is not supported raises `UnsupportedOfflineError`, a `NotImplementedError` that names it.
Importing a module that is not supported raises `UnsupportedModuleError`, a `ModuleNotFoundError`.
`use_backend("azure")` runs the same line on a real workspace.

`make coverage-table` generates this page from both SDKs, and a test fails if it is out of date. Of what a class
inherits from private modules of the real SDK, only methods are counted.

Some points on which the SDK's documentation is silent:

- A link in a source directory is followed: its target goes into the snapshot as if it were there, wherever it is. The
  SDK uploads it in the same way. A link that leads nowhere or in circles is refused; the SDK fails when it reads it.
- A job's own Python processes find the run even without its variables (`env -i`). On Azure, their metrics are lost.
- A script finds the SDK if its environment has a package `azureml-…` or is managed by the user, as on Azure.
- `mlflow.log_artifact()` replaces a file whose name the run already has. Azure ML refuses it, like `run.upload_file()`.
- A `target` that is neither a name nor a compute target is ignored, as by the SDK, and the run is a local one. A
  warning says so.
- A sweep that goes on from earlier ones, by random sampling, draws other combinations than a first one. A trial that is
  resumed gets a copy of the earlier one's `outputs/`.
- Without an `InferenceConfig`, `Model.deploy()` serves a model of the framework ScikitLearn in one file, with the
  request and the answer that Microsoft documents, and one of TensorFlow in SavedModel's format (of Keras:
  `model.export(folder)`), as TensorFlow Serving answers. The former is unpickled in the service, as on Azure.
- An `AksCompute` is a name with settings, and an `AksWebservice` one process on loopback, like an `AciWebservice`:
  replicas, cores, memory, probes and limits are kept and not enforced.
- `azureml.opendatasets` is a separate package, which no test compares with. Its MNIST is this project's files, its
  Diabetes what scikit-learn has.
- Some of the tables at public addresses that Microsoft's examples read are here, too: `iris.csv` with its real rows;
  `Titanic.csv`, `heart.csv` and `default_of_credit_card_clients.csv` with **generated** ones, as many as the real file
  has and in its columns. An address that is not known is refused, with the list of those that are.
"""

# In how many of the notebooks of Azure/MachineLearningNotebooks (commit f1aff553) that import azureml a name is
# imported or called; what follows the name says how. Whether it is supported is read from the mocked SDK.
NOTEBOOKS = 89
USED = {
    "azureml.pipeline.core.Pipeline": 33,
    "azureml.data.tabular_dataset.TabularDataset": 26,
    "azureml.train.automl.AutoMLConfig": 25,
    "azureml.data.dataset_factory.TabularDatasetFactory.from_delimited_files": 21,
    "azureml.data.output_dataset_config.OutputFileDatasetConfig": 8,
    "azureml.core.compute.compute.ComputeTarget.attach": 8,
    "azureml.core.environment.Environment.get of a curated one (AzureML-…)": 13,
    "azureml.opendatasets.MNIST": 5,
    "azureml.interpret.ExplanationClient": 6,
    "azureml.core.webservice.AksWebservice": 0,
    "azureml.telemetry.set_diagnostics_collection": 6,
    "azureml.core.authentication.InteractiveLoginAuthentication.get_authentication_header": 5,
    "azureml.tensorboard.Tensorboard": 2,
    "azureml.core.compute.RemoteCompute": 2,
    "azureml.opendatasets.Diabetes": 1,
    "azureml.train.hyperdrive.runconfig.HyperDriveConfig with resume_from and resume_child_runs": 1,
    "azureml.train.estimator.Estimator": 1,
    "azureml.train.dnn.TensorFlow": 1,
}


@dataclass(frozen=True)
class Member:
    """How the mocked SDK supports a member of a real class."""

    name: str
    text: str  # as a reader writes it: "submit()"
    supported: bool
    refused: tuple[str, ...] = ()  # its arguments that are refused
    limits: tuple[str, ...] = ()  # what else of it is refused, as the error says it


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(table()), encoding="utf-8")


def table() -> dict[str, list[Member]]:
    """The members of each class of CLASSES, by name. The mocked SDK must be first on sys.path."""
    real = _surface(sorted({path.rpartition(".")[0] for path in CLASSES.values()}))
    return {title: _members(path, real) for title, path in CLASSES.items()}


def mocked_class(path: str) -> type:
    """The mocked SDK's class at an import path."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def share(members: list[Member]) -> float:
    """How much of a class is supported, of 1."""
    return sum(member.supported for member in members) / len(members)


def page(table: dict[str, list[Member]]) -> str:
    """The page as Markdown."""
    from azureml.core import VERSION

    lines = [INTRODUCTION.format(version=VERSION), *_use(), "| Class | Supported | Of | Share |", "|---|--:|--:|--:|"]
    for title, members in table.items():
        count = sum(member.supported for member in members)
        anchor = title.lower().replace(".", "")
        lines.append(f"| [{title}](#{anchor}) | {count} | {len(members)} | {share(members):.0%} |")
    for title, members in table.items():
        description = inspect.getdoc(mocked_class(CLASSES[title])).split("\n\n")[0]
        lines += ["", f"## {title}", "", " ".join(description.split()), "", "| Member | Offline |", "|---|---|"]
        lines += [f"| `{member.text}` | {_verdict(member)} |" for member in members]
    return "\n".join(lines) + "\n"


def _use() -> list[str]:
    """How many of Microsoft's notebooks use what of the SDK, and whether it is here."""
    lines = [
        f"Of Microsoft's {NOTEBOOKS} notebooks on the SDK v1 (Azure/MachineLearningNotebooks), this many use:",
        "",
        "| Name | Notebooks | Offline |",
        "|---|--:|---|",
    ]
    for text, count in sorted(USED.items(), key=lambda item: -item[1]):
        path, _, how = text.partition(" ")
        lines.append(f"| {f'`{path}` {how}'.strip()} | {count} | {'yes' if _is_here(path) else '**not supported**'} |")
    return [*lines, ""]


def _is_here(path: str) -> bool:
    """Whether the mocked SDK has this class, function or method, and does not only refuse it."""
    parts = path.split(".")
    count = next(number for number, part in enumerate(parts) if part[0].isupper() or number == len(parts) - 1)
    try:
        found = importlib.import_module(".".join(parts[:count]))
        for part in parts[count:]:
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return False
    return not (inspect.isfunction(found) and _only_refuses(found))


def _verdict(member: Member) -> str:
    if not member.supported:
        return "**not supported**"
    arguments = ", ".join(f"`{name}`" for name in member.refused)
    refused = "; ".join(filter(None, [arguments, *member.limits]))
    return f"partly; not supported: {refused}" if refused else "yes"


def _surface(modules: list[str]) -> dict:
    """What tests/contract/surface.py tells of the real SDK, in a process without the mocked one."""
    result = subprocess.run([sys.executable, SURFACE, "", *modules], capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(f"The installed azureml-core could not be read:\n{result.stderr}")
    return json.loads(result.stdout)


def _members(path: str, real: dict) -> list[Member]:
    module, _, name = path.rpartition(".")
    described = real[module][name]
    methods = {
        name: member for name, member in described["members"].items() if member["kind"] not in ("property", "constant")
    }
    names = (described["members"].keys() | set(described["attributes"])) - (set(described["private"]) - set(methods))
    texts = {"__init__": f"{name}()", **{name: f"{name}()" for name in methods if name != "__init__"}}
    mocked = mocked_class(path)
    return [_member(mocked, name, texts.get(name, name)) for name in sorted(names)]


def _member(cls: type, name: str, text: str) -> Member:
    here = inspect.getattr_static(cls, name, None)
    if here is None or here is object.__init__:
        made_by_new = name == "__init__" and "__new__" in vars(cls)
        return Member(name, text, supported=made_by_new or name in _surface_module().assigned_attributes(cls))
    function = function_of(here)
    if function is None:
        return Member(name, text, supported=True)
    if _only_refuses(function):
        return Member(name, text, supported=False)
    return Member(name, text, True, *_refusals(cls, function))


def _only_refuses(function) -> bool:
    body = _body(function)
    return len(body) == 1 and isinstance(body[0], ast.Expr) and _called(body[0].value) == "unsupported"


def function_of(member) -> object | None:
    """The function behind a member of a class, as inspect.getattr_static() gives it; None behind a constant."""
    if isinstance(member, property):
        return member.fget
    if isinstance(member, (staticmethod, classmethod)):
        return member.__func__
    return member if inspect.isfunction(member) else None


def _refusals(cls: type, function) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a function of a class, and what it calls by name in the mocked SDK, gives to refuse() and unsupported()."""
    refused, limits, seen, todo = [], [], set(), [function]
    while todo:
        function = todo.pop(0)
        if function in seen:
            continue
        seen.add(function)
        tree = ast.Module(_body(function), [])
        names = _names(function, tree) | {"self": cls, "cls": cls}
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if _called(call) == "refuse":
                refused += [keyword.arg for keyword in call.keywords]
            elif _called(call) == "unsupported":
                limits.append(_text(call.args[0]))
            elif (callee := _callee(call, names)) is not None:
                todo.append(callee)
    return tuple(dict.fromkeys(refused)), tuple(dict.fromkeys(limits))


def _names(function, tree: ast.Module) -> dict[str, object]:
    """What the names in a function stand for: its module's, and what it imports itself."""
    known = dict(function.__globals__)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("azureml"):
            module = importlib.import_module(node.module)
            known |= {alias.name: getattr(module, alias.name) for alias in node.names}
    return known


def _callee(call: ast.Call, names: dict[str, object]):
    """The mocked SDK's function that is called: `name()`, or a private one as `name._name()`; None for any other."""
    called = call.func
    found = None
    if isinstance(called, ast.Name):
        found = names.get(called.id)
    elif isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.attr.startswith("_"):
        owner = names.get(called.value.id)
        found = function_of(inspect.getattr_static(owner, called.attr, None)) if inspect.isclass(owner) else None
    is_followed = inspect.isfunction(found) and found.__module__.startswith("azureml.")
    return found if is_followed and found.__module__ != "azureml._strict" else None


def _body(function) -> list[ast.stmt]:
    """The statements of a function but for its docstring."""
    node = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    return node.body[1:] if ast.get_docstring(node) else node.body


def _called(node: ast.AST) -> str | None:
    """The name of the function that an expression calls."""
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None


def _text(node: ast.expr) -> str:
    """A text in the source; what is only known when it is called becomes "…"."""
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
    return node.value


def _surface_module():
    sys.path.append(str(SURFACE.parent))
    try:
        return importlib.import_module("surface")
    finally:
        sys.path.remove(str(SURFACE.parent))


if __name__ == "__main__":
    sys.path.insert(0, str(SDK))
    main()
