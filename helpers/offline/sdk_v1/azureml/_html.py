"""What a notebook shows for an experiment or a run, and where it links to."""

from html import escape

STUDIO = "http://127.0.0.1:5000/#"  # the MLflow page of the offline workspace, once `make studio` serves it
STUDIO_LINK = "Link to the local MLflow page"
DOCS_LINK = "Link to Documentation"


def docs_url(cls):
    """The address of the documentation of one of the SDK's classes."""
    address = "https://docs.microsoft.com/en-us/python/api/azureml-core/{}.{}?view=azure-ml-py"
    return address.format(cls.__module__, cls.__name__)


def table(values, links):
    """One row of cells under its headings, as HTML.

    values: dict of heading to text. links: dict of heading to (address, text).
    """
    cells = {heading: escape(str(value)) for heading, value in values.items()}
    for heading, (address, text) in links.items():
        cells[heading] = f'<a href="{escape(address)}" target="_blank" rel="noopener">{escape(text)}</a>'
    headings = "".join(f"<th>{escape(heading)}</th>" for heading in cells)
    row = "".join(f"<td>{cell}</td>" for cell in cells.values())
    return f'<table style="width:100%"><tr>{headings}</tr><tr>{row}</tr></table>'
