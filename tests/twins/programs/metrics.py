"""What was logged is what get_metrics gives: types, single values, lists, rows, tables, infinities."""

import math

from stage import run_of, said

SCRIPT = """
    import numpy as np
    run.log("int", 3)
    run.log("float", 3.0)
    run.log("text", "three")
    run.log("truth", True)
    run.log("nothing", None)
    for step in range(3):
        run.log("ints", step)
        run.log("floats", step / 2, step=10 * step)
    for value in (float("inf"), float("-inf"), 1.5):
        run.log("infinite", value)
    run.log("inf", float("inf"))
    run.log("nan", float("nan"))
    run.log("huge", 10**15)
    run.log("numpy float", np.float32(0.5))
    run.log("numpy int", np.int32(7))
    run.log("numpy long", np.int64(7))
    run.log_list("list", [1, 2, 3])
    run.log_list("list of one", [4])
    run.log_list("list of floats", [0.5, 2])
    run.log_list("list of texts", ["a", "b"])
    run.log_row("row", a=1, b="x", c=0.5)
    for index in range(2):
        run.log_row("rows", index=index, half=index / 2)
    run.log_table("table", {"x": [1, 2], "y": [0.5, 4]})
    run.log_table("table of one", {"x": [1], "y": 0.5})
"""


def program(ws, folder):
    run = run_of(ws, folder, SCRIPT)
    metrics = run.get_metrics()
    for name in sorted(metrics):
        print(name, repr(metrics[name]))
    print(run.get_metrics(name="ints"), run.get_metrics(name="none"))

    here = run.experiment.start_logging(snapshot_directory=None)
    here.log("loss", 0.25)
    here.log("loss", 0.125)
    here.log("epochs", 2)
    print(said(lambda: here.log_list("empty", [])), said(lambda: here.log_table("empty", {})))
    print(said(lambda: here.log_table("no rows", {"x": []})))
    child = here.child_run("child")
    child.log("loss", math.inf)
    child.complete()
    here.complete()
    print(here.get_metrics(), child.get_metrics())
    print(sorted(map(str, here.get_metrics(recursive=True).values())))
