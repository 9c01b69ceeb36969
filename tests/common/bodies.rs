//! Bodies that end too late, too early or never, and the cleanup of abandoned
//! requests.

use std::{cell::RefCell, future::Future, pin::pin, rc::Rc, task::Context, time::Duration};

use bookmore_sdk::{Client, GetAiChatUsage, Transport, client::BearerToken, fetch::Fetch};
use js_sys::{Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

use super::fetch::{USAGE, ask, giving, javascript, sentence};

/// An endless body whose stream records its cancellation.
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

/// A fetch that returns `body` after a moment, even if its signal aborts; and a
/// record of what happened: `cancelled`, `aborted`.
fn deaf(body: &str) -> (Fetch, JsValue) {
    let seen: JsValue = js_sys::Object::new().into();
    let function = javascript(
        "seen",
        &format!(
            "return async (url, init) => {{
                init.signal.addEventListener('abort', () => {{ seen.aborted = true }});
                const stream = new ReadableStream({{
                    pull(c) {{ {body} }},
                    cancel() {{ seen.cancelled = true }},
                }});
                await new Promise((resolve) => setTimeout(resolve, 5));
                return new Response(stream, {{ status: seen.status ?? 200, headers: {{ 'content-type': 'application/json' }} }});
            }}"
        ),
    );
    let function = function.call1(&JsValue::NULL, &seen).unwrap();
    (Fetch::new().with_function(function.unchecked_into()), seen)
}

fn told(seen: &JsValue, name: &str) -> bool {
    Reflect::get(seen, &name.into()).unwrap().is_truthy()
}

async fn pause(milliseconds: f64) {
    let fetch = Fetch::new();
    fetch.sleep(milliseconds).await;
}

const NOTHING: &str = "";

#[wasm_bindgen_test]
async fn a_body_that_nobody_reads_to_its_end_is_cancelled() {
    // Dropped before the reply, with a fetch that continues.
    let (fetch, seen) = deaf(NOTHING);
    start_and_drop(ask(fetch)).await;
    assert!(told(&seen, "aborted") && !told(&seen, "cancelled"));
    pause(20.0).await;
    assert!(told(&seen, "cancelled"));

    // Dropped while the body is read.
    let (fetch, seen) = deaf(NOTHING);
    let mut call = Box::pin(ask(fetch));
    let mut wait = pin!(pause(20.0));
    std::future::poll_fn(|context| {
        assert!(call.as_mut().poll(context).is_pending());
        wait.as_mut().poll(context)
    })
    .await;
    assert!(!told(&seen, "cancelled"));
    drop(call);
    assert!(told(&seen, "aborted") && told(&seen, "cancelled"));

    // Longer than the client's limit, or of a reply whose body is not needed.
    let (fetch, seen) = deaf("c.enqueue(new Uint8Array(65536).fill(32))");
    ask(fetch).await.unwrap_err();
    assert!(told(&seen, "cancelled") && !told(&seen, "aborted"));
    let (fetch, seen) = deaf(NOTHING);
    Reflect::set(&seen, &"status".into(), &203.into()).unwrap();
    ask(fetch).await.unwrap_err();
    assert!(told(&seen, "cancelled") && !told(&seen, "aborted"));
}

#[wasm_bindgen_test]
async fn a_success_aborts_and_cancels_nothing() {
    let body = format!("c.enqueue(new TextEncoder().encode({USAGE:?})); c.close()");
    let (fetch, seen) = deaf(&body);
    ask(fetch).await.unwrap();
    pause(5.0).await;
    assert!(!told(&seen, "cancelled") && !told(&seen, "aborted"));
}

#[wasm_bindgen_test]
async fn a_renewal_in_the_background_ends_without_another_call() {
    let answers = Rc::new(RefCell::new(Vec::new()));
    let given = Rc::clone(&answers);
    let client = Client::builder()
        .token_provider(move |_| {
            let given = Rc::clone(&given);
            async move {
                let number = given.borrow().len();
                // The first arrives at once, the next ones after a while.
                if number > 0 {
                    pause(20.0).await;
                }
                given.borrow_mut().push(number);
                BearerToken::new("t0ken").expires_in(Duration::from_secs(100))
            }
        })
        .build(giving(
            "new Response(USAGE, { headers: { 'content-type': 'application/json' } })",
        ))
        .unwrap();
    let request = GetAiChatUsage::default();
    client.get_ai_chat_usage(&request).await.unwrap();
    client.get_ai_chat_usage(&request).await.unwrap();
    assert_eq!(answers.borrow().len(), 1);
    pause(60.0).await;
    assert_eq!(answers.borrow().len(), 2);
}

/// Prerendered pages may not read the clock or random numbers.
#[wasm_bindgen_test]
async fn neither_the_wall_clock_nor_chance_is_asked_before_the_first_request() {
    let looked = javascript(
        "",
        "globalThis.looked = []; const [now, random] = [Date.now, Math.random];
        Date.now = () => (looked.push('Date.now'), now());
        Math.random = () => (looked.push('Math.random'), random());
        return () => { Date.now = now; Math.random = random }",
    );
    let restore = looked.call0(&JsValue::NULL).unwrap();
    let client = Client::builder()
        .token_provider(|_| async { "t0ken" })
        .build(giving("(looked.push('fetch'), new Promise(() => {}))"))
        .unwrap();
    let request = GetAiChatUsage::default();
    for _ in 0..2 {
        start_and_drop(client.get_ai_chat_usage(&request)).await;
        client.set_bearer_token("other").unwrap();
    }
    restore
        .unchecked_into::<js_sys::Function>()
        .call0(&JsValue::NULL)
        .unwrap();
    let looked = Reflect::get(&js_sys::global(), &"looked".into()).unwrap();
    let looked = js_sys::Array::from(&looked);
    assert_eq!(looked.join(" "), "fetch fetch");
}
