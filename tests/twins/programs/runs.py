"""Runs: their states, tags, properties, children, details and how they are found."""

import time
from pathlib import Path

from azureml.core import Experiment, Run
from stage import configuration, run_of, said


def program(ws, folder):
    experiment = Experiment(ws, "twins-runs")
    run = experiment.start_logging(display_name="by hand", snapshot_directory=None)
    print(run.type, run.status, run.get_status(), run.display_name, run.number, run.parent)
    run.tag("kind", "first")
    run.set_tags({"kind": "second", "size": 3, "done": True})
    run.tag("bare")
    run.tag("empty", "")
    run.add_properties({"made": "here", "alone": None})
    print(run.tags, run.get_tags(), [run.get_properties().get(name) for name in ("made", "alone")])
    print(run.remove_tags(["size"]))
    print(run.description)
    run.description = "about it"
    child = run.child_run("one")
    print(child.status, child.parent.id == run.id, [one.id == child.id for one in run.get_children()])
    child.fail(error_details="it broke", error_code="Own")
    others = run.create_children(count=2)
    print([(other.status, other.get_status(), other.tags) for other in others])
    for other in others:
        other.start()
        other.cancel()
        print(other.get_status() in ("CancelRequested", "Canceled"))
    run.complete()
    print(run.status, child.status)
    print(run.get_status(), child.get_status(), child.get_details()["error"]["error"])
    found = Run.get(ws, run.id)
    print(found.tags, found.description, found.type, found.name == run.id, found.experiment.name)
    print([one.id == run.id for one in experiment.get_runs(tags={"kind": "second"})])
    wanted = ("bare", {"bare": None}, {"bare": ""}, {"empty": ""})
    print([len(list(experiment.get_runs(tags=tags))) for tags in wanted])
    print(said(lambda: run.set_tags("no dict")), said(lambda: run.add_properties("no dict")))
    experiment.tag("bare")
    print(Experiment(ws, "twins-runs").tags)
    print(len(list(experiment.get_runs(tags="size"))), len(list(experiment.get_runs(include_children=True))))
    print(said(lambda: run.tag("late", "allowed")), said(lambda: Run.get(ws, "no-such-run"))[:16])
    print(said(lambda: list(Experiment(ws, "no spaces").get_runs())))

    job = run_of(ws, folder, "run.tag('bare'); print('hello')", experiment="twins-runs", tags={"by": "job"})
    details = job.get_details()
    print(job.type, job.get_tags(), details["status"], details["target"], details["runDefinition"]["script"])
    print(details["runDefinition"]["arguments"], details.get("error"), "user_logs/std_log.txt" in details["logFiles"])
    print("hello" in job.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"])
    config = configuration(folder, "pass")
    config.script = str(Path(config.source_directory, "script.py").resolve())
    whole = experiment.submit(config)
    print(whole.wait_for_completion()["status"], whole.get_details()["runDefinition"]["script"])
    config.script, config.command = None, ["echo", 1]
    print(said(lambda: experiment.submit(config)))
    config.command, config.source_directory = ["echo", "1"], "nowhere"
    print(said(lambda: experiment.submit(config))[:55])
    endless = experiment.submit(configuration(folder, "import time; time.sleep(600)"))
    while endless.get_status() != "Running":
        time.sleep(0.1)
    endless.cancel()
    print(endless.wait_for_completion(raise_on_error=False)["status"])
    failed = run_of(ws, folder, "raise ValueError('no')", experiment="twins-runs")
    print(failed.get_status(), said(lambda: failed.wait_for_completion(raise_on_error=True))[:30])
    print(failed.wait_for_completion(raise_on_error=False)["status"])
