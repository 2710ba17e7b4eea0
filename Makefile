# `make help` lists everything. PORT=, DATA= and PYTHON= may follow a target: make run PORT=8080 DATA=/srv/market
PORT ?= 8000
DATA ?= $(CURDIR)/var
PY = .venv/bin/python
SUPERVISOR = exec env PYTHONPATH="$(CURDIR)" $(PY) -m market.cli.up
UP = $(SUPERVISOR) --data "$(DATA)"
UP_TEST = $(SUPERVISOR) --data var/test
# TESTS="tests/cli -k mail" narrows the run; JOBS=1 makes it serial.
JOBS ?= auto
TESTS ?=
# A site is seven processes: what one has compiled serves the others, also where an image tells Python to keep nothing.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help venv venv-dev chromium run down clean test test-fast faults check format lint types imports db-new db-check openapi openapi-write messages messages-check journey screens bench lock

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: venv ## start everything and load the demo once; Ctrl-C stops it (PORT=, DATA=)
	@$(UP) --port $(PORT)

down: venv ## stop whatever runs on DATA, also servers that tests or the bench left
	@for folder in "$(DATA)" var/*; do \
	  if [ -f "$$folder/servers.json" ]; then ($(UP) --data "$$folder" --stop) || exit 1; fi; done

clean: venv ## stop everything and throw the data in DATA away
	@$(UP) --remove

test: venv-dev chromium ## run all tests from nothing (TESTS= narrows, JOBS= sets processes)
	@$(PY) -m pytest -n $(JOBS) --dist worksteal $(TESTS)

test-fast: venv-dev ## run the tests that need neither servers nor a browser
	@$(PY) -m pytest -n $(JOBS) tests/unit

faults: venv-dev ## kill workers, web server and database inside every money flow, hundreds of times (the suite runs a short form)
	@FAULTS=long $(PY) -m pytest -q -n 2 tests/faults

check: venv-dev format lint types imports db-check openapi messages-check ## format, lint, types, import contracts, migrations, OpenAPI, catalogues

format: venv-dev ## look whether the code is formatted
	@$(PY) -m ruff format --check .

lint: venv-dev ## look for mistakes
	@$(PY) -m ruff check .

types: venv-dev ## check types
	@$(PY) -m mypy

imports: venv-dev ## check who imports whom
	@PYTHONPATH="$(CURDIR)" .venv/bin/lint-imports

db-new: venv-dev ## write the next migration: make db-new NAME=orders_add_hold
	@[ -n "$(NAME)" ] || { echo "error: which name? make db-new NAME=orders_add_hold" >&2; exit 2; }
	@$(UP_TEST) -- sh -c '$(PY) -m market.cli.migrations upgrade && $(PY) -m market.cli.migrations new "$$0"' "$(NAME)"

db-check: venv-dev ## see that the migrations make the same database as the models
	@$(PY) -m pytest -q tests/architecture/test_migrations.py

openapi: venv-dev ## see that the checked-in OpenAPI file is up to date
	@$(UP_TEST) -- $(PY) -m flask --app wsgi openapi check

openapi-write: venv-dev ## write the OpenAPI file from the code
	@$(UP_TEST) -- $(PY) -m flask --app wsgi openapi write

messages: venv-dev ## collect the messages of the code into market/translations/*.po and say what is not translated
	@PYTHONPATH="$(CURDIR)" $(PY) -m market.cli.messages update

messages-check: venv-dev ## see that every message is translated into every language and the catalogues are up to date
	@PYTHONPATH="$(CURDIR)" $(PY) -m market.cli.messages check

journey: venv ## walk the whole main job over HTTP on a fresh site and check every cent
	@$(SUPERVISOR) --fresh -- $(PY) -m market.demo.journey

screens: venv-dev chromium ## take the pictures of docs/screens again: every role, phone and desk, on a fresh demo
	@$(SUPERVISOR) --fresh -- $(PY) -m tests.screens

bench: venv ## measure what targets promise, each beside its limit
	@PYTHONPATH="$(CURDIR)" $(PY) -m bench

lock: venv-dev ## resolve requirements*.in again into the hashed locks
	@.venv/bin/uv pip compile --quiet --universal --no-strip-extras --python-version 3.11 --generate-hashes requirements.in -o requirements.txt
	@.venv/bin/uv pip compile --quiet --universal --no-strip-extras --python-version 3.11 --generate-hashes requirements-dev.in -o requirements-dev.txt

venv: ## make .venv from the hashed lock, or leave it when it is up to date
	@PYTHON="$(PYTHON)" bin/venv

venv-dev: ## the same with what tests and checks need
	@PYTHON="$(PYTHON)" bin/venv dev

chromium: ## see to a browser for the browser tests (installs it as root on Debian)
	@bin/chromium
