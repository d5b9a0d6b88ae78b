"""Showing things where the code runs: in a notebook's page, or on a terminal."""

import sys


def in_notebook() -> bool:
    """Whether there is a front end that shows HTML and pictures, and replaces what it shows."""
    if "IPython" not in sys.modules:  # which takes half a second to import, and every notebook has
        return False
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None


def show(data: dict, handle=None):
    """Show what `data` holds by MIME type, "text/plain" among them; on a terminal, that is printed.

    Returns a handle, with which another call replaces what is shown; None on a terminal.
    """
    if not in_notebook():
        print(data["text/plain"])
        return None
    from IPython.display import display

    if handle is None:
        return display(data, raw=True, display_id=True)
    handle.update(data, raw=True)
    return handle
