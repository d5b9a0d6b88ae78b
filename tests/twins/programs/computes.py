"""Clusters: sizes, creation, state, settings and what is refused."""

from azureml.core.compute import AmlCompute, ComputeTarget
from stage import said


def program(ws, folder):
    sizes = {size["name"]: size for size in AmlCompute.supported_vmsizes(ws)}
    for name in ("Standard_DS3_v2", "Standard_NC4as_T4_v3"):
        print(sizes[name])
    (usage,) = [one for one in AmlCompute.list_usages(ws) if one["name"]["value"] == "standardDSv2Family"]
    print({key: usage[key] for key in ("unit", "limit", "name")}, sorted(usage))
    settings = AmlCompute.provisioning_configuration(
        vm_size="standard_ds3_v2",
        min_nodes=0,
        max_nodes=2,
        idle_seconds_before_scaledown=60,
        tags={"a": "b"},
        description="mine",
    )
    cluster = ComputeTarget.create(ws, "twin-cluster", settings)
    cluster.wait_for_completion(show_output=True)
    print(cluster.name, cluster.type, cluster.vm_size, cluster.vm_priority, cluster.tags, cluster.description)
    print(cluster.provisioning_state, cluster.provisioning_errors, cluster.location, cluster.cluster_location)
    scale = cluster.scale_settings
    print(scale.minimum_node_count, scale.maximum_node_count, scale.idle_seconds_before_scaledown)
    status = cluster.get_status()
    print(status.allocation_state, status.current_node_count, status.target_node_count, status.errors, status.vm_size)
    print(status.node_state_counts.serialize(), status.scale_settings.serialize())
    found = ComputeTarget(ws, "twin-cluster")
    print(type(found).__name__, found.serialize()["name"], sorted(found.serialize()), cluster.list_nodes())
    cluster.update(max_nodes=3, idle_seconds_before_scaledown=90)
    cluster.wait_for_completion()
    cluster.refresh_state()
    print(cluster.scale_settings.serialize())
    print(sorted(ws.compute_targets), [type(one).__name__ for one in ComputeTarget.list(ws)])
    print(said(lambda: ComputeTarget(ws, "none")), said(lambda: ComputeTarget.create(ws, "local", settings)))
    wrong = AmlCompute.provisioning_configuration(vm_size="Standard_None", max_nodes=1)
    print(said(lambda: ComputeTarget.create(ws, "wrong", wrong)).splitlines()[0])
    cluster.delete()
    cluster.wait_for_completion(is_delete_operation=True)
    print(said(lambda: ComputeTarget(ws, "twin-cluster")))
