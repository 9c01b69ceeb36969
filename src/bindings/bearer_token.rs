//! Where the bearer token comes from.

use std::{sync::Arc, time::Duration};

use js_sys::{Date, Function, Object, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortController;

use super::members::refusal;
use crate::{
    client::{BearerToken, TokenRequest, TokenSource},
    error::{Error, TokenProviderError},
    fetch::{
        Thrown,
        javascript::{get, set},
    },
};

/// A token, a function that gives it, or null for none.
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
        // The function runs at once, as what it calls depends on it.
        let asked = Asked::of(&provider, request);
        async { asked?.answer().await }
    }))
}

/// A question under way. The function is told when it is given up.
struct Asked {
    promise: Promise,
    controller: Option<AbortController>,
}

impl Asked {
    fn of(
        provider: &Function,
        TokenRequest { force_refresh }: TokenRequest,
    ) -> Result<Self, TokenProviderError> {
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

    async fn answer(mut self) -> Result<BearerToken, TokenProviderError> {
        let answered = JsFuture::from(self.promise.clone()).await;
        self.controller = None;
        token(&answered.map_err(failed)?)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(controller) = &self.controller {
            controller.abort();
        }
    }
}

fn failed(thrown: JsValue) -> TokenProviderError {
    TokenProviderError::new("The bearerToken function failed; its error is the cause.")
        .caused_by(Arc::new(Thrown::from(thrown)))
}

/// What the function gave.
fn token(given: &JsValue) -> Result<BearerToken, TokenProviderError> {
    if given.is_null() || given.is_undefined() {
        return Ok(BearerToken::none());
    }
    let text = given.as_string();
    let is_text = text.is_some();
    let text = text.or_else(|| get(given, "token")?.as_string());
    let text = text
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()))
        .ok_or_else(|| {
            TokenProviderError::new(
                "The bearerToken function must give a string of visible ASCII characters, without spaces or line breaks, { token, expiresAt } with such a token, or null to send none.",
            )
        })?;
    let token = BearerToken::new(text);
    let end = get(given, "expiresAt").filter(|_| !is_text);
    match end.map(|end| milliseconds(&end)).transpose()? {
        Some(ms) if ms.is_finite() => Ok(token.expires_at(since_1970(ms))),
        _ => Ok(token),
    }
}

/// # Errors
/// What is no time, or one in another unit: the seconds of a JWT's exp, or until
/// its end, are long ago as milliseconds; microseconds are in the far future.
fn milliseconds(end: &JsValue) -> Result<f64, TokenProviderError> {
    let refused = |sentence: &str| Err(TokenProviderError::new(sentence));
    let date = end.dyn_ref::<Date>().map(Date::get_time);
    match date.or_else(|| end.as_f64()) {
        None => refused("expiresAt must be a Date, or a number of milliseconds since 1970."),
        Some(ms) if ms.is_nan() => {
            refused("expiresAt must be a Date, or a number of milliseconds since 1970.")
        }
        Some(ms) if date.is_none() && ms < 1e11 => refused(
            "expiresAt must be in milliseconds since 1970; this can only be seconds. Multiply it by 1000.",
        ),
        Some(ms) if ms.is_finite() && ms > 1e14 => refused(
            "expiresAt must be in milliseconds since 1970, as Date.now() gives them; this is a finer unit.",
        ),
        Some(ms) => Ok(ms),
    }
}

/// A Date may be long ago, which the client takes for another unit.
fn since_1970(ms: f64) -> Duration {
    const LONG_AGO: f64 = 1e12;
    Duration::try_from_secs_f64(ms.max(LONG_AGO) / 1e3).unwrap_or(Duration::MAX)
}
