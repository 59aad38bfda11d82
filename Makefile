# Every target does its own set-up. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
# An example of the tenants takes up to 4 seconds, and a test may take 300.
EXAMPLES ?= 30
VENV := .venv
BIN := $(VENV)/bin
# pip before 25.3 hands the first to what builds the package, later ones the second.
PIP_BUILD := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt
export DAGSTER_HOME ?= $(CURDIR)/.offramp/dagster
# Bytecode is compiled once at install; without it every Dagster process compiles everything again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup servers demo test test-all check ui bench clean
help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 14

setup: $(VENV)/.ready ## create .venv and install what constraints.txt pins
$(VENV)/.ready: pyproject.toml constraints.txt
	@{ test -f $(VENV)/pyvenv.cfg && $(BIN)/python -m pip --version >/dev/null 2>&1; } \
	  || { rm -rf $(VENV); $(PYTHON) -m venv $(VENV); } \
	  || { rm -rf $(VENV); echo "no virtual environment can be made: install python3-venv (Debian) and run it again" >&2; exit 1; }
	@echo "installing into $(VENV)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt uv \
	  && $(BIN)/uv pip install -q --compile-bytecode --python $(BIN)/python -c constraints.txt \
	       --build-constraints constraints.txt -e '.[s3,gcs,sftp,mobility]' --group dev \
	  || { echo "uv cannot install here, pip does"; \
	       $(BIN)/python -m pip install -q --disable-pip-version-check -U 'pip>=25.1' \
	       && $(PIP_BUILD) $(BIN)/python -m pip install -q -c constraints.txt -e '.[s3,gcs,sftp,mobility]' --group dev; }
	@touch $@

servers: ## install the servers that the tests start, where they are missing (Debian)
	@./platform_tests/servers/install

demo: setup ## generate the demo source, land it and deliver the last full day
	@$(BIN)/offramp demo

test: setup servers ## all tests but the deep ones
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not deep"

test-all: setup servers ## all tests, with more examples of each invariant
	OFFRAMP_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -n 2 --dist loadfile

check: setup ## what CI checks beside the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/offramp config check

ui: setup ## open the Dagster UI on http://127.0.0.1:3000
	@$(BIN)/offramp ui

bench: setup servers ## measure against the named peers, one run
	$(BIN)/python -m platform_tests.benchmarks

clean: ## remove what the demo and the tests wrote; .venv stays
	rm -rf .offramp outbox
