//! Turns a reply into a usage or an error.

use super::{redact::Redactor, retry_after::asked_wait};
use crate::{
    dto::{AiChatUsageResponse, GetAiChatUsage},
    error::{ApiError, DecodeError, Error, Unexpected, UnexpectedResponseError, decimal, text},
    transport::{Body, HttpResponse},
    wire::{
        base_url::{BaseUrl, without_query, without_secrets},
        decode::{self, Failure, Integers},
        guid,
        json::lossy,
    },
};

/// What a body may have at the most: 256 KiB. A usage has about 150 bytes.
#[cfg(target_arch = "wasm32")]
pub(crate) const MAX_BODY_BYTES: usize = 256 * 1024;

/// Whether the body of a reply is of any use: neither a redirect nor a success
/// without a usage has anything to say.
#[cfg(target_arch = "wasm32")]
pub(crate) fn has_words(status: u16) -> bool {
    status == 200 || status >= 400
}

/// Judges a reply by its status first, because some failures come with a
/// zero-filled usage (contract, "Failures" 2). The headers are redacted already.
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
    // "Failures" 3 and 6: an ErrorCode means failure even at 200, whatever
    // accompanies it.
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
    // An `error` may be a sentence; an `errorCode` never is.
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
                // It may contain a key that the server chose.
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

/// What the head of a reply already tells: "Failures" 6.
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
            // Mocks may have no content type; their body decides.
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
            location: reply.header("location").map(without_secrets),
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

/// A request and a reply name a company unless the Guid is absent or all zeros.
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
    let is_quota = [code, said(&failure.problem_type)]
        .into_iter()
        .flatten()
        .any(is_quota);
    let retry_after_ms = asked_wait(&reply.headers, reply.received_at);
    let wait = retry_after_ms
        .filter(|ms| *ms > 0.0 && matches!(reply.status, 429 | 500..))
        .map(|ms| {
            text![
                " Wait ",
                &decimal((ms / 1e3).ceil() as u64),
                " s before asking again."
            ]
        });
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
        wait.as_deref().unwrap_or(match reply.status {
            401 => " Pass a valid bearer token or API key.",
            403 => " Check what the credentials give access to.",
            404 | 405 if status.is_none() => " Check the base URL.",
            407 => " A proxy on the way wants credentials; give them to the fetch that is used.",
            421 => " The connection leads to another host; check the base URL.",
            426 => " The server wants another protocol, such as HTTP/2 or TLS.",
            429 if is_quota => " The quota is used up; it has to be raised or renewed.",
            429 => " Wait before asking again.",
            451 => " The answer is withheld for legal reasons.",
            511 => " The network wants a login; open a page in a browser.",
            500 | 502..=504 | 520..=524 => " Try again later.",
            _ => "",
        }),
    ];
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

/// Codes of short-term rate limits, which are not quotas: they recover within
/// seconds.
const PASSING_LIMITS: [&str; 4] = [
    "ratelimitexceeded",
    "requestlimitexceeded",
    "concurrencylimitexceeded",
    "burstlimitexceeded",
];

/// Whether it is `insufficient_quota`, `quota_exceeded` or `…_limit_exceeded`, in
/// any case and with any separators, possibly at the end of a URL, as the type of
/// problem details.
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

/// The text, unless it is empty.
fn said(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|words| !words.is_empty())
}

/// The server's own reason for a refusal, if it gives one.
fn reason(reply: &HttpResponse, failure: &Failure) -> (&'static str, String) {
    let status = failure.response_status.as_deref();
    /// A longer text is a page, not a reason.
    const LONGEST: usize = 200;
    // "Failures" 4: ASP.NET's own 401 has its reason, if any, in a header. A
    // challenge without parameters has none.
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
    // JSON without a message is not a reason.
    if status.is_some() || matches!(body.first(), None | Some(b'{' | b'[' | b'"')) {
        return (" without saying why", String::new());
    }
    let content_type = media_type(reply.header("content-type").unwrap_or(""));
    // Passport, for one, sends "Unauthorized" without a Content-Type.
    let is_text = content_type.eq_ignore_ascii_case("text/plain")
        || (content_type.is_empty() && body.first() != Some(&b'<'));
    if is_text && body.len() <= LONGEST {
        return (": ", lossy(body));
    }
    (" with a page that may be a proxy's", String::new())
}
