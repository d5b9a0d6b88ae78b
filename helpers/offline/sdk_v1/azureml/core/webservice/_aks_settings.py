"""The settings of a service on a Kubernetes cluster: their defaults, what is wrong with them, and how they are told."""

import re

from azureml.exceptions import WebserviceException

NAMESPACE = "^[a-z0-9]([a-z0-9-]{,61}[a-z0-9])?$"
DEFAULTS = {  # as AksWebservice.deploy_configuration() documents them
    "autoscale_min_replicas": 1,
    "autoscale_max_replicas": 10,
    "autoscale_refresh_seconds": 1,
    "autoscale_target_utilization": 70,
    "cpu_cores": 0.1,
    "cpu_cores_limit": None,
    "memory_gb": 0.5,
    "memory_gb_limit": None,
    "gpu_cores": 0,
    "scoring_timeout_ms": 60000,
    "replica_max_concurrent_requests": 1,
    "max_request_wait_time": 500,
    "num_replicas": None,
    "period_seconds": 10,
    "initial_delay_seconds": 310,
    "timeout_seconds": 2,
    "success_threshold": 1,
    "failure_threshold": 3,
    "namespace": None,
}
_POSITIVE = ("period_seconds", "initial_delay_seconds", "timeout_seconds", "success_threshold", "failure_threshold")
_POSITIVE_LAST = ("scoring_timeout_ms", "replica_max_concurrent_requests", "max_request_wait_time", "num_replicas")
_SCALING = ("min_replicas", "max_replicas", "refresh_seconds", "target_utilization")


def settings_of(given, before):
    """All settings of a service: those that are given, those that it had before, or the defaults."""
    settings = DEFAULTS | before
    settings |= {name: given[name] for name in DEFAULTS if given.get(name) is not None}
    scaled = given.get("autoscale_enabled")
    if scaled is None:
        scaled = False if given.get("num_replicas") else before.get("autoscale_enabled", True)
    return {**settings, "autoscale_enabled": scaled}


def problems(given, beginning):
    """What is wrong with settings, a line each that begins so, in the words and the order of the real SDK."""
    lines = []

    def expect(met, words):
        if not met:
            lines.append(f"{beginning} {words}\n")

    def above(name, told="greater than zero", least=None):
        value = given.get(name)
        expect(value is None or (value > 0 if least is None else value >= least), f"{name} must be {told}.")

    for name in ("cpu_cores", "memory_gb"):
        above(name)
        value, limit = given.get(name), given.get(f"{name}_limit")
        expect(
            value is None or limit is None or limit >= value, f"{name}_limit must be greater than or equal to {name}."
        )
    above("gpu_cores", "greater than or equal to zero", 0)
    for name in _POSITIVE:
        above(name)
    expect(
        not given.get("namespace") or re.match(NAMESPACE, given["namespace"]),
        f"namespace must be a valid Kubernetes namespace. Regex for validation is {NAMESPACE}",
    )
    for name in _POSITIVE_LAST:
        above(name)
    if given.get("autoscale_enabled"):
        _check_scaling(given, expect, above)
    else:
        expect(
            given.get("autoscale_enabled") is None or given.get("num_replicas"),
            "autoscale disabled but num_replicas not provided.",
        )
        for name in _SCALING:
            expect(not given.get(f"autoscale_{name}"), f"autoscale_{name} provided without enabling autoscaling.")
    return "".join(lines)


def _check_scaling(given, expect, above):
    expect(not given.get("num_replicas"), "autoscale enabled and num_replicas provided.")
    above("autoscale_min_replicas")
    above("autoscale_max_replicas")
    least, most = given.get("autoscale_min_replicas"), given.get("autoscale_max_replicas")
    expect(
        not (least and most) or least <= most, "autoscale_min_replicas cannot be greater than autoscale_max_replicas."
    )
    above("autoscale_refresh_seconds")
    above("autoscale_target_utilization")


class Part:
    """Some of a service's settings, as an object: `_names` is attribute to key of the dict and name of the setting."""

    _names = {}
    _told = ""

    def serialize(self):
        """The settings as a dict."""
        return {key: getattr(self, attribute) for attribute, (key, _) in self._names.items()}

    @classmethod
    def _deserialize(cls, payload):
        for key, _ in cls._names.values():
            if key not in payload:
                raise WebserviceException(f"Invalid webservice payload, missing {key} for {cls._told}:\n{payload}")
        return cls(**{attribute: payload[key] for attribute, (key, _) in cls._names.items()})

    @classmethod
    def _of(cls, settings):
        return cls(**{attribute: settings[name] for attribute, (_, name) in cls._names.items()})
