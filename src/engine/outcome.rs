//! What a reply amounts to: a usage or one of the failures.

use super::{redact::Redactor, retry_after::asked_wait};
use crate::{
    dto::{AiChatUsageResponse, GetAiChatUsage},
    error::{ApiError, DecodeError, Error, Unexpected, UnexpectedResponseError, decimal, text},
    transport::{Body, HttpResponse},
    wire::{
        base_url::{BaseUrl, without_query},
        decode::{self, Failure, Integers},
        guid,
        json::lossy,
    },
};

/// Judges a reply by its status first: some failures come with a zero-filled
/// usage (contract, "Failures" 2). The reply's headers are redacted already.
#[inline(never)] // smaller, see Cargo.toml
pub(crate) fn judge(
    reply: &HttpResponse,
    request: &GetAiChatUsage,
    base_url: &BaseUrl,
    integers: Integers,
    redactor: &Redactor,
) -> Result<AiChatUsageResponse, Error> {
    if let Some(problem) = unexpected(reply, base_url) {
        return Err(problem.at(reply));
    }
    let body = reply.body.bytes();
    let mut read = match &reply.body {
        Body::Whole(_) => decode::usage(body, integers).map_err(Error::Decode),
        Body::TooLong(_) => Err(Error::Decode(DecodeError::new(
            body.len(),
            "the reply is longer than the client reads",
        ))),
        Body::Broken(_, error) => Err(error.clone().into()),
    };
    let is_refused = reply.status >= 400;
    // "Failures" 3 and 6: an ErrorCode is a failure even at 200, whatever
    // stands beside it.
    let mut failure = match &mut read {
        Ok(usage) if !is_refused => Failure {
            response_status: usage.response_status.take(),
            ..Failure::default()
        },
        _ => decode::failure(body),
    };
    if let Some(status) = &mut failure.response_status {
        redactor.redact_status(status);
    }
    // The `error` of other bodies may be a sentence, which an `errorCode` is not.
    let Failure {
        code, words, title, ..
    } = &mut failure;
    for text in [code, words, title].into_iter().flatten() {
        redactor.redact(text);
    }
    let status = failure.response_status.as_ref();
    if is_refused || status.is_some_and(|status| said(&status.error_code).is_some()) {
        return Err(api_error(reply, failure, redactor));
    }
    match read {
        Ok(mut usage) => {
            usage.response_status = failure.response_status;
            match other_company(request, &usage) {
                Some(problem) => Err(problem.at(reply)),
                None => Ok(usage),
            }
        }
        Err(mut error) => {
            if let Error::Decode(error) = &mut error {
                // A key of the server's can be part of it.
                redactor.redact(&mut error.path);
            }
            Err(error)
        }
    }
}

impl Unexpected {
    fn at(self, reply: &HttpResponse) -> Error {
        let error = UnexpectedResponseError {
            status: reply.status,
            problem: self,
        };
        error.into()
    }
}

/// What can be told without the body: "Failures" 6.
#[inline(never)] // smaller, see Cargo.toml
fn unexpected(reply: &HttpResponse, base_url: &BaseUrl) -> Option<Unexpected> {
    if let Some(url) = &reply.url
        && !base_url.is_origin_of(url)
    {
        return Some(Unexpected::OtherOrigin {
            url: without_query(url).to_owned(),
        });
    }
    match reply.status {
        200 => {
            // Mocks may have no content type; what they mean is in the body.
            let content_type = reply.header("content-type")?;
            let media_type = media_type(content_type);
            if media_type.is_empty() {
                return None;
            }
            let is_json = media_type
                .as_bytes()
                .windows(4)
                .any(|word| word.eq_ignore_ascii_case(b"json"));
            (!is_json).then(|| Unexpected::ContentType(media_type.to_owned()))
        }
        0 | 300..=303 | 305..=399 => Some(Unexpected::Redirect {
            location: reply
                .header("location")
                .map(|to| without_query(to).to_owned()),
        }),
        400.. => None,
        _ => Some(Unexpected::NoUsage),
    }
}

fn media_type(content_type: &str) -> &str {
    let end = content_type.bytes().position(|byte| byte == b';');
    end.and_then(|end| content_type.get(..end))
        .unwrap_or(content_type)
        .trim_ascii()
}

/// A company is asked for and named unless the Guid is absent or zero.
fn other_company(request: &GetAiChatUsage, usage: &AiChatUsageResponse) -> Option<Unexpected> {
    let requested = request.company_id.as_ref()?;
    let received = usage.company_id.as_ref()?;
    let number = guid::number(requested)?;
    // Contract, "Values" 3: zeros mean "no company given", the same as absent.
    (number != 0 && guid::number(received) != Some(number)).then(|| Unexpected::OtherCompany {
        requested: requested.clone(),
        received: received.clone(),
    })
}

fn api_error(reply: &HttpResponse, failure: Failure, redactor: &Redactor) -> Error {
    let status = failure.response_status.as_deref();
    let code = status
        .and_then(|status| said(&status.error_code))
        .or(said(&failure.code));
    let (why, mut words) = reason(reply, &failure);
    redactor.redact(&mut words);
    let message = text![
        "The server refused the request (",
        &decimal(reply.status.into()),
        if code.is_some() { " " } else { "" },
        code.unwrap_or(""),
        ")",
        why,
        &words,
        match words.as_bytes() {
            [.., b'.' | b'!' | b'?'] => "",
            _ => ".",
        },
        match reply.status {
            401 => " Pass a valid bearer token or API key.",
            403 => " Check what the credentials give access to.",
            404 | 405 if status.is_none() => " Check the base URL.",
            407 => " A proxy on the way wants credentials; give them to the fetch that is used.",
            421 => " The connection leads to another host; check the base URL.",
            426 =>
                " The server wants another protocol, such as HTTP/2; use a fetch that speaks it.",
            429 => " Wait before asking again.",
            451 => " The answer is withheld for legal reasons.",
            511 => " The network wants a login; open a page in a browser.",
            500 | 502..=504 | 520..=524 => " Try again later.",
            _ => "",
        },
    ];
    let is_quota = [code, said(&failure.problem_type)]
        .into_iter()
        .flatten()
        .any(is_quota);
    let retry_after_ms = asked_wait(&reply.headers, reply.received_at);
    let error = ApiError {
        status: reply.status,
        retry_after_ms,
        retry_at: retry_after_ms.map(|wait| reply.received_at + wait),
        message,
        error_code: code.map(str::to_owned),
        server_message: (!words.is_empty()).then_some(words),
        request_id: reply.request_id(),
        is_quota,
        response_status: failure.response_status,
    };
    error.into()
}

/// Limits of a moment, no quotas: seconds later there is room again.
const PASSING_LIMITS: [&str; 4] = [
    "ratelimitexceeded",
    "requestlimitexceeded",
    "concurrencylimitexceeded",
    "burstlimitexceeded",
];

/// `insufficient_quota`, `quota_exceeded` and `…_limit_exceeded`, in any case
/// and with any separators; a problem's type may be a URL that ends so.
fn is_quota(kind: &str) -> bool {
    let mut word = String::new();
    for byte in kind.bytes() {
        if byte.is_ascii_alphanumeric() {
            word.push(byte.to_ascii_lowercase().into());
        }
    }
    if PASSING_LIMITS.iter().any(|limit| word.ends_with(limit)) {
        return false;
    }
    ["insufficientquota", "quotaexceeded", "limitexceeded"]
        .iter()
        .any(|quota| word.ends_with(quota))
}

/// What the server wrote, if anything.
fn said(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|words| !words.is_empty())
}

/// Why the server refused, in its own words where it has any.
fn reason(reply: &HttpResponse, failure: &Failure) -> (&'static str, String) {
    let status = failure.response_status.as_deref();
    /// Longer texts are pages, not reasons.
    const LONGEST: usize = 200;
    // "Failures" 4: ASP.NET's own 401 has its reason in a header, if anywhere;
    // a challenge without parameters gives none.
    let challenge = reply.header("www-authenticate");
    let challenge = challenge.filter(|words| words.bytes().any(|byte| byte == b'='));
    if let Some(words) = status
        .and_then(|status| said(&status.message))
        .or(said(&failure.words))
        .or(challenge)
        .or(said(&failure.title))
    {
        return (": ", words.to_owned());
    }
    let body = reply.body.bytes().trim_ascii();
    // JSON that says nothing in words is no page.
    if status.is_some() || matches!(body.first(), None | Some(b'{' | b'[' | b'"')) {
        return (" without saying why", String::new());
    }
    let content_type = media_type(reply.header("content-type").unwrap_or(""));
    if content_type.eq_ignore_ascii_case("text/plain") && body.len() <= LONGEST {
        return (": ", lossy(body));
    }
    (" with a page that may be a proxy's", String::new())
}
