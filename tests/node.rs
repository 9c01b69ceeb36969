//! The tests of the fetch transport in Node: `wasm-pack test --node`.
#![cfg(target_arch = "wasm32")]

mod common;
#[path = "common/fetch.rs"]
mod fetch;
