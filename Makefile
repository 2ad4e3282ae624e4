# Every target sets up what it needs. `make` alone lists them.

VENV := .local/venv/bin
# What `make package` builds for, and what `make deploy` deploys: an environment of samconfig.toml.
ARCHITECTURE ?= arm64
CONFIG ?= default
FUNCTIONS := session-manager event-dispatcher sqs-sender user-history-adder session-update-processor messages-api

.PHONY: help run logs test upgrade latency bench package validate build deploy clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

run: ## Bring the whole system up on this machine, until Ctrl-C (ENV=, ARGS="--port 0 ...")
	@scripts/check-tools cargo python3 node
	@cargo build --workspace --bins
	@exec target/debug/sbe-local --binaries target/debug $(ARGS)

logs: ## Follow the logs of the local system's functions
	@$(VENV)/python crates/local/python/logs.py .local/stack.json

test: ## Pass every test: format, lints, units, properties, docs, licences, template, flows, browser
	@scripts/check-tools cargo python3 node
	@scripts/test

upgrade: ## Upgrade a running system from an earlier release, and roll back, under load (FROM=v1.2.3)
	@scripts/check-tools cargo python3
	@scripts/test-upgrade $(FROM)

latency: ## Measure the time from publishing to a poll's receipt on a local system
	@scripts/check-tools cargo python3
	cargo build --workspace --bins
	target/debug/latency

bench: ## Measure what a fan-out costs
	@scripts/check-tools cargo
	cargo run --release -p sbe-bench

package: ## Build the functions for deployment and say how large they are (ARCHITECTURE=arm64 or x86-64)
	@scripts/check-tools cargo cargo-lambda
	scripts/with-zig cargo lambda build --release --$(ARCHITECTURE) --output-format zip $(FUNCTIONS:%=-p %)
	@ls -l target/lambda/*/bootstrap.zip

validate: ## Check the template as SAM does
	@scripts/check-tools sam
	sam validate --lint

build: ## Build what `make deploy` deploys, for an environment of samconfig.toml (CONFIG=dev)
	@scripts/check-tools cargo sam cargo-lambda
	scripts/with-zig sam build --config-env $(CONFIG)

deploy: ## Build and deploy an environment (CONFIG=dev, AGAIN=2, AT_ONCE=1); see docs/OPERATIONS.md
	@scripts/check-tools cargo sam cargo-lambda python3.11 aws
	@$(MAKE) --no-print-directory build
	AGAIN=$(AGAIN) AT_ONCE=$(AT_ONCE) scripts/deploy $(CONFIG)

clean: ## Remove what the other targets made
	rm -rf target .local .aws-sam
