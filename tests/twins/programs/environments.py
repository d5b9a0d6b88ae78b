"""Environments: registering, versions, and what the submit of a run registers."""

from azureml.core import Environment
from azureml.core.conda_dependencies import CondaDependencies
from stage import run_of, said


def program(ws, folder):
    environment = Environment("twin-env")
    environment.python.conda_dependencies = CondaDependencies.create(python_version="3.11", pip_packages=["numpy"])
    environment.environment_variables = {"SOME": "1"}
    first = environment.register(ws)
    print(first.name, first.version, environment.version, first.environment_variables)
    print(environment.register(ws).version)
    environment.python.conda_dependencies.add_pip_package("pandas")
    second = environment.register(ws)
    print(second.version, second.python.conda_dependencies.serialize_to_string())
    second.python.conda_dependencies.add_pip_package("scipy")
    second.version = "3"
    print(second.register(ws).version)
    got = Environment.get(ws, "twin-env", version="2")
    print(got.version, list(Environment.get(ws, "twin-env", version="1").python.conda_dependencies.pip_packages))
    print(list(got.python.conda_dependencies.conda_packages), got.docker.base_image, got.inferencing_stack_version)
    print(said(lambda: Environment.get(ws, "no-such-env"))[:48])
    print("twin-env" in Environment.list(ws), "twin-env" in ws.environments)

    run = run_of(ws, folder, "import os; print(os.environ['MINE'])", environment="twin-own", variables={"MINE": "2"})
    own = Environment.get(ws, "twin-own")
    print(run.get_environment().name, own.name, own.version == run.get_environment().version)
    print(run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"].strip())
    again = run_of(ws, folder, "pass", environment="twin-own", variables={"MINE": "2"})
    print(again.get_environment().version == own.version, "twin-own" in ws.environments)
