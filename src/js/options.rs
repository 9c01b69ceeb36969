//! Options as the TypeScript face passes them: it has checked their types, so
//! that whatever is of another type here counts as left out.

use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::{
    Format,
    client::{Bearer, CallOptions, Client, ClientBuilder, Secret},
    error::{Error, TokenProviderError},
    fetch::{DEFAULT_MAX_BODY_BYTES, Fetch, get},
    wire::decode::Integers,
};

pub(super) fn client(options: &JsValue) -> Result<Client<Fetch>, Error> {
    let provider = function(options, "bearerToken")
        .map(|provider| Bearer::Provider(Rc::new(move || Box::pin(provided(provider.clone())))));
    let token = text(options, "bearerToken").map(|token| Bearer::Fixed(Secret(token)));
    let transport = Fetch {
        function: function(options, "fetch"),
        credentials: text(options, "credentials"),
        max_body_bytes: DEFAULT_MAX_BODY_BYTES,
    };
    ClientBuilder {
        base_url: text(options, "baseUrl"),
        format: format(options).unwrap_or_default(),
        bearer: token.or(provider),
        api_key: text(options, "apiKey").map(Secret),
        headers: headers(options),
        integers: Integers::JavaScript,
    }
    .build(transport)
}

pub(super) fn call(options: &JsValue) -> CallOptions {
    CallOptions {
        format: format(options),
        headers: headers(options),
    }
}

async fn provided(provider: Function) -> Result<Option<String>, Error> {
    let failed = |error: JsValue| {
        TokenProviderError::new("The bearerToken function failed; its error is the cause.")
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
