//! Usages and replies as plain objects.

use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

use super::event::milliseconds;
use crate::{
    client::{Attempt, WithResponse},
    dto::{AiChatUsageResponse, StringMap},
};

#[derive(Serialize)]
struct Reply<'a> {
    data: &'a AiChatUsageResponse,
    response: Response<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    status: u16,
    headers: StringMap,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    attempts: Vec<AttemptInfo>,
    elapsed_ms: f64,
    received_at: f64,
}

/// The response as the npm package has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AttemptInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    ms: f64,
    wait_ms: f64,
}

impl AttemptInfo {
    pub fn all(attempts: &[Attempt]) -> Vec<Self> {
        let of = |attempt: &Attempt| Self {
            status: attempt.status,
            error: attempt.error,
            ms: milliseconds(attempt.elapsed),
            wait_ms: milliseconds(attempt.waited),
        };
        attempts.iter().map(of).collect()
    }
}

pub(super) fn usage(reply: &WithResponse) -> Result<JsValue, JsValue> {
    shown(&reply.data)
}

pub(super) fn with_response(reply: &WithResponse) -> Result<JsValue, JsValue> {
    let response = &reply.response;
    shown(&Reply {
        data: &reply.data,
        response: Response {
            status: response.status,
            headers: StringMap(response.headers.clone()),
            request_id: response.request_id.as_deref(),
            attempts: AttemptInfo::all(&reply.attempts),
            elapsed_ms: milliseconds(reply.elapsed),
            received_at: response.received_at,
        },
    })
}

/// Serializes maps as plain objects, and omits absent members.
pub(super) fn shown(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let shown = value.serialize(&Serializer::json_compatible());
    shown.map_err(JsValue::from)
}
