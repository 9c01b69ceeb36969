//! Parses `tests/fixtures/scenarios.json`, whose format is described in
//! `tests/fixtures/README.md`.
#![allow(dead_code)] // Each test crate uses a part.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

/// The wall clock at the start of a scenario.
pub const START: f64 = 1_767_225_600_000.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    pub companies: BTreeMap<String, String>,
    pub scenarios: Vec<Scenario>,
}

impl Table {
    pub fn read() -> Self {
        serde_json::from_str(include_str!("../../fixtures/scenarios.json")).unwrap()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Scenario {
    pub name: String,
    #[serde(default)]
    pub client: Settings,
    #[serde(default)]
    pub server: Vec<Reply>,
    pub steps: Vec<Step>,
    /// What to do when an event occurs for the first time.
    #[serde(default)]
    pub on: BTreeMap<String, Vec<Step>>,
    pub sends: Value,
    #[serde(default = "nothing")]
    pub questions: Value,
    pub outcomes: Value,
    #[serde(default)]
    pub never: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    pub bearer_token: Auth,
    pub api_key: Option<String>,
    pub retry_pacing: bool,
    pub random: f64,
    pub isolated: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bearer_token: Auth::Token(Some("A".to_owned())),
            api_key: None,
            retry_pacing: true,
            random: 0.5,
            isolated: false,
        }
    }
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub enum Auth {
    Token(Option<String>),
    Provider(Vec<Answer>),
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Answer {
    #[serde(default)]
    pub after: f64,
    pub token: Option<String>,
    pub expires_in: Option<f64>,
    /// The message of its failure.
    pub fails: Option<String>,
    #[serde(default)]
    pub hangs: bool,
    /// What the provider does first, synchronously.
    #[serde(default)]
    pub calls: Vec<Step>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Reply {
    pub company: Option<String>,
    pub token: Option<String>,
    pub times: u32,
    pub after: f64,
    pub headers_after: Option<f64>,
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Option<String>,
    /// Truncates the body to this many bytes.
    pub cut: Option<usize>,
    pub fails: Option<String>,
    pub hangs: Option<String>,
}

impl Default for Reply {
    fn default() -> Self {
        Self {
            company: None,
            token: None,
            times: 1,
            after: 10.0,
            headers_after: None,
            status: 200,
            headers: BTreeMap::new(),
            body: None,
            cut: None,
            fails: None,
            hangs: None,
        }
    }
}

impl Reply {
    /// The reply's headers, with a content type.
    pub fn all_headers(&self) -> BTreeMap<String, String> {
        let mut headers = self.headers.clone();
        headers
            .entry("content-type".to_owned())
            .or_insert_with(|| "application/json".to_owned());
        headers
    }

    /// The body of the reply to request `number`, counted from 1.
    pub fn bytes(&self, number: usize) -> Vec<u8> {
        let whole = match &self.body {
            Some(body) => body.clone(),
            None if self.status == 200 => format!(
                r#"{{"companyName":"é","tokensUsed":{number},"tokenLimit":1000,"tokensRemaining":0,"isWithinBudget":true,"windowDays":30}}"#
            ),
            None => String::new(),
        };
        whole.as_bytes()[..self.cut.unwrap_or(whole.len())].to_vec()
    }
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Step {
    #[serde(default)]
    pub at: f64,
    pub call: Option<String>,
    pub company: Option<String>,
    #[serde(default)]
    pub options: Options,
    pub abort: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub set_bearer_token: Option<Auth>,
    #[serde(default)]
    pub same_identity: bool,
    pub move_wall_clock: Option<f64>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Options {
    pub format: Option<String>,
    pub headers: BTreeMap<String, String>,
    pub max_retries: Option<u32>,
    #[serde(deserialize_with = "given")]
    pub attempt_timeout_ms: Option<Option<u64>>,
    #[serde(deserialize_with = "given")]
    pub total_timeout_ms: Option<Option<u64>>,
    pub fresh: bool,
    pub coalesce: Option<bool>,
}

/// `null` counts as given.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

fn nothing() -> Value {
    json!([])
}

/// Numbers are times, and the actual one may be late by less than a millisecond.
/// Members that the table leaves out are not compared.
pub fn is_as(came: &Value, expected: &Value) -> bool {
    match (came, expected) {
        (Value::Number(came), Value::Number(expected)) => {
            (came.as_f64().unwrap() - expected.as_f64().unwrap()).abs() < 1.0
        }
        (Value::Array(came), Value::Array(expected)) => {
            came.len() == expected.len() && came.iter().zip(expected).all(|(a, b)| is_as(a, b))
        }
        (Value::Object(came), Value::Object(expected)) => {
            let is_error = expected.contains_key("error");
            (is_error || came.len() == expected.len())
                && expected
                    .iter()
                    .all(|(key, value)| came.get(key).is_some_and(|own| is_as(own, value)))
        }
        _ => came == expected,
    }
}

/// The server of a scenario, and the requests that it received.
pub struct Server {
    pub replies: Vec<Reply>,
    pub companies: BTreeMap<String, String>,
    pub sends: Vec<Value>,
}

impl Server {
    /// The number of a request, counted from 1, and its outcome.
    pub fn answer(&mut self, url: &str, authorization: Option<&str>, at: f64) -> (usize, Reply) {
        let id = url.split_once("CompanyId=").map(|(_, id)| id);
        let id = id.map(|id| id.replace("%7B", "{").replace("%7D", "}"));
        let mut named = self.companies.iter();
        let company = named.find(|(_, own)| Some(*own) == id.as_ref());
        let company = company.map(|(name, _)| name.clone());
        let token = authorization.map(|value| value.strip_prefix("Bearer ").unwrap().to_owned());
        let mut sent = json!({ "at": at });
        if let Some(company) = &company {
            sent["company"] = json!(company);
        }
        if let Some(token) = &token {
            sent["token"] = json!(token);
        }
        self.sends.push(sent);
        let reply = self.replies.iter_mut().find(|reply| {
            reply.times > 0
                && (reply.company.is_none() || reply.company == company)
                && (reply.token.is_none() || reply.token == token)
        });
        let reply = reply.map_or_else(Reply::default, |reply| {
            reply.times -= 1;
            reply.clone()
        });
        (self.sends.len(), reply)
    }

    /// Records that request `number` was cancelled.
    pub fn cancel(&mut self, number: usize, at: f64) {
        self.sends[number - 1]["cancelled"] = json!(at);
    }
}
