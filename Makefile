# Two commands are all that a fresh Debian 12+ or Ubuntu 22.04+ needs: `make run` and `make test`.
# What runs as root goes through AS_ROOT, which is empty for root itself.

PROGRAM := .venv/bin/fileaudit-engine
C_SOURCES := $(shell find bpf -name '*.[ch]')

# As root, the tests leave nothing in the checkout that its owner could not remove.
SUDO := $(if $(filter-out 0,$(shell id -u)),sudo --preserve-env=CI)
AS_ROOT := $(if $(SUDO),$(SUDO) env PYTHONDONTWRITEBYTECODE=1 HYPOTHESIS_STORAGE_DIRECTORY=/root/.cache/fileaudit-engine)
PYTEST_AS_ROOT := $(if $(SUDO),-p no:cacheprovider)

# On which kernels `make test-vm` tests; Debian has them.
KERNELS ?= 6.1 6.12

# What `make setup` installs: run, test or bench. The targets below ask for what they need.
SETUP ?= run
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup run test test-vm demo lint format bench bench-rules bench-correlation bench-store bench-sinks fuzz clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what is missing, start nothing
	@tools/setup.sh $(SETUP)

test test-vm lint format fuzz bench-sinks: SETUP := test
bench: SETUP := bench

run: setup ## watch this host with the shipped rules; ARGS="--duration 60 --format json" goes to the engine
	@$(AS_ROOT) $(PROGRAM) run $(ARGS)

demo: setup ## replay a recorded attack; needs no root
	@store=$$(mktemp -d) && trap 'rm -rf "$$store"' EXIT && \
	$(PROGRAM) replay tests/fixtures/demo/attack.ndjson --store "$$store/demo.db" $(ARGS)

test: setup check-style ## everything: style, types, tests (as root: some load programs into the kernel)
	@$(AS_ROOT) .venv/bin/python -m pytest $(PYTEST_AS_ROOT) $(ARGS)

test-vm: setup ## the kernel's part on other kernels, emulated (slow); KERNELS="6.1" ARGS="-k shadow"
	@for kernel in $(KERNELS); do $(SUDO) tools/vm/run --kernel $$kernel --timeout 5400 -- \
	env CI=true .venv/bin/python -m pytest -p no:cacheprovider tests/kernel $(ARGS) || exit; done

lint: setup check-style ## style and types only

.PHONY: check-style
check-style: setup
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	$(if $(C_SOURCES),.venv/bin/clang-format --dry-run --Werror $(C_SOURCES))

format: setup ## rewrite Python and C in the house's form
	.venv/bin/ruff check --fix --exit-zero
	.venv/bin/ruff format
	$(if $(C_SOURCES),.venv/bin/clang-format -i $(C_SOURCES))

bench: setup ## measure the engine beside a bare host and auditd
	@$(AS_ROOT) .venv/bin/python tools/bench $(ARGS)

bench-rules: SETUP := run
bench-rules: setup ## events a second through packs of rules; ARGS="--packs 250"
	@.venv/bin/python tools/bench rules $(ARGS)

bench-correlation: SETUP := run
bench-correlation: setup ## events a second through correlations, and what they hold; ARGS="--parts feed"
	@.venv/bin/python tools/bench correlation $(ARGS)

bench-store: SETUP := run
bench-store: setup ## records a second into the store, from call to commit; ARGS="--parts append"
	@$(AS_ROOT) .venv/bin/python tools/bench store $(ARGS)

bench-sinks: setup ## alerts a second into Elasticsearch and rsyslog, and beside a dead sink; ARGS="--parts rate"
	@$(AS_ROOT) .venv/bin/python tools/bench sinks $(ARGS)

fuzz: setup ## ten minutes of made-up rule files; ARGS="--seconds 60"
	@.venv/bin/python tools/fuzz_rules.py --seconds 600 $(ARGS)

clean: ## remove everything that was made here, the environment too
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find engine tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
