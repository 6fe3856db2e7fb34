# Needs make and Python 3.11 or newer; everything else is installed into $(VENV), at locked versions.
# Another interpreter: make test PYTHON=python3.13 (beside the first one: VENV=.venv-3.13).

PYTHON  ?= python3
VENV    ?= .venv
BIN     := $(VENV)/bin
VERSION := $(shell $(PYTHON) -c 'import platform; print(platform.python_version())' 2>/dev/null)
STAMP   := $(VENV)/.made-for-$(VERSION)
UV      := uv==0.13.9

.DEFAULT_GOAL := help
.PHONY: help demo check test e2e proof soak mutants bench lint lock venv clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(STAMP) ## deploy in the simulator and watch
	$(BIN)/bluegreen demo

check: export BLUEGREEN_EXAMPLES ?= 20
check: lint ## lint, types, unit tests, small properties (90 seconds)
	$(BIN)/pytest -n 2 --dist worksteal -m "not slow and not process and not proof and not exhaustive"

test: export BLUEGREEN_EXAMPLES ?= 100
test: lint ## every tier at its small size (12 minutes)
	$(BIN)/pytest -n 2 --dist worksteal -m "not proof"

e2e: $(STAMP) ## with real programs from Debian's packages and others, installed when missing
	tests/e2e/install.sh
	$(BIN)/pip install -qq --require-hashes --no-deps -r requirements/e2e.txt
	$(BIN)/pytest tests/e2e

proof: ## the campaigns (45 minutes on two cores)
proof: export BLUEGREEN_EXAMPLES ?= 2000
proof: export BLUEGREEN_PROOF ?= 1
soak: ## the campaigns, ten times as large (hours)
soak: export BLUEGREEN_EXAMPLES ?= 20000
soak: export BLUEGREEN_PROOF ?= 10
soak: mutants
proof soak: $(STAMP)
	$(BIN)/pytest -n 2 --dist worksteal -m proof

mutants: $(STAMP) ## every mutant of the core against its fast tests (20 minutes; part of a soak)
	$(BIN)/python tests/mutation/score.py

bench: $(STAMP) ## measure; figures go to benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks --write

lint: $(STAMP) ## ruff and mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

LOCK := pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock"
lock: ## resolve requirements/ anew from pyproject.toml
	$(PYTHON) -m venv --clear .venv-lock
	.venv-lock/bin/pip install -qq $(UV)
	.venv-lock/bin/uv $(LOCK) --extra all --group dev --output-file requirements/dev.txt pyproject.toml
	.venv-lock/bin/uv $(LOCK) --group e2e --output-file requirements/e2e.txt
	rm -rf .venv-lock

venv: $(STAMP) ## make .venv, or bring it up to date

# The stamp is named after the interpreter: another one makes the environment anew.
$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo \
		"bluegreen needs Python 3.11 or newer, but '$(PYTHON)' is $(or $(VERSION),not there):" \
		"name another one, as in make test PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo \
		"'$(PYTHON)' cannot make a virtual environment: install its venv module" \
		"(on Debian: apt-get install python3-venv)" >&2; exit 1; }
	test -e $@ || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install -qq --require-hashes -r requirements/dev.txt
	$(BIN)/pip install -qq --no-deps --no-build-isolation -e .
	touch $@

clean: ## remove what can be made again
	rm -rf .venv* mutants build dist htmlcov .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
