//! What a call says to do next, as JSON for the loop in `pkg/src/call.ts`.

use super::json::Json;
use crate::{
    dto::{AiChatUsageResponse, ResponseError, ResponseStatus, StringMap},
    error::{Error, Unexpected},
    policy::call::{Attempt, Call, Step},
    transport::HttpResponse,
};

pub(super) fn to_json(step: &Step, call: &Call, now: f64) -> String {
    let mut json = Json::default();
    json.object(|json| match step {
        Step::Token {
            force_refresh,
            timeout_ms,
        } => {
            json.text("do", "token");
            json.boolean("forceRefresh", *force_refresh);
            json.milliseconds("timeoutMs", *timeout_ms);
        }
        Step::Send { request, refresh } => {
            json.text("do", "send");
            json.text("url", &request.url);
            pairs(json, "headers", &request.headers);
            json.milliseconds("timeoutMs", request.timeout_ms);
            json.boolean("refresh", *refresh);
        }
        Step::Wait { ms, error } => {
            json.text("do", "wait");
            json.milliseconds("waitMs", *ms);
            json.text("code", error.code());
            status(json, error);
        }
        Step::Done(result) => {
            json.text("do", "done");
            match &**result {
                Ok((data, reply)) => success(json, data, reply),
                Err(error) => json.member("error", |json| failure(json, error)),
            }
            json.list("attempts", call.attempts(), attempt);
            json.milliseconds("elapsedMs", call.elapsed_ms(now));
        }
    });
    json.into_text()
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

fn success(json: &mut Json, data: &AiChatUsageResponse, reply: &HttpResponse) {
    json.member("data", |json| {
        json.optional("companyId", data.company_id.as_ref());
        // The decoder has found these to be exact as JavaScript numbers.
        json.integer("tokensUsed", data.tokens_used);
        json.integer("tokenLimit", data.token_limit.into());
        json.integer("tokensRemaining", data.tokens_remaining);
        json.boolean("isWithinBudget", data.is_within_budget);
        json.integer("windowDays", data.window_days.into());
        if let Some(status) = &data.response_status {
            json.member("responseStatus", |json| response_status(json, status));
        }
    });
    json.optional("requestId", reply.request_id().as_ref());
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
    json.text("code", error.code());
    json.text("message", &error.message());
    status(json, error);
    match error {
        Error::Config(_) | Error::TokenProvider(_) | Error::Network(_) => {}
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
            if let (Some(wait), Some(at)) = (error.retry_after_ms, error.retry_at) {
                json.milliseconds("retryAfterMs", wait);
                json.milliseconds("retryAt", at);
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
