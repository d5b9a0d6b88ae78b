"""The VM sizes that the offline workspace offers. helpers.retired knows those that Azure has retired.

Figures: "Sizes for virtual machines in Azure". The names are compared without regard to case, as the service does.
"""

import difflib
from dataclasses import dataclass

from helpers.offline.engine.workspace.errors import Invalid
from helpers.retired import vm_size_problem
from helpers.vm_families import vm_family


@dataclass(frozen=True)
class VmSize:
    name: str
    vcpus: int
    gpus: int
    memory_gb: float
    disk_gb: int  # temporary
    family: str  # that its cores are counted in


def _size(name: str, vcpus: int, gpus: int, memory_gb: float, disk_gb: int) -> tuple[str, VmSize]:
    return name.lower(), VmSize(name, vcpus, gpus, float(memory_gb), disk_gb, vm_family(name))


SIZES: dict[str, VmSize] = dict(
    [
        _size("Standard_DS1_v2", 1, 0, 3.5, 7),
        _size("Standard_DS2_v2", 2, 0, 7, 14),
        _size("Standard_DS3_v2", 4, 0, 14, 28),
        _size("Standard_DS4_v2", 8, 0, 28, 56),
        _size("Standard_DS5_v2", 16, 0, 56, 112),
        _size("Standard_D2_v2", 2, 0, 7, 100),
        _size("Standard_D3_v2", 4, 0, 14, 200),
        _size("Standard_D2s_v3", 2, 0, 8, 16),
        _size("Standard_D4s_v3", 4, 0, 16, 32),
        _size("Standard_D8s_v3", 8, 0, 32, 64),
        _size("Standard_E4s_v3", 4, 0, 32, 64),
        _size("Standard_E8s_v3", 8, 0, 64, 128),
        _size("Standard_F2s_v2", 2, 0, 4, 16),
        _size("Standard_F4s_v2", 4, 0, 8, 32),
        _size("Standard_F8s_v2", 8, 0, 16, 64),
        _size("Standard_F16s_v2", 16, 0, 32, 128),
        _size("Standard_NC4as_T4_v3", 4, 1, 28, 176),
        _size("Standard_NC8as_T4_v3", 8, 1, 56, 352),
        _size("Standard_NC16as_T4_v3", 16, 1, 110, 352),
        _size("Standard_NC64as_T4_v3", 64, 4, 440, 2816),
        _size("Standard_NC24ads_A100_v4", 24, 1, 220, 64),
        _size("Standard_NC48ads_A100_v4", 48, 2, 440, 128),
        _size("Standard_NC96ads_A100_v4", 96, 4, 880, 256),
        _size("Standard_NC40ads_H100_v5", 40, 1, 320, 128),
        _size("Standard_NC80adis_H100_v5", 80, 2, 640, 256),
        _size("Standard_ND96isr_H100_v5", 96, 8, 1900, 1000),
    ]
)


def find(name: str) -> VmSize:
    """The size of this name. Raises Invalid, naming the successor of a retired size, or names like an unknown one."""
    key = str(name).lower()
    if key in SIZES:
        return SIZES[key]
    if retired := vm_size_problem(str(name)):
        raise Invalid(retired)
    near = [SIZES[match].name for match in difflib.get_close_matches(key, SIZES, n=3)]
    like = f" Did you mean {' or '.join(near)}?" if near else ""
    raise Invalid(
        f"The VM size {name!r} is not known here.{like} Those that are known are listed by "
        "AmlCompute.supported_vmsizes(workspace), and in the SDK v2 by ml_client.compute.list_sizes()."
    )
