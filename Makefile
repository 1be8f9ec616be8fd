# Needs only Python 3.11 or newer and make. `make` alone lists the commands.
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 3
LOCK := --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet

.PHONY: help run demo test check hapi bench format lock
.DEFAULT_GOAL := help

help: ## This list
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(BIN)/fhir-app ## Demonstrate the whole path, then keep the service running
	$(BIN)/fhir-app demo --serve

demo: $(BIN)/fhir-app ## Demonstrate the whole path and exit
	$(BIN)/fhir-app demo

test: .venv/dev ## Every test; says loudly what this machine cannot run
	$(BIN)/python -m pytest -n0 -rs -m hapi
	FHIR_APP_REQUIRE_HAPI= $(BIN)/python -m pytest -n $(WORKERS) -rs -m "not hapi"

check: .venv/dev ## Formatting, lint, types, layers, knowledge
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/fhir-app check

hapi: .venv/dev ## The tests against a real HAPI FHIR server (Java 17 and Maven)
	FHIR_APP_REQUIRE_HAPI=1 $(BIN)/python -m pytest -n0 -m hapi

bench: .venv/dev ## Benchmarks, as ratios to a floor measured in the same rounds
	$(BIN)/python -m tests.benchmarks

format: .venv/dev ## Rewrite the code as `check` wants it
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: .venv/dev ## Renew the lock files after a change of pyproject.toml
	$(BIN)/uv pip compile $(LOCK) --extra postgres --extra pdf --extra build -o requirements.lock pyproject.toml
	$(BIN)/uv pip compile $(LOCK) --all-extras -c requirements.lock -o requirements-dev.lock pyproject.toml

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Python 3.11 or newer is needed: make PYTHON=/path/to/python3 run' >&2; exit 1; }
	$(PYTHON) -m venv .venv

$(BIN)/fhir-app: requirements.lock pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev: requirements-dev.lock $(BIN)/fhir-app
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@
