# Calbridge: `make run` serves the demo, `make test` runs all tests, `make help` lists the rest.

PORT ?= 5232
PYTHON ?= python3
VENV ?= .venv
# What is added to the command of `make test` or `make bench`, for example PYTEST_OPTIONS="-k feed".
PYTEST_OPTIONS ?=
BENCH_OPTIONS ?=

MAKEFLAGS += --no-builtin-rules
.NOTPARALLEL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

BIN := $(VENV)/bin
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
# One stamp per Python version, inside the environment: a new Python or a removed environment installs anew.
RUN_READY := $(VENV)/.ready-to-run-$(VERSION)
DEV_READY := $(VENV)/.ready-to-develop-$(VERSION)
SOURCES_OF_AN_INSTALL := pyproject.toml constraints.txt
# The two variables hold the build backend to the same versions: old pips read the first, newer ones the second.
PIP_INSTALL := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
	$(BIN)/python -m pip install --quiet --quiet --no-input --disable-pip-version-check

define CHECK_PYTHON
if ! command -v $(PYTHON) >/dev/null 2>&1; then \
	echo "Calbridge needs Python 3.11 or newer, and there is no '$(PYTHON)' here. On Debian: apt-get install python3 python3-venv" >&2; exit 1; fi; \
if ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
	echo "Calbridge needs Python 3.11 or newer; '$(PYTHON)' is $(VERSION). Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; fi; \
if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
	echo "'$(PYTHON)' cannot make a virtual environment. On Debian: apt-get install python3-venv (or python$(VERSION)-venv)" >&2; exit 1; fi
endef

# An environment of another Python, or one whose making was cut short, is made anew.
define MAKE_ENVIRONMENT
if ! $(BIN)/python -c 'import sys, pip; sys.exit("%d.%d" % sys.version_info[:2] != "$(VERSION)")' 2>/dev/null; then \
	$(PYTHON) -m venv --clear $(VENV); fi
endef

##@ Use
.PHONY: run
run: $(RUN_READY) ## Serve the demo on PORT (5232): prints its addresses, its user and password; Ctrl-C ends it
	@exec env PYTHONUNBUFFERED=1 $(BIN)/calbridge demo --port $(PORT)

.PHONY: demo-google
demo-google: $(RUN_READY) ## The same with a fake Google Calendar beside it, to try `connect google` without an account
	@exec env PYTHONUNBUFFERED=1 $(BIN)/python -m tests.demo.google --port $(PORT)

.PHONY: bench
bench: $(DEV_READY) ## Measure Calbridge against plain Radicale in the same run
	@exec env PYTHONUNBUFFERED=1 $(BIN)/python -m tests.bench $(BENCH_OPTIONS)

##@ Develop
.PHONY: install
install: $(DEV_READY) ## Install Calbridge and every tool into .venv

.PHONY: test
test: $(DEV_READY) ## Run all tests in random order, with branch coverage (core: 100 %)
	@$(BIN)/python -m pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder --cov --cov-report= $(PYTEST_OPTIONS)
	@$(MAKE) --no-print-directory coverage

.PHONY: coverage
coverage: ## Hold what the last `make test` measured against the floors
	@echo "Coverage of the core (floor: 100 %)"
	@$(BIN)/python -m coverage report --include='bridge/core/*' --fail-under=100
	@echo "Coverage of everything (floor: 85 %)"
	@$(BIN)/python -m coverage report --fail-under=85

.PHONY: check
check: $(DEV_READY) ## Check style, types, layers, the container files and the shell scripts
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/hadolint --config docker/hadolint.yaml docker/Dockerfile
	@$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker/compose.yaml
	@$(BIN)/shellcheck .ci/run

.PHONY: format
format: $(DEV_READY) ## Format the code
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format

.PHONY: constraints
constraints: ## Resolve constraints.txt anew from the ranges in pyproject.toml
	@$(CHECK_PYTHON)
	@set -eu; scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
	$(PYTHON) -m venv "$$scratch"; \
	"$$scratch/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[dev,bcrypt,exchange,ldap]' hatchling; \
	{ sed -n '/^#/p' constraints.txt; "$$scratch/bin/python" -m pip freeze --exclude-editable; } > constraints.new; \
	mv constraints.new constraints.txt

.PHONY: clean
clean: ## Remove the environment and everything that tools left (the demo's data stays)
	@rm -rf $(VENV) build dist .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "%s%s\n", (n++ ? "\n" : ""), substr($$0, 5) } \
		/^[a-z][a-z-]*:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

$(RUN_READY): $(SOURCES_OF_AN_INSTALL)
	@$(CHECK_PYTHON)
	@echo "Installing Calbridge into $(VENV) (the first time only; a minute or less) ..." >&2
	@$(MAKE_ENVIRONMENT)
	@$(PIP_INSTALL) --editable . >&2
	@touch $@

$(DEV_READY): $(SOURCES_OF_AN_INSTALL)
	@$(CHECK_PYTHON)
	@echo "Installing Calbridge and its tools into $(VENV) (the first time only; a minute or two) ..." >&2
	@$(MAKE_ENVIRONMENT)
	@$(PIP_INSTALL) --editable '.[dev]' >&2
	@touch $(RUN_READY) $@
