"""How an endpoint's requests are shared out among its deployments: {name: per cent}, and copies for another one."""

import random
from collections.abc import Collection, Mapping

from helpers.offline.engine.workspace.errors import Invalid, NotFound

MOST_MIRRORED = 50  # per cent of the requests, as on Azure


def check(name: str, shares: Mapping[str, int], mirrored: Mapping[str, int], there: Collection[str]) -> None:
    """Refuse what cannot be the traffic of the endpoint `name`, which has the deployments `there`. Raises Invalid."""
    for what, given in (("traffic", shares), ("mirrored traffic", mirrored)):
        for deployment, share in given.items():
            if deployment not in there:
                raise Invalid(
                    f"The {what} of the endpoint {name!r} names {deployment!r}, which is none of its deployments; "
                    f"they are: {', '.join(sorted(there)) or 'none yet'}."
                )
            if not isinstance(share, int) or not 0 <= share <= 100:
                raise Invalid(f"The {what} of {deployment!r} is a whole number of per cent, 0 to 100, not {share!r}.")
    total = sum(shares.values())
    if total not in (0, 100):
        raise Invalid(
            f"The traffic of the endpoint {name!r} has to add up to 100 per cent, or to 0; "
            f"{', '.join(f'{deployment} {share}' for deployment, share in shares.items())} is {total}."
        )
    copied = {deployment: share for deployment, share in mirrored.items() if share}
    if len(copied) > 1:
        raise Invalid(f"Traffic can be mirrored to one deployment, not to {len(copied)}: {', '.join(sorted(copied))}.")
    for deployment, share in copied.items():
        if share > MOST_MIRRORED:
            raise Invalid(f"At most {MOST_MIRRORED} per cent of the traffic can be mirrored, not {share}.")
        if shares.get(deployment):
            raise Invalid(
                f"{deployment!r} has {shares[deployment]} per cent of the traffic; a deployment gets traffic or a "
                "mirror of it, not both."
            )


def choose(name: str, shares: Mapping[str, int], asked: str | None, there: Collection[str]) -> str:
    """The deployment that gets a request: the one that it asks for, or else one by lot. Raises NotFound."""
    if asked is not None:
        if asked not in there:
            raise NotFound(
                f"The endpoint {name!r} has no deployment {asked!r}; it has: {', '.join(sorted(there)) or 'none'}."
            )
        return asked
    weights = {deployment: share for deployment, share in shares.items() if share and deployment in there}
    if not weights:
        raise NotFound(
            f"The endpoint {name!r} has no deployment with traffic, so nobody answers. "
            f"Its deployments: {', '.join(sorted(there)) or 'none'}."
        )
    return random.choices([*weights], [*weights.values()])[0]


def drawn(mirrored: Mapping[str, int], there: Collection[str]) -> list[str]:
    """The deployments that get a copy of a request, by lot."""
    return [one for one, share in mirrored.items() if one in there and 100 * random.random() < share]
