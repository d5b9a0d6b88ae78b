"""What the programs share, and the process that plays them on the SDK that it imports.

    python stage.py RESULT SDK PROGRAM...

SDK is a folder that comes first on sys.path, "" for the installed one. RESULT becomes JSON: what each program printed.
"""

import contextlib
import importlib.util
import io
import json
import os
import sys
import textwrap
import traceback
from pathlib import Path

PROGRAMS = Path(__file__).with_name("programs")
CLUSTER = "cpu"
NOISE = "{'infer_column_types'"  # the library that reads data prints its own settings
HEAD = "import sys\nfrom azureml.core import Run\nrun = Run.get_context(allow_offline=False)\n"


def configuration(folder, script, arguments=(), environment="twin-plain", variables=None):
    """What submits a script, given as text, to the cluster; `run` is its own run in it."""
    from azureml.core import Environment, ScriptRunConfig

    plain = Environment(environment)
    plain.python.user_managed_dependencies = True
    source = Path(folder, f"source-{len(list(Path(folder).glob('source-*')))}")
    source.mkdir()
    (source / "script.py").write_text(HEAD + textwrap.dedent(script))
    config = ScriptRunConfig(
        source_directory=str(source),
        script="script.py",
        arguments=list(arguments),
        compute_target=CLUSTER,
        environment=plain,
    )
    config.run_config.environment_variables.update(variables or {})
    return config


def run_of(ws, folder, script, arguments=(), experiment="twins", tags=None, **settings):
    """The run of a script once it has ended."""
    from azureml.core import Experiment

    config = configuration(folder, script, arguments, **settings)
    run = Experiment(ws, experiment).submit(config, tags=tags)
    run.wait_for_completion(show_output=False, raise_on_error=False)
    return run


def said(call):
    """What the call raises: class and message; its value where it raises nothing."""
    try:
        return f"nothing: {call()}"
    except Exception as error:
        return f"{type(error).__name__}: {getattr(error, 'message', None) or error}"


def masked(run, value):
    """What a run says, as text, without its id."""
    return str(value).replace(run.id, "RUN")


def main():
    result, sdk, *names = sys.argv[1:]
    if sdk:
        sys.path.insert(0, sdk)
    from azureml.core import Workspace
    from azureml.core.compute import AmlCompute, ComputeTarget

    import helpers

    ws = Workspace.from_config(auth=helpers.credential())
    settings = AmlCompute.provisioning_configuration(vm_size="Standard_DS3_v2", max_nodes=2)
    ComputeTarget.create(ws, CLUSTER, settings).wait_for_completion()
    printed = {}
    for name in names:
        printed[name] = played(ws, name, Path(result).parent / name)
        Path(result).write_text(json.dumps(printed))


def played(ws, name, folder):
    """What a program prints; its error is printed, too."""
    folder.mkdir()
    os.chdir(folder)
    specification = importlib.util.spec_from_file_location(f"programs.{name}", PROGRAMS / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        try:
            specification.loader.exec_module(module)
            module.program(ws, folder)
        except Exception:
            print(traceback.format_exc())
    return "".join(line for line in output.getvalue().splitlines(True) if not line.startswith(NOISE))


if __name__ == "__main__":
    sys.modules["stage"] = sys.modules["__main__"]  # the programs' own
    main()
    sys.stdout.flush()
    os._exit(0)  # the SDK's threads would keep the process for seconds
