//! Runs `tests/fixtures/scenarios.json` through the engine on a virtual clock.
//! Its format stands in `tests/fixtures/README.md`.

use std::{collections::BTreeMap, fs, io::Write};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Command, Config, Engine, Event, Id, Limits, Moment, Options, Outcome, What};
use crate::{
    dto::GetAiChatUsage,
    error::{Error, NetworkError, TokenProviderError},
    transport::{Body, HttpRequest, HttpResponse},
    wire::{Format, base_url::BaseUrl, decode::Integers},
};

/// The wall clock at the start of a scenario.
const START: f64 = 1_767_225_600_000.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    companies: BTreeMap<String, String>,
    scenarios: Vec<Scenario>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Scenario {
    name: String,
    #[serde(default)]
    client: Client,
    #[serde(default)]
    server: Vec<Reply>,
    steps: Vec<Step>,
    /// What is done when an event comes for the first time.
    #[serde(default)]
    on: BTreeMap<String, Vec<Step>>,
    sends: Value,
    #[serde(default = "nothing")]
    questions: Value,
    outcomes: Value,
    #[serde(default)]
    never: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Client {
    bearer_token: Auth,
    api_key: Option<String>,
    retry_pacing: bool,
    random: f64,
    isolated: bool,
}

impl Default for Client {
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
enum Auth {
    Token(Option<String>),
    Provider(Vec<Answer>),
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    after: f64,
    #[serde(default)]
    token: Option<String>,
    expires_in: Option<f64>,
    /// What it says of its failure.
    fails: Option<String>,
    #[serde(default)]
    hangs: bool,
    /// What the provider does first, at once.
    #[serde(default)]
    calls: Vec<Step>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Reply {
    company: Option<String>,
    token: Option<String>,
    #[serde(default = "one")]
    times: u32,
    #[serde(default = "ten")]
    after: f64,
    headers_after: Option<f64>,
    #[serde(default = "two_hundred")]
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    /// Only so many bytes of the body come.
    cut: Option<usize>,
    fails: Option<String>,
    hangs: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Step {
    #[serde(default)]
    at: f64,
    call: Option<String>,
    company: Option<String>,
    #[serde(default)]
    options: CallOptions,
    abort: Option<String>,
    #[serde(default, deserialize_with = "given")]
    set_bearer_token: Option<Auth>,
    #[serde(default)]
    same_identity: bool,
    move_wall_clock: Option<f64>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct CallOptions {
    format: String,
    headers: BTreeMap<String, String>,
    max_retries: f64,
    attempt_timeout_ms: Option<f64>,
    total_timeout_ms: Option<f64>,
    fresh: bool,
    coalesce: bool,
}

impl Default for CallOptions {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            format: "json".to_owned(),
            headers: BTreeMap::new(),
            max_retries: limits.max_retries,
            attempt_timeout_ms: Some(limits.attempt_timeout),
            total_timeout_ms: Some(limits.total_timeout),
            fresh: false,
            coalesce: true,
        }
    }
}

/// `null` is given, too.
fn given<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Auth>, D::Error> {
    Auth::deserialize(from).map(Some)
}

fn nothing() -> Value {
    json!([])
}

fn one() -> u32 {
    1
}

fn ten() -> f64 {
    10.0
}

fn two_hundred() -> u16 {
    200
}

/// An engine's call, send or question.
type Ref = (usize, Id);

enum Due {
    Step(Step),
    Headers(Ref),
    Reply(Ref, Box<HttpResponse>),
    Fails(Ref, Error),
    Answer(Ref, Answer),
}

struct Run<'a> {
    companies: &'a BTreeMap<String, String>,
    on: BTreeMap<String, Vec<Step>>,
    random: f64,
    isolated: bool,
    now: f64,
    wall: f64,
    server: Vec<Reply>,
    provider: Vec<Answer>,
    asked: usize,
    engines: Vec<Engine>,
    calls: BTreeMap<String, Ref>,
    due: Vec<(f64, Due)>,
    sends: Vec<(Ref, Value)>,
    questions: Vec<(Ref, Value)>,
    outcomes: BTreeMap<String, Value>,
    said: String,
}

#[test]
fn every_scenario_comes_out_as_written() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/scenarios.json");
    let table: Table = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let count = table.scenarios.len();
    let mut failed = 0;
    for scenario in table.scenarios {
        let name = scenario.name.clone();
        let expected = json!({
            "sends": scenario.sends,
            "questions": scenario.questions,
            "outcomes": scenario.outcomes,
        });
        let never = scenario.never.clone();
        let (came, said) = Run::new(scenario, &table.companies).run_to_end();
        let leak = never.iter().find(|secret| said.contains(secret.as_str()));
        if !is_as(&came, &expected) || leak.is_some() {
            failed += 1;
            println!("{name}\n  came     {came}\n  expected {expected}\n  leaked   {leak:?}");
        }
    }
    assert_eq!(failed, 0, "of {count} scenarios");
    let _ = writeln!(std::io::stderr(), "scenarios: {count} through the engine");
}

/// Numbers are times: they are rounded.
fn is_as(came: &Value, expected: &Value) -> bool {
    match (came, expected) {
        (Value::Number(came), Value::Number(expected)) => {
            (came.as_f64().unwrap() - expected.as_f64().unwrap()).abs() < 1.0
        }
        (Value::Array(came), Value::Array(expected)) => {
            came.len() == expected.len() && came.iter().zip(expected).all(|(a, b)| is_as(a, b))
        }
        (Value::Object(came), Value::Object(expected)) => {
            // What is not told of an error is not looked at.
            let is_error = expected.contains_key("error");
            (is_error || came.len() == expected.len())
                && expected
                    .iter()
                    .all(|(key, value)| came.get(key).is_some_and(|own| is_as(own, value)))
        }
        _ => came == expected,
    }
}

impl<'a> Run<'a> {
    fn new(scenario: Scenario, companies: &'a BTreeMap<String, String>) -> Self {
        let Client {
            bearer_token,
            api_key,
            retry_pacing,
            random,
            isolated,
        } = scenario.client;
        let engine = Engine::new(Config {
            base_url: BaseUrl::parse("https://api.bookmore.com").unwrap(),
            api_key,
            integers: Integers::Int64,
            paces_retries: retry_pacing,
            listens: true,
            shares: !isolated,
        });
        let mut run = Self {
            companies,
            on: scenario.on,
            random,
            isolated,
            now: 0.0,
            wall: START,
            server: scenario.server,
            provider: Vec::new(),
            asked: 0,
            engines: vec![engine],
            calls: BTreeMap::new(),
            due: Vec::new(),
            sends: Vec::new(),
            questions: Vec::new(),
            outcomes: BTreeMap::new(),
            said: String::new(),
        };
        run.set_bearer_token(bearer_token, false);
        for step in scenario.steps {
            run.due.push((step.at, Due::Step(step)));
        }
        run
    }

    fn run_to_end(mut self) -> (Value, String) {
        loop {
            let timer = |(number, engine): (usize, &mut Engine)| (engine.poll_timeout(), number);
            let timers = self.engines.iter_mut().enumerate().map(timer);
            let (timer, number) = timers.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
            let times = self.due.iter().map(|(at, _)| *at).enumerate();
            let first = times.min_by(|a, b| a.1.total_cmp(&b.1));
            match first {
                Some((place, at)) if at <= timer => {
                    self.now = at;
                    let (_, due) = self.due.remove(place);
                    self.act(due);
                }
                _ if timer.is_finite() => {
                    self.now = timer;
                    let at = self.at();
                    self.engines[number].handle_timeout(at);
                }
                _ => break,
            }
            for number in 0..self.engines.len() {
                self.carry_out(number);
                self.engines[number].check(self.now);
            }
        }
        for engine in &self.engines {
            engine.check_empty();
        }
        let shown = |seen: Vec<(Ref, Value)>| -> Vec<_> {
            seen.into_iter().map(|(_, value)| value).collect()
        };
        let came = json!({
            "sends": shown(self.sends),
            "questions": shown(self.questions),
            "outcomes": self.outcomes,
        });
        (came, self.said)
    }

    fn at(&self) -> Moment {
        Moment {
            now: self.now,
            wall: self.now + self.wall,
            random: self.random,
        }
    }

    fn act(&mut self, due: Due) {
        let at = self.at();
        match due {
            Due::Step(step) => self.step(step, false),
            Due::Headers((number, send)) => self.engines[number].handle_headers(send),
            Due::Reply((number, send), mut reply) => {
                reply.received_at = at.wall;
                self.engines[number].handle_reply(send, *reply, at);
            }
            Due::Fails((number, send), error) => {
                self.engines[number].handle_send_error(send, error, at);
            }
            Due::Answer((number, question), answer) => {
                let answer = match answer.fails {
                    Some(words) => Err(TokenProviderError::new(words).into()),
                    None => Ok((answer.token, answer.expires_in.map(|ms| at.wall + ms))),
                };
                self.engines[number].handle_token(question, answer, at);
            }
        }
    }

    fn step(&mut self, step: Step, nested: bool) {
        let at = self.at();
        if let Some(name) = step.call {
            let number = if self.isolated && !self.calls.is_empty() {
                self.engines.push(self.engines[0].fork());
                self.engines.len() - 1
            } else {
                0
            };
            let given = step.options;
            let options = Options {
                format: if given.format == "json" {
                    Format::Json
                } else {
                    Format::Jsonl
                },
                headers: given.headers.into_iter().collect(),
                limits: Limits {
                    max_retries: given.max_retries,
                    attempt_timeout: given.attempt_timeout_ms.unwrap_or(f64::INFINITY),
                    total_timeout: given.total_timeout_ms.unwrap_or(f64::INFINITY),
                },
                waited_ms: 0.0,
                coalesce: given.coalesce,
                fresh: given.fresh,
                nested,
            };
            let company = step
                .company
                .map(|name| self.companies.get(&name).unwrap_or(&name).clone());
            let id = self.engines[number].call(
                GetAiChatUsage {
                    company_id: company,
                },
                options,
                at,
            );
            assert!(
                self.calls.insert(name, (number, id)).is_none(),
                "a call has its own name"
            );
        }
        if let Some(name) = step.abort
            && !self.outcomes.contains_key(&name)
        {
            let (number, id) = self.calls[&name];
            self.outcomes
                .insert(name, json!({ "at": self.now, "aborted": true }));
            self.engines[number].abandon(id, at);
        }
        if let Some(auth) = step.set_bearer_token {
            self.set_bearer_token(auth, step.same_identity);
        }
        if let Some(ms) = step.move_wall_clock {
            self.wall += ms;
        }
    }

    fn set_bearer_token(&mut self, auth: Auth, same_identity: bool) {
        let at = self.at();
        let (token, provider) = match auth {
            Auth::Token(token) => (token, None),
            Auth::Provider(answers) => (None, Some(answers)),
        };
        let has_provider = provider.is_some();
        self.provider = provider.unwrap_or_default();
        self.asked = 0;
        self.engines[0].set_bearer_token(token, has_provider, same_identity, at);
    }

    fn carry_out(&mut self, number: usize) {
        while let Some(command) = self.engines[number].poll_command() {
            match command {
                Command::Send { send, request } => self.send((number, send), &request),
                Command::Ask {
                    question,
                    force_refresh,
                } => self.ask((number, question), force_refresh),
                Command::Cancel { id } => {
                    let seen = self.sends.iter_mut().chain(&mut self.questions);
                    for (_, value) in seen.filter(|(own, _)| *own == (number, id)) {
                        value["cancelled"] = json!(self.now);
                    }
                    self.due.retain(|(_, due)| match due {
                        Due::Headers(own)
                        | Due::Reply(own, _)
                        | Due::Fails(own, _)
                        | Due::Answer(own, _) => *own != (number, id),
                        Due::Step(_) => true,
                    });
                }
                Command::Forget { .. } => {}
                Command::Emit(event) => self.emit(&event),
                Command::Settle { call, outcome } => self.settle((number, call), &outcome),
            }
        }
    }

    fn send(&mut self, id: Ref, request: &HttpRequest) {
        let company = request.url.split_once("CompanyId=");
        let company = company.map(|(_, id)| id.replace("%7B", "{").replace("%7D", "}"));
        let named = |own: &String| {
            let mut names = self.companies.iter();
            names
                .find(|(_, value)| *value == own)
                .map(|(name, _)| name.clone())
        };
        let company = company.as_ref().and_then(named);
        let bearer = |(name, value): &(String, String)| {
            (name == "Authorization").then(|| value["Bearer ".len()..].to_owned())
        };
        let token = request.headers.iter().find_map(bearer);
        let mut value = json!({ "at": self.now });
        if let Some(company) = &company {
            value["company"] = json!(company);
        }
        if let Some(token) = &token {
            value["token"] = json!(token);
        }
        self.sends.push((id, value));
        let usage = self.sends.len();
        let reply = self.server.iter_mut().find(|reply| {
            reply.times > 0
                && (reply.company.is_none() || reply.company == company)
                && (reply.token.is_none() || reply.token == token)
        });
        let (after, headers_after, hangs, due) = match reply {
            Some(reply) => {
                reply.times -= 1;
                let due = match &reply.fails {
                    Some(words) => Due::Fails(id, NetworkError::new(words).into()),
                    None => Due::Reply(id, Box::new(response(reply, usage))),
                };
                (reply.after, reply.headers_after, reply.hangs.clone(), due)
            }
            None => (
                10.0,
                None,
                None,
                Due::Reply(id, Box::new(response(&usual(), usage))),
            ),
        };
        if let Some(after) = headers_after {
            self.due.push((self.now + after, Due::Headers(id)));
        }
        match hangs.as_deref() {
            Some("body") => self.due.push((self.now + after, Due::Headers(id))),
            Some("headers") => {}
            Some(other) => panic!("{other} does not hang"),
            None => self.due.push((self.now + after, due)),
        }
    }

    fn ask(&mut self, id: Ref, forced: bool) {
        self.questions
            .push((id, json!({ "at": self.now, "forced": forced })));
        let place = self.asked.min(self.provider.len() - 1);
        self.asked += 1;
        let answer = self.provider[place].clone();
        for step in answer.calls.clone() {
            self.step(step, true);
        }
        if !answer.hangs {
            self.due
                .push((self.now + answer.after, Due::Answer(id, answer)));
        }
    }

    fn emit(&mut self, event: &Event) {
        let name = match &event.what {
            What::Attempt { .. } => "attempt",
            What::Response { .. } => "response",
            What::Retry { error, .. } => {
                self.said.push_str(&error.to_string());
                "retry"
            }
            What::Success { .. } => "success",
            What::Error { .. } => "error",
        };
        for step in self.on.remove(name).unwrap_or_default() {
            self.step(step, false);
        }
    }

    fn settle(&mut self, id: Ref, outcome: &Outcome) {
        let mut calls = self.calls.iter();
        let (name, _) = calls.find(|(_, own)| **own == id).unwrap();
        let mut value = match &outcome.result {
            Ok(success) => {
                self.said.push_str(&format!(
                    "{:?} {:?}",
                    success.data, success.response.headers
                ));
                json!({ "usage": success.data.tokens_used })
            }
            Err(error) => {
                self.said.push_str(&format!("{error} {error:?}"));
                members(error, outcome.retry_at())
            }
        };
        value["at"] = json!(self.now);
        if outcome.result.is_err() {
            value["attempts"] = json!(outcome.attempts.len());
        }
        let none = self.outcomes.insert(name.clone(), value);
        assert!(none.is_none(), "{name} settles once");
    }
}

/// What is looked at of an error. Times count from the start.
fn members(error: &Error, retry_at: Option<f64>) -> Value {
    let mut value = json!({ "error": error.code(), "message": error.to_string() });
    if let Some(status) = error.status() {
        value["status"] = json!(status);
    }
    if let Some(at) = retry_at {
        value["retryAt"] = json!(at - START);
    }
    if let Some(ms) = error.retry_after_ms() {
        value["retryAfterMs"] = json!(ms);
    }
    if let Error::Timeout(timeout) = error {
        value["phase"] = json!(timeout.phase.name());
        value["scope"] = json!(timeout.scope.name());
        value["timeoutMs"] = json!(timeout.timeout_ms);
        if let Some(last) = &timeout.last {
            value["last"] = json!(last.code());
        }
    }
    value
}

fn usual() -> Reply {
    serde_json::from_value(json!({})).unwrap()
}

fn response(reply: &Reply, usage: usize) -> HttpResponse {
    let whole = match &reply.body {
        Some(body) => body.clone(),
        None if reply.status == 200 => format!(
            r#"{{"companyName":"é","tokensUsed":{usage},"tokenLimit":1000,"tokensRemaining":0,"isWithinBudget":true,"windowDays":30}}"#
        ),
        None => String::new(),
    };
    let bytes = &whole.as_bytes()[..reply.cut.unwrap_or(whole.len())];
    let content_type = reply
        .headers
        .get("content-type")
        .map_or("application/json", String::as_str);
    let mut response = HttpResponse::new(reply.status, content_type, bytes);
    for (name, value) in &reply.headers {
        if name != "content-type" {
            response.headers.push((name.clone(), value.clone()));
        }
    }
    response.body = Body::Whole(bytes.to_vec());
    response
}
