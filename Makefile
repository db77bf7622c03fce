# make demo   train a network on handwritten digits, with light dependencies only
# make test   install everything (JAX, PyTorch, TensorFlow, SymPy, tools) and run all checks and tests
# make docs   build the documentation in site/, with the proofs of this very code (its search needs a server: python3 -m http.server -d site)
# make playground docs   the same, with the prover in the browser (npm fetches Python for browsers, in a pinned version)
# make accuracy   measure what the documentation says of accuracy again (minutes)
# make long-tests   kills, scikit-learn's checks on every backend, 13,000 wrong inputs, all of what make test samples: an hour
# make clean

PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/pip install -qq --disable-pip-version-check --constraint constraints.txt
CODE := $(shell find nerva_core backends sympy_validation -name '*.py')

.PHONY: demo test check docs playground accuracy long-tests clean release-check

demo: $(VENV)/.light
	$(VENV)/bin/nerva train

test: export OMP_NUM_THREADS := 1
test: check
	$(VENV)/bin/python -m pytest -n 3 --dist worksteal

check: $(VENV)/.full
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

long-tests: export OMP_NUM_THREADS := 1
long-tests: | $(VENV)/.full
	$(VENV)/bin/python -m tests.long.kill --kills 50
	$(VENV)/bin/python -m tests.long.fuzz --examples 1000
	$(VENV)/bin/python -m tests.long.estimators
	$(VENV)/bin/python -m pytest -n 2 --dist worksteal --all-samples -m sampled

docs: build/proofs.json
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs build --strict

playground: | $(VENV)/.full
	$(VENV)/bin/python -m docs.generator.playground

build/proofs.json: $(CODE) | $(VENV)/.full
	mkdir -p build
	$(VENV)/bin/nerva prove --quiet --json $@

release-check: $(VENV)/.full
	$(VENV)/bin/python -m tests.long.release

accuracy: | $(VENV)/.full
	mkdir -p build
	$(VENV)/bin/nerva compare --json build/accuracy.json
	$(VENV)/bin/python -m docs.generator.evidence build/accuracy.json docs/data/accuracy.json

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; try: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.light: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable .
	touch $@

$(VENV)/.full: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable '.[all,dev,docs]'
	touch $@ $(VENV)/.light

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis site
