//! What the module needs besides where wasm2js translates it to JavaScript.

use std::{hint::black_box, mem::MaybeUninit};

use talc::wasm::{WasmArenaTalc, new_wasm_arena_allocator};
use wasm_bindgen::prelude::*;

use super::json::Json;
use crate::{error::Error, wire::base_url::BaseUrl};

/// All the memory there is. Translated, a memory that grows is another buffer,
/// and wasm-bindgen's script would go on with views of the old one.
const SIZE: usize = 16 << 20;

/// What must be free for another call to begin. The replies of all that are in
/// flight may come at once, and their heads take about as much as the calls.
const ROOM: usize = SIZE / 2;

#[global_allocator]
#[allow(unsafe_code)]
static ALLOCATOR: WasmArenaTalc = {
    static mut ARENA: [MaybeUninit<u8>; SIZE] = [MaybeUninit::uninit(); SIZE];
    // SAFETY: Nothing else can name the arena.
    unsafe { new_wasm_arena_allocator(&raw mut ARENA) }
};

/// Whether there is memory for another call. It need not be in one piece: else
/// something small that stays in the middle would count as half of it.
#[wasm_bindgen(js_name = hasRoom)]
pub fn has_room() -> bool {
    const PIECES: usize = 16;
    let mut pieces: [Vec<u8>; PIECES] = Default::default();
    let is_there = pieces
        .iter_mut()
        .all(|piece| piece.try_reserve_exact(ROOM / PIECES).is_ok());
    // Else the compiler leaves the allocations out.
    black_box(&pieces);
    is_there
}

/// The parts of a base URL as JSON, for platforms whose `URL` does not tell
/// them: what `Core` takes, or why it is none.
#[wasm_bindgen(js_name = baseUrl)]
pub fn base_url(text: &str) -> String {
    let mut json = Json::default();
    json.item('{');
    match BaseUrl::parse(text) {
        Ok(base) => {
            json.text("baseUrl", base.as_str());
            json.integer("originLength", base.origin().len() as i64);
            json.boolean("keepsSecrets", base.keeps_secrets());
        }
        Err(error) => json.text("refused", &Error::from(error).message()),
    }
    json.close('}');
    json.into_text()
}
