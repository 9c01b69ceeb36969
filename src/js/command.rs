//! Commands as JSON for the driver in `pkg/src/driver.ts`.

use super::{Thrown, json::Json};
use crate::{
    dto::{AiChatUsageResponse, ResponseError, ResponseStatus, StringMap, member::Shown},
    engine::{Attempt, Command, Event, Outcome, Success, What},
    error::{Cause, Error, Unexpected},
    wire::{base_url::BaseUrl, encode::endpoint},
};

pub(super) fn to_json(command: &Command, base_url: &BaseUrl) -> String {
    let (what, id) = match command {
        Command::Send { send, .. } => ("send", *send),
        Command::Ask { question, .. } => ("ask", *question),
        Command::Cancel { id } => ("cancel", *id),
        Command::Forget { id } => ("forget", *id),
        Command::Emit(event) => ("emit", event.call),
        Command::Settle { call, .. } => ("settle", *call),
    };
    let mut json = Json::default();
    json.item('{');
    json.text("do", what);
    json.integer("id", id as i64);
    match command {
        Command::Send { request, .. } => {
            json.text("url", &request.url);
            pairs(&mut json, "headers", &request.headers);
        }
        Command::Ask { force_refresh, .. } => json.boolean("forceRefresh", *force_refresh),
        Command::Cancel { .. } | Command::Forget { .. } => {}
        Command::Emit(of) => event(&mut json, of, base_url),
        Command::Settle { outcome: of, .. } => outcome(&mut json, of),
    }
    json.close('}');
    json.into_text()
}

fn event(json: &mut Json, event: &Event, base_url: &BaseUrl) {
    let name = match &event.what {
        What::Attempt { .. } => "attempt",
        What::Response { .. } => "response",
        What::Retry { .. } => "retry",
        What::Success { .. } => "success",
        What::Error { .. } => "error",
    };
    json.member("event", '{');
    json.text("type", name);
    json.integer("callId", event.call as i64);
    json.integer("attempt", event.attempt as i64);
    match &event.what {
        What::Attempt { .. } => json.text("url", &endpoint(base_url)),
        What::Response { status } => json.integer("status", (*status).into()),
        What::Retry { wait_ms, error } => {
            json.milliseconds("waitMs", *wait_ms);
            code(json, error);
        }
        What::Success { elapsed_ms } => json.milliseconds("elapsedMs", *elapsed_ms),
        What::Error { elapsed_ms, error } => {
            json.milliseconds("elapsedMs", *elapsed_ms);
            code(json, error);
        }
    }
    json.close('}');
}

fn code(json: &mut Json, error: &Error) {
    json.text("code", error.code());
    if let Some(status) = error.status() {
        json.integer("status", status.into());
    }
}

fn outcome(json: &mut Json, outcome: &Outcome) {
    match &outcome.result {
        Ok(of) => success(json, of),
        Err(error) => {
            json.member("error", '{');
            failure(json, error, outcome.retry_at());
            json.close('}');
        }
    }
    json.member("attempts", '[');
    for of in &outcome.attempts {
        attempt(json, of);
    }
    json.close(']');
    json.milliseconds("elapsedMs", outcome.elapsed_ms);
}

fn attempt(json: &mut Json, attempt: &Attempt) {
    json.item('{');
    if let Some(status) = attempt.status {
        json.integer("status", status.into());
    }
    if let Some(error) = attempt.error {
        json.text("error", error);
    }
    json.milliseconds("ms", attempt.ms);
    json.milliseconds("waitMs", attempt.wait_ms);
    json.close('}');
}

fn success(json: &mut Json, success: &Success) {
    json.integer("send", success.send as i64);
    usage(json, &success.data);
    json.optional("requestId", success.response.request_id().as_ref());
    // JavaScript has the headers; they are sent again only if a secret was redacted.
    if success.is_redacted {
        pairs(json, "headers", &success.response.headers);
    }
}

fn usage(json: &mut Json, usage: &AiChatUsageResponse) {
    json.member("data", '{');
    for (member, value) in AiChatUsageResponse::MEMBERS.iter().zip(usage.values()) {
        match value {
            None => {}
            // The decoder has ensured that they are safe integers in JavaScript.
            Some(Shown::Integer(value)) => json.integer(member.name, value),
            Some(Shown::Boolean(value)) => json.boolean(member.name, value),
            Some(Shown::Text(value)) => json.text(member.name, value),
            Some(Shown::ResponseStatus(status)) => response_status(json, status),
        }
    }
    json.close('}');
}

fn response_status(json: &mut Json, status: &ResponseStatus) {
    json.member("responseStatus", '{');
    json.optional("errorCode", status.error_code.as_ref());
    json.optional("message", status.message.as_ref());
    json.optional("stackTrace", status.stack_trace.as_ref());
    field_errors(json, "errors", &status.errors);
    meta(json, &status.meta);
    json.close('}');
}

fn field_errors(json: &mut Json, name: &str, errors: &Option<Vec<ResponseError>>) {
    let Some(errors) = errors else { return };
    json.member(name, '[');
    for error in errors {
        json.item('{');
        json.optional("errorCode", error.error_code.as_ref());
        json.optional("fieldName", error.field_name.as_ref());
        json.optional("message", error.message.as_ref());
        meta(json, &error.meta);
        json.close('}');
    }
    json.close(']');
}

fn meta(json: &mut Json, meta: &Option<StringMap>) {
    if let Some(StringMap(meta)) = meta {
        pairs(json, "meta", meta);
    }
}

fn pairs(json: &mut Json, name: &str, pairs: &[(String, String)]) {
    json.member(name, '{');
    for (name, value) in pairs {
        json.text(name, value);
    }
    json.close('}');
}

/// The members of the npm package's errors. JavaScript adds the thrown values.
fn failure(json: &mut Json, error: &Error, retry_at: Option<f64>) {
    code(json, error);
    json.milliseconds("retryAt", retry_at.unwrap_or(f64::NAN));
    json.text("message", &error.message());
    json.boolean("isRetryable", error.is_retryable());
    match error {
        Error::Config(_) => {}
        Error::TokenProvider(error) => thrown(json, &error.cause),
        Error::Network(error) => thrown(json, &error.cause),
        Error::Fetch(error) => {
            json.boolean("isControlFlow", error.is_control_flow);
            thrown(json, &error.cause);
        }
        Error::Timeout(error) => {
            json.text("phase", error.phase.name());
            json.text("scope", error.scope.name());
            json.milliseconds("timeoutMs", error.timeout_ms);
            if let Some(last) = &error.last {
                json.member("cause", '{');
                failure(json, last, last.retry_at());
                json.close('}');
            }
        }
        Error::Api(error) => {
            json.optional("requestId", error.request_id.as_ref());
            json.optional("errorCode", error.error_code.as_ref());
            json.optional("serverMessage", error.server_message.as_ref());
            if let Some(status) = &error.response_status {
                response_status(json, status);
            }
            if let Some(wait) = error.retry_after_ms {
                json.milliseconds("retryAfterMs", wait);
            }
        }
        Error::UnexpectedResponse(error) => match &error.problem {
            Unexpected::NoUsage => {}
            Unexpected::ContentType(name) => json.text("contentType", name),
            Unexpected::Redirect { location } => json.optional("location", location.as_ref()),
            Unexpected::OtherOrigin { url } => json.text("location", url),
            Unexpected::OtherCompany {
                requested,
                received,
            } => {
                json.text("requestedCompanyId", requested);
                json.text("receivedCompanyId", received);
            }
        },
        Error::Decode(error) => {
            json.text("path", &error.path);
            json.integer("offset", error.offset as i64);
        }
    }
}

/// The id under which JavaScript keeps the thrown value.
fn thrown(json: &mut Json, cause: &Option<Cause>) {
    let cause = cause.as_ref().and_then(|cause| cause.downcast_ref());
    if let Some(&Thrown(id)) = cause {
        json.integer("thrown", id as i64);
    }
}
