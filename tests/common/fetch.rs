//! The fetch transport against the platform's own `Response`, streams and
//! `AbortController`; the same bodies run in Node and in browsers.

use std::time::Duration;

use bookmore_sdk::{
    AiChatUsageResponse, Client, Error, Format, GetAiChatUsage, HttpResponse, fetch::Fetch,
};
use js_sys::{Function, Object, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use super::common::{COUNT, exchanges, rows};

pub const USAGE: &str =
    r#"{"tokensUsed":5,"tokenLimit":10,"tokensRemaining":5,"isWithinBudget":true,"windowDays":30}"#;

/// `new Function(parameters, body)`: JavaScript beside the test that uses it.
pub fn javascript(parameters: &str, body: &str) -> Function {
    Function::new_with_args(parameters, body)
}

/// A fetch that returns the value of a JavaScript `expression`.
pub fn giving(expression: &str) -> Fetch {
    let expression = expression.replace("USAGE", &format!("{USAGE:?}"));
    Fetch::new().with_function(javascript("url, init", &format!("return {expression}")))
}

/// The error of a call with the usual retries, and how many requests it made.
pub async fn ask_counting(expression: &str) -> (Error, f64) {
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

pub async fn ask(fetch: Fetch) -> Result<AiChatUsageResponse, Error> {
    let client = Client::builder()
        .base_url("https://api.example/base")
        .max_retries(0)
        .build(fetch)?;
    client.get_ai_chat_usage(&GetAiChatUsage::default()).await
}

pub async fn sentence(fetch: Fetch) -> String {
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
        r#"{"method":"GET","headers":{"Accept":"text/jsonl","Authorization":"Bearer t0ken","x-api-key":"key","x-language":"sv"},"signal":true,"redirect":"manual","cache":"no-store"}"#
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
        (
            "({ status: 200.5, text: () => USAGE })",
            "an object without a status",
        ),
        ("() => {}", "something of type function"),
        (
            "({ status: 0, type: 'opaque', body: null })",
            "an opaque Response, as the mode no-cors does",
        ),
        (
            "({ status: 200, body: USAGE })",
            "an object with neither a stream as its body nor arrayBuffer() nor text()",
        ),
        (
            "({ status: 200, text: USAGE })",
            "an object with neither body nor arrayBuffer() nor text()",
        ),
        (
            "({ status: 200, body: { locked: true, getReader() {} } })",
            "a Response whose body is being read",
        ),
        (
            "({ get status() { throw 5 } })",
            "an object without a status",
        ),
        (
            "({ status: 200, ok: true, json: async () => JSON.parse(USAGE) })",
            "an object with neither body nor arrayBuffer() nor text()",
        ),
        (
            "({ status: 200, body: { getReader() { throw new TypeError('locked') } } })",
            "a body that cannot be read",
        ),
        (
            "({ status: 200, body: { getReader: () => ({}) } })",
            "a body that cannot be read",
        ),
        (
            "(globalThis.read ??= new Response('x'), read.text().catch(() => 0), read)",
            "a Response that has been read already",
        ),
    ] {
        refuses_at_once(refused, given).await;
    }
    for no_bytes in [
        "arrayBuffer: () => 5",
        "arrayBuffer: () => 5n",
        "arrayBuffer: () => Symbol()",
        "arrayBuffer: () => ({})",
        "arrayBuffer: () => ({ byteLength: 5 })",
        "arrayBuffer: () => ({ byteLength: 5, buffer: new ArrayBuffer(2) })",
        "arrayBuffer: () => ({ byteLength: -5, buffer: new ArrayBuffer(2) })",
        "arrayBuffer: () => JSON.parse(USAGE)",
        "text: async () => null",
        "text: () => JSON.parse(USAGE)",
        "body: { getReader: () => ({ read: async () => ({ value: 5n }) }) }",
        "body: { getReader: () => ({ read: async () => ({ value: null }) }) }",
        "body: { getReader: () => ({ read: async () => ({ value: USAGE }) }) }",
        "body: { getReader: () => ({ read: async () => ({}) }) }",
        "body: { getReader: () => ({ read() {} }) }",
    ] {
        let refused = format!("({{ status: 200, {no_bytes} }})");
        refuses_at_once(&refused, "a body that is not made of bytes").await;
    }
    let limited =
        "({ status: 429, headers: { 'Retry-After': '7', get: () => null }, text: () => '' })";
    let error = ask(giving(limited)).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    // Whatever its headers say.
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
        "({ status: 200, text: () => { throw 5 } })",
        "({ status: 200, arrayBuffer: async () => { throw null } })",
        "({ status: 200, body: { getReader: () => ({ read() { throw 5 } }) } })",
    ] {
        let sentence = sentence(giving(broken)).await;
        assert!(
            sentence.starts_with("The reply broke off"),
            "{broken}: {sentence}"
        );
    }
}

/// Nothing is retried.
async fn refuses_at_once(refused: &str, given: &str) {
    let (error, sent) = ask_counting(refused).await;
    assert_eq!((error.code(), sent), ("config_error", 1.0), "{refused}");
    assert_eq!(
        error.to_string(),
        format!(
            "The fetch function returned {given}; return an unread Response, as fetch does, or an object like one with status, headers and a body."
        ),
    );
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

#[wasm_bindgen_test]
async fn neither_clock_nor_chance_is_looked_at_before_the_first_fetch() {
    let looks = Object::new();
    let fetch = javascript(
        "looks, usage",
        "
        const { now } = Date, { random } = Math;
        looks.count = 0;
        Date.now = () => (looks.count++, now());
        Math.random = () => (looks.count++, random());
        return () => {
            looks.before = looks.count;
            [Date.now, Math.random] = [now, random];
            return new Response(usage, { headers: { 'content-type': 'application/json' } });
        };",
    );
    for token in [None, Some("t0ken")] {
        let function = fetch
            .call2(&JsValue::NULL, &looks, &USAGE.into())
            .unwrap()
            .unchecked_into();
        let mut builder = Client::builder();
        if let Some(token) = token {
            builder = builder.bearer_token(token);
        }
        let client = builder.build(Fetch::new().with_function(function)).unwrap();
        client
            .get_ai_chat_usage(&GetAiChatUsage::default())
            .await
            .unwrap();
        let before = Reflect::get(&looks, &"before".into()).unwrap();
        assert_eq!(before.as_f64(), Some(0.0));
    }
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

#[wasm_bindgen_test]
fn a_sleep_is_no_longer_than_the_platforms_timers() {
    use bookmore_sdk::Transport;
    let spy = "const { setTimeout } = globalThis;
        globalThis.setTimeout = (_, ms) => { globalThis.sleptMs = ms; globalThis.setTimeout = setTimeout; };";
    for (ms, taken) in [(5e3, 5e3), (30.0 * 86_400e3, 2_147_483_647.0)] {
        javascript("", spy).call0(&JsValue::NULL).unwrap();
        drop(Fetch::new().sleep(ms));
        let slept = Reflect::get(&js_sys::global(), &"sleptMs".into());
        assert_eq!(slept.unwrap(), taken);
    }
}
