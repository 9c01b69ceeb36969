//! The transport of browsers and of JavaScript runtimes: `fetch`.

pub(crate) mod javascript;
mod reply;
mod thrown;
mod timer;

use std::{future::Future, sync::Arc};

use js_sys::{Array, Function, Object, Promise};
use send_wrapper::SendWrapper;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::AbortController;

use crate::{
    engine::{MAX_BODY_BYTES, Redactor, Secret, has_words},
    error::{ConfigError, Error},
    transport::{Body, HttpRequest, HttpResponse, MaybeSend, Transport},
    wire::base_url::without_query,
};
use javascript::{get, let_go, set};
use reply::Unread;
use timer::{Sleep, performance_now};

pub use thrown::Thrown;
pub(crate) use thrown::examined;
#[cfg(feature = "bindings")]
pub(crate) use thrown::{BRAND, control_flow, is_branded};

/// The default limit for the body of a reply: 256 KiB. A usage has about 150
/// bytes.
pub const DEFAULT_MAX_BODY_BYTES: usize = MAX_BODY_BYTES;

/// Sends requests with the global `fetch`, looked up at each request, or with a
/// given function.
#[derive(Debug, Clone)]
pub struct Fetch {
    function: Option<SendWrapper<Function>>,
    credentials: Option<String>,
    max_body_bytes: usize,
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
    ///
    /// ```ignore
    /// let client = Client::builder().build(Fetch::new())?;
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends with `function`, which must have the signature of `fetch`.
    ///
    /// ```ignore
    /// let client = Client::builder().build(Fetch::new().with_function(fetch))?;
    /// ```
    #[must_use]
    pub fn with_function(mut self, function: Function) -> Self {
        self.function = Some(SendWrapper::new(function));
        self
    }

    /// Whether cookies are sent: `omit`, `same-origin` or `include`.
    ///
    /// ```ignore
    /// let client = Client::builder().build(Fetch::new().credentials("include"))?;
    /// ```
    #[must_use]
    pub fn credentials(mut self, credentials: impl Into<String>) -> Self {
        self.credentials = Some(credentials.into());
        self
    }

    /// The longest body that is read, in bytes. Default: 256 KiB.
    ///
    /// ```ignore
    /// let client = Client::builder().build(Fetch::new().max_body_bytes(4096))?;
    /// ```
    #[must_use]
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.max_body_bytes = bytes;
        self
    }

    fn init(&self, request: &HttpRequest, signal: Option<&JsValue>) -> Result<Object, JsValue> {
        let headers = Array::new();
        for (name, value) in &request.headers {
            headers.push(&Array::of2(&name.into(), &value.into()));
        }
        // Defined, not assigned, because `__proto__` is a valid header name.
        let headers = Object::from_entries(&headers)?;
        let init = Object::new();
        set(&init, "method", &"GET".into())?;
        set(&init, "headers", &headers)?;
        if let Some(signal) = signal {
            set(&init, "signal", signal)?;
        }
        set(&init, "redirect", &"manual".into())?;
        if knows_cache() {
            set(&init, "cache", &"no-store".into())?;
        }
        if let Some(credentials) = &self.credentials {
            set(&init, "credentials", &credentials.into())?;
        }
        Ok(init)
    }

    /// Whether there is a given or global function.
    #[cfg(feature = "bindings")]
    pub(crate) fn can_send(&self) -> bool {
        self.function().is_ok()
    }

    /// The given or the global function.
    fn function(&self) -> Result<Function, Error> {
        if let Some(function) = &self.function {
            return Ok(Function::clone(function));
        }
        let global = get(&js_sys::global(), "fetch");
        global
            .and_then(|global| global.dyn_into().ok())
            .ok_or_else(|| {
                ConfigError::new(&[
                    "This runtime has no fetch. Give one with Fetch::with_function.",
                ])
                .into()
            })
    }

    async fn exchange(
        self,
        request: HttpRequest,
        on_headers: impl FnOnce(&HttpResponse),
    ) -> Result<HttpResponse, Error> {
        let failed = |thrown| {
            let redactor = redactor_for(&request);
            thrown::refusal(&thrown, without_query(&request.url), &redactor)
        };
        let function = self.function()?;
        let controller = AbortController::new().ok();
        let signal = controller
            .as_ref()
            .map(|controller| controller.signal().into());
        let init = self.init(&request, signal.as_ref()).map_err(failed)?;
        // A URL and a plain object instead of a Request: another `fetch`, such as
        // undici's or node-fetch's, does not recognize this realm's Request.
        let called = function.call2(&JsValue::UNDEFINED, &request.url.as_str().into(), &init);
        let promise = called.map(|promise| Promise::resolve(&promise));
        let mut under_way = UnderWay {
            controller,
            asked: promise.as_ref().ok().cloned(),
            open: None,
        };
        let answered = match promise {
            Ok(promise) => JsFuture::from(promise).await,
            Err(thrown) => Err(thrown),
        };
        under_way.asked = None;
        let given = match answered {
            Ok(given) => given,
            Err(thrown) => {
                under_way.controller = None;
                return Err(failed(thrown));
            }
        };
        under_way.open = get(&given, "body");
        let mut response = reply::head(&given).inspect_err(|_| under_way.end())?;
        on_headers(&response);
        if !has_words(response.status) {
            under_way.end();
            return Ok(response);
        }
        let (most, mut bytes) = (self.max_body_bytes, Vec::new());
        let read = reply::read(&given, most, &mut bytes, &mut under_way.open).await;
        under_way.end();
        response.body = match read {
            _ if bytes.len() > most => {
                bytes.truncate(most);
                Body::TooLong(bytes)
            }
            Ok(()) => Body::Whole(bytes),
            Err(Unread::Unusable(error)) => return Err(error),
            Err(Unread::Thrown(thrown)) => {
                let broken = thrown::broken(&thrown, &redactor_for(&request));
                Body::Broken(bytes, broken)
            }
        };
        Ok(response)
    }
}

impl Transport for Fetch {
    fn send(
        &self,
        request: HttpRequest,
        on_headers: impl FnOnce(&HttpResponse) + MaybeSend + 'static,
    ) -> impl Future<Output = Result<HttpResponse, Error>> + MaybeSend + 'static {
        self.clone().exchange(request, on_headers)
    }

    fn sleep(&self, ms: f64) -> impl Future<Output = ()> + MaybeSend + 'static {
        Sleep::start(ms)
    }

    fn now(&self) -> f64 {
        performance_now()
    }

    fn unix_now(&self) -> f64 {
        js_sys::Date::now()
    }

    fn random(&self) -> f64 {
        js_sys::Math::random()
    }
}

/// A redactor for what a `fetch` that throws may quote of its request.
fn redactor_for(request: &HttpRequest) -> Redactor {
    let bearer = request.header("authorization");
    let bearer = bearer.and_then(|value| value.strip_prefix("Bearer "));
    let mut redactor = Redactor::default();
    for secret in [bearer, request.header("x-api-key")].into_iter().flatten() {
        redactor.add(&Arc::new(Secret::new(secret.to_owned())));
    }
    redactor
}

/// Whether the platform supports `cache`: some versions of workerd throw if it is
/// given.
fn knows_cache() -> bool {
    let request = get(&js_sys::global(), "Request");
    // Not `get`: on the prototype, the getter throws.
    request
        .and_then(|request| get(&request, "prototype"))
        .is_none_or(|prototype| js_sys::Reflect::has(&prototype, &"cache".into()).unwrap_or(true))
}

/// A request, cancelled when it is dropped before its end.
struct UnderWay {
    controller: Option<AbortController>,
    /// The promise of a Response.
    asked: Option<Promise>,
    /// The stream or the reader of a body that has not been read to its end.
    open: Option<JsValue>,
}

impl UnderWay {
    /// Stops reading.
    fn end(&mut self) {
        self.controller = None;
        if let Some(body) = self.open.take() {
            let_go(&body);
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(controller) = self.controller.take() {
            controller.abort();
        }
        // A `fetch` may ignore the signal.
        self.end();
        if let Some(asked) = self.asked.take() {
            spawn_local(async {
                if let Ok(response) = JsFuture::from(asked).await
                    && let Some(body) = get(&response, "body")
                {
                    let_go(&body);
                }
            });
        }
    }
}

/// Checks at compile time that a client over this transport is as shareable as any.
const _: () = {
    const fn goes_anywhere<T: Clone + Send + Sync + 'static>() {}
    goes_anywhere::<Fetch>();
};
