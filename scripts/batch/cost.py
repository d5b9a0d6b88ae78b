"""What the notebooks can cost on Azure, told before anything is run."""

from pathlib import Path

from helpers import costs


def describe_costs(values: dict[Path, dict[str, object]]) -> dict[Path, str]:
    """What a notebook costs, for each that submits runs to Azure or deploys a model there: a line for each of these.

    `values` has those of all parameters of the notebooks. The machine and its idle time are those that one of them
    declares; others are only in the workspace. Raises PricesError where the file of own prices cannot be used.
    """
    cluster = {name: value for given in values.values() for name, value in given.items()}
    told = {}
    for notebook, given in values.items():
        if given.get("backend") != "azure":
            continue
        lines = [describe_run(cluster, nodes, seconds) for nodes, seconds in limits(given)]
        lines += [f"{step}, for each step" for step in steps(given)]
        lines += [f"{day}, until it is deleted" for day in days(given)]
        if lines:
            told[notebook] = "\n".join(f"{notebook.stem}: {line}" for line in lines)
    return told


def days(given: dict[str, object]) -> list[str]:
    """What a notebook deploys costs in a day: a service, or the machines of an endpoint's deployments."""
    told = [
        costs.describe(size, nodes=1, seconds=24 * 3600)
        for name, size in given.items()
        if name.endswith("instance_type")
    ]
    if {"cpu_cores", "memory_gb"} <= given.keys():
        told.append(costs.describe_service(given["cpu_cores"], given["memory_gb"], seconds=24 * 3600))
    return told


def steps(given: dict[str, object]) -> list[str]:
    """What each step of a notebook's pipeline costs at most, on the machine that the notebook names for it."""
    if not {"max_step_seconds", "pipeline_vm_size"} <= given.keys():
        return []
    return [costs.describe(given["pipeline_vm_size"], nodes=1, seconds=given["max_step_seconds"])]


def limits(given: dict[str, object]) -> list[tuple[int, int]]:
    """Nodes and seconds at most of each run that a notebook submits, the trials of a sweep taken together."""
    found = []
    if "max_run_duration_seconds" in given:
        nodes = {1, given.get("node_count", 1)}  # above 1, the run of one node is followed by one of so many
        found += [(count, given["max_run_duration_seconds"]) for count in sorted(nodes)]
    at_once = given.get("max_concurrent_runs") or given.get("max_concurrent_trials")  # in SDK v1, in v2
    if at_once and "max_duration_minutes" in given:
        found.append((at_once, 60 * given["max_duration_minutes"]))
    return found


def describe_run(cluster: dict[str, object], nodes: int, seconds: int) -> str:
    if "vm_size" not in cluster:
        return "submits a run to a cluster that is there already; what it can cost is told before it does"
    return costs.describe(cluster["vm_size"], nodes, seconds, cluster.get("idle_seconds_before_scaledown", 0))
