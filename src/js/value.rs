//! Results as plain JavaScript objects in camelCase.
//!
//! The objects of known members are put together here: letting
//! `serde_wasm_bindgen` walk a struct brings a hash map of member names, for
//! 4 kB. Maps of the server's own keys are what it does at little cost.

use js_sys::{Array, Object};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

use crate::{
    client::WithResponse,
    dto::{AiChatUsageResponse, ResponseError, ResponseStatus, StringMap},
    fetch::set,
};

/// `{ data, response: { status, headers, requestId } }`
pub(super) fn with_response(reply: WithResponse) -> JsValue {
    let response = Object::new();
    put(&response, "status", f64::from(reply.response.status));
    put_text(&response, "requestId", reply.response.request_id().as_ref());
    let headers = StringMap(reply.response.headers);
    put_map(&response, "headers", Some(&headers));
    let result = Object::new();
    put(&result, "data", usage(&reply.data));
    put(&result, "response", response);
    result.into()
}

fn usage(data: &AiChatUsageResponse) -> Object {
    let object = Object::new();
    put_text(&object, "companyId", data.company_id.as_ref());
    // The decoder has found these to be exact as JavaScript numbers.
    put(&object, "tokensUsed", data.tokens_used as f64);
    put(&object, "tokenLimit", f64::from(data.token_limit));
    put(&object, "tokensRemaining", data.tokens_remaining as f64);
    put(&object, "isWithinBudget", data.is_within_budget);
    put(&object, "windowDays", f64::from(data.window_days));
    if let Some(status) = &data.response_status {
        put(&object, "responseStatus", response_status(status));
    }
    object
}

fn response_status(status: &ResponseStatus) -> Object {
    let object = Object::new();
    put_text(&object, "errorCode", status.error_code.as_ref());
    put_text(&object, "message", status.message.as_ref());
    put_text(&object, "stackTrace", status.stack_trace.as_ref());
    if let Some(errors) = &status.errors {
        put(&object, "errors", field_errors(errors));
    }
    put_map(&object, "meta", status.meta.as_ref());
    object
}

pub(super) fn field_errors(errors: &[ResponseError]) -> Array {
    let array = Array::new();
    for error in errors {
        let object = Object::new();
        put_text(&object, "errorCode", error.error_code.as_ref());
        put_text(&object, "fieldName", error.field_name.as_ref());
        put_text(&object, "message", error.message.as_ref());
        put_map(&object, "meta", error.meta.as_ref());
        array.push(&object);
    }
    array
}

fn put_map(object: &Object, name: &str, map: Option<&StringMap>) {
    if let Some(map) = map {
        let serializer = Serializer::new().serialize_maps_as_objects(true);
        // Strings always serialise.
        put(object, name, map.serialize(&serializer).unwrap_or_default());
    }
}

pub(super) fn put_text(object: &Object, name: &str, text: Option<&String>) {
    if let Some(text) = text {
        put(object, name, text);
    }
}

/// Sets a property of a fresh plain object, which cannot fail.
pub(super) fn put(object: &Object, name: &str, value: impl Into<JsValue>) {
    let _ = set(object, name, &value.into());
}
