# Two commands: `make run` to try it, `make test` to prove it. Everything else is below them.
SHELL := /bin/bash
LISTEN ?= 127.0.0.1:8080
DATA ?= minato-data
LAN ?=
CRATES := -p minato -p minato-devices -p minato-island
DEVICES := minato-devices/bluetooth,minato-devices/serial
FLAGS := --demo --listen $(LISTEN) --data $(DATA) $(if $(LAN),--lan --demo-beyond-loopback)

.PHONY: run test bench recovery ladder island fuzz types web build fmt lint rust-test web-test e2e needs needs-build needs-bench \
	needs-ladder

## Builds what is needed and starts the demonstration clinic; addresses are printed. LAN=1 for phones.
run: build
	@exec target/debug/minato $(FLAGS)

## The demonstration through a poor link: 600 ms there and back, 5 % lost, 256 kbit/s. Type `loss 20`,
## `blackout 30s` while it runs; LINK="--profile 64k15" begins with another.
LINK ?= --delay 300 --loss 5 --rate 256k
island: build
	@exec target/debug/minato-island run $(LINK) -- deploy/island/open.sh target/debug

## Everything that has to hold: format, lints, Rust tests, types, web tests, real browsers.
# The whole workspace at once: built apart, the two programs would take other features of the same
# crates and build them a second time.
test: CRATES := --workspace --all-targets
# Devices by radio and by cable too; `make run` has simulated ones and needs no headers for those.
test: FEATURES := --features $(DEVICES)
# The same broken input each time; `make fuzz` throws other dice at each start.
test: export MINATO_FUZZ_SEED ?= 1
test: needs web fmt lint rust-test fuzz web-test build e2e

## The figures of BENCHMARKS.md: the broker's first, then those beside coturn and janus.
bench: needs-bench web
	cargo build --release -p minato -p minato-devices -p minato-island -p minato-bench
	target/release/minato-bench rules log devices storm sockets vitals vitals:island
	cd web && MINATO_BIN=../target/release node e2e/page-latency.bench.mjs
	cd web && MINATO_BIN=../target/release MINATO_ISLAND=../target/release/minato-island \
		node e2e/island/page-latency.bench.mjs
	target/release/minato-bench turn turn-unit visits forward
	cd web && MINATO_BIN=../target/release node e2e/forward.bench.mjs
	cd web && MINATO_BIN=../target/release node e2e/forward.bench.mjs --growth

## Readers of bytes from outside, each fed with broken input for SECONDS. What breaks one is kept in
## media-relay/fuzz and tried first from then on. RUNS=10000000 feeds each so many instead.
SECONDS ?= 20
RUNS ?=
fuzz:
	MINATO_FUZZ_SECONDS=$(SECONDS) $(if $(RUNS),MINATO_FUZZ_RUNS=$(RUNS)) cargo test --workspace $(FEATURES) --lib fuzzed -- --test-threads=2

## A call's link is cut at random, 1 to 30 s at a time, and its address changes: how long until both
## hear and see each other. 100 drops take half an hour; DROPS=20 is enough for a first word.
DROPS ?= 100
recovery: build
	cd web && node e2e/island/recovery.bench.mjs --drops $(DROPS) --minutes 60

## The ladder's profiles (512k/5 %, 128k/10 %, 64k/15 %, 600 ms, a black-out of 30 s) with two real
## browsers and speech: made-up sound, every reading once and in order, and the pages' words beside what
## is sent. A table; it fails when readings are lost or words are wrong for more than four seconds.
## About eight minutes, on a machine that does nothing else; PROFILES=128k10,64k15 takes some of them.
PROFILES ?= 512k5,128k10,64k15,600ms,blackout30s
ladder: needs-ladder build
	cd web && node e2e/island/profiles.bench.mjs --only $(PROFILES)

## Exports the wire's types from Rust to the pages.
types:
	MINATO_EXPORT=1 cargo test -q -p minato-protocol --features ts --test typescript

# What a new machine lacks: a C compiler, and beyond it a browser for the real-browser test, fonts
# for its pictures. Rust and Node in the versions wanted are looked for.
needs:
	@deploy/needs.sh build tests
needs-build:
	@deploy/needs.sh build
needs-bench:
	@deploy/needs.sh build bench
needs-ladder:
	@deploy/needs.sh build ladder

build: needs-build web
	cargo build $(CRATES) $(FEATURES)

# Rebuilt only when a source changed.
web: web/dist/.built
web/dist/.built: web/node_modules/.installed $(shell find web/src web/*.html web/*.ts web/scripts -type f 2>/dev/null)
	cd web && npm run --silent build && touch dist/.built
web/node_modules/.installed: web/package-lock.json | needs-build
	cd web && npm ci --no-audit --no-fund && touch node_modules/.installed

fmt:
	cargo fmt --all --check

lint:
	cargo clippy --workspace --all-targets --features $(DEVICES) -- -D warnings
	cd web && npm run --silent lint && npm run --silent check

rust-test:
	cargo test --workspace --features $(DEVICES)
	cargo test -p minato-protocol --features ts --test typescript

web-test: web
	cd web && npm test && npm run --silent size

e2e: build
	cd web && npm run --silent e2e
