"""The notebooks' metadata, as they are committed and as JupyterLab leaves them."""

import nbformat
import plain_metadata
from small_notebooks import jupyterlab_opens, write_notebook


def test_a_notebook_that_was_only_opened_is_as_before(tmp_path):
    path = write_notebook(tmp_path, "02_b", "x = 1", needs={"01_a": {"dataset": "name"}})
    assert plain_metadata.main([str(path)]) == 1
    before = path.read_bytes()
    jupyterlab_opens(path)
    assert path.read_bytes() != before
    assert plain_metadata.main([str(path)]) == 1
    assert path.read_bytes() == before
    assert plain_metadata.main([str(path)]) == 0
    assert nbformat.read(path, as_version=4).metadata.workspace.needs == {"01_a": {"dataset": "name"}}
