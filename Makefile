# Where cargo installs commands.
export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)

.PHONY: help setup build api peers demo serve test simulate planted faults matrix bench-start same-bytes shots restart bench-call bench-many outdated

SHELL := bash
.SHELLFLAGS := -o pipefail -c
# With WRITE=1, what the command prints becomes its page in docs/measured.
PAGE = | node tests/page.mjs $@

# Other clients in their newest versions need a newer Node.js than this project does.
PEERS_NODE = tests/peers/node_modules/node-24/bin/node
peers: build
	@bash tests/setup.sh peers

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /make \1\t/' | expand -t 18

setup: ## install what building needs, where it is missing
	@bash tests/setup.sh build

build: setup ## build the npm package into pkg/dist and print its size
	@node pkg/build/build.mjs

api: build ## write the public API to docs/api, and the tables of errors and causes to pkg/docs
	@bash tests/setup.sh test
	@node tests/api.mjs

same-bytes: build ## build once more as somebody else would, and compare the bytes
	@node tests/same-bytes.mjs

shots: build ## pictures of the meter in every state, compared with tests/meter/baseline (WRITE=1 writes them)
	@bash tests/setup.sh test
	@node tests/meter/shots.mjs

demo: build ## show a usage from the stand-in server, in JSON and JSONL
	@node examples/demo.mjs

serve: build ## the stand-in server with the demo page and the React app (REPLAY=1: it answers from the recordings)
	@bash tests/setup.sh serve
	@npm run --silent build --prefix examples/react-chat -- --logLevel error
	@node tests/server/server.mjs $(if $(REPLAY),--replay)

test: ## install what testing needs, where it is missing, and pass every test
	@bash tests/setup.sh test
	@node tests/run.mjs

simulate: setup ## random schedules through the engine (SCHEDULES=10000000; SEED=… replays one with a trace)
	@SCHEDULES=$${SCHEDULES:-1000000} cargo test --quiet --lib simulation -- --nocapture

planted: setup ## plant defects in the engine and tell what finds them
	@node tests/planted.mjs

faults: peers ## run this SDK and other clients against a server that misbehaves, and compare
	@$(PEERS_NODE) tests/faults/run.mjs $(FLAGS) $(PAGE)

restart: peers ## 2 000 calls while the server is killed and started again, beside other clients
	@$(PEERS_NODE) tests/bench/restart.mjs $(FLAGS) $(PAGE)

bench-call: peers ## what a call costs besides the network in Node 22 and 24, beside other clients
	@$(PEERS_NODE) tests/bench/call.mjs $(FLAGS) $(PAGE)

bench-many: peers ## what 1 000 companies take in time and memory, beside p-limit with fetch and with ky
	@$(PEERS_NODE) tests/bench/many.mjs $(FLAGS) $(PAGE)

bench-start: peers ## how soon the first value is there in Node and Chromium, beside other clients
	@$(PEERS_NODE) tests/bench/start.mjs $(FLAGS) $(PAGE)

outdated: peers ## which of the other clients are behind their newest version
	@cd tests/peers && PATH="$$PWD/node_modules/node-24/bin:$$PATH" npm outdated @servicestack/client axios ky ofetch openai p-limit

matrix: build ## try the packed package everywhere and print the table (FLAGS=--quick, --strict, --only NAME)
	@bash tests/setup.sh test
	@node tests/matrix/run.mjs $(FLAGS) $(PAGE)
