//! Commands as JSON for the driver in `pkg/src/driver.ts`.

use super::{Thrown, json::Json};
use crate::{
    dto::{AiChatUsageResponse, ResponseError, ResponseStatus, StringMap},
    engine::{Attempt, Command, Event, Outcome, Success, What},
    error::{Cause, Error, Unexpected},
};

/// `url`: where requests go, without the query.
pub(super) fn to_json(command: &Command, url: &str) -> String {
    let mut json = Json::default();
    json.object(|json| match command {
        Command::Send { send, request } => {
            json.text("do", "send");
            json.integer("id", *send as i64);
            json.text("url", &request.url);
            pairs(json, "headers", &request.headers);
        }
        Command::Ask {
            question,
            force_refresh,
        } => {
            json.text("do", "ask");
            json.integer("id", *question as i64);
            json.boolean("forceRefresh", *force_refresh);
        }
        Command::Cancel { id } => {
            json.text("do", "cancel");
            json.integer("id", *id as i64);
        }
        Command::Forget { id } => {
            json.text("do", "forget");
            json.integer("id", *id as i64);
        }
        Command::Emit(of) => {
            json.text("do", "emit");
            json.member("event", |json| event(json, of, url));
        }
        Command::Settle { call, outcome: of } => {
            json.text("do", "settle");
            json.integer("id", *call as i64);
            outcome(json, of);
        }
    });
    json.into_text()
}

fn event(json: &mut Json, event: &Event, url: &str) {
    let name = match &event.what {
        What::Attempt { .. } => "attempt",
        What::Response { .. } => "response",
        What::Retry { .. } => "retry",
        What::Success { .. } => "success",
        What::Error { .. } => "error",
    };
    json.text("type", name);
    json.integer("callId", event.call as i64);
    json.integer("attempt", event.attempt as i64);
    match &event.what {
        What::Attempt { .. } => json.text("url", url),
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
}

fn code(json: &mut Json, error: &Error) {
    json.text("code", error.code());
    status(json, error);
}

fn outcome(json: &mut Json, outcome: &Outcome) {
    match &outcome.result {
        Ok(of) => success(json, of),
        Err(error) => json.member("error", |json| {
            failure(json, error);
            if let Some(at) = outcome.retry_at() {
                json.milliseconds("retryAt", at);
            }
        }),
    }
    json.list("attempts", &outcome.attempts, attempt);
    json.milliseconds("elapsedMs", outcome.elapsed_ms);
}

fn attempt(json: &mut Json, attempt: &Attempt) {
    if let Some(status) = attempt.status {
        json.integer("status", status.into());
    }
    if let Some(error) = attempt.error {
        json.text("error", error);
    }
    json.milliseconds("ms", attempt.ms);
    json.milliseconds("waitMs", attempt.wait_ms);
}

fn success(json: &mut Json, success: &Success) {
    json.integer("send", success.send as i64);
    json.member("data", |json| usage(json, &success.data));
    json.optional("requestId", success.response.request_id().as_ref());
    // Those that JavaScript has are told anew where they quote a secret.
    if success.is_redacted {
        pairs(json, "headers", &success.response.headers);
    }
}

fn usage(json: &mut Json, usage: &AiChatUsageResponse) {
    json.optional("companyId", usage.company_id.as_ref());
    // The decoder has found these to be exact as JavaScript numbers.
    json.integer("tokensUsed", usage.tokens_used);
    json.integer("tokenLimit", usage.token_limit.into());
    json.integer("tokensRemaining", usage.tokens_remaining);
    json.boolean("isWithinBudget", usage.is_within_budget);
    json.integer("windowDays", usage.window_days.into());
    if let Some(status) = &usage.response_status {
        json.member("responseStatus", |json| response_status(json, status));
    }
}

fn response_status(json: &mut Json, status: &ResponseStatus) {
    json.optional("errorCode", status.error_code.as_ref());
    json.optional("message", status.message.as_ref());
    json.optional("stackTrace", status.stack_trace.as_ref());
    if let Some(errors) = &status.errors {
        json.list("errors", errors, field_error);
    }
    meta(json, status.meta.as_ref());
}

fn field_error(json: &mut Json, error: &ResponseError) {
    json.optional("errorCode", error.error_code.as_ref());
    json.optional("fieldName", error.field_name.as_ref());
    json.optional("message", error.message.as_ref());
    meta(json, error.meta.as_ref());
}

fn meta(json: &mut Json, meta: Option<&StringMap>) {
    if let Some(StringMap(meta)) = meta {
        pairs(json, "meta", meta);
    }
}

fn pairs(json: &mut Json, name: &str, pairs: &[(String, String)]) {
    json.member(name, |json| {
        for (name, value) in pairs {
            json.text(name, value);
        }
    });
}

fn status(json: &mut Json, error: &Error) {
    if let Some(status) = error.status() {
        json.integer("status", status.into());
    }
}

/// What the errors of the npm package are made of; what was thrown outside is
/// added there.
fn failure(json: &mut Json, error: &Error) {
    code(json, error);
    json.text("message", &error.message());
    json.boolean("isRetryable", error.is_retryable());
    match error {
        Error::Config(_) => {}
        Error::TokenProvider(error) => beside(json, &error.cause),
        Error::Network(error) => beside(json, &error.cause),
        Error::Fetch(error) => {
            json.boolean("isControlFlow", error.is_control_flow);
            beside(json, &error.cause);
        }
        Error::Timeout(error) => {
            json.text("phase", error.phase.name());
            json.text("scope", error.scope.name());
            json.milliseconds("timeoutMs", error.timeout_ms);
            if let Some(last) = &error.last {
                json.member("cause", |json| failure(json, last));
            }
        }
        Error::Api(error) => {
            json.optional("requestId", error.request_id.as_ref());
            if let Some(status) = &error.response_status {
                json.optional("errorCode", status.error_code.as_ref());
                if let Some(errors) = &status.errors {
                    json.list("fieldErrors", errors, field_error);
                }
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

/// Under which id JavaScript has what was thrown.
fn beside(json: &mut Json, cause: &Option<Cause>) {
    let cause = cause.as_ref().and_then(|cause| cause.downcast_ref());
    if let Some(&Thrown(id)) = cause {
        json.integer("thrown", id as i64);
    }
}
