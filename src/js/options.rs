//! Options as the TypeScript face passes them: it has checked their types, so
//! that whatever is of another type here counts as left out.

use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::{
    Format,
    client::{CallOptions, Client},
    error::{Error, TokenProviderError},
    fetch::{Fetch, get},
};

pub(super) fn client(options: &JsValue) -> Result<Client<Fetch>, Error> {
    let mut builder = Client::builder().javascript_integers();
    if let Some(url) = text(options, "baseUrl") {
        builder = builder.base_url(url);
    }
    if let Some(key) = text(options, "apiKey") {
        builder = builder.api_key(key);
    }
    if let Some(format) = format(options) {
        builder = builder.format(format);
    }
    for (name, value) in headers(options) {
        builder = builder.header(name, value);
    }
    if let Some(token) = text(options, "bearerToken") {
        builder = builder.bearer_token(token);
    } else if let Some(provider) = function(options, "bearerToken") {
        builder = builder.token_provider(move || provided(provider.clone()));
    }
    let mut transport = Fetch::new();
    if let Some(function) = function(options, "fetch") {
        transport = transport.with_function(function);
    }
    if let Some(credentials) = text(options, "credentials") {
        transport = transport.credentials(credentials);
    }
    builder.build(transport)
}

pub(super) fn call(options: &JsValue) -> CallOptions {
    CallOptions {
        format: format(options),
        headers: headers(options),
    }
}

async fn provided(provider: Function) -> Result<Option<String>, Error> {
    let failed = |error: JsValue| {
        TokenProviderError::new(
            "The bearerToken function failed; its error is the cause. Nothing was sent.",
        )
        .caused_by(Rc::new(error))
    };
    let called = provider.call0(&JsValue::UNDEFINED).map_err(failed)?;
    let token = JsFuture::from(Promise::resolve(&called))
        .await
        .map_err(failed)?;
    if token.is_null() || token.is_undefined() {
        return Ok(None);
    }
    token.as_string().map(Some).ok_or_else(|| {
        TokenProviderError::new(
            "The bearerToken function must give a string, or null to send no token.",
        )
        .into()
    })
}

fn text(options: &JsValue, name: &str) -> Option<String> {
    get(options, name)?.as_string()
}

fn function(options: &JsValue, name: &str) -> Option<Function> {
    get(options, name)?.dyn_into().ok()
}

fn format(options: &JsValue) -> Option<Format> {
    text(options, "format").map(|name| match name.as_str() {
        "jsonl" => Format::Jsonl,
        _ => Format::Json,
    })
}

/// Pairs of strings, as `Object.entries` gives them.
fn headers(options: &JsValue) -> Vec<(String, String)> {
    get(options, "headers").map_or_else(Vec::new, |pairs| crate::fetch::pairs(&pairs))
}
