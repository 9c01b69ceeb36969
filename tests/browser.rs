//! The tests of the fetch transport in browsers:
//! `wasm-pack test --headless --chrome` and `--firefox`.
#![cfg(target_arch = "wasm32")]

mod common;
#[path = "common/fetch.rs"]
mod fetch;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
