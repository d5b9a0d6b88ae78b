"""A pytest plugin that pyproject.toml names: pytest starts a second sooner, since nbval's imports come quickly."""

from helpers.imports import quick_import

with quick_import():
    import nbformat  # noqa: F401 - nbval imports it as pytest starts, whether notebooks are to be tested or not
