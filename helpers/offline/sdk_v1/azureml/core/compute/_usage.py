"""What may be used and what is: VM sizes, the cores of each family, and a cluster's runs."""

from types import SimpleNamespace

from azureml import _engine
from azureml._filters import has_all


def vm_sizes():
    """The VM sizes as the service lists them."""
    return [
        {
            "name": size.name,
            "family": size.family,
            "vCPUs": size.vcpus,
            "gpus": size.gpus,
            "memoryGB": size.memory_gb,
        }
        for size in _engine.vm_sizes.SIZES.values()
    ]


def usages(workspace):
    """The cores of each VM family that the workspace's clusters use."""
    used = {size.family: 0 for size in _engine.vm_sizes.SIZES.values()}
    for cluster in _engine.clusters.list_all(workspace._folder):
        size = _engine.vm_sizes.find(cluster["vm_size"])
        used[size.family] += size.vcpus * _engine.clusters.state(workspace._folder, cluster["name"])["current"]
    return [_usage(workspace, family, currentValue=cores) for family, cores in used.items()]


def quotas(workspace):
    """The quota of each VM family."""
    families = dict.fromkeys(size.family for size in _engine.vm_sizes.SIZES.values())
    return [_usage(workspace, family) for family in families]


def active_runs(folder, name, type, tags, properties, status):
    """Generate a cluster's runs that have not ended, the newest first; see AmlCompute.get_active_runs()."""
    for job in reversed(_engine.job_states.unfinished(folder, name)):
        record = _engine.run_records.get_run(folder, job["run_id"])
        if (
            record.status not in _engine.statuses.FINAL  # it may have ended since
            and type in (None, record.run_type)
            and status in (None, record.status)
            and has_all(record.tags, tags)
            and has_all(record.properties, properties)
        ):
            yield SimpleNamespace(
                run_id=record.id,
                run_number=record.number,
                experiment_name=record.experiment,
                run_type=record.run_type,
                status=record.status,
                tags=record.tags,
                properties=record.properties,
                start_time_utc=record.started,
                target=name,
            )


def _usage(workspace, family, **figures):
    kind = "usages" if figures else "quotas"
    return {
        "id": f"/subscriptions/{workspace.subscription_id}/providers/Microsoft.MachineLearningServices"
        f"/locations/{workspace.location}/{kind}/{family}",
        "type": f"Microsoft.MachineLearningServices/workspaces/{kind}",
        "unit": "Count",
        **figures,
        "limit": -1,
        "name": {"value": family, "localizedValue": family},
    }
