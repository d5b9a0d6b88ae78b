"""The notebooks still say what they are committed with: nbval runs each and compares every output."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from books import ROOT, SERIES, environment
from nbval.plugin import get_sanitize_patterns

SANITIZE = Path(__file__).with_name("sanitize.cfg")
CELL_TIMEOUT = 600  # seconds; on a busy machine the training takes some minutes


def compare(world: Path, *notebooks: Path, at_most: int = 1) -> subprocess.CompletedProcess:
    """Run notebooks one after the other with nbval, in the offline workspace of `world`, until so many cells differ."""
    command = [sys.executable, "-m", "pytest", "-p", "helpers.pytest_start", *map(str, notebooks)]
    command += ["--nbval", "--nbval-current-env"]
    command += ["--nbval-sanitize-with", str(SANITIZE), "--nbval-cell-timeout", str(CELL_TIMEOUT)]
    command += ["--rootdir", str(world), "-c", str(world / "pytest.ini"), "-p", "no:cacheprovider"]
    command += [f"--maxfail={at_most}", "-q", "-rN"]  # no summary, which repeats whole failures where CI is set
    (world / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT / 'scripts'}\n")
    shutil.copy(Path(__file__).with_name("nbval_conftest.py"), world / "conftest.py")
    return subprocess.run(command, env=environment(world), cwd=world, capture_output=True, text=True)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("paths", SERIES.values(), ids=SERIES)
def test_all_notebooks_say_what_they_are_committed_with(world, paths):
    result = compare(world, *[world / path.relative_to(ROOT) for path in paths])
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
    cells = [cell for path in paths for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert f"{len(cells)} passed" in result.stdout


def test_a_changed_output_is_told(world):
    changes = {"datasets: []": "datasets: none", "keras 3.": "keras three, not 3."}
    path = world / "notebooks" / "01_setup.ipynb"
    notebook = nbformat.read(path, as_version=4)
    streams = [output for cell in notebook.cells for output in cell.get("outputs", []) if "text" in output]
    for committed, changed in changes.items():
        (output,) = [output for output in streams if committed in output.text]
        output.text = output.text.replace(committed, changed)
    nbformat.write(notebook, path)
    result = compare(world, path, at_most=len(changes))
    assert result.returncode == 1
    assert result.stdout.count("mismatch 'stdout'") == len(changes)
    assert all(changed in result.stdout for changed in changes.values())


def test_a_notebook_finds_nothing_of_the_one_before_it(world):
    """They share a kernel here; a reader's have one each."""
    leave = "import os\nleft = os.environ['LEFT'] = 'behind'\nos.chdir('..')"
    look = "import os\nprint('left' in globals(), 'LEFT' in os.environ, os.path.basename(os.getcwd()))"
    expected = [nbformat.v4.new_output("stream", name="stdout", text="False False v2\n")]
    paths = [world / "notebooks" / "first.ipynb", world / "notebooks" / "v2" / "second.ipynb"]
    for path, source, outputs in zip(paths, (leave, look), ([], expected), strict=True):
        cell = nbformat.v4.new_code_cell(source, outputs=outputs, execution_count=1)
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    result = compare(world, *paths)
    assert result.returncode == 0, result.stdout
    assert "2 passed" in result.stdout


@pytest.mark.parametrize(
    "one, other, same",
    [
        ("the workspace is kept in .offline", "the workspace is kept in /somewhere/else", True),
        ("keras 3.15.1\nnumpy 2.3.2", "keras 3.16.0\nnumpy 2.4.0", True),
        ("keras 3.15.1", "keras missing", False),
        ("Final test accuracy: 0.9807", "Final test accuracy: 0.9751", True),
        ("run 1: Completed, accuracy 0.98", "run 1: Completed, accuracy 0.9793", True),
        ("Final test accuracy: 0.9807", "Final test accuracy: 0.9512", False),
        ("Training accuracy: 0.9998", "Training accuracy: 0.9994", True),
        ("Training accuracy: 0.9998", "Training accuracy: 0.9712", False),
        ("Final test loss: 0.1533", "Final test loss: 0.1844", True),
        ("Final test loss: 0.1533", "Final test loss: 1.1533", False),
        ("difference          0 of 10,000 images", "difference          2 of 10,000 images", True),
        ("difference          0 of 10,000 images", "difference          3 of 10,000 images", False),
        ("learning-rate        +0.31", "learning-rate        -0.04", True),
        ("learning-rate        +0.31", "batch-size           +0.31", False),
        ("mnist-dataset version 1", "mnist-dataset version 2", False),
        ("Running.....\nSucceeded", "Running\nSucceeded", True),
        (". green Succeeded on", "... green Succeeded on", True),
        (". green Succeeded on", ". green Failed on", False),
        ("http://127.0.0.1:4321/score", "http://127.0.0.1:54321/score", True),
    ],
)
def test_only_what_differs_between_machines_is_let_pass(one, other, same):
    def sanitized(text):
        for pattern, replacement in get_sanitize_patterns(SANITIZE.read_text()):
            text = re.sub(pattern, replacement, text)
        return text

    assert (sanitized(one) == sanitized(other)) == same
