# Everything starts here: `make run` on a machine with Python 3.11 and make, no more.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes
# The locks name versions and hashes and no address, so that any index can serve them.
LOCK := $(BIN)/pip-compile -q --generate-hashes --strip-extras --allow-unsafe --no-header \
	--no-annotate --no-emit-index-url --no-emit-trusted-host --no-emit-find-links
SOURCES := $(shell find widget static -path static/built -prune -o -print)
CATALOGS := $(patsubst %.po,%.mo,$(wildcard server/translations/*/LC_MESSAGES/*.po))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help run test lint fix bench stress pictures assets lock need

help: ## Show what can be made
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1@\2/p' $(MAKEFILE_LIST) | tr '@' '\t' | expand -t 16

run: $(VENV)/.serve node_modules/.serve assets ## Set everything up and start the demo
	@exec $(BIN)/python -m server demo

test: need lint assets ## Set up what the tests need, then check and run all of them
	@set -e; tests=$$(ls tests/widget/*.test.mjs 2>/dev/null || true); \
	if [ -n "$$tests" ]; then node=$$(.ci/npm --node); $$node --test $$tests; fi
	@$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/.test ## Check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

fix: $(VENV)/.test ## Mend the style that a program can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: need assets ## Measure against the budgets in the README
	@$(BIN)/python -m bench

stress: need assets ## Run the tests that are too big for every day
	@$(BIN)/python -m pytest -m stress

pictures: need assets ## Take the README's pictures anew
	@$(BIN)/python -m docs.pictures

assets: static/built/version $(CATALOGS) ## Build translations and the files that browsers get

lock: $(VENV)/.test ## Take the newest versions into the lock files
	@$(LOCK) --upgrade -o requirements.lock requirements.in
	@$(LOCK) --upgrade -o requirements-dev.lock requirements-dev.in
	@$(LOCK) --upgrade -o requirements-node.lock requirements-node.in
	@$(BIN)/python -m pytest -q tests/rules/test_repository.py

need: $(VENV)/.test node_modules/.test
	@.ci/install

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo 'Python 3.11 or newer is needed; name it with: make PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo 'Python lacks its venv module; on Debian: apt-get install python3-venv' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# An empty file says which lock was installed last, so a second start asks pip nothing.
$(VENV)/.serve: requirements.lock | $(BIN)/python
	@echo 'Installing what the server needs ...'
	@$(PIP_INSTALL) -r requirements.lock
	@touch $@

$(VENV)/.test: requirements-dev.lock $(VENV)/.serve
	@echo 'Installing what the tests need ...'
	@$(PIP_INSTALL) -r requirements.lock -r requirements-dev.lock
	@touch $@

node_modules/.serve: package-lock.json | $(VENV)/.serve
	@npm=$$(.ci/npm) && $$npm ci --ignore-scripts --omit=dev --no-audit --no-fund --loglevel=error
	@touch $@

node_modules/.test: package-lock.json | $(VENV)/.serve
	@npm=$$(.ci/npm) && $$npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch node_modules/.serve $@

# A folder is newer than its build when a file in it came or went.
static/built/version: $(SOURCES) server/assets.py node_modules/.serve | $(VENV)/.serve
	@$(BIN)/python -m server assets
	@touch $@

%.mo: %.po | $(VENV)/.serve
	@$(BIN)/pybabel -q compile -i $< -o $@
