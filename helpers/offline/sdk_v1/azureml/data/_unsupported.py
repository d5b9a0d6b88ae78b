"""Classes of which only a part is supported: their other members say so."""

from azureml import _strict


class _UnsupportedMembers(type):
    """Metaclass: a public member that the class lacks raises UnsupportedNameError."""

    def __getattr__(cls, name):
        if name.startswith("_"):
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        raise _strict.UnsupportedNameError(_strict._message(f"{cls.__name__}.{name}"))
