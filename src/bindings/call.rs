//! Calls as promises.

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use js_sys::{Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use super::error::hide;
use crate::fetch::javascript::{invoke_with, is_true};

/// Begins a call synchronously, not in the next turn of the event loop, so that
/// the client can see that its own token provider makes it.
pub(super) fn begin<F>(call: Result<F, JsValue>) -> Promise
where
    F: Future<Output = Result<JsValue, JsValue>> + 'static,
{
    let mut call = match call {
        Ok(call) => Box::pin(call),
        Err(refused) => return Promise::reject(&refused),
    };
    // Polled again below, with a real waker.
    let mut nobody = Context::from_waker(Waker::noop());
    match call.as_mut().poll(&mut nobody) {
        Poll::Pending => future_to_promise(call),
        Poll::Ready(Ok(value)) => Promise::resolve(&value),
        Poll::Ready(Err(thrown)) => Promise::reject(&thrown),
    }
}

/// What leaves a call, once it has begun.
pub(super) type Leave = Rc<RefCell<Option<Box<dyn Fn()>>>>;

/// The outcome of `call`; or the reason of `signal`, if it aborts first. The
/// call is left at once: a listener or a fetch may abort while it is polled.
pub(super) async fn unless_aborted(
    signal: Option<JsValue>,
    leave: Leave,
    call: impl Future<Output = Result<JsValue, JsValue>>,
) -> Result<JsValue, JsValue> {
    let Some(signal) = signal else {
        return call.await;
    };
    if is_true(&signal, "aborted") {
        return Err(reason(&signal));
    }
    let mut call = pin!(call);
    let listener = Listener::on(&signal, leave);
    poll_fn(|context| {
        listener.waker.replace(Some(context.waker().clone()));
        match call.as_mut().poll(context) {
            Poll::Pending if is_true(&signal, "aborted") => Poll::Ready(Err(reason(&signal))),
            polled => polled,
        }
    })
    .await
}

/// The reason can be any value; some libraries' signals have none.
fn reason(signal: &JsValue) -> JsValue {
    let reason = Reflect::get(signal, &"reason".into()).ok();
    reason
        .filter(|reason| !reason.is_undefined())
        .unwrap_or_else(|| {
            let error = js_sys::Error::new("This operation was aborted");
            hide(&error, &"name".into(), &"AbortError".into());
            error.into()
        })
}

/// Wakes a task when a signal aborts.
struct Listener<'a> {
    signal: &'a JsValue,
    function: Closure<dyn FnMut()>,
    waker: Rc<RefCell<Option<Waker>>>,
}

impl<'a> Listener<'a> {
    fn on(signal: &'a JsValue, leave: Leave) -> Self {
        let waker = Rc::<RefCell<Option<Waker>>>::default();
        let own = Rc::clone(&waker);
        let function = Closure::new(move || {
            if let Some(leave) = leave.take() {
                leave();
            }
            if let Some(waker) = own.take() {
                waker.wake();
            }
        });
        let listener = Self {
            signal,
            function,
            waker,
        };
        listener.tell("addEventListener");
        listener
    }

    fn tell(&self, method: &str) {
        // A signal that cannot be listened to never aborts.
        let arguments = [&"abort".into(), self.function.as_ref()];
        let _ = invoke_with(self.signal, method, &arguments);
    }
}

impl Drop for Listener<'_> {
    fn drop(&mut self) {
        self.tell("removeEventListener");
    }
}
