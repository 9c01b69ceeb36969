//! The platform's clocks, timers and random numbers, looked up at each use
//! because tests replace them.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::transport::LONGEST_TIMER_MS;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(handler: &Function, milliseconds: f64) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    pub(super) fn performance_now() -> f64;
}

/// A sleep; dropping it clears the timer. A delay longer than the platform's limit
/// would fire at once, so it is shortened, and the caller checks the clock again.
pub(super) struct Sleep {
    id: JsValue,
    resolve: Function,
    over: JsFuture,
}

impl Sleep {
    pub fn start(milliseconds: f64) -> Self {
        let mut id = JsValue::UNDEFINED;
        let mut fulfil = Function::default();
        let promise = Promise::new(&mut |resolve, _| {
            id = set_timeout(&resolve, milliseconds.min(LONGEST_TIMER_MS.into()));
            fulfil = resolve;
        });
        Self {
            id,
            resolve: fulfil,
            over: JsFuture::from(promise),
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.over).poll(context).map(drop)
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        clear_timeout(&self.id);
        // Settle the promise, because one that never settles keeps its listeners
        // alive.
        let _ = self.resolve.call0(&JsValue::UNDEFINED);
    }
}
