"""What may be used and what is: VM sizes, the cores of each family, and a cluster's runs."""

from types import SimpleNamespace

from azureml import _engine
from azureml._tags import has_all


def vm_sizes():
    """The VM sizes as the service lists them."""
    return [
        {
            "name": size.name,
            "vCPUs": size.vcpus,
            "gpus": size.gpus,
            "memoryGB": size.memory_gb,
            "maxResourceVolumeMB": size.disk_gb * 1024,
        }
        for size in _engine.vm_sizes.SIZES.values()
    ]


def usages(workspace):
    """The cores of each VM family that the workspace's clusters use, and the most that they may."""
    known = _engine.clusters.usages(workspace._folder).items()
    return [_usage(workspace, family, limit, currentValue=cores) for family, (cores, limit) in known]


def quotas(workspace):
    """The quota of each VM family; -1 stands for none."""
    known = _engine.clusters.usages(workspace._folder).items()
    return [_usage(workspace, family, limit) for family, (_, limit) in known]


def active_runs(folder, name, type, tags, properties, status):
    """Generate a cluster's runs that have not ended, the newest first; see AmlCompute.get_active_runs()."""
    for job in reversed(_engine.job_states.unfinished(folder, name)):
        try:
            record = _engine.run_records.get_run(folder, job["run_id"])
        except _engine.errors.NotFound:  # it is just being submitted
            continue
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


def _usage(workspace, family, limit, **figures):
    kind = "usages" if figures else "quotas"
    return {
        "id": f"/subscriptions/{workspace.subscription_id}/providers/Microsoft.MachineLearningServices"
        f"/locations/{workspace.location}/{kind}/{family}",
        "type": f"Microsoft.MachineLearningServices/workspaces/{kind}",
        "unit": "Count",
        **figures,
        "limit": limit,
        "name": {"value": family, "localizedValue": family},
    }
