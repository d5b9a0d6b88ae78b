"""What a notebook shows for an experiment or a run, and where it links to."""

from html import escape

from azureml import _engine

STUDIO_LINK = "Link to the local MLflow page"
NO_STUDIO = "`make studio` serves it"
DOCS_LINK = "Link to Documentation"


def docs_url(cls):
    """The address of the documentation of one of the SDK's classes."""
    address = "https://docs.microsoft.com/en-us/python/api/azureml-core/{}.{}?view=azure-ml-py"
    return address.format(cls.__module__, cls.__name__)


def studio_page(address):
    """For table(): the link to a page of MLflow's, or what to do while there is none."""
    return (address, STUDIO_LINK) if _engine.studio.is_up() else (None, NO_STUDIO)


def table(values, links):
    """One row of cells under its headings, as HTML.

    values: dict of heading to text. links: dict of heading to (address, text); without an address it is only the text.
    """
    cells = {heading: escape(str(value)) for heading, value in values.items()}
    for heading, (address, text) in links.items():
        cells[heading] = link(address, escape(text)) if address else escape(text)
    headings = "".join(f"<th>{escape(heading)}</th>" for heading in cells)
    row = "".join(f"<td>{cell}</td>" for cell in cells.values())
    return f'<table style="width:100%"><tr>{headings}</tr><tr>{row}</tr></table>'


def link(address, shown):
    """A link that opens in a page of its own, as HTML; `shown` is HTML already."""
    return f'<a href="{escape(address)}" target="_blank" rel="noopener">{shown}</a>'
