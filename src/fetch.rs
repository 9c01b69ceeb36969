//! The transport of browsers and of JavaScript runtimes: `fetch`.

use std::rc::Rc;

use gloo_net::http::Response;
use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortController;

use crate::{
    error::concat,
    transport::{Body, HttpRequest, HttpResponse, NetworkError, Transport},
    wire::base_url::without_query,
};

/// What the body of a reply may have at the most, unless told otherwise:
/// 256 KiB. A usage has some 150 bytes.
pub const DEFAULT_MAX_BODY_BYTES: usize = 256 * 1024;

/// Sends requests with the global `fetch`, looked up at each request, or with
/// a given one.
#[derive(Debug, Clone)]
pub struct Fetch {
    pub(crate) function: Option<Function>,
    pub(crate) credentials: Option<String>,
    pub(crate) max_body_bytes: usize,
}

impl Default for Fetch {
    fn default() -> Self {
        Self {
            function: None,
            credentials: None,
            max_body_bytes: DEFAULT_MAX_BODY_BYTES,
        }
    }
}

impl Fetch {
    /// The global `fetch`, with the platform's own choice of `credentials`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends with `function`, which must take and give what `fetch` does.
    #[must_use]
    pub fn with_function(mut self, function: Function) -> Self {
        self.function = Some(function);
        self
    }

    /// Whether cookies go along: `omit`, `same-origin` or `include`.
    #[must_use]
    pub fn credentials(mut self, credentials: impl Into<String>) -> Self {
        self.credentials = Some(credentials.into());
        self
    }

    /// The longest body that is read, in bytes. Default: 256 KiB.
    #[must_use]
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.max_body_bytes = bytes;
        self
    }

    fn init(&self, request: &HttpRequest, signal: &JsValue) -> Result<Object, JsValue> {
        let headers = Object::new();
        for (name, value) in &request.headers {
            set(&headers, name, &value.into())?;
        }
        let init = Object::new();
        set(&init, "method", &"GET".into())?;
        set(&init, "headers", &headers)?;
        set(&init, "signal", signal)?;
        set(&init, "redirect", &"manual".into())?;
        if knows_cache() {
            set(&init, "cache", &"no-store".into())?;
        }
        if let Some(credentials) = &self.credentials {
            set(&init, "credentials", &credentials.into())?;
        }
        Ok(init)
    }

    /// Calls the given or the global function, without a `this`.
    fn start(&self, request: &HttpRequest, signal: &JsValue) -> Result<Promise, JsValue> {
        let init = self.init(request, signal)?;
        // A URL and a plain object, not a Request: a fetch from elsewhere,
        // such as undici's or node-fetch's, does not know this realm's Request.
        let called = match &self.function {
            Some(function) => {
                function.call2(&JsValue::UNDEFINED, &request.url.as_str().into(), &init)
            }
            None => global_fetch(&request.url, &init),
        };
        called.map(|promise| Promise::resolve(&promise))
    }
}

impl Transport for Fetch {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, NetworkError> {
        let failed = |error| no_reply(&request, error);
        let mut abort = AbortOnDrop {
            controller: AbortController::new().map_err(failed)?,
            finished: false,
        };
        let promise = self
            .start(&request, &abort.controller.signal())
            .map_err(failed)?;
        let answer = JsFuture::from(promise).await.map_err(failed)?;
        let mut response = head(&answer)?;
        let mut bytes = Vec::new();
        // Neither a redirect nor a success without a usage has anything to say.
        if response.status != 200 && response.status < 400 {
            return Ok(response);
        }
        let read = self.drain(&answer, &mut bytes).await;
        response.body = if bytes.len() > self.max_body_bytes {
            bytes.truncate(self.max_body_bytes);
            Body::TooLong(bytes)
        } else if let Err(error) = read {
            Body::Broken(
                bytes,
                failure("The reply broke off", ". Try again.", &request, error),
            )
        } else {
            abort.finished = true;
            Body::Whole(bytes)
        };
        Ok(response)
    }
}

impl Fetch {
    /// Reads the body piece by piece where the platform can, so that not much
    /// more than the limit is ever held.
    async fn drain(&self, answer: &JsValue, bytes: &mut Vec<u8>) -> Result<(), JsValue> {
        let body = get(answer, "body");
        let Some(stream) = body.filter(|body| get(body, "getReader").is_some()) else {
            // A null body has nothing to read.
            if Reflect::get(answer, &"body".into())?.is_null() {
                return Ok(());
            }
            let method = ["arrayBuffer", "text"]
                .into_iter()
                .find(|method| get(answer, method).is_some())
                .ok_or("it has neither body nor arrayBuffer() nor text()")?;
            let content = invoke(answer, method)?;
            return append(bytes, &JsFuture::from(Promise::resolve(&content)).await?);
        };
        let reader = invoke(&stream, "getReader")?;
        while bytes.len() <= self.max_body_bytes {
            let chunk = invoke(&reader, "read")?;
            let chunk = JsFuture::from(Promise::resolve(&chunk)).await?;
            let Some(value) = get(&chunk, "value") else {
                break;
            };
            append(bytes, &value)?;
        }
        Ok(())
    }
}

/// The reply without its body. What a mock may leave out must not be asked
/// for: its absence would throw.
fn head(answer: &JsValue) -> Result<HttpResponse, NetworkError> {
    let has = |name: &str| get(answer, name).is_some();
    let status = get(answer, "status").and_then(|status| status.as_f64());
    let redirect = get(answer, "type").is_some_and(|name| name == "opaqueredirect");
    // Only a redirect that the platform keeps to itself has no status.
    if !status.is_some_and(|status| redirect || (1.0..1000.0).contains(&status)) {
        return Err(NetworkError::new(
            "The fetch function gave no usable Response. Pass one that gives what fetch does.",
        ));
    }
    let response = Response::from(answer.clone().unchecked_into::<web_sys::Response>());
    if has("bodyUsed") && response.body_used() {
        return Err(NetworkError::new(
            "The fetch function gave a Response that was read before. Give a new one for each call.",
        ));
    }
    // A given function may have followed a redirect all the same. One that
    // goes elsewhere on purpose, such as to a gateway, is the caller's choice.
    let redirected = has("redirected") && response.redirected();
    let url = get(answer, "url").filter(|_| redirected);
    Ok(HttpResponse {
        status: response.status(),
        url: url.and_then(|url| url.as_string()),
        headers: get(answer, "headers").map_or_else(Vec::new, |headers| pairs(&headers)),
        body: Body::Whole(Vec::new()),
    })
}

/// Takes text, an ArrayBuffer or a view of one.
fn append(bytes: &mut Vec<u8>, content: &JsValue) -> Result<(), JsValue> {
    if let Some(text) = content.as_string() {
        bytes.extend_from_slice(text.as_bytes());
        return Ok(());
    }
    let number = |name: &str| get(content, name).and_then(|number| number.as_f64());
    let length = number("byteLength").ok_or("its body is not made of bytes")? as u32;
    // An ArrayBuffer that was given away has no length and throws.
    if length > 0 {
        let offset = number("byteOffset").unwrap_or_default() as u32;
        let buffer = get(content, "buffer").unwrap_or_else(|| content.clone());
        let view = Uint8Array::new_with_byte_offset_and_length(&buffer, offset, length);
        bytes.extend_from_slice(&view.to_vec());
    }
    Ok(())
}

#[wasm_bindgen]
extern "C" {
    // Looked up at each call, so that a patched or mocked fetch is found.
    #[wasm_bindgen(catch, js_name = fetch)]
    fn global_fetch(url: &str, init: &Object) -> Result<JsValue, JsValue>;

    // js-sys binds it without `catch`: what a mock gives would throw through
    // Rust.
    #[wasm_bindgen(catch, js_namespace = Array, js_name = from)]
    fn array_from(iterable: &JsValue) -> Result<Array, JsValue>;
}

/// workerd may lack `cache` and throws where it is given.
fn knows_cache() -> bool {
    let request = get(&js_sys::global(), "Request");
    // Not `get`: asked of the prototype, a getter that exists throws.
    request
        .and_then(|request| get(&request, "prototype"))
        .is_none_or(|prototype| Reflect::has(&prototype, &"cache".into()).unwrap_or(true))
}

/// Gives up the request when the future that waits for it is dropped.
struct AbortOnDrop {
    controller: AbortController,
    finished: bool,
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if !self.finished {
            self.controller.abort();
        }
    }
}

fn no_reply(request: &HttpRequest, error: JsValue) -> NetworkError {
    failure(
        &concat(&["No reply came from ", without_query(&request.url)]),
        ". Check the network and the base URL. A browser also says this of a reply without CORS headers, such as a proxy's 401 or 429.",
        request,
        error,
    )
}

/// Quotes what was thrown, which can be anything, but no secret.
fn failure(what: &str, advice: &str, request: &HttpRequest, error: JsValue) -> NetworkError {
    // Node says only "fetch failed"; the reason is the cause.
    let cause = get(&error, "cause");
    let told = [
        get(&error, "message").unwrap_or_else(|| error.clone()),
        cause
            .and_then(|cause| get(&cause, "code"))
            .unwrap_or_default(),
    ];
    let mut message = what.to_owned();
    for words in told.iter().filter_map(JsValue::as_string) {
        if !request.has_secret_in(&words) {
            message.push_str(": ");
            message.push_str(&words);
        }
    }
    message.push_str(advice);
    NetworkError::new(message).caused_by(Rc::new(error))
}

/// The property of anything, if it is there and not null.
pub(crate) fn get(value: &JsValue, name: &str) -> Option<JsValue> {
    let found = Reflect::get(value, &name.into()).ok()?;
    (!found.is_undefined() && !found.is_null()).then_some(found)
}

/// Calls a method. Where web-sys binds one without `catch`, a locked stream or
/// a mock would throw through Rust.
fn invoke(object: &JsValue, method: &str) -> Result<JsValue, JsValue> {
    let method = Reflect::get(object, &method.into())?;
    method.dyn_into::<Function>()?.call0(object)
}

pub(crate) fn set(object: &Object, name: &str, value: &JsValue) -> Result<(), JsValue> {
    Reflect::set(object, &name.into(), value).map(drop)
}

/// The pairs of anything that iterates like `Headers`, names in lower case.
/// Session cookies, which Node shows, are not the caller's business.
pub(crate) fn pairs(headers: &JsValue) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for entry in array_from(headers).unwrap_or_default().iter() {
        let entry = array_from(&entry).unwrap_or_default();
        if let (Some(mut name), Some(value)) = (entry.get(0).as_string(), entry.get(1).as_string())
        {
            name.make_ascii_lowercase();
            if name != "set-cookie" {
                pairs.push((name, value));
            }
        }
    }
    pairs
}
