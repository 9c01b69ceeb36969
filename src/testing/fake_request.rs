//! What a request asks for, and what a test sees of it.

use std::time::Duration;

use super::{
    Sent,
    companies::{dashed, guid_number},
};
use crate::{
    transport::{HttpRequest, header_in},
    wire::{Format, base_url::BaseUrl, encode::endpoint},
};

/// A request that was received. `[secret]` replaces each secret.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FakeRequest {
    /// The URL, with the values of unknown parameters left out.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The requested company, with dashes; `None` for the logged-in user's own.
    pub company_id: Option<String>,
    /// The requested format.
    pub format: Option<Format>,
    /// When it was received, counted from the creation of the fake.
    pub at: Duration,
    /// The status of the reply; `None` if none was sent.
    pub status: Option<u16>,
    /// When it was cancelled, if that was before its reply arrived.
    pub cancelled_at: Option<Duration>,
    /// Why the fake refused it: how it differs from a request of the API.
    pub mismatch: Option<String>,
}

impl FakeRequest {
    /// The value of a header. The case of `name` does not matter.
    ///
    /// ```
    /// # use bookmore_sdk::{GetAiChatUsage, testing::FakeBookMore};
    /// # let fake = FakeBookMore::new();
    /// # let client = fake.client();
    /// fake.run(client.get_ai_chat_usage(&GetAiChatUsage::default()))?;
    /// assert_eq!(fake.requests()[0].header("accept"), Some("application/json"));
    /// # Ok::<_, bookmore_sdk::Error>(())
    /// ```
    pub fn header(&self, name: &str) -> Option<&str> {
        header_in(&self.headers, name)
    }

    pub(super) fn of(sent: &Sent) -> Self {
        let headers = sent.request.headers.iter();
        Self {
            url: shown(&sent.request.url),
            headers: headers
                .map(|(name, value)| (name.clone(), without_secrets(name, value)))
                .collect(),
            company_id: None,
            format: None,
            at: sent.at,
            status: None,
            cancelled_at: sent.cancelled_at,
            mismatch: None,
        }
    }

    /// Sets what the request asks for, once it is known.
    pub(super) fn tell(&mut self, asked: &Asked) {
        self.format = Some(asked.format);
        self.company_id = guid_number(&asked.company).map(dashed);
    }
}

/// What a request asks for.
pub(super) struct Asked {
    pub format: Format,
    /// The id as it was written; empty for the logged-in user's company.
    pub company: String,
}

/// Parses a request as the server does.
///
/// # Errors
/// How the request differs from those that the server answers with a usage or
/// an error in JSON.
pub(super) fn asked(request: &HttpRequest, base: &BaseUrl) -> Result<Asked, String> {
    let mut differences = Vec::new();
    let (address, query) = split(&request.url);
    if !base.is_origin_of(&request.url) {
        differences.push(format!("it goes to {address}, not {}", base.origin()));
    }
    let path = address.splitn(4, '/').nth(3).unwrap_or_default();
    let path = format!("/{}", path.to_ascii_lowercase());
    let path = path.trim_end_matches('/');
    let (path, suffix) = [".json", ".jsonl"]
        .iter()
        .find_map(|suffix| Some((path.strip_suffix(suffix)?, Some(&suffix[1..]))))
        .unwrap_or((path, None));
    let whole = endpoint(base);
    let expected = whole.strip_prefix(base.origin()).unwrap_or(&whole);
    if path != expected.to_ascii_lowercase() {
        differences.push(format!("the path is {path}, not {expected}"));
    }
    let (mut ids, mut format) = (Vec::new(), None);
    for (name, value) in parameters(query) {
        match name.to_ascii_lowercase().as_str() {
            "companyid" => ids.push(value),
            "format" => format = Some(value),
            "v" | "version" => {}
            _ => differences.push(format!(
                "the API has no parameter {name}; known are CompanyId and format"
            )),
        }
    }
    if !ids.is_empty() && ids.iter().all(String::is_empty) {
        differences.push(
            "CompanyId is empty, which the server takes for the logged-in user's company"
                .to_owned(),
        );
    }
    let accept = request.header("accept");
    let format = format_of(suffix, format.as_deref(), accept);
    if format.is_none() {
        let accept = accept.map_or_else(
            || "a request without Accept".to_owned(),
            |accept| format!("\"Accept: {accept}\""),
        );
        differences.push(format!(
            r#"{accept} makes the server write HTML; send "Accept: application/json" or "Accept: text/jsonl""#
        ));
    }
    match format {
        // The server joins a repeated parameter with commas, which is not a Guid.
        Some(format) if differences.is_empty() => Ok(Asked {
            format,
            company: ids.join(","),
        }),
        _ => Err(format!(
            "The fake BookMore API cannot answer GET {}: {}.",
            shown(&request.url),
            differences.join("; ")
        )),
    }
}

/// The format of the answer, chosen by the path's suffix, `?format=`, or the
/// beginning of the first type in `Accept`. `None` for HTML.
fn format_of(
    suffix: Option<&str>,
    parameter: Option<&str>,
    accept: Option<&str>,
) -> Option<Format> {
    let known = |name: &str| match name.to_ascii_lowercase().as_str() {
        "json" => Some(Format::Json),
        "jsonl" => Some(Format::Jsonl),
        _ => None,
    };
    let accepted = || {
        let first = accept?.split(',').next()?.trim().to_ascii_lowercase();
        let formats = [Format::Json, Format::Jsonl];
        formats
            .into_iter()
            .find(|format| first.starts_with(format.media_type()))
    };
    suffix
        .and_then(known)
        .or_else(|| parameter.and_then(known))
        .or_else(accepted)
}

fn split(url: &str) -> (&str, &str) {
    url.split_once('?').unwrap_or((url, ""))
}

fn parameters(query: &str) -> impl Iterator<Item = (String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

/// Decodes percent encoding.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| first == b'%');
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        match code {
            Some(code) => {
                bytes.push(code);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(if first == b'+' { b' ' } else { first });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The URL without anything that may be a secret.
fn shown(url: &str) -> String {
    let (address, query) = split(url);
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs: Vec<_> = pairs
        .map(|pair| {
            let (name, _) = pair.split_once('=').unwrap_or((pair, ""));
            match name.to_ascii_lowercase().as_str() {
                "companyid" | "format" => pair.to_owned(),
                _ => format!("{name}=[secret]"),
            }
        })
        .collect();
    match pairs.as_slice() {
        [] => address.to_owned(),
        pairs => format!("{address}?{}", pairs.join("&")),
    }
}

fn without_secrets(name: &str, value: &str) -> String {
    let name = name.to_ascii_lowercase();
    if name == "authorization" {
        let scheme = value.split_once(' ').map_or("", |(scheme, _)| scheme);
        return format!("{scheme} [secret]").trim_start().to_owned();
    }
    let words = ["auth", "cookie", "key", "password", "secret", "token"];
    match words.iter().any(|word| name.contains(word)) {
        true => "[secret]".to_owned(),
        false => value.to_owned(),
    }
}
