# The folder of cargo's commands.
export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)

.PHONY: help setup build api peers demo serve test simulate planted faults matrix bench-start same-bytes shots restart bench-call bench-many outdated

SHELL := bash
.SHELLFLAGS := -o pipefail -c
# With WRITE=1, a command's output becomes its page in docs/measured.
PAGE = | node tests/page.mjs $@

# The newest versions of the other clients need a newer Node.js than this project.
PEERS_NODE = tests/peers/node_modules/node-24/bin/node
peers: build
	@bash tests/setup.sh peers

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /make \1\t/' | expand -t 18

setup: ## install what the build needs, if missing
	@bash tests/setup.sh build

build: setup ## build the npm package into pkg/dist and print its size
	@node pkg/build/build.mjs

api: build ## write the public API to docs/api, and the tables of errors and causes to pkg/docs
	@bash tests/setup.sh test
	@node tests/api.mjs

same-bytes: build ## build again under other conditions and compare the bytes
	@node tests/same-bytes.mjs

shots: build ## take pictures of the meter in every state and compare them with tests/meter/baseline (WRITE=1 writes it)
	@bash tests/setup.sh test
	@node tests/meter/shots.mjs

demo: build ## show a usage from the stand-in server, in JSON and JSON Lines
	@node examples/demo.mjs

serve: build ## start the stand-in server with the demo page and the React app (REPLAY=1: answer from the recordings)
	@bash tests/setup.sh serve
	@npm run --silent build --prefix examples/react-chat -- --logLevel error
	@node tests/server/server.mjs $(if $(REPLAY),--replay)

test: ## install what the tests need, if missing, and run all tests
	@bash tests/setup.sh test
	@node tests/run.mjs

simulate: setup ## run random schedules through the engine (SCHEDULES=10000000; SEED=… replays one with a trace)
	@SCHEDULES=$${SCHEDULES:-1000000} cargo test --quiet --lib simulation -- --nocapture

planted: setup ## plant defects in the engine and check that a test finds each
	@node tests/planted.mjs

faults: peers ## compare this SDK and other clients on a server that misbehaves
	@$(PEERS_NODE) tests/faults/run.mjs $(FLAGS) $(PAGE)

restart: peers ## compare clients on 2 000 calls while the server is killed and restarted
	@$(PEERS_NODE) tests/bench/restart.mjs $(FLAGS) $(PAGE)

bench-call: peers ## compare clients on the cost of a call besides the network, in Node 22 and 24
	@$(PEERS_NODE) tests/bench/call.mjs $(FLAGS) $(PAGE)

bench-many: peers ## compare time and memory for 1 000 companies with p-limit on fetch and on ky
	@$(PEERS_NODE) tests/bench/many.mjs $(FLAGS) $(PAGE)

bench-start: peers ## compare clients on the time to the first value, in Node and Chromium
	@$(PEERS_NODE) tests/bench/start.mjs $(FLAGS) $(PAGE)

outdated: peers ## list the other clients that are behind their newest version
	@cd tests/peers && PATH="$$PWD/node_modules/node-24/bin:$$PATH" npm outdated @servicestack/client axios ky ofetch openai p-limit

matrix: build ## run the packed package in every runtime and tool and print the table (FLAGS=--quick, --strict, --only NAME)
	@bash tests/setup.sh test
	@node tests/matrix/run.mjs $(FLAGS) $(PAGE)
