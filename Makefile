# Two commands do all the set-up: `make demo` and `make test`.

PYTHON ?= python3
# Tests at a time. Most of them wait for a server or a clock, so two for each core; they need no more of a machine.
TESTERS ?= 4
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Some machines set it; then each of the thousand processes of the tests would compile all modules anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test tests test-fast test-extra test-pythons lint style types prove bench scale-out docs pictures clean help

help:
	@echo "make demo        install into .venv and run phase 4.1 on the embedded stack"
	@echo "make test        lint, then all tests, with as many defects as fail every check (about 12 minutes on two cores)"
	@echo "make test-fast   all tests but those that start stacks or a process each, wait for times, or install (2 minutes)"
	@echo "make lint        ruff and mypy --strict"
	@echo "make prove       all defects against the checks named for them, and what is repeated a hundred times (hours)"
	@echo "make bench       speed and memory, beside named tools"
	@echo "make test-extra  tests against software that they install (root, Debian)"
	@echo "make test-pythons  the wheel, and each extra alone, on every Python that is found, at lowest and newest versions (root, Debian)"
	@echo "make docs        the documentation, into site/ (strict: every link and anchor is checked)"
	@echo "make pictures    the pictures of the README and the documentation (needs chromium)"
	@echo "make clean       remove .venv and caches"

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "xnai-validate needs Python 3.11 or later; name one: make PYTHON=/path/to/python3.11"; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no venv module; on Debian: apt-get install python3-venv"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --editable '.[dev]'
	@touch $@

demo: $(STAMP)
	@$(BIN)/xnai-validate run phase4.1 --demo

lint: style types

style: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	nice $(BIN)/mypy

# Files go to the testers in the order of collection, which tests/conftest.py makes: what takes long begins first.
PYTEST = $(BIN)/python -m pytest -n $(TESTERS) --dist loadfile --no-loadscope-reorder

# mypy takes a minute of a processor: beside the tests that begin first, and mostly wait, it takes none of anyone's time.
test: style
	@$(MAKE) --no-print-directory --jobs 2 types tests

# In a fresh checkout each tester would compile all tests by itself: they are compiled once, beside mypy.
tests: $(STAMP)
	@test -d tests/__pycache__ || $(BIN)/python -m pytest --collect-only > /dev/null || true
	$(PYTEST)

# Those that are left out start stacks or a process each, wait for times, kill runs, or install or copy the package.
SLOW := e2e faults field packaging pytest_plugin test_contributing.py demo/processes demo/defects \
	checkers/breaker checkers/health/test_truth.py checkers/load/test_bounds.py \
	checkers/http/test_contract.py checkers/http/test_openapi.py checkers/http/test_openapi_hostile.py \
	workers/test_runner.py workers/test_vantage_points.py workers/test_cluster.py workers/test_logs.py \
	cli/running/test_loads_sent.py cli/commands/test_prove.py \
	cli/commands/test_watch.py cli/commands/test_serve.py cli/running/earlier_runs/test_resume.py \
	docs/test_site.py docs/test_examples.py cli/test_main.py cli/test_interrupts.py cli/terminal/test_standard_streams.py

test-fast: $(STAMP)
	$(PYTEST) $(SLOW:%=--ignore=tests/%)

test-extra: $(STAMP)
	$(BIN)/python -m pytest -m extra

test-pythons: $(STAMP)
	$(BIN)/python -m pytest tests/packaging -m 'not prove'

prove: $(STAMP)
	$(BIN)/xnai-validate prove
	$(BIN)/python -m pytest -m prove

bench: $(STAMP)
	$(BIN)/python -m bench $(filter scale-out,$(MAKECMDGOALS))

scale-out: bench
	@:

docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

pictures: $(STAMP)
	$(BIN)/python -m manual.pictures

clean:
	rm -rf $(VENV) site .mypy_cache .ruff_cache .pytest_cache .hypothesis
