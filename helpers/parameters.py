"""The types of the notebooks' parameters: what the cell tagged `parameters` says of a value beyond text or number.

Python does not check them; scripts/run_notebooks.py does, before it runs anything. They are single words because that
is as much of an annotation as `papermill --help-notebook` understands.
"""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, StringConstraints

__all__ = [
    "Accuracy",
    "Backend",
    "ClusterName",
    "NonNegativeInt",
    "PositiveFloat",
    "PositiveInt",
    "Seed",
    "ServiceName",
    "Share",
]

Backend = Literal["offline", "azure"]
Share = Annotated[float, Field(ge=0, lt=1)]
Accuracy = Annotated[float, Field(ge=0, le=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]  # what NumPy and Keras take

# As Azure takes them: see azureml.core.compute's and azureml.core.webservice's own messages.
ClusterName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,22}[A-Za-z0-9]$")]
ServiceName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,30}[a-z0-9]$")]
