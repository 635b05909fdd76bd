# Each target sets up what it needs, on a machine that has python3 (3.11 or later) with venv, pip,
# make, and apt for Chromium. PYTHON=... chooses another interpreter, VENV=... another place.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export VENV

.DEFAULT_GOAL := help
.PHONY: help run client sender test test-fast coverage lint bench chaos migrate shell psql clean

help: ## What there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/run.stamp ## Everything on this machine, with sandbox and demo (PORT, DATA_DIR, DEMO=0)
	@exec $(BIN)/python -m config.run

client: $(VENV)/run.stamp ## An inbox in this terminal (DEV_USER_ID, DEV_LOGIN, DEV_URL)
	@exec $(BIN)/python -m clients.inbox_client

sender: $(VENV)/run.stamp ## Send to it (ARGS='"Hello" --count 3 --interval 1')
	@exec $(BIN)/python -m clients.inbox_sender $(ARGS)

test: $(VENV)/dev.stamp ## All tests: unit, database, processes, browser
	@.ci/test

test-fast: $(VENV)/dev.stamp ## Unit and database tests
	@.ci/test fast

coverage: $(VENV)/dev.stamp ## All tests, and how much of the code they ran
	@.ci/test coverage

lint: $(VENV)/dev.stamp ## Format, rules, types, migrations, OpenAPI, layers
	@.ci/lint

bench: $(VENV)/dev.stamp ## Ours beside its peers, in one run (ARGS="jobs --help" for parts)
	@exec $(BIN)/python -m benchmarks $(ARGS)

chaos: $(VENV)/dev.stamp ## Processes killed at random, for ten minutes or MINUTES=60
	@exec $(BIN)/python -m tests.processes.chaos --minutes $(or $(MINUTES),10) $(ARGS)

migrate: $(VENV)/run.stamp ## Bring the database up to date
	@$(BIN)/python manage.py migrate

shell: $(VENV)/run.stamp ## Python with the models at hand
	@$(BIN)/python manage.py shell

psql: $(VENV)/run.stamp ## SQL in the database of DATA_DIR, or of DATABASE_URL
	@$(BIN)/python -m config.run.psql

clean: ## Remove caches, collected files and test data; .venv and var stay
	rm -rf var/test var/bench-venv staticfiles htmlcov .coverage .coverage.* .hypothesis
	rm -rf .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

$(VENV)/run.stamp: requirements.txt requirements-sandbox.txt
	@.ci/venv "$(PYTHON)" $(VENV) $^
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	@.ci/venv "$(PYTHON)" $(VENV) $<
	@touch $@
