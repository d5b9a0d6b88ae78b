# Everything from a clone: each target sets up .venv from the lock if need be.
# PYTHON is the interpreter that .venv is made with: 3.11 or newer.
PYTHON ?= python3.11
VENV := .venv/bin
ready := .venv/ready

.PHONY: run test lab lint bench outputs pictures studio coverage-table legacy lock clean

run: $(ready)
	$(VENV)/python scripts/run_notebooks.py

test: $(ready)
	$(VENV)/python -m pytest

# JupyterLab shows what lies below its root: the notebooks' pictures are in docs/images.
lab: $(ready)
	$(VENV)/jupyter lab --ip=127.0.0.1 --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/notebooks

lint: $(ready)
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .

bench: $(ready)
	$(VENV)/python tests/bench/run.py

# The outputs that the notebooks are committed with, and that the tests expect.
outputs: $(ready)
	$(VENV)/python scripts/make_outputs.py

# The pictures in docs/images that are drawn by a program: the map of each lesson, a run's stages, the house.
pictures: $(ready)
	$(VENV)/python scripts/draw_pictures.py

# MLflow's page on the offline workspace: its runs, curves, images and models.
studio: $(ready)
	$(VENV)/python scripts/studio.py

# docs/offline-coverage.md: what of the real SDK the mocked one supports.
coverage-table: $(ready)
	$(VENV)/python scripts/coverage_table.py

# The article's own stack, Python 3.7 and TensorFlow 2.0: its environment is built, and trains through the mocked SDK.
legacy: $(ready)
	$(VENV)/python scripts/train_legacy.py

# requirements.txt, the universal lock, from requirements.in.
lock: $(ready)
	$(VENV)/uv pip compile requirements.in --universal --python-version 3.11 --upgrade --output-file requirements.txt

# Resets the world: the offline workspace and what the runner wrote. The environment stays.
clean:
	rm -rf output
	if [ -x $(VENV)/python ]; then $(VENV)/python -m helpers.offline.reset; fi

$(ready): requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(VENV)/pip install --quiet --requirement requirements.txt
	PYTHONWARNINGS=ignore $(VENV)/pip install --quiet --no-deps --editable .
	touch $(ready)
