//! The bearer token, or the function that provides it.

use std::{error::Error as StdError, sync::Arc, time::Duration};

use js_sys::{Date, Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortController;

use super::members::refusal;
use crate::{
    client::{BearerToken, TokenRequest, TokenSource},
    error::{Error, TokenProviderError},
    fetch::{
        Thrown, control_flow,
        javascript::{get, set},
    },
};

/// A token, a function that returns it, or null for none.
///
/// # Errors
/// Another value.
pub(super) fn source(given: &JsValue) -> Result<TokenSource, Error> {
    if given.is_null() || given.is_undefined() {
        return Ok(TokenSource::none());
    }
    if let Some(token) = given.as_string() {
        return Ok(TokenSource::from(token));
    }
    let provider: Function = given
        .clone()
        .dyn_into()
        .map_err(|_| refusal(&["bearerToken must be a string, a function or null."]))?;
    Ok(TokenSource::provider(move |request| {
        // The function runs synchronously, because the calls it makes depend on it.
        let asked = Asked::of(&provider, request);
        async { asked?.answer().await }
    }))
}

type Failure = Box<dyn StdError + Send + Sync>;

/// A call of the function in progress. Its signal aborts when it is dropped.
struct Asked {
    promise: Promise,
    controller: Option<AbortController>,
}

impl Asked {
    fn of(
        provider: &Function,
        TokenRequest { force_refresh }: TokenRequest,
    ) -> Result<Self, Failure> {
        let controller = AbortController::new();
        let ask = || {
            let about = Object::new();
            set(&about, "forceRefresh", &force_refresh.into())?;
            if let Ok(controller) = &controller {
                set(&about, "signal", &controller.signal())?;
            }
            provider.call1(&JsValue::UNDEFINED, &about)
        };
        let promise = Promise::resolve(&ask().map_err(failed)?);
        Ok(Self {
            promise,
            controller: controller.ok(),
        })
    }

    async fn answer(mut self) -> Result<BearerToken, Failure> {
        let answered = JsFuture::from(self.promise.clone()).await;
        self.controller = None;
        Ok(token(&answered.map_err(failed)?)?)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(controller) = &self.controller {
            controller.abort();
        }
    }
}

/// The client checks whether the thrown value contains a secret.
fn failed(thrown: JsValue) -> Failure {
    if let Some(flow) = control_flow(&thrown) {
        return flow.into();
    }
    TokenProviderError::new("The bearerToken function failed; its error is the cause.")
        .caused_by(Arc::new(Thrown::from(thrown)))
        .into()
}

/// What the function returned.
fn token(given: &JsValue) -> Result<BearerToken, TokenProviderError> {
    if given.is_null() || given.is_undefined() {
        return Ok(BearerToken::none());
    }
    let text = given
        .as_string()
        .or_else(|| get(given, "token")?.as_string())
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()))
        .ok_or_else(|| {
            TokenProviderError::new(
                "The bearerToken function must give a token alone, without the word Bearer: a string of visible ASCII characters, without spaces or line breaks; or { token, expiresAt } with such a token; or null to send none.",
            )
        })?;
    let token = BearerToken::new(text);
    // Not for a string: `Reflect.get` throws on primitives.
    let end = Reflect::get(given, &"expiresAt".into()).unwrap_or_default();
    Ok(match expiry(&end)? {
        Some(since_1970) => token.expires_at(since_1970),
        None => token,
    })
}

/// The expiry; `None` for none. The client checks whether it is in milliseconds.
///
/// # Errors
/// A value that is not a time.
fn expiry(end: &JsValue) -> Result<Option<Duration>, TokenProviderError> {
    let date = end.dyn_ref::<Date>().map(Date::get_time);
    match date.or_else(|| end.as_f64()) {
        None if end.is_undefined() => Ok(None),
        Some(f64::INFINITY) => Ok(None),
        Some(ms) if !ms.is_nan() => {
            let since_1970 = Duration::try_from_secs_f64(ms.max(0.0) / 1e3);
            Ok(Some(since_1970.unwrap_or(Duration::MAX)))
        }
        _ => Err(TokenProviderError::new(
            "expiresAt must be a Date, or a number of milliseconds since 1970.",
        )),
    }
}
