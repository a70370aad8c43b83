# Two commands: `make demo` shows everything, `make test` checks everything. `make help` lists the rest.

SHELL := /bin/sh
PYTHON_MIN := 3.11
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-input

# Where the tests keep the tools and base images that they stand on, from one run to the next.
TEST_HOME := $(or $(SHIPWAY_TEST_HOME),$(CURDIR)/.test/home)

# REPO and BRANCH go to the program through the environment, as they are: no shell text is made from them, and make
# doesn't expand what stands in them.
override REPO := $(value REPO)
override BRANCH := $(value BRANCH)
export REPO BRANCH

.PHONY: help demo demo-down test test-full lint venv lock
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

demo: .venv/.runtime ## deploy a sample app (or REPO=<path or git url> [BRANCH=...]), change it, roll it back
	@$(BIN)/shipway demo

demo-down: .venv/.runtime ## stop and remove everything that `make demo` left
	@$(BIN)/shipway demo --down

test: lint ## lint, then all tests but the long ones
	@SHIPWAY_HOME="$(TEST_HOME)" $(BIN)/shipway doctor --install
	$(BIN)/pytest -m "not full"

test-full: lint ## lint, then all tests
	@SHIPWAY_HOME="$(TEST_HOME)" $(BIN)/shipway doctor --install
	$(BIN)/pytest

lint: .venv/.dev ## formatting, style, types, import directions
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

venv: .venv/.dev ## make .venv with everything for development

# The build backend is locked with the rest, so that installing ourselves fetches nothing unchecked.
lock: .venv/.dev ## write the lock files anew from pyproject.toml
	@for lock in "requirements.lock" "requirements-dev.lock --extra dev"; do \
	  set -- $$lock; file=$$1; shift; \
	  printf 'hatchling>=1.25\neditables>=0.5\n' | $(BIN)/uv pip compile --quiet --universal --generate-hashes \
	    --python-version $(PYTHON_MIN) --custom-compile-command "make lock" "$$@" \
	    --output-file "$$file" pyproject.toml - || exit; \
	  echo "wrote $$file"; \
	done

# What `make demo` runs. The stamp is newer than the lock file when nothing is to be done.
.venv/.runtime: requirements.lock pyproject.toml | .venv/bin/python
	@echo "installing Shipway into .venv"
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: requirements-dev.lock pyproject.toml | .venv/bin/python
	@echo "installing Shipway and its development tools into .venv"
	@$(PIP) --require-hashes -r requirements-dev.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@ .venv/.runtime

# The first Python that is new enough and can make environments; on Debian what is missing is installed.
FIND_PYTHON := for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	  "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	  python=; \
	done

.venv/bin/python:
	@missing=; \
	command -v git >/dev/null || missing="$$missing git"; \
	test -e /etc/ssl/certs/ca-certificates.crt || missing="$$missing ca-certificates"; \
	$(FIND_PYTHON); \
	test -n "$$python" || missing="$$missing python3 python3-venv"; \
	if test -n "$$missing"; then \
	  if test "$$(id -u)" != 0 || ! command -v apt-get >/dev/null; then \
	    echo "missing on this machine:$$missing (Python $(PYTHON_MIN) or newer); install them and run this again" >&2; \
	    exit 1; \
	  fi; \
	  echo "installing$$missing"; \
	  apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $$missing >/dev/null || exit; \
	fi; \
	$(FIND_PYTHON); \
	if test -z "$$python"; then \
	  echo "no Python $(PYTHON_MIN) or newer was found; install one and run this again" >&2; exit 1; \
	fi; \
	"$$python" -m venv .venv
