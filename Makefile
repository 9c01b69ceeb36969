# Where cargo installs commands.
export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)

.PHONY: help setup build demo serve test simulate faults matrix bench-start same-bytes

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /make \1\t/' | expand -t 18

setup: ## install what building needs, where it is missing
	@bash tests/setup.sh build

build: setup ## build the npm package into pkg/dist and print its size
	@node pkg/build/build.mjs

same-bytes: build ## build once more as somebody else would, and compare the bytes
	@node tests/same-bytes.mjs

demo: build ## show a usage from the stand-in server, in JSON and JSONL
	@node examples/demo.mjs

serve: build ## the stand-in server with the demo page (REPLAY=1: it answers from the recordings)
	@node tests/server/server.mjs $(if $(REPLAY),--replay)

test: ## install what testing needs, where it is missing, and pass every test
	@bash tests/setup.sh test
	@node tests/run.mjs

simulate: setup ## random schedules through the engine (SCHEDULES=10000000; SEED=… replays one with a trace)
	@SCHEDULES=$${SCHEDULES:-1000000} cargo test --quiet --lib simulation -- --nocapture

faults: build ## run this SDK and other clients against a server that misbehaves, and compare
	@bash tests/setup.sh test
	@node tests/faults/run.mjs

bench-start: build ## how soon the first value is there in Node and Chromium, beside other clients
	@bash tests/setup.sh test
	@node tests/bench/start.mjs

matrix: build ## try the packed package everywhere and print the table (FLAGS=--quick, --strict, --only NAME)
	@bash tests/setup.sh test
	@node tests/matrix/run.mjs $(FLAGS)
