//! The options of clients and calls.

use std::time::Duration;

use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::{
    bearer_token,
    event::told,
    members::{Members, refusal},
};
use crate::{
    client::{CallOptions, Client, ClientBuilder, TokenSource},
    dto::GetAiChatUsage,
    engine::Limits,
    error::Error,
    fetch::{
        Fetch,
        javascript::{get, has_method},
    },
    transport::LONGEST_TIMER_MS,
    wire::Format,
};

#[wasm_bindgen(typescript_custom_section)]
const OF_RUST: &str = "
/** The Rust client has these besides. */
export interface ClientOptions {
  /** Whether equal calls at the same time share one request. Default: true. */
  coalesce?: boolean | undefined;
  /** The longest body that is read, in bytes. Default: 262 144. */
  maxBodyBytes?: number | undefined;
}
";

const CLIENT: &[&str] = &[
    "baseUrl",
    "bearerToken",
    "apiKey",
    "credentials",
    "fetch",
    "retryPacing",
    "allowInsecureHttp",
    "onEvent",
    "format",
    "headers",
    "maxRetries",
    "attemptTimeoutMs",
    "totalTimeoutMs",
    "coalesce",
    "maxBodyBytes",
];

const CALL: &[&str] = &[
    "signal",
    "coalesce",
    "fresh",
    "format",
    "headers",
    "maxRetries",
    "attemptTimeoutMs",
    "totalTimeoutMs",
];

/// The options of a client.
pub(super) struct ClientSettings {
    pub builder: ClientBuilder,
    pub fetch: Fetch,
}

pub(super) fn of_client(options: &JsValue) -> Result<ClientSettings, Error> {
    let members = Members::of(options, "The options", CLIENT)?;
    let mut builder = Client::builder();
    if let Some(url) = members.get("baseUrl")? {
        builder = builder.base_url(base_url(&url)?);
    }
    if let Some(source) = members.get("bearerToken")? {
        builder = builder.token_source(bearer_token::source(&source)?);
    }
    if let Some(key) = members.get("apiKey")?.filter(|key| !key.is_null()) {
        let key = key.as_string();
        builder = builder.api_key(key.ok_or_else(|| refusal(&["apiKey must be a string."]))?);
    }
    if let Some(pace) = members.boolean("retryPacing")? {
        builder = builder.retry_pacing(pace);
    }
    if let Some(allow) = members.boolean("allowInsecureHttp")? {
        builder = builder.allow_insecure_http(allow);
    }
    if let Some(listener) = members.function("onEvent")? {
        builder = builder.on_event(told(listener));
    }
    if let Some(format) = format(&members)? {
        builder = builder.format(format);
    }
    for (name, value) in members.headers("headers")? {
        builder = builder.header(name, value);
    }
    if let Some(retries) = members.integer("maxRetries", 0, Limits::MOST_RETRIES)? {
        builder = builder.max_retries(retries);
    }
    if let Some(limit) = time_limit(&members, "attemptTimeoutMs")? {
        builder = builder.attempt_timeout(limit);
    }
    if let Some(limit) = time_limit(&members, "totalTimeoutMs")? {
        builder = builder.total_timeout(limit);
    }
    if let Some(coalesce) = members.boolean("coalesce")? {
        builder = builder.coalesce(coalesce);
    }
    let mut fetch = Fetch::new();
    if let Some(function) = members.function("fetch")? {
        fetch = fetch.with_function(function);
    }
    let ways = ["omit", "same-origin", "include"];
    if let Some(credentials) = members.word("credentials", &ways)? {
        fetch = fetch.credentials(credentials);
    }
    if let Some(bytes) = members.integer("maxBodyBytes", 1, u32::MAX)? {
        fetch = fetch.max_body_bytes(bytes as usize);
    }
    Ok(ClientSettings { builder, fetch })
}

/// A request and its options.
pub(super) struct CallSettings {
    pub request: GetAiChatUsage,
    pub options: CallOptions,
    pub signal: Option<JsValue>,
}

pub(super) fn of_call(request: &JsValue, options: &JsValue) -> Result<CallSettings, Error> {
    let request = Members::of(request, "The request", &["companyId"])?;
    let company_id = request.read("companyId", "a string")?;
    let members = Members::of(options, "The request options", CALL)?;
    let signal = members.get("signal")?.filter(|signal| !signal.is_null());
    if let Some(signal) = &signal
        && !has_method(signal, "addEventListener")
    {
        return Err(refusal(&["signal must be an AbortSignal."]));
    }
    let mut options = CallOptions::new();
    if let Some(coalesce) = members.boolean("coalesce")? {
        options = options.coalesce(coalesce);
    }
    if let Some(fresh) = members.boolean("fresh")? {
        options = options.fresh(fresh);
    }
    if let Some(format) = format(&members)? {
        options = options.format(format);
    }
    for (name, value) in members.headers("headers")? {
        options = options.header(name, value);
    }
    if let Some(retries) = members.integer("maxRetries", 0, Limits::MOST_RETRIES)? {
        options = options.max_retries(retries);
    }
    if let Some(limit) = time_limit(&members, "attemptTimeoutMs")? {
        options = options.attempt_timeout(limit);
    }
    if let Some(limit) = time_limit(&members, "totalTimeoutMs")? {
        options = options.total_timeout(limit);
    }
    Ok(CallSettings {
        request: GetAiChatUsage { company_id },
        options,
        signal,
    })
}

/// The arguments of `setBearerToken`.
pub(super) fn of_token(token: &JsValue, options: &JsValue) -> Result<TokenSource, Error> {
    let members = Members::of(options, "The options of setBearerToken", &["sameIdentity"])?;
    let source = bearer_token::source(token)?;
    Ok(match members.boolean("sameIdentity")? {
        Some(true) => source.same_identity(),
        _ => source,
    })
}

fn format(members: &Members<'_>) -> Result<Option<Format>, Error> {
    let word = members.word("format", &["json", "jsonl"])?;
    Ok(word.map(|word| match word {
        "jsonl" => Format::Jsonl,
        _ => Format::Json,
    }))
}

fn time_limit(members: &Members<'_>, name: &str) -> Result<Option<Option<Duration>>, Error> {
    let limit = members.limit(name, 1, LONGEST_TIMER_MS)?;
    Ok(limit.map(|ms| ms.map(|ms| Duration::from_millis(ms.into()))))
}

/// The base URL as the platform serializes it. Relative ones are resolved against
/// `location`.
fn base_url(given: &JsValue) -> Result<String, Error> {
    let text = given.as_string().or_else(|| {
        let href = get(given, "href")?;
        href.as_string()
    });
    let text = text.ok_or_else(|| refusal(&["baseUrl must be a string or a URL."]))?;
    if !text.starts_with(['/', '.']) {
        let parsed = web_sys::Url::new(&text).map(|url| url.href());
        // The builder refuses what cannot be parsed, with a reason.
        return Ok(parsed.unwrap_or(text));
    }
    let location = get(&js_sys::global(), "location").and_then(|location| get(&location, "href"));
    let resolved = location
        .and_then(|base| web_sys::Url::new_with_base(&text, &base.as_string()?).ok())
        .map(|url| url.href());
    resolved.ok_or_else(|| {
        refusal(&["baseUrl is relative, and there is no location here to resolve it against; pass a whole URL, such as https://api.bookmore.com."])
    })
}

/// Calls a function and ignores its result, and what it throws, now or later.
pub(super) fn tell(function: &Function, value: &JsValue) {
    if let Ok(told) = function.call1(&JsValue::UNDEFINED, value) {
        crate::fetch::javascript::ignore(&told);
    }
}
