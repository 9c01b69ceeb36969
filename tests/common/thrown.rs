//! What `fetch` throws: the network's failure, its own fault, or a framework's
//! control flow.

use std::error::Error as _;

use bookmore_sdk::{Error, fetch::Thrown};
use js_sys::Reflect;
use wasm_bindgen_test::wasm_bindgen_test;

use super::fetch::ask_counting;

/// Rejected, and thrown synchronously.
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
        (
            "Object.assign(new Error('gone'), { code: 'ECONNRESET' })",
            ": gone",
        ),
        ("new DOMException('cut off', 'NetworkError')", ": cut off"),
        (
            "new TypeError('Failed to fetch (api.example)')",
            ": Failed to fetch (api.example)",
        ),
        (
            "new TypeError('Network request failed')",
            ": Network request failed",
        ),
        (
            "new Error('net::ERR_INTERNET_DISCONNECTED')",
            ": net::ERR_INTERNET_DISCONNECTED",
        ),
        (
            "new TypeError('fetch failed', { cause: Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' }) })",
            ": fetch failed: UND_ERR_SOCKET: other side closed",
        ),
        (
            "new TypeError('fetch failed', { cause: Object.assign(new Error('connect ECONNREFUSED ::1:9'), { code: 'ECONNREFUSED' }) })",
            ": fetch failed: ECONNREFUSED",
        ),
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
        (
            "new TypeError('x is not a function')",
            ": x is not a function",
        ),
        ("new Error('Failed to fetch')", ": Failed to fetch"),
        (
            "Object.assign(new TypeError('no URL'), { code: 'ERR_INVALID_URL' })",
            ": no URL",
        ),
        ("new DOMException('too late', 'TimeoutError')", ": too late"),
        (
            "new TypeError('Failed to fetch dynamically imported module: a.js')",
            ": Failed to fetch dynamically imported module: a.js",
        ),
        (
            "Object.assign(new Error('too long'), { code: 'E2BIG' })",
            ": too long",
        ),
        (
            "Object.assign(new Error('duplicate'), { code: 'E11000' })",
            ": duplicate",
        ),
        (
            "Object.assign(new Error('no such file'), { code: 'ENOENT' })",
            ": no such file",
        ),
        (
            "new TypeError('fetch failed', { cause: Object.assign(new Error('invalid onError method'), { code: 'UND_ERR_INVALID_ARG' }) })",
            ": fetch failed: UND_ERR_INVALID_ARG: invalid onError method",
        ),
        ("'words'", ": words"),
        ("5", ""),
        ("null", ""),
        ("undefined", ""),
        ("Symbol('s')", ""),
        ("Object.create(null)", ""),
        (
            "Object.assign(new Error('Not found'), { status: 404 })",
            ": Not found",
        ),
        (
            "({ name: 'HttpErrorResponse', message: 'Http failure', status: 404 })",
            ": Http failure",
        ),
        ("({ status: '404' })", ""),
        ("({ type: 'Data' })", ""),
        (
            "new Proxy({}, { get() { throw 1 }, getPrototypeOf() { throw 2 }, getOwnPropertyDescriptor() { throw 3 }, ownKeys() { throw 4 } })",
            "",
        ),
        (
            "({ get message() { globalThis.getterRan = true }, get cause() { globalThis.getterRan = true } })",
            "",
        ),
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
        "(globalThis.flow = new Response(null, { status: 302, headers: { location: '/login' } }))",
        "(globalThis.flow = new (class Redirect { status = 303; location = '/login' })())",
        "(globalThis.flow = new (class HttpError { status = 404; body = { message: 'Not found' } })())",
        "(globalThis.flow = { type: 'DataWithResponseInit', data: 'Not found', init: { status: 404 } })",
        "(globalThis.flow = { isNotFound: true })",
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
        "new (class Own extends TypeError { name = 'Own' })('broken')",
        "new DOMException('broken', 'DataError')",
    ] {
        let (error, _) = ask_counting(&ways_to_throw(fine)[0]).await;
        let thrown = thrown_by(&error);
        assert!(thrown.value().is_some(), "{fine}");
        assert_eq!(thrown.to_string(), "broken");
    }
    let (error, _) =
        ask_counting("Promise.reject(new Error('a', { cause: new Error('b') }))").await;
    assert_eq!(thrown_by(&error).source().unwrap().to_string(), "b");

    for telling in [
        "new Error('broken: t0ken-s3cret')",
        "Object.assign(new Error('broken'), { config: { headers: { Authorization: 'Bearer t0ken-s3cret' } } })",
        "Object.assign(new Error('broken'), { headers: new Headers({ authorization: 't0ken-s3cret' }) })",
        "Object.assign(new Error('broken'), { list: [new Map([['x', 't0ken-s3cret']])] })",
        "Object.assign(new Error('broken'), { ['t0ken-s3cret']: 1 })",
        "new Error('broken', { cause: new Error('t0ken%2Ds3cret') })",
        "Object.assign(new Error('broken'), { get hidden() { return 't0ken-s3cret' } })",
        "Object.assign(new Error('broken'), { kind: Symbol('t0ken-s3cret') })",
        "Object.assign(new Error('broken'), { [Symbol('t0ken-s3cret')]: 1 })",
        // What cannot be inspected, or is too large.
        "Object.assign(new Error('broken'), { show() { return 't0ken-s3cret' } })",
        "new (class extends Error { toJSON() { return 't0ken-s3cret' } })('broken')",
        "new (class extends Error { get token() { return 't0ken-s3cret' } })('broken')",
        "Object.defineProperty(new Error('broken'), 'x', { get: (() => 't0ken-s3cret').bind() })",
        "Object.assign(new Error('broken'), Object.fromEntries(Array.from({ length: 2000 }, (_, i) => ['k' + i, i])))",
        "Object.assign(new Error('broken'), { list: new Array(1e9) })",
        "Object.assign(new Error('broken'), { map: new Map(Array.from({ length: 2000 }, (_, i) => [i, i])) })",
        "Object.assign(new Error('broken'), { request: new (class { #secret = 't0ken-s3cret' }) })",
        "Object.assign(new Error('broken'), { body: 'x'.repeat(200_000) })",
        "Object.assign(new Error('broken'), { buffer: new Uint8Array(20_000_000) })",
        "Object.assign(new Error('broken'), { many: Array.from({ length: 2000 }, () => ({})) })",
    ] {
        let (error, _) = ask_counting(&ways_to_throw(telling)[0]).await;
        let thrown = thrown_by(&error);
        assert!(thrown.value().is_none(), "{telling}");
        let shown = format!("{error} {error:?} {thrown} {thrown:?}");
        assert!(
            !shown.contains("s3cret") && shown.contains("broken"),
            "{shown}"
        );
    }
}

#[wasm_bindgen_test]
async fn a_long_text_is_shortened_and_not_inside_a_word() {
    let long = "Promise.reject(new Error('x'.repeat(9_990) + ' t0ken-s3cret-of-another'))";
    let (error, _) = ask_counting(long).await;
    let words = "x".repeat(9_990) + " …";
    assert_eq!(thrown_by(&error).to_string(), words);
    assert!(!error.to_string().contains("t0ken"), "{error}");
}
