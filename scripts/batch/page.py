"""The report as one HTML page: the table, and each executed notebook with its pictures, for reading and for keeping.

Everything is in the file. Its policy lets a browser fetch nothing and run nothing, whatever an output holds.
"""

import base64
import html
import mimetypes
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat

from batch.junit import xml_text
from batch.links import file_name
from batch.outcome import ANSI_SEQUENCE, ERROR_MARKER_TAG, read_executed
from batch.preparation import Work
from batch.report import describe_stop, summary

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
STYLE = """
:root { color-scheme: light dark; --line: #d0d7de; --soft: #f6f8fa; --link: #0969da; --good: #1a7f37; --bad: #cf222e }
@media (prefers-color-scheme: dark) {
  :root { --line: #3d444d; --soft: #1c2128; --link: #4493f8; --good: #3fb950; --bad: #f85149 }
}
body { margin: 0 auto; max-width: 60rem; padding: 1rem }
body { font: 16px/1.5 system-ui, sans-serif; overflow-wrap: break-word }
a[href] { color: var(--link) }
table { border-collapse: collapse; display: block; overflow-x: auto }
th, td { border: 1px solid var(--line); padding: .25rem .6rem; text-align: left }
td.number { text-align: right }
section { border-top: 2px solid var(--line); margin-top: 2rem }
pre { margin: .5rem 0; overflow-x: auto; padding: .5rem .75rem; font: 13px/1.45 ui-monospace, monospace }
pre.source { background: var(--soft); border-left: 3px solid var(--line) }
.failed > pre.source { border-left-color: var(--bad) }
pre.error, tr.failed strong, tr.interrupted strong { color: var(--bad) }
tr.ok strong { color: var(--good) }
img { max-width: 100%; height: auto }
"""


def write_page(path: Path, work: Work) -> None:
    """Write the page. Raises OSError."""
    entries = work.entries()
    lines = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(work.output.name)}: executed notebooks</title>\n<style>{STYLE}</style>\n</head>\n<body>",
        f"<h1>Executed notebooks</h1>\n<p>{html.escape(summary(work, entries))}</p>",
        *table(entries),
    ]
    for notebook in work.notebooks:
        if entries[notebook.stem] is not None:
            lines += section(notebook, work, entries)
    path.write_text(xml_text("\n".join([*lines, "</body>\n</html>\n"])), encoding="utf-8")


def table(entries: dict[str, dict | None]) -> Iterator[str]:
    yield "<table>\n<tr><th>notebook</th><th>result</th><th>cells</th><th>seconds</th><th>recorded</th></tr>"
    for name, entry in entries.items():
        if entry is None:
            yield f"<tr><td>{html.escape(name)}</td><td>not run</td><td></td><td></td><td></td></tr>"
            continue
        recorded = "<br>".join(html.escape(f"{result}: {value}") for result, value in entry["results"].items())
        yield (
            f'<tr class="{entry["result"]}"><td><a href="#{html.escape(name)}">{html.escape(name)}</a></td>'
            f'<td><strong>{entry["result"]}</strong></td><td class="number">{entry["cells_run"]}/{entry["cells"]}</td>'
            f'<td class="number">{entry["seconds"]:.1f}</td><td>{recorded}</td></tr>'
        )
    yield "</table>"


def section(notebook: Path, work: Work, entries: dict[str, dict | None]) -> Iterator[str]:
    """The executed notebook, cell by cell, below what stopped it, if anything did."""
    name, entry = notebook.stem, entries[notebook.stem]
    yield f'<section id="{html.escape(name)}" class="{entry["result"]}">\n<h2>{html.escape(name)}</h2>'
    if entry["result"] != "ok":
        yield f'<pre class="error">{html.escape(chr(10).join(describe_stop(work, name, entry)))}</pre>'
    executed = read_executed(work.output / notebook.name)
    for cell in executed.cells if executed else ():
        if ERROR_MARKER_TAG in cell.metadata.get("tags", []):
            continue  # papermill's words on what is told above
        if cell.cell_type == "markdown":
            yield prose(cell.source, work.output, entries)
        elif cell.cell_type == "code":
            yield f'<div class="{cell.metadata.get("papermill", {}).get("status", "")}">'
            yield f'<pre class="source">{html.escape(cell.source)}</pre>'
            yield from map(output_html, joined(cell.outputs))
            yield "</div>"
    yield "</section>"


def prose(source: str, folder: Path, entries: dict[str, dict | None]) -> str:
    """A markdown cell: headings one level down, pictures of the folder in it, links that lead somewhere from here."""
    from nbconvert.filters import markdown2html  # takes a second, for which only this page has to wait

    text = re.sub(r'<a class="anchor-link".*?</a>', "", markdown2html(source))
    text = re.sub(
        r"<h([1-5])[^>]*>(.*?)</h\1>", lambda m: f"<h{int(m[1]) + 1}>{m[2]}</h{int(m[1]) + 1}>", text, flags=re.S
    )
    text = re.sub(r'(<img\b[^>]*?\bsrc=")([^":]+)"', lambda m: f'{m[1]}{data_address(folder / file_name(m[2]))}"', text)
    return re.sub(r'<a href="([^"]*)"', lambda m: f"<a{link(m[1], entries)}", text)


def data_address(picture: Path) -> str:
    """The picture itself as an address; empty where there is no such picture: its alternative text is shown then."""
    kind, _ = mimetypes.guess_type(picture.name)
    if not (kind or "").startswith("image/") or not picture.is_file():
        return ""
    return f"data:{kind};base64,{base64.b64encode(picture.read_bytes()).decode()}"


def link(target: str, entries: dict[str, dict | None]) -> str:
    """A link's attribute: to a notebook of the page or to the web; none for a file, which is not beside the page.

    A notebook of the same name in another folder is that of another series.
    """
    file = Path(file_name(target.partition("#")[0]))
    if file.name == str(file) and file.suffix == ".ipynb" and entries.get(file.stem):
        return f' href="#{html.escape(file.stem)}"'
    return f' href="{target}"' if target.startswith("https://") else ""


def joined(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """The outputs; what was printed in a row is one of them, in however many pieces the kernel has sent it."""
    whole = []
    for output in outputs:
        if whole and output.output_type == "stream" and whole[-1].get("name") == output.name:
            whole[-1].text += output.text
        else:
            whole.append(output)
    return whole


def output_html(output: nbformat.NotebookNode) -> str:
    """The richest form of an output that a page can show."""
    if output.output_type == "stream":
        return f"<pre>{plain(output.text)}</pre>"
    if output.output_type == "error":
        return f'<pre class="error">{plain(chr(10).join(output.traceback))}</pre>'
    data = output.get("data", {})
    if "text/html" in data:
        return f"<div>{data['text/html']}</div>"
    for kind in ("image/png", "image/jpeg", "image/svg+xml"):
        if kind in data:
            content = (
                base64.b64encode(data[kind].encode()).decode() if kind.endswith("xml") else data[kind].replace("\n", "")
            )
            alt = output.metadata.get(kind, {}).get("alt") or data.get("text/plain", "")
            return f'<img src="data:{kind};base64,{content}" alt="{html.escape(alt)}">'
    return f"<pre>{plain(data['text/plain'])}</pre>" if data.get("text/plain") else ""


def plain(text: str) -> str:
    return html.escape(ANSI_SEQUENCE.sub("", text))
