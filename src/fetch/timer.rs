//! Clocks, timers and chance of the platform, looked up at each use: a test may
//! put its own in their place.

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

/// Nothing is left of it when it is dropped. A timer with more than the platform
/// can take would run at once; it is over early instead, and who sleeps looks at
/// the clock anew.
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
        // Whoever still listens is released: a promise that is never settled
        // keeps its listeners for ever.
        let _ = self.resolve.call0(&JsValue::UNDEFINED);
    }
}
