//! The recorded exchanges and their expected outcomes, shared by the tests of
//! every ring: `tests/fixtures/exchanges` and `tests/fixtures/outcomes.json`.
#![allow(dead_code)] // Each test crate uses a part.

use std::io::Read;

use bookmore_sdk::{AiChatUsageResponse, Error, GetAiChatUsage, HttpResponse};
use serde_json::Value;

pub const COUNT: usize = 254;

pub struct Exchange {
    pub id: String,
    /// Its file, such as `camel`, which names the recorded host.
    pub host: &'static str,
    pub method: String,
    /// Includes the query.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub response: HttpResponse,
    pub is_compressed: bool,
}

/// The expected outcome of a recorded response.
pub struct Row {
    pub id: String,
    pub request: GetAiChatUsage,
    usage: Option<AiChatUsageResponse>,
    error: Option<Value>,
}

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../fixtures/", $name))
    };
}

pub fn exchanges() -> Vec<Exchange> {
    [
        ("pascal", fixture!("exchanges/pascal.json")),
        ("camel", fixture!("exchanges/camel.json")),
        ("endpoints", fixture!("exchanges/endpoints.json")),
        ("cookie", fixture!("exchanges/cookie.json")),
        ("cors-open", fixture!("exchanges/cors-open.json")),
        ("limiter", fixture!("exchanges/limiter.json")),
        ("cancel", fixture!("exchanges/cancel.json")),
        ("gzip", fixture!("exchanges/gzip.json")),
    ]
    .into_iter()
    .flat_map(|(host, text)| {
        let recorded = serde_json::from_str::<Vec<Value>>(text).unwrap();
        recorded.into_iter().map(move |one| exchange(host, &one))
    })
    .collect()
}

fn exchange(host: &'static str, recorded: &Value) -> Exchange {
    let request = &recorded["request"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let headers = request["headers"].as_object().unwrap().iter();
    Exchange {
        id: text(&recorded["id"]),
        host,
        method: text(&request["method"]),
        path: text(&request["path"]),
        headers: headers
            .map(|(name, value)| (name.clone(), text(value)))
            .collect(),
        response: response(&recorded["response"]),
        is_compressed: recorded["response"]["body"].is_null(),
    }
}

fn response(recorded: &Value) -> HttpResponse {
    let headers: Vec<(String, String)> =
        serde_json::from_value(recorded["headers"].clone()).unwrap();
    let body = match recorded["body"].as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => gunzipped(recorded["bodyBase64"].as_str().unwrap()),
    };
    let status = recorded["status"].as_u64().unwrap() as u16;
    let mut response = HttpResponse::new(status, "", &body);
    response.headers = headers
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect();
    response
}

/// Decodes content codings, as a transport would.
fn gunzipped(base64: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for digit in base64.bytes().filter(|byte| *byte != b'=') {
        let value = ALPHABET.iter().position(|own| *own == digit).unwrap();
        bits = bits << 6 | value as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(bytes.as_slice())
        .read_to_end(&mut text)
        .unwrap();
    text
}

pub fn rows() -> Vec<Row> {
    let rows: Vec<Value> = serde_json::from_str(fixture!("outcomes.json")).unwrap();
    rows.into_iter()
        .map(|row| Row {
            id: row["id"].as_str().unwrap().to_owned(),
            request: GetAiChatUsage {
                company_id: row["companyId"].as_str().map(str::to_owned),
            },
            usage: row.get("usage").map(usage),
            // A value that only JavaScript numbers cannot hold succeeds in Rust.
            error: row
                .get("error")
                .filter(|error| error["inJavaScript"] != true)
                .cloned(),
        })
        .collect()
}

/// The table has int64 values as strings, because JavaScript reads it as well.
fn usage(expected: &Value) -> AiChatUsageResponse {
    let mut expected = expected.clone();
    for name in ["tokensUsed", "tokensRemaining"] {
        let number: i64 = expected[name].as_str().unwrap().parse().unwrap();
        expected[name] = number.into();
    }
    serde_json::from_value(expected).unwrap()
}

impl Row {
    /// # Panics
    /// If the outcome differs from the row.
    pub fn check(&self, outcome: &Result<AiChatUsageResponse, Error>) {
        let id = &self.id;
        let expected = match (outcome, &self.error) {
            (Ok(usage), None) => {
                assert_eq!(Some(usage), self.usage.as_ref(), "{id}");
                return;
            }
            (Ok(usage), Some(error)) => panic!("{id}: {usage:?} instead of {error}"),
            (Err(error), None) => panic!("{id}: {error} instead of a usage"),
            (Err(_), Some(expected)) => expected,
        };
        let error = outcome.as_ref().unwrap_err();
        assert_eq!(error.code(), expected["code"], "{id}: {error}");
        assert_eq!(error.status().unwrap(), expected["status"], "{id}: {error}");
        if let Some(path) = expected.get("path") {
            assert!(
                matches!(error, Error::Decode(error) if error.path == *path),
                "{id}: {error:?}"
            );
        }
        if let Some(code) = expected.get("errorCode") {
            let Error::Api(error) = error else {
                panic!("{id}: {error:?}")
            };
            let status = error.response_status.as_ref().unwrap();
            assert_eq!(status.error_code.as_deref(), code.as_str(), "{id}");
        }
        if let Some(words) = expected.get("message") {
            let sentence = error.to_string();
            assert!(
                sentence.contains(words.as_str().unwrap()),
                "{id}: {sentence}"
            );
        }
    }
}
