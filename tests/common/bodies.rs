//! Bodies that end too late, too early or not at all, and what is left of a
//! request that nobody waits for.

use std::{cell::RefCell, future::Future, pin::pin, rc::Rc, task::Context};

use bookmore_sdk::fetch::Fetch;
use js_sys::{Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

use super::fetch::{USAGE, ask, giving, javascript, sentence};

/// A body without end, whose stream tells when it is given up.
const ENDLESS: &str = "new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(65536).fill(32)) } }), { headers: { 'content-type': 'application/json' } })";

#[wasm_bindgen_test]
async fn a_body_without_end_is_given_up() {
    assert_eq!(
        sentence(giving(ENDLESS)).await,
        "The reply cannot be read as a usage: the reply is longer than the client reads (at byte 262144)."
    );
    assert_eq!(
        sentence(giving("new Response(USAGE)").max_body_bytes(10)).await,
        "The server answered with text/plain instead of JSON, perhaps a login page. Check the base URL and the credentials.",
    );
}

#[wasm_bindgen_test]
async fn a_body_that_breaks_off_is_a_network_error_unless_the_status_tells_enough() {
    let broken = |status: u16| {
        format!(
            "new Response(new ReadableStream({{ start(c) {{ c.enqueue(new TextEncoder().encode(USAGE.slice(0, 20))); setTimeout(() => c.error(new Error('reset')), 1) }} }}), {{ status: {status}, headers: {{ 'content-type': 'application/json' }} }})"
        )
    };
    let error = ask(giving(&broken(200))).await.unwrap_err();
    assert_eq!(error.code(), "network_error");
    assert_eq!(error.to_string(), "The reply broke off: reset. Try again.");
    assert_eq!(
        ask(giving(&broken(503))).await.unwrap_err().code(),
        "server_error"
    );
}

/// Polls `call` once, then drops it.
async fn start_and_drop<F: Future>(call: F) {
    let mut call = Some(Box::pin(call));
    std::future::poll_fn(|context: &mut Context<'_>| {
        if let Some(mut call) = call.take() {
            assert!(pin!(&mut call).poll(context).is_pending());
        }
        std::task::Poll::Ready(())
    })
    .await;
}

#[wasm_bindgen_test]
async fn dropping_the_future_aborts_the_request_and_an_end_does_not() {
    let signals = Rc::new(RefCell::new(Vec::<JsValue>::new()));
    let fetch_that = |body: &'static str| {
        let signals = Rc::clone(&signals);
        let keep =
            Closure::<dyn FnMut(JsValue)>::new(move |signal| signals.borrow_mut().push(signal));
        let function = javascript(
            "keep",
            &format!(
                "return async (url, init) => {{ keep(init.signal); return {} }}",
                body.replace("USAGE", &format!("{USAGE:?}"))
            ),
        );
        let function = function
            .call1(&JsValue::NULL, &keep.into_js_value())
            .unwrap();
        Fetch::new().with_function(function.unchecked_into())
    };
    let aborted = |index: usize| {
        Reflect::get(&signals.borrow()[index], &"aborted".into())
            .unwrap()
            .as_bool()
    };

    start_and_drop(ask(fetch_that("new Promise(() => {})"))).await;
    assert_eq!(aborted(0), Some(true));

    ask(fetch_that("({ status: 200, text: () => USAGE })"))
        .await
        .unwrap();
    assert_eq!(aborted(1), Some(false));

    let body = "new Response(new ReadableStream({ start() {} }))";
    let call = ask(fetch_that(body));
    let mut call = Box::pin(call);
    let pause = JsFuture::from(Promise::new(&mut |resolve, _| {
        javascript("resolve", "setTimeout(resolve, 20)")
            .call1(&JsValue::NULL, &resolve)
            .unwrap();
    }));
    let mut pause = pin!(pause);
    std::future::poll_fn(|context| {
        assert!(
            call.as_mut().poll(context).is_pending(),
            "the body never ends"
        );
        pause.as_mut().poll(context)
    })
    .await
    .unwrap();
    assert_eq!(aborted(2), Some(false));
    drop(call);
    assert_eq!(aborted(2), Some(true));
}
