"""The families by which Azure counts cores: quota is of a family of VM sizes, and the SDK does not tell a size's."""

# The family's name in AmlCompute.list_usages, and the VM sizes in it. As `az vm list-skus` names them.
FAMILIES: dict[str, tuple[str, ...]] = {
    "standardDSv2Family": (
        "Standard_DS1_v2",
        "Standard_DS2_v2",
        "Standard_DS3_v2",
        "Standard_DS4_v2",
        "Standard_DS5_v2",
    ),
    "standardDv2Family": ("Standard_D2_v2", "Standard_D3_v2"),
    "standardDSv3Family": ("Standard_D2s_v3", "Standard_D4s_v3", "Standard_D8s_v3"),
    "standardESv3Family": ("Standard_E4s_v3", "Standard_E8s_v3"),
    "standardFSv2Family": ("Standard_F2s_v2", "Standard_F4s_v2", "Standard_F8s_v2", "Standard_F16s_v2"),
    "Standard NCASv3_T4 Family": (
        "Standard_NC4as_T4_v3",
        "Standard_NC8as_T4_v3",
        "Standard_NC16as_T4_v3",
        "Standard_NC64as_T4_v3",
    ),
    "StandardNCADSA100v4Family": ("Standard_NC24ads_A100_v4", "Standard_NC48ads_A100_v4", "Standard_NC96ads_A100_v4"),
    "StandardNCADSH100v5Family": ("Standard_NC40ads_H100_v5", "Standard_NC80adis_H100_v5"),
    "standardNDSH100v5Family": ("Standard_ND96isr_H100_v5",),
}
_OF_SIZES = {size.lower(): family for family, sizes in FAMILIES.items() for size in sizes}


def vm_family(vm_size: str) -> str | None:
    """The family of a VM size, of which upper and lower case are the same; None where it is not known here."""
    return _OF_SIZES.get(vm_size.lower())
