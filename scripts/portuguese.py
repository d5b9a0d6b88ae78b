"""Keep the Portuguese notebooks in step with the English ones, and list what is left to translate. `make portuguese`.

    .venv/bin/python scripts/portuguese.py
    .venv/bin/python scripts/portuguese.py --done notebooks/pt/04_train.ipynb [CELL ...]

notebooks/pt has a translation of each lesson on the SDK v1, and workshop/pt one of its exercises and of the drills,
under the same name. Of a translation only the text is its own: code, outputs, metadata and the order of the cells are
the English notebook's, and are taken over from it. A translated cell has the id of the English one and, in its metadata
under `translates`, the hash of the text that it translates; --done notes that the named cells, or all, say what the
English ones say now.

Exit codes: 0 all is translated; 1 something is left to translate; 2 what was asked for cannot be done.
"""

import argparse
import hashlib
import os
import re
import sys
from copy import deepcopy
from pathlib import Path

import in_venv  # noqa: F401 - before what may not be there
import nbformat
from plain_metadata import plain

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = (ROOT / "notebooks", ROOT / "workshop")
LANGUAGE = "pt"
HASH = "translates"
LINK = re.compile(r"(\]\()([^)\s]+)(?=\))")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--done", nargs="+", metavar=("NOTEBOOK", "CELL"), help="these cells are up to date")
    done = parser.parse_args(arguments).done
    pairs = {translation_of(path): path for path in english_notebooks()}
    if done:
        path, cells = Path(done[0]).resolve(), done[1:]
        if path not in pairs or not path.exists():
            parser.error(f"{done[0]} is no translation; there are: {', '.join(map(told, pairs))}")
        if unknown := set(cells) - {cell.id for cell in read(path).cells}:
            parser.error(f"{done[0]} has no cell {', '.join(sorted(unknown))}")
        nbformat.write(noted_as_done(read(pairs[path]), read(path), cells), path)
    left = []
    for path, english in pairs.items():
        translation = read(path) if path.exists() else nbformat.v4.new_notebook()
        followed, to_do = follow(english, read(english), translation)
        left += [f"{told(path)}: {line}" for line in to_do]
        if followed != translation:
            path.parent.mkdir(exist_ok=True)
            nbformat.write(followed, path)
            print(f"{told(path)} now follows {told(english)}")
    print(*left, f"Cells left to translate: {len(left)}", sep="\n")
    return 1 if left else 0


def english_notebooks() -> list[Path]:
    """The notebooks that are translated: the lessons on the SDK v1, their exercises, and the drills."""
    return [path for folder in FOLDERS for path in sorted(folder.glob("*.ipynb"))]


def translation_of(english: Path) -> Path:
    return english.parent / LANGUAGE / english.name


def follow(
    path: Path, english: nbformat.NotebookNode, translation: nbformat.NotebookNode
) -> tuple[nbformat.NotebookNode, list[str]]:
    """The English notebook with the translation's texts, and a line for each cell that is left to translate.

    A cell without a translation has the English text, its links as seen from where the translation is.
    """
    texts = {cell.id: cell for cell in translation.cells if cell.cell_type == "markdown"}
    followed, left = plain(deepcopy(english)), []
    for cell in followed.cells:
        if cell.cell_type != "markdown":
            continue
        translated = texts.get(cell.id)
        of = translated.metadata.get(HASH) if translated else None
        if of != digest(cell.source):
            left.append(f"{cell.id}: " + ("the English text has changed" if of else "it is not translated"))
        if of:
            cell.metadata[HASH] = of
        cell.source = translated.source if translated else with_links(cell.source, path)
    return followed, left


def noted_as_done(
    english: nbformat.NotebookNode, translation: nbformat.NotebookNode, cells: list[str]
) -> nbformat.NotebookNode:
    """The translation, whose cells of these ids (none: all) are noted as translating the English text of now."""
    noted, sources = deepcopy(translation), {cell.id: cell.source for cell in english.cells}
    for cell in noted.cells:
        if cell.cell_type == "markdown" and cell.id in sources and (not cells or cell.id in cells):
            cell.metadata[HASH] = digest(sources[cell.id])
    return noted


def digest(text: str) -> str:
    """Tells whether the words have changed; where lines break does not matter."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:16]


def with_links(text: str, english: Path) -> str:
    """The text of an English notebook with its links as its translation has them."""
    return LINK.sub(lambda found: found[1] + as_linked(found[2], english), text)


def as_linked(target: str, english: Path) -> str:
    """Where a link of an English notebook leads in its translation: to the translation of what it leads to, if any.

    That is a notebook, or a picture with words on it.
    """
    if "://" in target or target.startswith("#"):
        return target
    file, *anchor = target.split("#")
    linked = (english.parent / file).resolve()
    drawn = linked.suffix == ".svg" and translation_of(linked).exists()
    if drawn or linked in english_notebooks():
        linked = translation_of(linked)
    return "#".join([os.path.relpath(linked, translation_of(english).parent), *anchor])


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def told(path: Path) -> str:
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


if __name__ == "__main__":
    sys.exit(main())
