//! The tests of the fetch transport in Node: `wasm-pack test --node`.
#![cfg(target_arch = "wasm32")]

#[path = "common/bodies.rs"]
mod bodies;
mod common;
#[path = "common/fetch.rs"]
mod fetch;
#[path = "common/platform.rs"]
mod platform;
#[path = "common/scenarios/mod.rs"]
mod scenarios;
#[path = "common/thrown.rs"]
mod thrown;
