"""The parts of a run configuration: fixed sets of attributes that are written and read in camelCase."""

from enum import Enum
from pathlib import Path


class ConfigElement:
    """Base of the parts.

    `_fields` maps an attribute to how its value is read back: bool, int, an Enum, another ConfigElement,
    [kind] for a list and {str: kind} for a dict of one, or None for a value taken as it is. Its order is that of the
    written form.
    A leading underscore is no part of the written name; `_written_as` holds other names.
    """

    _fields = {}
    _written_as = {}

    def __setattr__(self, name, value):
        # Once made, an element takes no new attribute: a misspelt setting is an error, not a setting ignored.
        if self.__dict__.get("_initialized") and not hasattr(self, name):
            raise AttributeError(f"{type(self)} has no attribute {name}")
        super().__setattr__(name, value)

    @classmethod
    def _key(cls, attribute):
        return cls._written_as.get(attribute) or camel_case(attribute.lstrip("_"))

    def _serialize_to_dict(self):
        return {self._key(attribute): serialize(getattr(self, attribute)) for attribute in self._fields}

    @classmethod
    def _deserialize(cls, values):
        return cls()._populate(values)

    def _populate(self, values):
        """Set the attributes that `values`, a dict with keys in camelCase or snake_case, speaks of."""
        values = {camel_case(key): value for key, value in values.items()}
        for attribute, kind in self._fields.items():
            if self._key(attribute) in values:
                setattr(self, attribute, _read(kind, values[self._key(attribute)]))
        return self


def serialize(value):
    """`value` with every element in it, at any depth, in its written form."""
    if isinstance(value, ConfigElement):
        return value._serialize_to_dict()
    if isinstance(value, list):
        return [serialize(item) for item in value]
    if isinstance(value, dict):
        return {key: serialize(item) for key, item in value.items()}
    if isinstance(value, Enum):
        return value.value
    return value


def config_folder(project):
    """The name of the folder below `project` that its configuration files are kept in."""
    return "aml_config" if (Path(project) / "aml_config").exists() else ".azureml"


def camel_case(name):
    """`max_nodes` → `maxNodes`."""
    first, *others = name.split("_")
    return first[:1].lower() + first[1:] + "".join(word.title() for word in others)


def _read(kind, value):
    if kind is None or value is None:
        return value
    if isinstance(kind, list):
        return [_read(kind[0], item) for item in value]
    if isinstance(kind, dict):
        return {key: _read(kind[str], item) for key, item in value.items()}
    if issubclass(kind, ConfigElement):
        return kind._deserialize(value)
    return kind(value)
