"""What a model needs of a machine: cores, memory, GPUs."""

from azureml._strict import module_getattr
from azureml.exceptions import WebserviceException

__getattr__ = module_getattr(__name__)


class ResourceConfiguration:
    """CPU cores, memory in GB and GPUs; None where there is no wish."""

    _expected_payload_keys = ["cpu", "memoryInGB", "gpu"]

    def __init__(self, cpu=None, memory_in_gb=None, gpu=None):
        self.cpu = cpu
        self.memory_in_gb = memory_in_gb
        self.gpu = gpu

    def serialize(self):
        """As a dict of JSON values."""
        return {"cpu": self.cpu, "memoryInGB": self.memory_in_gb, "gpu": self.gpu}

    @staticmethod
    def deserialize(payload_obj):
        """What serialize() gave, or None. Raises WebserviceException where a key is missing."""
        if payload_obj is None:
            return None
        for key in ResourceConfiguration._expected_payload_keys:
            if key not in payload_obj:
                raise WebserviceException(
                    f"Invalid webservice payload, missing {key} for ResourceConfiguration:\n{payload_obj}"
                )
        return ResourceConfiguration(*(payload_obj[key] for key in ResourceConfiguration._expected_payload_keys))

    def _validate_configuration(self):
        error = ""
        if self.cpu and self.cpu <= 0:
            error += "Invalid configuration, cpu must be greater than zero.\n"
        if self.memory_in_gb and self.memory_in_gb <= 0:
            error += "Invalid configuration, memory_in_gb must be greater than zero.\n"
        if self.gpu and not isinstance(self.gpu, int) and self.gpu <= 0:
            error += "Invalid configuration, gpu must be integer and greater than zero.\n"
        if error:
            raise WebserviceException(error)
