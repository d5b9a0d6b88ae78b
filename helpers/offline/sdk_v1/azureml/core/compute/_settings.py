"""What a cluster is created with: checked, and as the engine keeps it."""

import string

from azureml.exceptions import ComputeTargetException

PRIORITIES = {"dedicated": "Dedicated", "lowpriority": "LowPriority"}
PASSWORD_SPECIALS = "`~!@#$%^&*()=+_[]{}|;:./'\",<>?"


def settings_of(workspace, config):
    """The engine's settings of a cluster; a password is not kept."""
    priority = str(config.vm_priority).lower()
    if priority not in PRIORITIES:
        raise refused(f"vm_priority is {config.vm_priority!r}; give 'dedicated' or 'lowpriority'.")
    scale = config.scale_settings
    subnet = None
    if config.vnet_name:
        subnet = {"id": subnet_id(workspace, config.vnet_resourcegroup_name, config.vnet_name, config.subnet_name)}
    admin = {"adminUserName": config.admin_username, "adminUserSshPublicKey": config.admin_user_ssh_key}
    return {
        "vm_size": config.vm_size,
        "vm_priority": PRIORITIES[priority],
        "min_nodes": scale.minimum_node_count,
        "max_nodes": scale.maximum_node_count,
        "idle_seconds": scale.idle_seconds_before_scaledown,
        "description": config.description,
        "tags": config.tags,
        "location": config.compute_location,
        "remote_login_port_public_access": config.remote_login_port_public_access,
        "admin": {key: value for key, value in admin.items() if value},
        "subnet": subnet,
        "identity": identity_of(config.identity_type, config.identity_id),
    }


def refused(message):
    return ComputeTargetException(f"Received bad response from Resource Provider:\n{message}")


def check_identity(identity_type, identity_id):
    if identity_type not in ("UserAssigned", "SystemAssigned"):
        raise ComputeTargetException(
            "Invalid configuration, identity_type must be set to 'UserAssigned' or 'SystemAssigned'."
        )
    if identity_type == "UserAssigned" and not (isinstance(identity_id, list) and identity_id):
        raise ComputeTargetException(
            "Invalid configuration, please pass the identity_id of the user assigned identity as a list"
        )
    if identity_type == "SystemAssigned" and identity_id:
        raise ComputeTargetException(
            "Invalid configuration, identity_id cannot be set when identity type is not user assigned."
        )


def identity_of(identity_type, identity_id):
    if not identity_type:
        return None
    ids = {"userAssignedIdentities": {name: {} for name in identity_id}} if identity_id else {}
    return {"type": identity_type, **ids}


def is_strong(password):
    classes = (string.ascii_lowercase, string.ascii_uppercase, string.digits, PASSWORD_SPECIALS)
    return sum(not set(password).isdisjoint(characters) for characters in classes) >= 3


def subnet_id(workspace, resource_group, vnet, subnet):
    return (
        f"/subscriptions/{workspace.subscription_id}/resourceGroups/{resource_group}"
        f"/providers/Microsoft.Network/virtualNetworks/{vnet}/subnets/{subnet}"
    )


def segment_of(resource_id, kind):
    """The name that follows `kind` in a resource id, or None."""
    segments = (resource_id or "").split("/")
    return segments[segments.index(kind) + 1] if kind in segments else None
