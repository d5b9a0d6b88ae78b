"""Numbers as words go with them."""


def counted(number: float, noun: str) -> str:
    """The number with its noun, in the plural unless it is 1: "1 trial", "10,000 images"."""
    figure = f"{number:,}" if isinstance(number, int) else f"{number:,g}"
    return f"{figure} {noun}" if number == 1 else f"{figure} {noun}s"
