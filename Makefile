# Everything from a clone: each target sets up .venv from the lock if need be.
# PYTHON names the interpreter that .venv is made with; otherwise it is the first of python3.11, 3.12 and 3.13 on PATH.
# WHEELHOUSE names a folder that `make wheelhouse` has filled: .venv is then set up from it, with no network.
PYTHON ?=
WHEELHOUSE ?=
VENV := .venv/bin

.PHONY: setup doctor run run-v2 test lab workshop workshop-reset lint bench soak outputs pictures portuguese \
	slides studio coverage-table v1-to-v2 legacy wheelhouse lock clean

# Any Python runs the set-up, which chooses the one for .venv itself.
define any-python
	@for python in "$(PYTHON)" python3 python3.11 python3.12 python3.13; do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null; then \
			exec "$$python" $(1) --python "$(PYTHON)"; \
		fi; \
	done; \
	echo "No Python was found. Install Python 3.11, 3.12 or 3.13; PYTHON= names one that is not on PATH." >&2; \
	exit 1
endef

setup:
	$(call any-python,scripts/set_up.py --wheelhouse "$(WHEELHOUSE)")

# Whether this machine is ready for a workshop, and what to do if it is not; also before the set-up.
doctor:
	$(call any-python,scripts/doctor.py)

run: setup
	$(VENV)/python scripts/run_notebooks.py

run-v2: setup
	$(VENV)/python scripts/run_notebooks.py --series v2

test: setup
	$(VENV)/python -m pytest

# JupyterLab shows what lies below its root: the notebooks' pictures are in docs/images. Root it refuses without being
# told, and in a container one often is root.
lab: setup
	$(VENV)/jupyter lab --allow-root --ip=127.0.0.1 --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/notebooks

# A learner's own copies of the notebooks and exercises, and their own world, in workshop/run/NAME. JupyterLab opens the
# first lesson; SERIES=v2 or pt is that of another series. These names mean something else in the environment, where a
# machine on WSL has its NAME: only those of make's command line count.
NAME := learner
SERIES := v1
workshop: setup
	$(VENV)/python scripts/workshop.py open --series "$(SERIES)" --name "$(NAME)"

# A late learner at the start of lesson N, with what the lessons before it make.
N :=
workshop-reset: setup
	$(VENV)/python scripts/workshop.py reset $(N) --series "$(SERIES)" --name "$(NAME)"

lint: setup
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	PYTHONPATH=helpers/offline/sdk_v1 $(VENV)/lint-imports

bench: setup
	$(VENV)/python tests/bench/run.py

# What the offline backend survives, for docs/reliability.md; takes about ten minutes.
soak: setup
	$(VENV)/python tests/soak/run.py

# The outputs that the notebooks are committed with, and that the tests expect.
outputs: setup
	$(VENV)/python scripts/make_outputs.py

# The pictures in docs/images that are drawn by a program: the map of each lesson, a run's stages, the house.
pictures: setup
	$(VENV)/python scripts/draw_pictures.py

# notebooks/pt and workshop/pt take over code and outputs from the English ones; what is left to translate is listed.
portuguese: setup
	$(VENV)/python scripts/portuguese.py

# Slides of the notebooks' cells, in output/slides; they need no network.
slides: setup
	$(VENV)/python scripts/make_slides.py

# MLflow's page on the offline workspace: its runs, curves, images and models. PORT=5001 serves it beside another one.
PORT :=
studio: setup
	$(VENV)/python scripts/studio.py $(PORT)

# docs/offline-coverage.md and offline-coverage-v2.md: what of the SDKs is supported offline.
coverage-table: setup
	$(VENV)/python scripts/coverage_table.py
	$(VENV)/python scripts/coverage_table_v2.py

# The code in docs/v1-to-v2.md, from the notebooks of both series.
v1-to-v2: setup
	$(VENV)/python scripts/compare_series.py

# The article's own stack, Python 3.7 and TensorFlow 2.0: its environment is built, and trains through the mocked SDK.
legacy: setup
	$(VENV)/python scripts/train_legacy.py

# All wheels that the set-up needs, in FOLDER, for machines with no network; FOR=macos-arm64-python3.12 is for others.
FOLDER := wheelhouse
FOR :=
wheelhouse: setup
	$(VENV)/python scripts/wheelhouse.py "$(FOLDER)" $(FOR)

# requirements.txt, the universal lock, from requirements.in.
lock: setup
	$(VENV)/uv pip compile requirements.in --universal --python-version 3.11 --upgrade --output-file requirements.txt

# Resets the world: the offline workspace and what the runner wrote. The environment stays.
clean:
	rm -rf output
	if [ -x $(VENV)/python ]; then $(VENV)/python -m helpers.offline.reset; fi
