# Two commands: `make run` starts the demo, `make test` passes every test. `make help` lists the rest.

CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)
BINARY := $(TARGET)/release/selfsame
HARNESS = $(CARGO) run --quiet --locked --release -p selfsame-harness --

LISTEN ?= 127.0.0.1:8080
RATE ?= 20
DATA ?=
TORTURE ?= --rounds 1000 --events 2000000

.DEFAULT_GOAL := help
.PHONY: help run build web pack test lint bench bench-shop bench-deliveries bench-render bench-console conformance fleet torture soak soak-audiences fuzz clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## build what has changed and start the demo (DATA=dir keeps its data, LISTEN=address, RATE=events a second)
	@scripts/check-tools.sh $(BINARY)
	@$(MAKE) --no-print-directory program
	@exec $(BINARY) demo --listen $(LISTEN) --rate $(RATE) $(if $(DATA),--data "$(DATA)")

build: ## build the program, with the console, the shop and the browser SDKs in it where there is Node
	@scripts/check-tools.sh $(BINARY)
	@$(MAKE) --no-print-directory program
	@echo "built $(BINARY)"

.PHONY: program
program:
	@scripts/web.sh --or-without
	@scripts/pack.sh --or-without
	@$(CARGO) build --quiet --locked --release -p selfsame-server

web: ## build the console, our browser SDK, the shop and Segment's browser SDK
	@scripts/web.sh

pack: ## build the actions pack: destinations that are published as JavaScript
	@scripts/pack.sh

test: ## every test, from a fresh clone, with what they need
	@scripts/test.sh

lint: ## format, clippy, types, licences
	@scripts/lint.sh

bench: program ## measure on this machine: the program, definitions over a shop, deliveries, requests (BENCH="--quick" takes minutes)
	@met=0; $(HARNESS) table --binary $(BINARY) $(BENCH) || met=1; \
	$(HARNESS) definitions --binary $(BINARY) $(or $(SHOP),$(filter --quick,$(BENCH))) || met=1; \
	$(HARNESS) deliveries --binary $(BINARY) $(filter --quick,$(BENCH)) || met=1; \
	$(MAKE) --no-print-directory bench-render || met=1; exit $$met

bench-deliveries: program ## the third part of that alone: deliveries a second (SENT="--connections 1")
	@$(HARNESS) deliveries --binary $(BINARY) $(SENT)

bench-render: ## the last part of that alone: requests of events, beside Segment's package in Node
	@scripts/pack.sh
	@node tests/render/render.cjs

bench-console: program ## how quickly the console shows, and its debugger at 1,000 events a second, in Chromium
	@tests/sdk/install.sh
	@tests/console/run.sh $(BINARY) bench

bench-shop: program ## the second part of that alone (SHOP="--people 100000 --events 2000000")
	@$(HARNESS) definitions --binary $(BINARY) $(or $(SHOP),$(filter --quick,$(BENCH)))

conformance: program ## the official SDKs against the program, and recorded cases over the destinations: tables
	@scripts/conformance.sh $(BINARY)
	@$(CARGO) test --quiet --locked -p selfsame-destinations --test it conformance -- --nocapture
	@scripts/pack-conformance.sh

fleet: program ## 300 connections, some dead, slow or failing: half an hour (FLEET="--connections 40 --backlog 100000")
	@$(HARNESS) fleet --binary $(BINARY) $(FLEET)

torture: program ## kill the program 1,000 times, and count: most of an hour (TORTURE="--rounds 50 --events 100000" takes two minutes)
	@$(HARNESS) torture --binary $(BINARY) $(or $(TORTURE),--rounds 1000 --events 2000000)

soak: program ## half of the highest load for half an hour, watching the memory (SOAK="--minutes 5")
	@$(HARNESS) soak --binary $(BINARY) $(SOAK)

soak-audiences: ## definitions against the naive evaluator, 2,000,000 random histories (CASES=100000)
	@AUDIENCE_CASES=$(or $(CASES),2000000) $(CARGO) test --quiet --locked --profile sim -p selfsame-audience --test it agree:: -- --nocapture

fuzz: ## fuzz every target (FUZZ_SECONDS=60 each)
	@scripts/fuzz.sh $(or $(FUZZ_SECONDS),60)

clean: ## remove what was built
	@$(CARGO) clean --quiet
	@rm -rf web/shop/dist web/sdk-bundle/dist sdk/js/dist actions-pack/dist
