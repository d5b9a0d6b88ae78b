"""The exercises of lesson 10: a pipeline that is described."""

from collections.abc import Mapping

from helpers import costs
from helpers.checks.looking import near, number, require, value
from helpers.checks.v2.looking import described

READ = ("folder", "counted")  # the inputs by which the steps are told apart
SIZE, STEPS, STEP_SECONDS, IDLE = "Standard_F4s_v2", 4, 900, 120


def exercise_1(variables: Mapping[str, object]) -> str:
    from azure.ai.ml.entities import Command

    report = value(variables, "report")
    require(isinstance(report, Command), "`report` is no command: `command(...)` returns one.")
    for kind, wanted in (("inputs", {"counted", "least"}), ("outputs", {"reported"})):
        told = set(getattr(report, kind))
        require(told == wanted, f"Its {kind} are {sorted(told)}; they should be `{', '.join(sorted(wanted))}`.")
        for name in wanted:
            mentioned = f"{kind}.{name}" in report.command
            require(
                mentioned, f"The command does not mention `{kind}.{name}`: what it says there, the step would not get."
            )
    default = report.component.inputs["least"].default
    require(str(default) in ("4", "4.0"), f"`least` is {default} by default; it should be 4.")
    return "A component: it has no data and no machine yet, and fits into any pipeline that counts something."


def exercise_2(variables: Mapping[str, object]) -> str:
    from azure.ai.ml.entities import PipelineJob

    job = value(variables, "job")
    require(isinstance(job, PipelineJob), "`job` is no pipeline: call the function that has `@pipeline` above it.")
    steps = described(job)["jobs"]
    require(len(steps) == 2, f"`job` has {len(steps)} steps; there should be two.")
    require(len(job.inputs) == 1, f"`job` has {len(job.inputs)} inputs; there should be one, the data.")
    first, second = (
        next((name for name in steps if given in (steps[name].get("inputs") or {})), None) for given in READ
    )
    require(first and second, "The steps of `job` are not one of `count` and one of `report`.")
    own, made = f"parent.inputs.{next(iter(job.inputs))}", f"parent.jobs.{first}.outputs.counted"
    require(own in str(steps[first]["inputs"]["folder"]), f"The step `{first}` does not read the pipeline's input.")
    require(
        made in str(steps[second]["inputs"]["counted"]), f"The step `{second}` does not read what `{first}` counts."
    )
    return f"`{second}` waits for `{first}`, because it reads what that makes. Nobody had to write the order down."


def exercise_3(variables: Mapping[str, object]) -> str:
    told, right = number(variables, "dollars"), costs.bound(SIZE, 1, STEPS * STEP_SECONDS + IDLE)
    one = costs.bound(SIZE, 1, STEP_SECONDS + IDLE)
    require(not near(told, one), f"`dollars` is {told:.3f}: that is one step. Four follow each other.")
    busy = costs.bound(SIZE, 1, STEPS * STEP_SECONDS)
    require(not near(told, busy), f"`dollars` is {told:.3f}: the seconds for which the machine waits are missing.")
    require(near(told, right), f"`dollars` is {told:.3f}. How many machines are on, and for how long at most?")
    return f"{right:.2f} USD at most. Without the time limits, there would be no such figure."
