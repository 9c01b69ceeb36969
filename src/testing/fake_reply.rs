//! The reply to a request for a company.

use std::time::Duration;

use super::{
    Failure, FailureBody, Host, Reply, StatusFailure,
    answers::Kind,
    companies::{guid_number, number_of},
    host::{Writer, content_type},
    usage::Amounts,
};
use crate::{
    dto::{ResponseError, ResponseStatus},
    transport::{Body, HttpResponse},
    wire::{Format, base_url::BaseUrl, encode::PATH},
};

/// A company that no test is likely to ask for.
const SOMEONE_ELSE: u128 = 0x0d15_ea5e_0000_4000_8000_0000_0000_0000;

const HTML: &str = "text/html";
const LOGIN_PAGE: &str = r#"<!doctype html>
<html lang="en">
<head><title>Log in</title></head>
<body><form method="post"><input name="userName"><input name="password" type="password"></form></body>
</html>
"#;

/// How the server writes.
#[derive(Clone, Copy)]
pub(super) struct Style {
    pub host: Host,
    pub format: Format,
}

/// What the server needs to know for an answer.
pub(super) struct Question<'a> {
    pub style: Style,
    /// The company of the usage; zero if the reply names none.
    pub company: u128,
    /// The logged-in user's company.
    pub own: u128,
    pub amounts: Amounts,
    pub response_status: Option<&'a ResponseStatus>,
    /// The base URL of the API.
    pub base: &'a BaseUrl,
}

impl Question<'_> {
    /// The usage of the company, or the failure that the test asked for.
    pub fn reply(&self, failure: Option<&Failure>) -> Reply {
        let Some(failure) = failure else {
            return self.usage(self.company).into();
        };
        match &failure.kind {
            Kind::Status(failure) => self.style.failure(failure).into(),
            Kind::Quota => {
                let quota = Failure::status(429)
                    .error_code("insufficient_quota")
                    .message("The monthly quota is used up");
                self.style.failure(&quota).into()
            }
            Kind::LoginPage => HttpResponse::new(200, HTML, LOGIN_PAGE.as_bytes()).into(),
            Kind::LoginRedirect => {
                let login = format!(
                    "{}/login?redirect=%2Fassistant%2Fai-chat%2Fusage",
                    self.base.origin()
                );
                let redirect = Failure::status(302).header("location", login);
                self.style.failure(&redirect).into()
            }
            Kind::Moved(to) => {
                let below = format!("{}/moved", self.base.as_str());
                let to = to.as_deref().unwrap_or(&below).trim_end_matches('/');
                let redirect = Failure::status(301).header("location", format!("{to}{PATH}"));
                self.style.failure(&redirect).into()
            }
            Kind::Expired => {
                let challenge =
                    r#"Bearer error="invalid_token", error_description="The token expired""#;
                let expired = Failure::status(401).body(FailureBody::Empty);
                let expired = expired.header("www-authenticate", challenge);
                self.style.failure(&expired).into()
            }
            Kind::NoCompany => self.usage(0).into(),
            Kind::OtherCompany(other) => {
                let other = other.as_deref().map_or(self.own, number_of);
                let other = if other == self.company {
                    SOMEONE_ELSE
                } else {
                    other
                };
                self.usage(other).into()
            }
            Kind::Network => Reply::lost(),
            Kind::Hang => Reply::never(),
            Kind::HangInBody => Reply::from(self.usage(self.company)).without_body(),
            &Kind::Truncated { bytes, is_clean } => {
                let mut reply = self.usage(self.company);
                if let Body::Whole(body) = &mut reply.body {
                    body.truncate(bytes.unwrap_or(body.len() / 2));
                }
                let reply = Reply::from(reply);
                if is_clean { reply } else { reply.breaks_off() }
            }
            &Kind::Slow { delay, per_byte } => {
                let reply = self.usage(self.company);
                let bytes = u32::try_from(reply.body.bytes().len()).unwrap_or(u32::MAX);
                Reply::from(reply).after(delay).body_after(per_byte * bytes)
            }
        }
    }

    fn usage(&self, company: u128) -> HttpResponse {
        let Style { host, format } = self.style;
        let writer = Writer::new(host, format);
        let body = writer.usage(company, self.amounts, self.response_status);
        HttpResponse::new(200, content_type(format), body.as_bytes())
    }
}

impl Style {
    /// The refusal of an invalid company id, which is checked before anything else.
    pub fn binding_error(self, written: &str) -> HttpResponse {
        let code = || Some("SerializationException".to_owned());
        let error = ResponseError {
            error_code: code(),
            field_name: Some("CompanyId".to_owned()),
            message: Some(format!("'{written}' is an Invalid value for 'CompanyId'")),
            meta: None,
        };
        let status = ResponseStatus {
            error_code: code(),
            message: Some("Unable to bind to request 'GetAiChatUsage'".to_owned()),
            errors: Some(vec![error]),
            ..ResponseStatus::default()
        };
        let body = Writer::new(self.host, self.format).status_only(&status);
        HttpResponse::new(400, content_type(self.format), body.as_bytes())
    }

    /// The refusal of a request without accepted credentials.
    pub fn unauthorized(self, has_token: bool) -> HttpResponse {
        let refused = Failure::status(401);
        if self.host != Host::Endpoints {
            return self.failure(&refused);
        }
        let challenge = if has_token {
            r#"Bearer error="invalid_token""#
        } else {
            "Bearer"
        };
        let refused = refused.body(FailureBody::Empty);
        self.failure(&refused.header("www-authenticate", challenge))
    }

    /// The refusal of an API key that is not a Guid.
    pub fn malformed_key(self) -> HttpResponse {
        let refused = Failure::status(403).message("The API key is not valid");
        self.failure(&refused.body(FailureBody::StatusOnly))
    }

    fn failure(self, failure: &StatusFailure) -> HttpResponse {
        let status = failure.status;
        let (code, words) = usual(status);
        let message = failure.message.as_deref().unwrap_or(words);
        let error = ResponseStatus {
            error_code: Some(failure.error_code.as_deref().unwrap_or(code).to_owned()),
            message: Some(message.to_owned()),
            errors: failure.errors.clone(),
            ..ResponseStatus::default()
        };
        let body = failure.body.clone().unwrap_or(match status {
            401 => FailureBody::StatusOnly,
            ..=399 => FailureBody::Empty,
            _ => FailureBody::ZeroFilled,
        });
        let writer = Writer::new(self.host, self.format);
        let own = content_type(self.format);
        let whole = |kind: &str, text: &str| HttpResponse::new(status, kind, text.as_bytes());
        let mut reply = match body {
            FailureBody::ZeroFilled => whole(own, &writer.zero_filled(&error)),
            FailureBody::StatusOnly => whole(own, &writer.status_only(&error)),
            FailureBody::Text(text) => whole(own, &text),
            FailureBody::Html => {
                let page = format!("<html><body><h1>{status} {message}</h1></body></html>");
                whole(HTML, &page)
            }
            FailureBody::Empty => {
                let mut empty = whole(own, "");
                empty.headers.clear();
                if status == 401 {
                    set(&mut empty, "www-authenticate", "Bearer");
                }
                empty
            }
        };
        for (name, value) in &failure.headers {
            set(&mut reply, name, value);
        }
        reply
    }
}

/// Whether the server can parse this company id.
pub(super) fn company_of(written: &str, own: u128) -> Option<u128> {
    if written.is_empty() {
        Some(own)
    } else {
        guid_number(written)
    }
}

/// Sets a header, replacing one of the same name.
fn set(reply: &mut HttpResponse, name: &str, value: &str) {
    let headers = &mut reply.headers;
    headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
    headers.push((name.to_owned(), value.to_owned()));
}

/// The default code and message of an error.
fn usual(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => ("ArgumentException", "The request is not valid"),
        401 => ("Unauthorized", "Not Authenticated"),
        402 => ("PaymentRequired", "The subscription has lapsed"),
        403 => ("Forbidden", "You do not have access to this company"),
        404 => ("NotFound", "Company does not exist"),
        408 => ("RequestTimeout", "The request took too long"),
        409 => ("Conflict", "The window is being recalculated"),
        429 => ("RateLimitExceeded", "Too many requests"),
        500 => ("InvalidOperationException", "Sequence contains no elements"),
        502 => ("BadGateway", "Bad Gateway"),
        503 => ("ServiceUnavailable", "Service Temporarily Unavailable"),
        504 => ("GatewayTimeout", "Gateway Timeout"),
        _ => ("Error", "The request failed"),
    }
}

/// Converts milliseconds since 1970.
pub(super) fn since_1970(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1e3).unwrap_or_default()
}
