//! The transport of browsers and of JavaScript runtimes: `fetch`.

use std::{
    future::{Future, pending},
    pin::pin,
    rc::Rc,
};

use futures_util::future::{Either, select};

use gloo_net::http::Response;
use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortController;

use crate::{
    error::{Error, NetworkError, Phase, TimeoutError},
    transport::{Body, HttpRequest, HttpResponse, Transport},
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
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Error> {
        let failed = |error| {
            NetworkError::no_reply(without_query(&request.url), &words(&error)).because(error)
        };
        let timer = Timer::start(request.timeout_ms);
        let mut abort = AbortOnDrop {
            controller: AbortController::new().map_err(failed)?,
            finished: false,
        };
        let promise = self
            .start(&request, &abort.controller.signal())
            .map_err(failed)?;
        let answer = match timer.limit(&promise).await {
            Ok(answer) => answer,
            Err(error) if timer.is_over(&error) => {
                return Err(TimeoutError::in_phase(Phase::Headers).into());
            }
            Err(error) => return Err(failed(error).into()),
        };
        let mut response = head(&answer)?;
        let mut bytes = Vec::new();
        // Neither a redirect nor a success without a usage has anything to say.
        if response.status != 200 && response.status < 400 {
            return Ok(response);
        }
        let read = self.drain(&answer, &timer, &mut bytes).await;
        response.body = match read {
            _ if bytes.len() > self.max_body_bytes => {
                bytes.truncate(self.max_body_bytes);
                Body::TooLong(bytes)
            }
            Ok(()) => {
                abort.finished = true;
                Body::Whole(bytes)
            }
            Err(error) if timer.is_over(&error) => {
                return Err(TimeoutError::in_phase(Phase::Body).into());
            }
            Err(error) => {
                let broken = NetworkError::broke_off(&words(&error)).because(error);
                Body::Broken(bytes, broken)
            }
        };
        Ok(response)
    }

    async fn limit<F: Future>(&self, ms: f64, future: F) -> Option<F::Output> {
        let timer = Timer::start(ms);
        let over = JsFuture::from(timer.promise.clone());
        match select(pin!(future), over).await {
            Either::Left((output, _)) => Some(output),
            Either::Right(_) => None,
        }
    }

    async fn wait(&self, ms: f64) {
        self.limit(ms, pending::<()>()).await;
    }

    fn now(&self) -> f64 {
        performance_now()
    }

    fn chance(&self) -> f64 {
        js_sys::Math::random()
    }
}

impl Fetch {
    /// Reads the body piece by piece where the platform can, so that not much
    /// more than the limit is ever held.
    async fn drain(
        &self,
        answer: &JsValue,
        timer: &Timer,
        bytes: &mut Vec<u8>,
    ) -> Result<(), JsValue> {
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
            let content = Promise::resolve(&invoke(answer, method)?);
            return append(bytes, &timer.limit(&content).await?);
        };
        let reader = invoke(&stream, "getReader")?;
        while bytes.len() <= self.max_body_bytes {
            let chunk = Promise::resolve(&invoke(&reader, "read")?);
            let Some(value) = get(&timer.limit(&chunk).await?, "value") else {
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
        received_at: js_sys::Date::now(),
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
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(handler: &Function, milliseconds: f64, argument: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

/// workerd may lack `cache` and throws where it is given.
fn knows_cache() -> bool {
    let request = get(&js_sys::global(), "Request");
    // Not `get`: asked of the prototype, a getter that exists throws.
    request
        .and_then(|request| get(&request, "prototype"))
        .is_none_or(|prototype| Reflect::has(&prototype, &"cache".into()).unwrap_or(true))
}

/// A promise that is fulfilled with a mark when the time is over. Nothing is
/// left of it when it is dropped.
struct Timer {
    id: JsValue,
    mark: JsValue,
    resolve: Function,
    promise: Promise,
}

impl Timer {
    /// Infinite for no end.
    fn start(milliseconds: f64) -> Self {
        let mark: JsValue = Object::new().into();
        let mut id = JsValue::UNDEFINED;
        let mut fulfil = Function::default();
        let promise = Promise::new(&mut |resolve, _| {
            if milliseconds.is_finite() {
                id = set_timeout(&resolve, milliseconds, &mark);
            }
            fulfil = resolve;
        });
        Self {
            id,
            mark,
            resolve: fulfil,
            promise,
        }
    }

    /// What `promise` comes to; the mark as an error when the time is over.
    async fn limit(&self, promise: &Promise) -> Result<JsValue, JsValue> {
        let first = Promise::race(&Array::of2(promise, &self.promise));
        match JsFuture::from(first).await? {
            value if self.is_over(&value) => Err(value),
            value => Ok(value),
        }
    }

    fn is_over(&self, value: &JsValue) -> bool {
        *value == self.mark
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(&self.id);
        // Whoever still listens is released: a promise that is never settled
        // keeps its listeners for ever.
        let _ = self.resolve.call0(&JsValue::UNDEFINED);
    }
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

impl NetworkError {
    fn because(self, thrown: JsValue) -> Self {
        self.caused_by(Rc::new(thrown))
    }
}

/// What was thrown, which can be anything, says of itself.
fn words(thrown: &JsValue) -> String {
    // Node says only "fetch failed"; the reason is the cause.
    let code = get(thrown, "cause").and_then(|cause| get(&cause, "code"));
    let told = [
        get(thrown, "message").unwrap_or_else(|| thrown.clone()),
        code.unwrap_or_default(),
    ];
    let mut words = String::new();
    for told in told.iter().filter_map(JsValue::as_string) {
        words.push_str(": ");
        words.push_str(&told);
    }
    words
}

/// The property of anything, if it is there and not null.
fn get(value: &JsValue, name: &str) -> Option<JsValue> {
    let found = Reflect::get(value, &name.into()).ok()?;
    (!found.is_undefined() && !found.is_null()).then_some(found)
}

/// Calls a method. Where web-sys binds one without `catch`, a locked stream or
/// a mock would throw through Rust.
fn invoke(object: &JsValue, method: &str) -> Result<JsValue, JsValue> {
    let method = Reflect::get(object, &method.into())?;
    method.dyn_into::<Function>()?.call0(object)
}

fn set(object: &Object, name: &str, value: &JsValue) -> Result<(), JsValue> {
    Reflect::set(object, &name.into(), value).map(drop)
}

/// The pairs of anything that iterates like `Headers`, names in lower case.
/// Session cookies, which Node shows, are not the caller's business.
fn pairs(headers: &JsValue) -> Vec<(String, String)> {
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
