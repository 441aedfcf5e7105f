# Needs Python 3.11 or newer with venv, and git. Everything else lands in .venv and .cache, which git ignores.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/ready
# Tests of real servers mostly wait for them: three more than there are cores work side by side, and no more than eight.
AT_ONCE = $(shell $(PYTHON) -c 'import os; print(min(8, (os.cpu_count() or 1) + 3))')

# Where Python may not keep what it compiled (many images say so), each process that the tests start would compile all of
# it again: 1.8 s of processor time for an engine instead of 0.6, 19 s for a process of tests instead of 6.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo live fault test lint compiled bench eval prove foretell real-servers clean

help:  ## what there is
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 24

demo: $(READY)  ## the console on a simulated platform that gets into trouble
	@$(BIN)/switchgear demo

test: $(READY) lint compiled real-servers  ## linters, types, import contracts and every test
	$(BIN)/python -m pytest -n $(AT_ONCE) --no-loadscope-reorder

# Everything compiled once, the tests' asserts rewritten too, before many processes would each do so for themselves.
compiled: $(READY)
	@$(BIN)/python -m compileall -q adapters console runbooks
	@$(BIN)/python -m pytest --collect-only -qq >/dev/null

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The real tier's downloads; where PostgreSQL or Redis are missing it says so, and those tests are skipped.
real-servers: $(READY)
	$(BIN)/python -m tests.real.stack prepare

live: $(READY)  ## the console on a real platform at work, on loopback; needs PostgreSQL and Redis, better with RabbitMQ
	@$(BIN)/python -m tests.real.stack live

fault: $(READY)  ## while `make live` runs: make fault NAME=azure-b MODE=500 (ok 500 429 401 slow hang drop malformed refuse)
	@$(BIN)/python -m tests.real.stack fault $(NAME) $(MODE)

bench: $(READY)  ## what is promised about speed, measured; one JSON object a line
	@$(BIN)/python -m benchmarks

eval: $(READY)  ## whether incidents are found, whom it blames, and how often it calls for nothing: make eval ARGS="--help"
	@$(BIN)/python -m evaluation $(ARGS)

prove: $(READY)  ## whether following a runbook is better than doing nothing, on every scenario: make prove ARGS="--help"
	@$(BIN)/python -m evaluation runbooks $(ARGS)

foretell: $(READY)  ## how far off forecasts are, a quarter of an hour later: make foretell ARGS="--help"
	@$(BIN)/python -m evaluation forecasts $(ARGS)

clean:  ## forget the environment and every download
	rm -rf $(VENV) .cache

# pip older than 25.1, which most Pythons still bring along, knows no dependency groups.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/it")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@
