# Everything sets itself up: Python 3.11 or newer and make are all that is needed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: demo test lint types check bench build clean

demo: $(READY)  ## Show the main job on the model servers of this machine.
	$(BIN)/python examples/demo.py

test: $(READY)  ## Run every test and print the branch coverage.
	$(BIN)/python -m pytest --cov

lint: $(READY)
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: $(READY)
	$(BIN)/mypy

check: test lint types  ## Run all that must pass before a commit.

bench: $(READY)  ## Print the cost of our layers beside raw httpx and the peers.
	$(BIN)/python benchmarks/layers.py

build: $(READY)  ## Build the wheel and the source distribution.
	$(BIN)/python -m build

clean:
	rm -rf $(VENV) dist .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis

# `pip install --group` needs pip 25.1.
$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable ".[all]" --group dev
	touch $(READY)
