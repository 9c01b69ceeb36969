//! Failures as `Error` objects, with the names and members that the errors of
//! the npm package have.

use std::error::Error as StdError;

use js_sys::{Date, Object, Reflect, Symbol};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::{
    event::milliseconds,
    response::{AttemptInfo, shown},
};
use crate::{
    client::CallError,
    dto::{ResponseError, ResponseStatus},
    error::{Cause, Error, Unexpected},
    fetch::{
        BRAND, Thrown,
        javascript::{get, set},
    },
};

/// The members of all error classes; each class has some of them.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Members<'a> {
    code: &'a str,
    is_retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(flatten)]
    timeout: Option<Timeout<'a>>,
    #[serde(flatten)]
    api: Option<Api<'a>>,
    #[serde(flatten)]
    unexpected: Option<Unusual<'a>>,
    #[serde(flatten)]
    decode: Option<Decode<'a>>,
    #[serde(flatten)]
    call: Option<Call>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Timeout<'a> {
    phase: &'a str,
    scope: &'a str,
    timeout_ms: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Api<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_status: Option<&'a ResponseStatus>,
    field_errors: &'a [ResponseError],
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<f64>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Unusual<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requested_company_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    received_company_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Decode<'a> {
    path: &'a str,
    offset: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Call {
    attempts: Vec<AttemptInfo>,
    elapsed_ms: f64,
}

/// The error of a call; or a framework's control flow, unchanged.
pub(super) fn of_call(failed: &CallError) -> JsValue {
    if let Error::Fetch(error) = &failed.error
        && error.is_control_flow
        && let Some(thrown) = error.cause.as_ref().and_then(value)
    {
        return thrown;
    }
    let call = Call {
        attempts: AttemptInfo::all(&failed.attempts),
        elapsed_ms: milliseconds(failed.elapsed),
    };
    object(&failed.error, Some(call))
}

/// An error outside of a call.
pub(super) fn thrown(error: Error) -> JsValue {
    object(&error, None)
}

/// The error of a runtime that cannot send requests.
pub(super) fn without_fetch() -> JsValue {
    let error = js_sys::Error::new("This runtime has no fetch. Pass one as the option fetch.");
    let members = Members {
        code: "runtime_unsupported",
        ..Members::default()
    };
    complete(error, "RuntimeUnsupportedError", &members)
}

fn object(error: &Error, call: Option<Call>) -> JsValue {
    let js = js_sys::Error::new(&error.message());
    if let Some(cause) = cause(error) {
        hide(&js, &"cause".into(), &cause);
    }
    let made = complete(js, name(error.code()), &members(error, call));
    if let Some(at) = error.retry_at() {
        let _ = set(made.unchecked_ref(), "retryAt", &Date::new(&at.into()));
    }
    made
}

fn complete(error: js_sys::Error, name: &str, members: &Members<'_>) -> JsValue {
    hide(&error, &"name".into(), &name.into());
    hide(&error, &Symbol::for_(BRAND), &true.into());
    if let Ok(members) = shown(members) {
        let members: Object = members.unchecked_into();
        Object::assign(&error, &members);
        // Not enumerable, because it quotes the request and errors get logged.
        if let Some(status) = get(&members, "responseStatus")
            && let Some(trace) = get(&status, "stackTrace")
        {
            hide(status.unchecked_ref(), &"stackTrace".into(), &trace);
        }
    }
    error.into()
}

/// Sets a non-enumerable member, like `message`. Defined, not assigned, because a
/// page may have frozen Error.prototype.
pub(super) fn hide(object: &Object, key: &JsValue, value: &JsValue) {
    let descriptor = Object::new();
    let _ = set(&descriptor, "value", value);
    let _ = set(&descriptor, "enumerable", &false.into());
    let _ = set(&descriptor, "writable", &true.into());
    let _ = set(&descriptor, "configurable", &true.into());
    let _ = Reflect::define_property(object, key, &descriptor);
}

fn members(error: &Error, call: Option<Call>) -> Members<'_> {
    let mut members = Members {
        code: error.code(),
        is_retryable: error.is_retryable(),
        status: error.status(),
        call,
        ..Members::default()
    };
    match error {
        Error::Config(_) | Error::TokenProvider(_) | Error::Network(_) | Error::Fetch(_) => {}
        Error::Timeout(error) => {
            members.timeout = Some(Timeout {
                phase: error.phase.name(),
                scope: error.scope.name(),
                timeout_ms: error.timeout_ms,
            });
        }
        Error::Api(error) => {
            let status = error.response_status.as_deref();
            let errors = status.and_then(|status| status.errors.as_deref());
            members.api = Some(Api {
                error_code: error.error_code.as_deref(),
                server_message: error.server_message.as_deref(),
                response_status: status,
                field_errors: errors.unwrap_or_default(),
                request_id: error.request_id.as_deref(),
                retry_after_ms: error.retry_after_ms,
            });
        }
        Error::UnexpectedResponse(error) => members.unexpected = Some(unusual(&error.problem)),
        Error::Decode(error) => {
            members.decode = Some(Decode {
                path: &error.path,
                offset: error.offset,
            });
        }
    }
    members
}

fn unusual(problem: &Unexpected) -> Unusual<'_> {
    let nothing = Unusual::default();
    match problem {
        Unexpected::NoUsage => nothing,
        Unexpected::ContentType(name) => Unusual {
            content_type: Some(name),
            ..nothing
        },
        Unexpected::Redirect { location } => Unusual {
            location: location.as_deref(),
            ..nothing
        },
        Unexpected::OtherOrigin { url } => Unusual {
            location: Some(url),
            ..nothing
        },
        Unexpected::OtherCompany {
            requested,
            received,
        } => Unusual {
            requested_company_id: Some(requested),
            received_company_id: Some(received),
            ..nothing
        },
    }
}

/// The npm package's class name for a code.
fn name(code: &str) -> &'static str {
    match code {
        "config_error" => "ConfigError",
        "token_provider_error" => "TokenProviderError",
        "timeout" => "TimeoutError",
        "network_error" => "NetworkError",
        "fetch_error" => "FetchError",
        "authentication_error" => "AuthenticationError",
        "permission_denied" => "PermissionDeniedError",
        "rate_limited" => "RateLimitError",
        "server_error" => "ServerError",
        "unexpected_response" | "company_mismatch" => "UnexpectedResponseError",
        "decode_error" => "DecodeError",
        _ => "ApiError",
    }
}

fn cause(error: &Error) -> Option<JsValue> {
    match error {
        Error::Timeout(error) => error.last.as_ref().map(|last| object(last, None)),
        Error::TokenProvider(error) => error.cause.as_ref().map(shown_cause),
        Error::Network(error) => error.cause.as_ref().map(shown_cause),
        Error::Fetch(error) => error.cause.as_ref().map(shown_cause),
        Error::Config(_) | Error::Api(_) | Error::UnexpectedResponse(_) | Error::Decode(_) => None,
    }
}

fn value(cause: &Cause) -> Option<JsValue> {
    let thrown: &Thrown = cause.downcast_ref()?;
    thrown.value().cloned()
}

/// The thrown value; or an error with its redacted message, if it contains a
/// secret.
fn shown_cause(cause: &Cause) -> JsValue {
    value(cause).unwrap_or_else(|| in_words(&**cause))
}

fn in_words(error: &(dyn StdError + 'static)) -> JsValue {
    let shown = js_sys::Error::new(&error.to_string());
    if let Some(source) = error.source() {
        hide(&shown, &"cause".into(), &in_words(source));
    }
    shown.into()
}
