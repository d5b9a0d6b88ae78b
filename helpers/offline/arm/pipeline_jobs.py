"""Pipeline jobs: from the management plane's description to the engine's steps: command jobs, sweeps and pipelines.

A step's inputs and outputs are bound by expressions: ${{parent.inputs.x}} is an input of the pipeline,
${{parent.jobs.step.outputs.x}} an output of another step, ${{parent.outputs.x}} an output of the pipeline.
"""

import re

from helpers.offline.arm import commands, components, sweep_jobs, sweep_steps
from helpers.offline.arm.wire import Refused, Request, Unsupported, names_in, uri_at
from helpers.offline.engine import pipelines
from helpers.offline.engine.history import mlflow_store

RUN_TYPE = "azureml.PipelineRun"
PIPELINE, SWEEP = "pipeline", "sweep"  # the types of steps that are no commands
RUN_TYPES = {"command": mlflow_store.COMMAND_JOB, PIPELINE: RUN_TYPE, SWEEP: sweep_jobs.RUN_TYPE}
NUMBERS = ("integer", "number")
LITERALS = ("literal", "string", "boolean", *NUMBERS)  # types of what is no files
OF_PIPELINE = re.compile(r"\$\{\{parent\.inputs\.([\w.]+)\}\}")
OF_STEP = re.compile(r"\$\{\{parent\.jobs\.(\w+)\.outputs\.(\w+)\}\}")
TO_PIPELINE = re.compile(r"\$\{\{parent\.outputs\.(\w+)\}\}")


def submit(request: Request, name: str, asked: dict, given: dict) -> None:
    """Start a pipeline under this name; `given` are further words for jobs.submit. Raises Refused."""
    pipeline = _pipeline(request, name, asked) | {"asked": asked}
    pipelines.submit(request.folder, pipeline=pipeline, run_id=name, **given)


def _pipeline(request: Request, name: str, asked: dict) -> dict:
    """The engine's pipeline. Raises Refused."""
    nodes = asked.get("jobs") or {}
    specifications = {step: _specification(request, step, node) for step, node in nodes.items()}
    after = {step: _after(step, nodes, specifications) for step in nodes}
    steps, written = {}, {}  # written: by step and name, outputs as commands has them
    for step in pipelines.in_order(after):
        node, specification = nodes[step], specifications[step]
        inputs = _inputs(asked, step, specification, written)
        try:
            made = _step(request, pipelines.step_id(name, step), asked, node, specification, inputs)
        except Refused as refused:
            raise Refused(f"The step {step!r} cannot run. {refused}", refused.status, refused.code) from None
        written[step] = {output["name"]: output for output in made.pop("outputs")}
        steps[step] = made | {"after": after[step], "run": _run(step, node, specification)}
    goes_on = bool((asked.get("settings") or {}).get("continue_on_step_failure"))
    return {"steps": steps, "outputs": _outputs(nodes, written), "goes_on": goes_on}


def _step(request: Request, step_id: str, asked: dict, node: dict, specification: dict, inputs: dict) -> dict:
    """The engine's job of a step, or its sweep and a trial's job, or its pipeline; and its outputs. Raises Refused."""
    outputs = {
        name: _output(asked, declared, (node.get("outputs") or {}).get(name) or {})
        for name, declared in (specification.get("outputs") or {}).items()
    }
    settings, compute = asked.get("settings") or {}, _compute(asked, node)
    ends = {"computeId": compute, "inputs": inputs, "outputs": outputs}
    if node["type"] == PIPELINE:
        ends["inputs"] = {name: inputs.get(name) for name in specification.get("inputs") or {}}
        inner = _pipeline(request, step_id, {"jobs": specification.get("jobs"), "settings": settings, **ends})
        return {"pipeline": inner, "outputs": inner["outputs"]}
    datastore = (settings.get("default_datastore") or "").rpartition("/")[2]
    described = _command(node, specification)
    if node["type"] == SWEEP:
        ends["outputs"] = {name: {"jobOutputType": output["jobOutputType"]} for name, output in outputs.items()}
        swept, job = sweep_jobs.parts_of(request, sweep_steps.asked_of(node, described) | ends, datastore)
        own = commands.outputs_of(request, step_id, outputs, datastore)
        return {"sweep": swept | {"outputs": own}, "job": job, "outputs": own}
    job = commands.job_of(request, step_id, described | ends, datastore)
    return {"job": job, "outputs": job["outputs"]}


def _compute(asked: dict, node: dict) -> str | None:
    """A step's own compute, or the pipeline's."""
    default = (asked.get("settings") or {}).get("default_compute")
    return node.get("computeId") or asked.get("computeId") or default


def _run(step: str, node: dict, specification: dict) -> dict:
    """What a step's run is called. The client sends a description with the component alone."""
    return {
        "run_type": RUN_TYPES[node["type"]],
        "display_name": node.get("display_name") or step,
        "description": node.get("description") or specification.get("description"),
        "tags": node.get("tags"),
        "properties": node.get("properties"),
    }


def _specification(request: Request, step: str, node: dict) -> dict:
    """What a step's component was made of. Raises Refused."""
    if node.get("type") not in RUN_TYPES:
        raise Unsupported(
            f"A pipeline's step of the type {node.get('type')}, as {step!r},", f"{', '.join(RUN_TYPES)} are"
        )
    if node.get("services"):
        raise Unsupported(f"A pipeline with an interactive service of a step, as {step!r},", "leave it out")
    id = (node.get("trial") or {} if node["type"] == SWEEP else node).get("componentId") or ""
    words = names_in(id)
    if words[0] != "components":
        raise Refused(f"The step {step!r} is made of no component, but of {id!r}.")
    specification = components.specification(request, words)
    drawn = node.get("search_space") or {}  # what a sweep gives a value to, and nobody else
    inputs = {name: one for name, one in (specification.get("inputs") or {}).items() if name not in drawn}
    return specification | {"inputs": inputs}


def _after(step: str, nodes: dict, specifications: dict) -> list[str]:
    """The steps whose outputs a step reads. Raises Refused for an output that there is not."""
    found = []
    for name, given in (nodes[step].get("inputs") or {}).items():
        if bound := OF_STEP.fullmatch(str(given.get("value") or "")):
            other, output = bound.groups()
            if other not in nodes:
                known = ", ".join(nodes)
                raise Refused(
                    f"The input {name!r} of the step {step!r} is bound to the step {other!r}; there are: {known}."
                )
            if output not in (specifications[other].get("outputs") or {}):
                known = ", ".join(specifications[other].get("outputs") or {}) or "none"
                raise Refused(
                    f"The input {name!r} of the step {step!r} is bound to the output {output!r} of {other!r}, "
                    f"which has: {known}."
                )
            found.append(other)
    return sorted(set(found))


def _command(node: dict, specification: dict) -> dict:
    """The command job of a step, as the management plane would have it described, without what goes in and out."""
    limits = node.get("limits") or {}
    timeout = limits.get("trial_timeout" if node["type"] == SWEEP else "timeout")
    resources = node.get("resources") or specification.get("resources") or {}
    return {
        "jobType": "Command",
        "command": specification.get("command") or "",
        "codeId": _arm_id(specification.get("code")),
        "environmentId": _arm_id(specification.get("environment")),
        "environmentVariables": node.get("environment_variables"),
        "resources": {
            "instanceCount": resources.get("instance_count"),
            "instanceType": resources.get("instance_type"),
            "shmSize": resources.get("shm_size"),
        },
        "distribution": _distribution(node.get("distribution") or specification.get("distribution")),
        "limits": {"timeout": f"PT{timeout}S" if isinstance(timeout, int) else timeout},
    }


def _arm_id(id: str | None) -> str | None:
    """An id as jobs have it, where components may have it with a prefix."""
    return id and re.sub("^azureml:(?=/subscriptions/)", "", id)


def _distribution(given: dict | None) -> dict | None:
    """A step's distribution as a command job has it; the client calls its kind so in a node, and so in a component."""
    if not given:
        return None
    kind = given.get("distribution_type") or given.get("type") or ""
    return {
        "distributionType": {name.lower(): name for name in commands.DISTRIBUTIONS}.get(kind.lower(), kind),
        "processCountPerInstance": given.get("process_count_per_instance"),
        "parameterServerCount": given.get("parameter_server_count"),
        "workerCount": given.get("worker_count"),
    }


def _inputs(asked: dict, step: str, specification: dict, written: dict) -> dict:
    """The values of a step's inputs: its own, or what they are bound to, or what its component has. Raises Refused."""
    values = {}
    for name, declared in (specification.get("inputs") or {}).items():
        given = (asked["jobs"][step].get("inputs") or {}).get(name)
        value = _bound(asked, step, name, declared, given, written) if given else None
        if value is None and declared.get("default") is not None:
            value = {"jobInputType": "literal", "value": declared["default"]}
        if value is not None:
            _check(step, name, declared, value)
            values[name] = value
        elif not declared.get("optional"):
            raise Refused(f"The step {step!r} has no value for its input {name!r}: give it one, or bind it.")
    return values


def _check(step: str, name: str, declared: dict, value: dict) -> None:
    """Raises Refused for a value that the component's input does not take, and for files in the place of one."""
    is_literal, takes_literal = value["jobInputType"] in LITERALS, declared["type"] in LITERALS
    if takes_literal and not is_literal:
        raise Refused(f"The input {name!r} of the step {step!r} is of the type {declared['type']}, and is given files.")
    given, allowed = value.get("value"), declared.get("enum")
    if not takes_literal or given is None:
        return
    if allowed and str(given) not in map(str, allowed):
        raise Refused(
            f"The input {name!r} of the step {step!r} is one of {', '.join(map(str, allowed))}, and not {given}."
        )
    if declared["type"] not in NUMBERS:
        return
    try:
        number = float(given)
    except (TypeError, ValueError):
        raise Refused(f"The input {name!r} of the step {step!r} is {given!r}, and no {declared['type']}.") from None
    for word, is_beyond in (("min", float.__lt__), ("max", float.__gt__)):
        if declared.get(word) is not None and is_beyond(number, float(declared[word])):
            raise Refused(f"The input {name!r} of the step {step!r} is {given}; its {word} is {declared[word]}.")


def _bound(asked: dict, step: str, name: str, declared: dict, given: dict, written: dict) -> dict | None:
    """What an input is bound to, or its own value, as a command job has it."""
    mode = {"mode": given["mode"]} if given.get("mode") else {}
    value = str(given.get("value") or "")
    if found := OF_STEP.fullmatch(value):
        output = written[found[1]].get(found[2])
        if output is None:
            raise Refused(f"The step {found[1]!r} has no step that writes its output {found[2]!r}.")
        return {"jobInputType": declared["type"], "uri": uri_at(output), "ofStep": True, **mode}
    if found := OF_PIPELINE.fullmatch(value):
        there = asked.get("inputs") or {}
        if found[1] not in there:
            known = ", ".join(there) or "none"
            what = f"The input {name!r} of the step {step!r} is bound to the pipeline's input {found[1]!r}"
            raise Refused(f"{what}; the pipeline has: {known}.")
        return there[found[1]] and {**there[found[1]], **mode}
    kind = given.get("job_input_type") or "literal"
    return {"jobInputType": kind, **{key: given[key] for key in ("value", "uri") if key in given}, **mode}


def _output(asked: dict, declared: dict, given: dict) -> dict:
    """A step's output as a command job has it; one that is bound is what the pipeline's output shall be."""
    own = {"assetName": given.get("name"), "assetVersion": given.get("version"), **given}
    if bound := TO_PIPELINE.fullmatch(str(given.get("value") or "")):
        own |= (asked.get("outputs") or {}).get(bound[1]) or {}
    known = ("uri", "mode", "assetName", "assetVersion")
    return {"jobOutputType": declared["type"], **{key: own[key] for key in known if own.get(key)}}


def _outputs(nodes: dict, written: dict) -> list[dict]:
    """The pipeline's outputs: those of its steps that are bound to them, under their own names; steps register them."""
    found = []
    for step, node in nodes.items():
        for name, given in (node.get("outputs") or {}).items():
            if bound := TO_PIPELINE.fullmatch(str(given.get("value") or "")):
                found.append({**written[step][name], "name": bound[1], "asset": None})
    return found
