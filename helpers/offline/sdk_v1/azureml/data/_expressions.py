"""What `dataset["column"]` gives, and what comes of comparing it: which rows filter() keeps, as the engine reads it."""

from azureml._strict import unsupported


class _Expression:
    """An operator and what it is done to."""

    def __init__(self, *expression):
        self._expression = list(expression)

    def _with(self, verb, *others):
        return _Expression(verb, self._expression, *(_plain(other) for other in others))

    def __eq__(self, other):
        return self._with("==", other)

    def __ne__(self, other):
        return self._with("!=", other)

    __hash__ = None

    def __lt__(self, other):
        return self._with("<", other)

    def __le__(self, other):
        return self._with("<=", other)

    def __gt__(self, other):
        return self._with(">", other)

    def __ge__(self, other):
        return self._with(">=", other)

    def __add__(self, other):
        return self._with("+", other)

    def __sub__(self, other):
        return self._with("-", other)

    def __mul__(self, other):
        return self._with("*", other)

    def __truediv__(self, other):
        return self._with("/", other)

    def __floordiv__(self, other):
        return self._with("//", other)

    def __mod__(self, other):
        return self._with("%", other)

    def __pow__(self, other):
        return self._with("**", other)

    def __and__(self, other):
        return self._with("&", other)

    def __or__(self, other):
        return self._with("|", other)

    def __invert__(self):
        return self._with("~")

    def __bool__(self):
        raise RuntimeError("Data prep expressions cannot be used in conditional expressions. Use one of &, | and ~.")

    def contains(self, value):
        """Whether the text has this in it."""
        return self._with("contains", value)

    def starts_with(self, value):
        """Whether the text begins with this."""
        return self._with("starts_with", value)

    def ends_with(self, value):
        """Whether the text ends with this."""
        return self._with("ends_with", value)

    def length(self):
        """How long the text is."""
        return self._with("length")

    def to_upper(self):
        """The text in upper case."""
        return self._with("to_upper")

    def to_lower(self):
        """The text in lower case."""
        return self._with("to_lower")

    def is_null(self):
        """Whether there is no value."""
        return self._with("is_null")

    def substring(self, start, length=None):
        """Not supported offline."""
        unsupported("substring() in a filter")


def column(name):
    """A column's values, as an expression."""
    return _Expression("column", name)


def _plain(value):
    if isinstance(value, _Expression):
        return value._expression
    if value is None or isinstance(value, (bool, int, float, str)):
        return ["value", value]
    if hasattr(value, "isoformat"):
        return ["moment", value.isoformat()]
    return unsupported(f"A {type(value).__name__} in a filter")
