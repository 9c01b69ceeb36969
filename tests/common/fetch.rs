//! The fetch transport against the platform's own `Response`, streams and
//! `AbortController`; the same bodies run in Node and in browsers.

use std::{cell::RefCell, error::Error as _, future::Future, pin::pin, rc::Rc, task::Context};

use bookmore_sdk::{
    AiChatUsageResponse, Client, Error, Format, GetAiChatUsage, HttpResponse,
    fetch::{Fetch, Thrown},
};
use js_sys::{Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

use super::common::{COUNT, exchanges, rows};

const USAGE: &str =
    r#"{"tokensUsed":5,"tokenLimit":10,"tokensRemaining":5,"isWithinBudget":true,"windowDays":30}"#;

/// `new Function(parameters, body)`: JavaScript beside the test that uses it.
fn javascript(parameters: &str, body: &str) -> Function {
    Function::new_with_args(parameters, body)
}

/// A fetch that gives the JavaScript value of `expression`.
fn giving(expression: &str) -> Fetch {
    let expression = expression.replace("USAGE", &format!("{USAGE:?}"));
    Fetch::new().with_function(javascript("url, init", &format!("return {expression}")))
}

async fn ask(fetch: Fetch) -> Result<AiChatUsageResponse, Error> {
    let client = Client::builder()
        .base_url("https://api.example/base")
        .max_retries(0)
        .build(fetch)?;
    client.get_ai_chat_usage(&GetAiChatUsage::default()).await
}

async fn sentence(fetch: Fetch) -> String {
    ask(fetch).await.unwrap_err().to_string()
}

/// The recorded response as the platform's own Response. The constructor
/// refuses a body where HTTP has none.
fn platform_response(recorded: &HttpResponse) -> JsValue {
    let bytes = match &recorded.body {
        bookmore_sdk::transport::Body::Whole(bytes) => bytes,
        _ => unreachable!(),
    };
    let headers = js_sys::Array::new();
    for (name, value) in &recorded.headers {
        if name != "content-encoding" {
            headers.push(&js_sys::Array::of2(&name.into(), &value.into()));
        }
    }
    let body = if bytes.is_empty() {
        JsValue::NULL
    } else {
        Uint8Array::from(bytes.as_slice()).into()
    };
    javascript(
        "status, headers, body",
        "return new Response(body, { status, headers })",
    )
    .call3(&JsValue::NULL, &recorded.status.into(), &headers, &body)
    .unwrap()
}

#[wasm_bindgen_test]
async fn all_254_recorded_exchanges_have_their_outcome() {
    let (exchanges, rows) = (exchanges(), rows());
    assert_eq!((exchanges.len(), rows.len()), (COUNT, COUNT));
    for (exchange, row) in exchanges.iter().zip(&rows) {
        assert_eq!(exchange.id, row.id);
        let response = platform_response(&exchange.response);
        let give = javascript("response", "return async () => response")
            .call1(&JsValue::NULL, &response)
            .unwrap();
        let fetch = Fetch::new().with_function(give.unchecked_into());
        let client = Client::builder().max_retries(0).build(fetch).unwrap();
        row.check(&client.get_ai_chat_usage(&row.request).await);
    }
}

#[wasm_bindgen_test]
async fn the_request_is_the_one_of_the_contract() {
    let sent = Object::new();
    let function = javascript(
        "sent",
        "return async function (url, init) { Object.assign(sent, { url, init, self: this }); return new Response('') }",
    )
    .call1(&JsValue::NULL, &sent)
    .unwrap();
    let fetch = Fetch::new().with_function(function.unchecked_into());
    let builder = Client::builder()
        .base_url("https://api.example/base/")
        .bearer_token("t0ken")
        .api_key("key")
        .format(Format::Jsonl)
        .header("X-Language", "sv");
    let client = builder.clone().build(fetch.clone()).unwrap();
    let request = GetAiChatUsage::for_company("9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c");
    let _ = client.get_ai_chat_usage(&request).await;
    let told = |expression: &str| {
        let read = javascript("sent", &format!("return JSON.stringify({expression})"));
        read.call1(&JsValue::NULL, &sent).unwrap().as_string()
    };
    assert_eq!(
        told("sent.url").unwrap(),
        r#""https://api.example/base/assistant/ai-chat/usage?CompanyId=9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c""#
    );
    assert_eq!(
        told("{ ...sent.init, signal: sent.init.signal instanceof AbortSignal }").unwrap(),
        r#"{"method":"GET","headers":{"Accept":"text/jsonl","Authorization":"Bearer t0ken","x-api-key":"key","X-Language":"sv"},"signal":true,"redirect":"manual","cache":"no-store"}"#
    );
    // Called unbound: sloppy functions see the global object as `this`.
    assert_eq!(told("sent.self === globalThis").unwrap(), "true");

    let client = builder.build(fetch.credentials("include")).unwrap();
    let _ = client.get_ai_chat_usage(&request).await;
    assert_eq!(told("sent.init.credentials").unwrap(), r#""include""#);
}

#[wasm_bindgen_test]
async fn the_global_fetch_is_looked_up_at_each_call() {
    let client = Client::builder().build(Fetch::new()).unwrap();
    let global = js_sys::global();
    let original = Reflect::get(&global, &"fetch".into()).unwrap();
    for body in [USAGE, &USAGE.replace(":5,", ":6,")] {
        let patched = javascript(
            "",
            &format!(
                "return Promise.resolve(new Response({body:?}, {{ headers: {{ 'content-type': 'text/jsonl' }} }}))"
            ),
        );
        Reflect::set(&global, &"fetch".into(), &patched).unwrap();
        let usage = client.get_ai_chat_usage(&GetAiChatUsage::default()).await;
        let expected: AiChatUsageResponse = serde_json::from_str(body).unwrap();
        assert_eq!(usage.unwrap(), expected);
    }
    Reflect::set(&global, &"fetch".into(), &original).unwrap();
}

#[wasm_bindgen_test]
async fn whatever_a_mock_gives_is_read_or_refused() {
    for fine in [
        "Promise.resolve({ status: 200, arrayBuffer: async () => new TextEncoder().encode(USAGE).buffer })",
        "Promise.resolve({ status: 200, text: async () => USAGE })",
        "({ status: 200, text: () => USAGE, headers: new Map([['Content-Type', 'application/json']]) })",
        "new Response(new ReadableStream({ start(c) { for (const byte of new TextEncoder().encode(USAGE)) c.enqueue(new Uint8Array([byte])); c.close() } }), { headers: { 'content-type': 'application/json' } })",
        "({ status: 200, arrayBuffer: () => new TextEncoder().encode('xx' + USAGE).subarray(2) })",
        "({ status: 200, arrayBuffer: () => new DataView(new TextEncoder().encode(USAGE).buffer) })",
        "({ status: 200, url: '', type: 'default', body: null, bodyUsed: false, headers: {}, body: undefined, text: () => USAGE })",
    ] {
        assert_eq!(ask(giving(fine)).await.unwrap().tokens_used, 5, "{fine}");
    }
    for (refused, given) in [
        ("undefined", "undefined"),
        ("null", "null"),
        ("5", "something of type number"),
        ("'words'", "something of type string"),
        ("({})", "an object without a status"),
        ("({ status: undefined })", "an object without a status"),
        ("Response.error()", "Response.error()"),
        ("({ status: 200n })", "an object without a status"),
        ("({ status: 65736 })", "an object without a status"),
        ("({ get status() { throw 5 } })", "an object without a status"),
        (
            "({ status: 200, ok: true, json: async () => JSON.parse(USAGE) })",
            "an object with neither body nor arrayBuffer() nor text()",
        ),
        (
            "(globalThis.read ??= new Response('x'), read.text().catch(() => 0), read)",
            "a Response that has been read already",
        ),
    ] {
        // Nothing is tried again.
        let (error, sent) = ask_counting(refused).await;
        assert_eq!((error.code(), sent), ("config_error", 1.0), "{refused}");
        assert_eq!(
            error.to_string(),
            format!("The fetch function gave {given}; give a Response that nobody has read, as fetch does, or one made like it with status, headers and a body."),
        );
    }
    // Whatever its headers are.
    for headers in [
        "[null]",
        "5",
        "{ [Symbol.iterator]() { throw 5 } }",
        "[['a']]",
    ] {
        let response = format!("({{ status: 200, headers: {headers}, text: () => USAGE }})");
        let usage = ask(giving(&response)).await;
        assert_eq!(usage.unwrap().tokens_used, 5, "{headers}");
    }
    for broken in [
        "({ status: 200, arrayBuffer: () => 5 })",
        "({ status: 200, arrayBuffer: () => 5n })",
        "({ status: 200, arrayBuffer: () => Symbol() })",
        "({ status: 200, body: { getReader: () => ({ read: async () => ({ value: 5n }) }) } })",
        "({ status: 200, text: () => { throw 5 } })",
        "({ status: 200, arrayBuffer: async () => { throw null } })",
        "({ status: 200, body: { getReader() { throw new TypeError('locked') } } })",
        "({ status: 200, body: { getReader: () => ({}) } })",
    ] {
        let sentence = sentence(giving(broken)).await;
        assert!(
            sentence.starts_with("The reply broke off"),
            "{broken}: {sentence}"
        );
    }
}

/// The error of a call with the usual retries, and how many requests it made.
async fn ask_counting(expression: &str) -> (Error, f64) {
    let count = Object::new();
    Reflect::set(&count, &"sent".into(), &0.into()).unwrap();
    let expression = expression.replace("USAGE", &format!("{USAGE:?}"));
    let function = javascript(
        "count",
        &format!("return (url, init) => {{ count.sent++; return {expression} }}"),
    );
    let function = function.call1(&JsValue::NULL, &count).unwrap();
    let client = Client::builder()
        .base_url("https://api.example/base")
        .max_retries(1)
        .bearer_token("t0ken-s3cret")
        .build(Fetch::new().with_function(function.unchecked_into()))
        .unwrap();
    let error = client
        .get_ai_chat_usage(&GetAiChatUsage::default())
        .await
        .unwrap_err();
    let sent = Reflect::get(&count, &"sent".into()).unwrap();
    (error, sent.as_f64().unwrap())
}

/// Rejected, and thrown at once.
fn ways_to_throw(thrown: &str) -> [String; 2] {
    [
        format!("Promise.reject({thrown})"),
        format!("(() => {{ throw {thrown} }})()"),
    ]
}

#[wasm_bindgen_test]
async fn the_networks_failures_are_retried() {
    for (thrown, quoted) in [
        ("new TypeError('Failed to fetch')", ": Failed to fetch"),
        ("new TypeError('Load failed')", ": Load failed"),
        (
            "new TypeError('NetworkError when attempting to fetch resource.')",
            ": NetworkError when attempting to fetch resource",
        ),
        (
            "Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } })",
            ": fetch failed: ECONNREFUSED",
        ),
        (
            "Object.assign(new TypeError('fetch failed'), { cause: new Error('bad port') })",
            ": fetch failed: bad port",
        ),
        ("Object.assign(new Error('gone'), { code: 'ECONNRESET' })", ": gone"),
        ("new DOMException('cut off', 'NetworkError')", ": cut off"),
    ] {
        for expression in ways_to_throw(thrown) {
            let (error, sent) = ask_counting(&expression).await;
            assert_eq!((error.code(), sent), ("network_error", 2.0), "{expression}");
            let expected = format!(
                "No reply came from https://api.example/base/assistant/ai-chat/usage{quoted}. Check the network and the base URL."
            );
            assert!(error.to_string().starts_with(&expected), "{error}");
            assert!(thrown_by(&error).value().unwrap().is_object());
        }
    }
}

#[wasm_bindgen_test]
async fn whatever_else_a_fetch_throws_is_its_own_fault() {
    for (thrown, quoted) in [
        ("new TypeError('x is not a function')", ": x is not a function"),
        ("new Error('Failed to fetch')", ": Failed to fetch"),
        (
            "Object.assign(new TypeError('no URL'), { code: 'ERR_INVALID_URL' })",
            ": no URL",
        ),
        ("new DOMException('too late', 'TimeoutError')", ": too late"),
        ("'words'", ": words"),
        ("5", ""),
        ("null", ""),
        ("undefined", ""),
        ("Symbol('s')", ""),
        ("Object.create(null)", ""),
        ("new Proxy({}, { get() { throw 1 }, getPrototypeOf() { throw 2 }, getOwnPropertyDescriptor() { throw 3 }, ownKeys() { throw 4 } })", ""),
        ("({ get message() { globalThis.getterRan = true }, get cause() { globalThis.getterRan = true } })", ""),
    ] {
        for expression in ways_to_throw(thrown) {
            let (error, sent) = ask_counting(&expression).await;
            assert_eq!((error.code(), sent), ("fetch_error", 1.0), "{expression}");
            let expected = format!("The fetch function failed by itself{quoted}.");
            assert!(error.to_string().starts_with(&expected), "{error}");
            let Error::Fetch(error) = error else {
                panic!("{error:?}")
            };
            assert!(!error.is_control_flow, "{expression}");
        }
    }
    assert!(!Reflect::has(&js_sys::global(), &"getterRan".into()).unwrap());
}

#[wasm_bindgen_test]
async fn a_frameworks_control_flow_reaches_the_caller_as_it_came() {
    for thrown in [
        "(globalThis.flow = Object.assign(new Error('dynamic'), { digest: 'DYNAMIC_SERVER_USAGE' }))",
        "(globalThis.flow = { then() {} })",
        "(globalThis.flow = { $$typeof: Symbol.for('react.postpone') })",
    ] {
        // A promise that is rejected with a thenable stays rejected with it.
        for expression in ways_to_throw(thrown) {
            let (error, sent) = ask_counting(&expression).await;
            let Error::Fetch(fetch_error) = &error else {
                panic!("{error:?}")
            };
            assert!(fetch_error.is_control_flow && sent == 1.0, "{expression}");
            let flow = Reflect::get(&js_sys::global(), &"flow".into()).unwrap();
            assert_eq!(thrown_by(&error).value(), Some(&flow));
        }
    }
}

fn thrown_by(error: &Error) -> &Thrown {
    error.source().unwrap().downcast_ref().unwrap()
}

#[wasm_bindgen_test]
async fn what_was_thrown_goes_along_unless_it_quotes_a_secret() {
    for fine in [
        "Object.assign(new Error('broken'), { at: [1, { deep: new Map([['a', 'b']]) }], headers: new Headers({ a: 'b' }) })",
        "new Error('broken', { cause: new TypeError('inner') })",
    ] {
        let (error, _) = ask_counting(&ways_to_throw(fine)[0]).await;
        let thrown = thrown_by(&error);
        assert!(thrown.value().is_some(), "{fine}");
        assert_eq!(thrown.to_string(), "broken");
    }
    let (error, _) = ask_counting("Promise.reject(new Error('a', { cause: new Error('b') }))").await;
    assert_eq!(thrown_by(&error).source().unwrap().to_string(), "b");

    for telling in [
        "new Error('broken: t0ken-s3cret')",
        "Object.assign(new Error('broken'), { config: { headers: { Authorization: 'Bearer t0ken-s3cret' } } })",
        "Object.assign(new Error('broken'), { headers: new Headers({ authorization: 't0ken-s3cret' }) })",
        "Object.assign(new Error('broken'), { list: [new Map([['x', 't0ken-s3cret']])] })",
        "Object.assign(new Error('broken'), { ['t0ken-s3cret']: 1 })",
        "new Error('broken', { cause: new Error('t0ken%2Ds3cret') })",
        "Object.assign(new Error('broken'), { get hidden() { return 't0ken-s3cret' } })",
        // What cannot be looked at, or is too much.
        "Object.assign(new Error('broken'), { request: new (class { #secret = 't0ken-s3cret' }) })",
        "Object.assign(new Error('broken'), { body: 'x'.repeat(200_000) })",
        "Object.assign(new Error('broken'), { buffer: new Uint8Array(20_000_000) })",
        "Object.assign(new Error('broken'), { many: Array.from({ length: 2000 }, () => ({})) })",
    ] {
        let (error, _) = ask_counting(&ways_to_throw(telling)[0]).await;
        let thrown = thrown_by(&error);
        assert!(thrown.value().is_none(), "{telling}");
        let shown = format!("{error} {error:?} {thrown} {thrown:?}");
        assert!(!shown.contains("s3cret") && shown.contains("broken"), "{shown}");
    }
}

#[wasm_bindgen_test]
async fn a_reply_of_another_origin_or_a_hidden_redirect_is_unexpected() {
    let error = sentence(giving(
        "({ status: 200, redirected: true, url: 'https://evil.example/x?secret', text: () => USAGE })",
    ));
    assert_eq!(
        error.await,
        "The reply came from https://evil.example/x, which is not the base URL's origin. Check the base URL."
    );
    for fine in [
        "({ status: 200, redirected: true, url: 'https://api.example/elsewhere', text: () => USAGE })",
        "({ status: 200, redirected: false, url: 'https://gateway.example/', text: () => USAGE })",
    ] {
        assert_eq!(ask(giving(fine)).await.unwrap().tokens_used, 5, "{fine}");
    }
    let error = ask(giving(
        "({ status: 0, type: 'opaqueredirect', body: null })",
    ))
    .await;
    let error = error.unwrap_err();
    assert_eq!(
        (error.code(), error.status()),
        ("unexpected_response", Some(0))
    );
}

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

#[wasm_bindgen_test]
async fn a_usage_can_be_handed_to_javascript() {
    let usage = ask(giving(
        "new Response(USAGE, { headers: { 'content-type': 'application/json' } })",
    ))
    .await
    .unwrap();
    let written = js_sys::JSON::stringify(&usage.to_js().unwrap()).unwrap();
    assert_eq!(String::from(written), USAGE);
    // Never rounded.
    let most = |tokens_used| AiChatUsageResponse {
        tokens_used,
        ..usage.clone()
    };
    assert!(most((1 << 53) - 1).to_js().is_ok());
    assert!(most((1 << 53) + 1).to_js().is_err());
}
