# make demo   train a network on handwritten digits, with light dependencies only
# make test   install everything (JAX, PyTorch, TensorFlow, SymPy, tools) and run all checks and tests
# make docs, make clean

PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/pip install -qq --disable-pip-version-check --constraint constraints.txt
SOURCES := nerva_core backends sympy_validation tests

.PHONY: demo test check clean

demo: $(VENV)/.light
	$(VENV)/bin/nerva train

test: export OMP_NUM_THREADS := 1
test: check
	$(VENV)/bin/python -m pytest -n 2

check: $(VENV)/.full
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; try: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.light: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable .
	touch $@

$(VENV)/.full: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable '.[all,dev]'
	touch $@ $(VENV)/.light

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis site
