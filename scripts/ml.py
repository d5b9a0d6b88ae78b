"""The command `ml` (see helpers/ml/) from a clone: `.venv/bin/python scripts/ml.py job list -o table`."""

import in_venv  # noqa: F401 - before what may not be there

from helpers.ml.command import main

if __name__ == "__main__":
    main(prog_name="ml")
