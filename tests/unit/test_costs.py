"""What runs cost at most: the table, your own prices, and what the batch runner says before it starts."""

import json
from pathlib import Path

import pytest
import run_notebooks
from batch.cost import describe_costs
from small_notebooks import write_notebook

from helpers import costs, retired
from helpers.offline.engine.compute import vm_sizes

T4 = "Standard_NC4as_T4_v3"


@pytest.fixture(autouse=True)
def prices_of_the_table(monkeypatch):
    monkeypatch.delenv(costs.VARIABLE, raising=False)


def test_the_bound_is_price_times_nodes_times_hours():
    price, _ = costs.PRICES[T4.lower()]
    assert costs.bound(T4, nodes=4, seconds=5400) == pytest.approx(price * 6)
    assert costs.bound(T4.upper(), nodes=1, seconds=0) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((T4, 1, 3600), f"On Azure, 1 node of {T4} for 1 hour: up to 0.53 USD (East US, January 2026)"),
        ((T4, 4, 7200), f"4 nodes of {T4} for 2 hours: up to 4.21 USD"),
        ((T4, 1, 90), "for 90 seconds: up to 0.01 USD"),
        ((T4, 1, 1800, 120), "for 30 minutes and 2 minutes idle: up to 0.28 USD"),
    ],
)
def test_costs_are_told_in_a_sentence(capsys, arguments, said):
    costs.show(*arguments)
    assert said in capsys.readouterr().out


def test_a_size_without_a_known_price_is_said_to_have_none():
    assert costs.bound("Standard_Unheard_Of", nodes=1, seconds=3600) is None
    said = costs.describe("Standard_Unheard_Of", nodes=1, seconds=3600)
    assert "not known" in said
    assert costs.PRICE_LIST in said
    assert "USD" not in said


def test_your_own_prices_come_before_the_table(tmp_path, monkeypatch):
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({T4.upper(): 1, "Standard_Unheard_Of": 2.5}))
    monkeypatch.setenv(costs.VARIABLE, str(path))
    assert "up to 1.00 USD (your own price)" in costs.describe(T4, 1, 3600)
    assert costs.bound("standard_unheard_of", 2, 3600) == 5
    assert "East US" in costs.describe("Standard_NC8as_T4_v3", 1, 3600)


@pytest.mark.parametrize("content", [None, "", "[]", '{"Standard_NC4as_T4_v3": "dear"}', '{"a": null}'])
def test_a_file_of_prices_of_another_form_is_an_error_that_shows_the_form(tmp_path, monkeypatch, content):
    path = tmp_path / "prices.json"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv(costs.VARIABLE, str(path))
    with pytest.raises(costs.PricesError, match=r'AZUREML_PRICES=.*prices\.json has to be .* \{"Standard_'):
        costs.describe(T4, 1, 3600)


def test_every_price_is_of_a_size_that_can_be_had():
    assert set(costs.PRICES) <= set(vm_sizes.SIZES)
    assert not set(costs.PRICES) & set(retired.VM_SIZES)


# The batch runner

COMPUTE = 'backend: str = "offline"\nvm_size: str = "Standard_NC4as_T4_v3"\nidle_seconds_before_scaledown: int = 120'
TRAIN = 'backend: str = "offline"\nmax_run_duration_seconds: int = 1800'


@pytest.fixture
def series(tmp_path):
    write_notebook(tmp_path, "03_compute", "x = 1", parameters=COMPUTE)
    write_notebook(tmp_path, "04_train", "x = 1", parameters=TRAIN)
    return ["--notebooks", str(tmp_path / "notebooks")]


def test_before_it_runs_on_azure_the_runner_tells_what_runs_cost_at_most(series, capsys):
    assert run_notebooks.main([*series, "--backend", "azure", "-p", "max_run_duration_seconds=3600"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"04_train: On Azure, 1 node of {T4} for 1 hour and 2 minutes idle: up to 0.54 USD " + (
        "(East US, January 2026)"
    )
    assert "03_compute: On Azure" not in "".join(said)


def test_of_several_nodes_and_of_a_sweep_the_runner_tells_the_bound_too(series, tmp_path, capsys):
    write_notebook(tmp_path, "04_train", "x = 1", parameters=f"{TRAIN}\nnode_count: int = 1")
    sweep = 'backend: str = "offline"\nmax_concurrent_runs: int = 3\nmax_duration_minutes: int = 60'
    write_notebook(tmp_path, "07_tune", "x = 1", parameters=sweep)
    assert run_notebooks.main([*series, "--backend", "azure", "-p", "node_count=2"]) == 0
    said = [line.split(" and 2 minutes")[0] for line in capsys.readouterr().out.splitlines() if "USD" in line]
    assert said == [
        f"04_train: On Azure, 1 node of {T4} for 30 minutes",
        f"04_train: On Azure, 2 nodes of {T4} for 30 minutes",
        f"07_tune: On Azure, 3 nodes of {T4} for 1 hour",
    ]


def test_of_a_service_the_runner_tells_the_cost_of_a_day(tmp_path, capsys):
    service = 'backend: str = "offline"\ncpu_cores: float = 2.0\nmemory_gb: float = 1.0'
    write_notebook(tmp_path, "08_deploy", "x = 1", parameters=service)
    runner = ["--notebooks", str(tmp_path / "notebooks")]
    assert run_notebooks.main([*runner, "--backend", "azure"]) == 0
    said = capsys.readouterr().out.splitlines()[0]
    assert said == (
        "08_deploy: On Azure, a service of 2 cores and 1 GB for 24 hours: 2.051 USD (East US, August 2026), "
        "until it is deleted"
    )
    assert costs.service(2, 1, 24 * 3600) == pytest.approx(24 * (2 * 0.0405 + 0.00445))


def test_of_an_endpoint_the_runner_tells_the_cost_of_a_day_of_each_machine(tmp_path, capsys):
    machines = 'instance_type: str = "Standard_F4s_v2"\nsmaller_instance_type: str = "Standard_F2s_v2"'
    write_notebook(tmp_path, "08_deploy", "x = 1", parameters=f'backend: str = "offline"\n{machines}')
    assert run_notebooks.main(["--notebooks", str(tmp_path / "notebooks"), "--backend", "azure"]) == 0
    day = "for 24 hours: up to {} USD (East US, 2024), until it is deleted"
    assert capsys.readouterr().out.splitlines()[:2] == [
        f"08_deploy: On Azure, 1 node of Standard_F4s_v2 {day.format(4.06)}",
        f"08_deploy: On Azure, 1 node of Standard_F2s_v2 {day.format(2.03)}",
    ]


def test_of_version_two_the_runner_tells_the_sweep_and_each_step_of_the_pipeline(tmp_path, capsys):
    sweep = f'vm_size: str = "{T4}"\nmax_concurrent_trials: int = 3\nmax_duration_minutes: int = 60'
    steps = 'pipeline_vm_size: str = "Standard_F4s_v2"\nmax_step_seconds: int = 3600'
    for name, parameters in {"07_tune": sweep, "10_pipeline": steps}.items():
        write_notebook(tmp_path, name, "x = 1", parameters=f'backend: str = "offline"\n{parameters}')
    assert run_notebooks.main(["--notebooks", str(tmp_path / "notebooks"), "--backend", "azure"]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == [
        f"07_tune: On Azure, 3 nodes of {T4} for 1 hour: up to 1.58 USD (East US, January 2026)",
        "10_pipeline: On Azure, 1 node of Standard_F4s_v2 for 1 hour: up to 0.17 USD (East US, 2024), for each step",
    ]


@pytest.mark.parametrize("alone", ["max_duration_minutes", "cpu_cores", "max_step_seconds"])
def test_of_what_lacks_its_other_half_no_cost_is_told(alone):
    assert describe_costs({Path("01_a.ipynb"): {"backend": "azure", alone: 2}}) == {}


def test_of_a_cluster_that_is_there_already_the_runner_does_not_know_the_price(series, capsys):
    assert run_notebooks.main([*series, "4", "--backend", "azure"]) == 0
    assert capsys.readouterr().out.startswith("04_train: submits a run to a cluster that is there already")


def test_what_is_skipped_is_not_told_but_still_names_the_machine(series, tmp_path, capsys):
    assert run_notebooks.main([*series, "3", "--backend", "azure"]) == 0
    assert "USD" not in capsys.readouterr().out
    assert run_notebooks.main([*series, "--backend", "azure", "--resume"]) == 0
    assert f"04_train: On Azure, 1 node of {T4}" in capsys.readouterr().out
    assert run_notebooks.main([*series, "--backend", "azure", "--resume"]) == 0
    assert "On Azure" not in capsys.readouterr().out


def test_offline_nothing_is_said_of_money(series, capsys):
    assert run_notebooks.main(series) == 0
    assert "Azure" not in capsys.readouterr().out


def test_prices_that_cannot_be_read_stop_the_runner_before_anything_runs(series, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(costs.VARIABLE, str(tmp_path / "none.json"))
    assert run_notebooks.main([*series, "--backend", "azure"]) == 2
    assert "AZUREML_PRICES" in capsys.readouterr().err
    assert not (tmp_path / "output" / "manifest.json").exists()
