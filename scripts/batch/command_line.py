"""The runner's command line."""

import argparse
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def parse_command_line(arguments: list[str] | None, description: str) -> argparse.Namespace:
    """The options; `description` is what --help begins with. Ends the process with 2 for what is no option."""
    parser = argparse.ArgumentParser(
        prog="run_notebooks.py", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "notebook",
        nargs="*",
        help="a name (04_train), a number (4), a range (01-06, 3-) or a path; by default all, in order",
    )
    parser.add_argument(
        "-p",
        "--parameter",
        metavar="NAME=VALUE",
        type=split_assignment,
        action="append",
        default=[],
        help="set a parameter; the text is read as the type that the notebook declares: 007 is '007' for a str "
        "and 7 for an int, None is no value where the type allows it, lists and dicts are written as in YAML",
    )
    parser.add_argument(
        "-f", "--parameters-file", metavar="YAML", type=Path, help="a mapping of parameters; what -p sets wins"
    )
    parser.add_argument(
        "--backend",
        dest="parameter",
        metavar="offline|azure",
        type=backend_assignment,
        action="append",
        help="short for -p backend=…",
    )
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        type=Path,
        help="where executed notebooks and manifest.json go; by default output/, or output/NAME of a series",
    )
    parser.add_argument(
        "--with-needed",
        action="store_true",
        help="also run the earlier notebooks that make what the chosen ones need and the workspace lacks",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="skip the first notebooks, up to one that failed or whose text, code or parameters have changed",
    )
    parser.add_argument(
        "--junit", metavar="FILE", type=Path, help="also write a report in JUnit's XML, a test case for each notebook"
    )
    parser.add_argument(
        "--html",
        metavar="FILE",
        type=Path,
        help="also write a report as one HTML page: the table and the executed notebooks with their pictures",
    )
    parser.add_argument(
        "--execution-timeout",
        metavar="SECONDS",
        type=positive_seconds,
        help="the longest that one cell may take; by default there is no limit",
    )
    parser.add_argument(
        "--series",
        metavar="NAME",
        default="",
        help="run the notebooks in this folder of the notebooks' folder, such as v2",
    )
    parser.add_argument("--notebooks", metavar="FOLDER", type=Path, default=NOTEBOOKS, help="the notebooks' folder")
    parser.add_argument(
        "--help-parameters", action="store_true", help="list the parameters of the chosen notebooks and end"
    )
    options = parser.parse_args(arguments)
    options.root = notebooks = options.notebooks.resolve()
    options.series = options.series or series_of(options.notebook, notebooks)
    options.notebooks = notebooks / options.series
    options.output = options.output or notebooks.parent / "output" / options.series
    return options


def series_of(words: list[str], notebooks: Path) -> str:
    """The series that the words are paths of notebooks in, so that their outputs do not replace another's; or none."""
    paths = [Path(word).resolve() for word in words]
    folders = {path.parent if path.suffix == ".ipynb" and path.is_file() else None for path in paths}
    in_one = folders.pop() if len(folders) == 1 else None
    return in_one.name if in_one and in_one.parent == notebooks else ""


def split_assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def backend_assignment(text: str) -> tuple[str, str]:
    if text not in ("offline", "azure"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither offline nor azure")
    return "backend", text


def positive_seconds(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number of whole seconds")
    return int(text)
