# Everything sets itself up: Python 3.11 or newer and make are all that is needed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
comma := ,

.PHONY: demo test coverage pythons lowest elsewhere lint types check docs record record-langchain clients browser test-page test-ray bench build clean

demo: $(READY)  ## Show the main job on the model servers of this machine.
	$(BIN)/python examples/demo.py

# One more than there are cores: tests wait for much of their time.
WORKERS ?= $(shell $(PYTHON) -c "import os; print((os.cpu_count() or 1) + 1)")
TESTS ?= tests
MARKS ?= not slow and not exhaustive and not ray
PYTEST = -m pytest -q -n $(WORKERS) --dist worksteal

test: $(READY)  ## Run all tests but the slow and the exhaustive ones.
	$(BIN)/python $(PYTEST) -m "$(MARKS)" $(TESTS)

# What is exhaustive would take for ever while it is traced.
coverage: $(READY)  ## Run every test, and print the branch coverage.
	$(BIN)/python $(PYTEST) -m "not exhaustive and not ray" --cov
	$(BIN)/python $(PYTEST) -m exhaustive

# Each in an environment of its own; what is not on this machine is said.
pythons:  ## Run what `make test` runs on newer Pythons.
	for python in $$(.ci/pythons 3.12 3.13); do \
	    $(MAKE) elsewhere PYTHON=$$python || exit 1; \
	done

# What pyproject.toml promises at least.
lowest:  ## Run the adapters' tests with the lowest frameworks.
	$(MAKE) elsewhere PINS='"langchain-core==1.6.*" "llama-index-core==0.14.23"' \
	    MARKS="not exhaustive" TESTS="tests/langchain tests/llamaindex"

ELSEWHERE := .venv-elsewhere
elsewhere:
	rm -rf $(ELSEWHERE)
	$(PYTHON) -m venv $(ELSEWHERE)
	$(ELSEWHERE)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(ELSEWHERE)/bin/python -m pip install --quiet --editable ".[all]" --group test $(PINS)
	$(ELSEWHERE)/bin/python $(PYTEST) -m "$(MARKS)" $(TESTS)
	rm -rf $(ELSEWHERE)

lint: $(READY)
	$(BIN)/ruff format --check
	$(BIN)/ruff check

# What a user writes is read by pyright here; the gate's tests have mypy read it too, as a user has it.
types: $(READY)
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/typed -m "not exhaustive"

check: test lint types  ## Run all that must pass before a commit.

# It prints a notice of its own about the future of MkDocs, which says nothing of our pages.
export NO_MKDOCS_2_WARNING := 1

docs: $(READY)  ## Build the site of docs/ in site/; warnings are errors, and nothing is from elsewhere.
	$(BIN)/python -m pip install --quiet --group docs
	$(BIN)/mkdocs build --quiet --strict
	$(BIN)/python -m tests.site.elsewhere site

# KIND is the folder under cassettes/ with a dash: ollama-0.33.0-rc2, lmstudio-0.4. URL may be two
# addresses with a comma. A new version is a line in SOURCES in tests/replay/conftest.py first.
record: $(READY)  ## Record the scenarios from a real server: make record KIND=... URL=...
	$(BIN)/python -m pytest tests/replay -k "$(KIND) and not samples and (core-sync or trap)" \
	    $(foreach url,$(subst $(comma), ,$(URL)),--url $(url))

# The server must hold localmix-tiny, localmix-tiny-embed and a copy of the first, localmix-other.
record-langchain: $(READY)  ## Record LangChain's standard suite from a real Ollama: URL=...
	$(BIN)/python -m pytest tests/langchain/test_standard.py -k TestOllama --url $(URL) \
	    -W ignore::pytest_benchmark.logger.PytestBenchmarkWarning

clients: $(READY)  ## Point clients that are no Python packages at the proxy; says what each needs.
	$(BIN)/python -m tests.proxy

# Chromium is the system's, from Debian's packages; elsewhere say CHROMIUM=/where/it/is.
export CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser)

browser:  ## Install Chromium from the system's packages, unless it is there.
	$(if $(CHROMIUM),,apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium)

test-page: $(READY) browser  ## Run the page of the proxy in a real browser.
	$(BIN)/python -m pip install --quiet --group ui
	CHROMIUM=$${CHROMIUM:-$$(command -v chromium)} $(BIN)/python -m pytest -q tests/page

test-ray: $(READY)  ## Run jobs on a cluster of this machine; brings Ray, some 500 MB.
	$(BIN)/python -m pip install --quiet --editable ".[all,ray]" --group ray
	$(BIN)/python -m pytest -q tests/ray

bench: $(READY)  ## Print the cost of our layers beside raw httpx and the peers.
	$(BIN)/python benchmarks/layers.py
	$(BIN)/python benchmarks/long_answers.py
	$(BIN)/python benchmarks/langchain_peers.py
	$(BIN)/python benchmarks/routing.py
	$(BIN)/python benchmarks/observing.py
	$(BIN)/python benchmarks/llamaindex.py
	$(BIN)/python benchmarks/proxy.py
	$(BIN)/python benchmarks/bulk.py

build: $(READY)  ## Build the wheels and the source distributions, also of the tiny models.
	$(BIN)/python -m build
	$(BIN)/python -m build --outdir dist examples/tiny-model

clean:
	rm -rf $(VENV) .venv-* dist site .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis

# `pip install --group` needs pip 25.1.
$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable ".[all]" --group dev
	touch $(READY)
