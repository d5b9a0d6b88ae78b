"""Sweeps: a grid, its trials, the best of them and what the sweep's run says."""

import json
import time

from azureml.core import Experiment, Run
from azureml.train.hyperdrive import GridParameterSampling, HyperDriveConfig, PrimaryMetricGoal, choice
from stage import configuration

SCRIPT = """
    width, rate = int(sys.argv[2]), float(sys.argv[4])
    for epoch in range(2):
        run.log("score", width * rate + epoch)
    run.log("width", width)
"""


def grid(folder, script):
    return HyperDriveConfig(
        run_config=configuration(folder, script),
        hyperparameter_sampling=GridParameterSampling({"--width": choice(2, 4), "rate": choice(0.5)}),
        primary_metric_name="score",
        primary_metric_goal=PrimaryMetricGoal.MAXIMIZE,
        max_total_runs=5,
        max_concurrent_runs=2,
        max_duration_minutes=10,
    )


def program(ws, folder):
    sweep = Experiment(ws, "twins-sweep").submit(grid(folder, SCRIPT))
    print(sweep.type, type(sweep).__name__)
    print(sweep.wait_for_completion(show_output=False)["status"])
    children = list(sweep.get_children())
    print(len(children), {child.get_status() for child in children}, {child.type for child in children})
    print({child.parent.id == sweep.id for child in children})
    found = Run.get(ws, sweep.id)
    values = {name.removeprefix(sweep.id): json.loads(text) for name, text in found.get_hyperparameters().items()}
    print(type(found).__name__, sorted(map(str, values.values())))
    print(sorted(map(str, sweep.get_metrics().values())))
    best = found.get_best_run_by_primary_metric()
    print(best.get_metrics(), sorted(best.tags["hyperparameters"]) == sorted(found.get_hyperparameters()[best.id]))
    for child in found.get_children_sorted_by_primary_metric():
        print(sorted(child), child["hyperparameters"], child["best_primary_metric"], child["status"])
    print(len(found.get_children_sorted_by_primary_metric(top=1, reverse=True)))
    again = found.hyperdrive_config
    print(
        again._primary_metric_config, again._max_total_runs, again._max_concurrent_runs, again._generator_config["name"]
    )
    print(best.get_details()["runDefinition"]["arguments"])

    endless = Experiment(ws, "twins-sweep").submit(grid(folder, "import time; time.sleep(600)"))
    while [child.get_status() for child in endless.get_children()] != ["Running"] * 2:
        time.sleep(0.1)
    endless.cancel()
    print(endless.wait_for_completion(raise_on_error=False)["status"])
    print([child.get_status() for child in endless.get_children()])
