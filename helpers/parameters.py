"""The types of the notebooks' parameters: what the cell tagged `parameters` says of a value beyond text or number.

Python does not check them; scripts/run_notebooks.py does, before it runs anything. They are single words because that
is as much of an annotation as `papermill --help-notebook` understands.
"""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, NonNegativeInt, PositiveFloat, PositiveInt
from pydantic_core import PydanticCustomError

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


def _text(pattern: str, rule: str):
    """Text of this pattern; of any other the rule is told, which is in words."""

    def check(text: str) -> str:
        if re.fullmatch(pattern, text):
            return text
        raise PydanticCustomError("rule", rule)

    return Annotated[str, AfterValidator(check)]


Backend = Literal["offline", "azure"]
Share = Annotated[float, Field(ge=0, lt=1)]
Accuracy = Annotated[float, Field(ge=0, le=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]  # what NumPy and Keras take

# As Azure takes them: see azureml.core.compute's and azureml.core.webservice's own messages.
ClusterName = _text(
    "[A-Za-z][A-Za-z0-9-]{0,22}[A-Za-z0-9]",
    "a name has 2 to 24 letters, digits and hyphens, begins with a letter and does not end in a hyphen",
)
ServiceName = _text(
    "[a-z][a-z0-9-]{1,30}[a-z0-9]",
    "a name has 3 to 32 lowercase letters, digits and hyphens, begins with a letter and does not end in a hyphen",
)
