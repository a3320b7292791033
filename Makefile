# suho.platform: deployment automation for a Docker Compose data platform with ClickHouse in it.
# Every target sets up what it needs. `make help` says what each one does.
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
export PATH := $(BIN):$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/collections
# The lab that the lab-* targets and the demo use. Another name is another lab, beside the first one.
LAB_NAME ?= suho-lab
LAB_PORT_BASE ?= 19000
export LAB_NAME LAB_PORT_BASE
LAB := ansible-playbook -i inventories/lab

.PHONY: help setup lock lint unit test test-deep test-faults test-browser molecule conformance demo schema-plan bench-schema bench-services bench-verify lab-up lab-status lab-reset lab-down clean

help: ## Say what each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

setup: $(VENV)/.ready ## Install the pinned Python packages and Ansible collections into .venv

$(VENV)/.ready: scripts/setup requirements/dev.lock requirements.yml
	@scripts/setup

lock: setup ## Write the lock files anew from requirements/*.in
	@scripts/lock

lint: setup ## Check style and types: yamllint, ansible-lint (production), ruff, mypy, the project's own rules
	@scripts/lint

unit: setup ## Run the unit tests (no Docker needed), on two cores
	@pytest tests/unit --numprocesses 2 --dist worksteal

test: setup ## Set up everything, then lint, unit tests, the server's conformance suite, molecule, the report in a browser, and a part of the fault matrix
	@scripts/test

test-deep: setup ## Run the tests that draw random schemas and compose files with many more examples (2,000 schemas)
	@SUHO_DEEP=1 pytest tests/unit/schema/test_properties.py tests/unit/compose/edit/test_entries.py

molecule: setup ## Run the molecule scenarios on a lab of their own (suho-test): all, or SCENARIO='one or more' (or groups: deployed, raised, files)
	@scripts/molecule $(SCENARIO)

test-faults: setup ## Let things go wrong at each point of a deploy, and compare what comes of it (ONLY=text for some, MISSING=1 for those not passed yet, WRITE=1 for docs/reliability.md)
	@scripts/test-faults $(if $(ONLY),--only '$(ONLY)') $(if $(MISSING),--missing) $(if $(WRITE),--write)

test-browser: setup ## Look at reports in a headless Chromium (in a container): a sample, a hostile one, and REPORT=path/to/report.html
	@scripts/test-browser $(REPORT)

conformance: setup ## Run the conformance suite of the lab's ClickHouse server, and the same on Debian's real one
	@scripts/conformance

demo: setup ## Set up everything, raise the lab in the audit's state, audit, deploy, verify, and show the result
	@scripts/demo

# Without LIVE the differences are those of an example, so they are no failure.
LIVE ?=
DESIRED ?= files/schemas/clickhouse
schema-plan: setup ## Plan the schema without a server (docs/schema.md): LIVE=dump.sql [DESIRED=dir] [ALLOW=names] [JSON=1]
	@bin/schema-plan --live '$(or $(LIVE),docs/examples/audit-state.sql)' --desired $(DESIRED) \
	  $(if $(ALLOW),--allow $(ALLOW)) $(if $(JSON),--json) \
	  || { code=$$?; [ -z '$(LIVE)' ] && [ $$code = 2 ] || exit $$code; }

bench-schema: setup ## Measure applying and planning a schema beside other tools (bench/README.md): [RUNS=5] [WRITE=1]
	@scripts/bench-schema --runs $(or $(RUNS),5) $(if $(WRITE),--write)

bench-services: setup ## Measure replacements, a deploy under a writer, the audit, the digest (bench/README.md): [RUNS=5] [WRITE=1]
	@scripts/bench-services --runs $(or $(RUNS),5) $(if $(WRITE),--write)

bench-verify: setup ## Measure 30 checks in one call, and on tables of growing age (bench/README.md): [RUNS=5] [WRITE=1]
	@scripts/bench-verify --runs $(or $(RUNS),5) $(if $(WRITE),--write)

lab-up: setup ## Raise the lab: engine if there is none, images, the platform in the audit's state
	@$(LAB) lab/up.yml

lab-status: setup ## Show the lab's containers, ports, data and where its files lie
	@$(LAB) lab/status.yml

lab-reset: setup ## Bring the lab into the audit's state (under a minute)
	@$(LAB) lab/reset.yml

lab-down: setup ## Remove the lab: containers, networks, volumes, files; the engine too if the lab started it
	@$(LAB) lab/down.yml

clean: ## Remove what the targets above made in this folder (.venv, caches, reports); run lab-down before
	@rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis reports
