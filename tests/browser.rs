//! The tests of the fetch transport in browsers:
//! `wasm-pack test --headless --chrome` and `--firefox`.
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

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
