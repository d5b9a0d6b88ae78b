"""What machines and services cost on Azure, so that nobody begins without knowing the order of magnitude."""

import json
import os
import textwrap
from pathlib import Path

from helpers.words import counted

# VM size: (US dollars an hour, when). Linux, pay as you go, East US, as Azure's Retail Prices API gave them to
# github.com/skypilot-org/skypilot-catalog (v6, 2024; NC4as confirmed for January 2026 by other users of that API) and
# to github.com/datareceipts/data-receipts (109-gpu-pricing, November 2026).
PRICES: dict[str, tuple[float, str]] = {
    "standard_f2s_v2": (0.0846, "2024"),
    "standard_f4s_v2": (0.169, "2024"),
    "standard_nc4as_t4_v3": (0.526, "January 2026"),
    "standard_nc8as_t4_v3": (0.752, "2024"),
    "standard_nc16as_t4_v3": (1.204, "2024"),
    "standard_nc64as_t4_v3": (4.352, "2024"),
    "standard_nc24ads_a100_v4": (3.673, "November 2026"),
    "standard_nc48ads_a100_v4": (9.554, "November 2026"),
    "standard_nc96ads_a100_v4": (19.108, "November 2026"),
    "standard_nc40ads_h100_v5": (6.98, "November 2026"),
    "standard_nc80adis_h100_v5": (17.64, "November 2026"),
}
# Azure Container Instances: US dollars an hour for a core and for a GB of memory. Linux, East US, as Azure's Retail
# Prices API gave them (the meters Standard vCPU Duration and Standard Memory Duration).
CORE_HOUR, GB_HOUR, SERVICES_WHEN = 0.0405, 0.00445, "August 2026"
VARIABLE = "AZUREML_PRICES"
PAGE = 100  # characters in a line of a notebook's page that is not wide
PRICE_LIST = "https://azure.microsoft.com/pricing/details/machine-learning/"


class PricesError(Exception):
    """The file of your own prices cannot be used; the message says why."""


def price(vm_size: str) -> tuple[float, str] | None:
    """US dollars an hour for one machine, and where and when that was so; None where it is not known.

    The JSON file that AZUREML_PRICES names, such as {"Standard_NC4as_T4_v3": 0.61}, comes before the table here. VM
    sizes are compared without regard to case, as Azure does. Raises PricesError for a file of another form.
    """
    own = _own_prices()
    if vm_size.lower() in own:
        return own[vm_size.lower()], "your own price"
    if vm_size.lower() not in PRICES:
        return None
    dollars, when = PRICES[vm_size.lower()]
    return dollars, f"East US, {when}"


def bound(vm_size: str, nodes: int, seconds: float) -> float | None:
    """The most that `nodes` machines cost in `seconds` seconds, in US dollars; None where the price is not known."""
    known = price(vm_size)
    return None if known is None else known[0] * nodes * seconds / 3600


def describe(vm_size: str, nodes: int, seconds: int, idle_seconds: int = 0) -> str:
    """A sentence with the bound for machines that work `seconds` and then stay on, idle, for `idle_seconds`."""
    machines = f"{counted(nodes, 'node')} of {vm_size}"
    idle = f" and {_duration(idle_seconds)} idle" if idle_seconds else ""
    dollars = bound(vm_size, nodes, seconds + idle_seconds)
    if dollars is None:
        told = f"the price is not known here. See {PRICE_LIST}; {VARIABLE} takes a file of your own prices"
    else:
        told = f"up to {dollars:.2f} USD ({price(vm_size)[1]})"
    return f"On Azure, {machines} for {_duration(seconds)}{idle}: {told}"


def show(vm_size: str, nodes: int, seconds: int, idle_seconds: int = 0) -> None:
    """Print what `describe` says, in lines that fit a notebook's page."""
    print(textwrap.fill(describe(vm_size, nodes, seconds, idle_seconds), PAGE))


def service(cpu_cores: float, memory_gb: float, seconds: float) -> float:
    """What a service on Azure Container Instances costs in `seconds` seconds, in US dollars, asked or not."""
    return (cpu_cores * CORE_HOUR + memory_gb * GB_HOUR) * seconds / 3600


def describe_service(cpu_cores: float, memory_gb: float, seconds: int) -> str:
    """A sentence with the cost of a service that stays for `seconds`."""
    dollars = service(cpu_cores, memory_gb, seconds)
    size = f"{counted(cpu_cores, 'core')} and {memory_gb:g} GB"
    return f"On Azure, a service of {size} for {_duration(seconds)}: {dollars:.3f} USD (East US, {SERVICES_WHEN})"


def show_service(cpu_cores: float, memory_gb: float, seconds: int) -> None:
    """Print what `describe_service` says, in lines that fit a notebook's page."""
    print(textwrap.fill(describe_service(cpu_cores, memory_gb, seconds), PAGE))


def _own_prices() -> dict[str, float]:
    path = os.environ.get(VARIABLE)
    if not path:
        return {}
    try:
        prices = json.loads(Path(path).read_text(encoding="utf-8"))
        return {size.lower(): float(dollars) for size, dollars in prices.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise PricesError(
            f"{VARIABLE}={path} has to be a JSON file of VM sizes and US dollars an hour, such as "
            f'{{"Standard_NC4as_T4_v3": 0.61}}: {error}'
        ) from error


def _duration(seconds: int) -> str:
    for unit, length in (("hour", 3600), ("minute", 60)):
        if seconds >= length and seconds % length == 0:
            return counted(seconds // length, unit)
    return counted(seconds, "second")
