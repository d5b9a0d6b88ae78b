"""What Dataset.Tabular is told of its files."""

from enum import Enum

from azureml._strict import module_getattr

__getattr__ = module_getattr(__name__)


class PromoteHeadersBehavior(Enum):
    """Which of the files have the columns' names in their first line."""

    NO_HEADERS = 0
    ONLY_FIRST_FILE_HAS_HEADERS = 1
    COMBINE_ALL_FILES_HEADERS = 2
    ALL_FILES_HAVE_SAME_HEADERS = 3
