# The commands of the README. Each does its own set-up, says what it is doing, and can be run twice.
SHELL := /bin/bash
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/quell
export CARGO_TARGET_DIR ?= $(CACHE)/target
export QUELL_BIN := $(CARGO_TARGET_DIR)/debug/quell
PYTHON := $(CACHE)/test-venv/bin/python

.PHONY: help demo test lint fuzz bench-loop bench-aws bench-pattern bench-states bench-jsonata bench-detect bench-evidence scorecard crash hostile scenarios differential states-differential setup setup-test build

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: setup build ## do the whole job once on a test range, and leave the server up
	$(QUELL_BIN) demo $(DEMO)

test: setup-test lint build ## install what the tests need, and run them all
	scripts/say "unit, property and conformance tests"
	QUELL_RANGE_PYTHON=$(PYTHON) cargo test --locked --workspace --quiet
	scripts/say "the service models are what the pinned botocore gives"
	cargo xtask models --check --botocore "$$($(PYTHON) -c 'import botocore, os; print(os.path.dirname(botocore.__file__))')"
	scripts/say "tests of the range"
	$(PYTHON) -B -m pytest -q -p no:cacheprovider range/tests
	scripts/say "tests of the whole product"
	$(PYTHON) -B -m pytest -q -p no:cacheprovider tests

lint: setup-test ## formatting, lints, documentation, licences
	scripts/say "formatting, lints, documentation, licences"
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets --quiet -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --quiet
	cargo deny --offline check --hide-inclusion-graph bans licenses sources
	@# Workspaces of their own, which the commands above do not see.
	for own in fuzz benches/*; do \
	  cargo fmt --check --manifest-path $$own/Cargo.toml && cargo metadata --locked --format-version 1 --manifest-path $$own/Cargo.toml >/dev/null || exit 1; \
	done

FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= $(notdir $(basename $(wildcard fuzz/fuzz_targets/*.rs)))

fuzz: ## fuzz every reader of what comes from outside, FUZZ_SECONDS (60) each; wants a C++ compiler, no nightly Rust
	scripts/fuzz $(FUZZ_SECONDS) $(FUZZ_TARGETS)

bench-loop: setup-test build ## expose and fix 100 times; prints p50 and p99 for both delivery paths
	$(PYTHON) -B tests/bench_loop.py

bench-aws: setup-test ## the AWS client: CPU time a call, beside boto3 and the official SDK (builds for some minutes)
	cargo build --release --locked --quiet --manifest-path benches/aws/Cargo.toml
	@# All on one core: to wake another one costs more CPU time than a small call.
	taskset -c 0 $(CARGO_TARGET_DIR)/release/quell-bench-aws $(PYTHON)

bench-pattern: setup ## event patterns: events a second for 1 to 100,000 patterns, beside the quamina crate
	cargo run --release --locked --quiet --manifest-path benches/pattern/Cargo.toml -- $(BENCH)

bench-states: setup-test ## runs and their stores: steps a second, memory and lateness of 10,000 that wait (BENCH=stores|steps|replay|waiting|records)
	cargo run --release --locked --quiet --manifest-path benches/states/Cargo.toml -- $(BENCH)

bench-detect: setup ## rules on the real logs, multiplied: events a second of processor time, beside rsigma-eval
	cargo run --release --locked --quiet --manifest-path benches/detect/Cargo.toml

bench-evidence: setup ## checking a copy of the audit log with a million entries, beside hashing its bytes
	cargo run --release --locked --quiet --manifest-path benches/evidence/Cargo.toml

bench-network: setup ## flow logs: lines a second of processor time, read and detected, beside cutting and parsing alone
	cargo run --release --locked --quiet --manifest-path benches/network/Cargo.toml

hostile: setup-test build ## a thousand triggers that somebody else would have Quell act on, and the figure for each kind
	$(PYTHON) -B -m pytest -q -s -p no:cacheprovider tests/test_hostile.py

scorecard: build ## measure the rules on real logs (QUELL_DATA, ../shared/data): techniques, noise, precision, incidents
	@$(QUELL_BIN) rule scorecard $(or $(QUELL_DATA),../shared/data) $(SCORECARD)

JSONATA := 2.2.2
NPM := $(CACHE)/npm-jsonata-$(JSONATA)
bench-jsonata: setup ## JSONata expressions a second, beside the npm package jsonata
	test -d $(NPM)/node_modules || npm install --silent --no-audit --no-fund --ignore-scripts --prefix $(NPM) jsonata@$(JSONATA)
	cargo build --release --locked --quiet --manifest-path benches/jsonata/Cargo.toml
	$(CARGO_TARGET_DIR)/release/bench-jsonata $(NPM) $(or $(QUELL_CONFORMANCE),../shared/conformance)/states-jsonata.jsonl

crash: setup-test build ## 200 times kill -9 with 50 exposures in flight
	$(PYTHON) -B tests/crash.py --kills 200 --exposures 50

scenarios: setup-test build ## each playbook from the attack to the undo; prints what was measured (PLAYBOOKS="PB-001 PB-008")
	cd tests && $(PYTHON) -B -m scenarios $(PLAYBOOKS)

N ?= 9
DOCUMENTS ?= 300
differential: setup-test ## the AWS client against botocore: N cases of each kind for each of 5,730 operations
	cargo build --locked --quiet --package quell-aws --example wire
	cd tests && $(PYTHON) -B -m differential --cases $(N)

states-differential: setup-test ## the states language against moto's interpreter: the documents written by hand, and DOCUMENTS (300) from a seed
	cargo build --locked --quiet --package quell --example steps
	cd tests && $(PYTHON) -B -m states_differential --generated $(DOCUMENTS)

build:
	@scripts/say "building quell (the first time takes some minutes)"
	cargo build --locked --package quell

setup:
	@scripts/setup

setup-test: setup
	@scripts/setup-test
