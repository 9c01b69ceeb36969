//! Runs `tests/fixtures/scenarios.json` through the engine on a virtual clock.
//! Its format stands in `tests/fixtures/README.md`.

#[path = "../../tests/common/scenarios/table.rs"]
mod table;

use std::{collections::BTreeMap, io::Write};

use serde_json::{Value, json};

use super::{Command, Config, Engine, Event, Id, Limits, Moment, Options, Outcome, What};
use crate::{
    dto::GetAiChatUsage,
    error::{Error, NetworkError, TokenProviderError},
    transport::{Body, HttpRequest, HttpResponse},
    wire::{Format, base_url::BaseUrl, decode::Integers},
};
use table::{Answer, Auth, Reply, START, Scenario, Server, Settings, Step, Table, is_as};

/// An engine's call, send or question.
type Ref = (usize, Id);

enum Due {
    Step(Step),
    Headers(Ref, Box<HttpResponse>),
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
    server: Server,
    provider: Vec<Answer>,
    asked: usize,
    engines: Vec<Engine>,
    calls: BTreeMap<String, Ref>,
    due: Vec<(f64, Due)>,
    /// The requests, as the server numbers them.
    sends: Vec<Ref>,
    questions: Vec<(Ref, Value)>,
    outcomes: BTreeMap<String, Value>,
    said: String,
}

#[test]
fn every_scenario_comes_out_as_written() {
    let table = Table::read();
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

impl<'a> Run<'a> {
    fn new(scenario: Scenario, companies: &'a BTreeMap<String, String>) -> Self {
        let Settings {
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
            server: Server {
                replies: scenario.server,
                companies: companies.clone(),
                sends: Vec::new(),
            },
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
            "sends": self.server.sends,
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

    /// What drivers tell where nothing has been sent yet.
    fn unread(&self, reads_wall: bool) -> Moment {
        let at = self.at();
        let reads_wall = reads_wall || self.engines[0].wants_wall();
        Moment {
            wall: if reads_wall { at.wall } else { f64::NAN },
            random: f64::NAN,
            ..at
        }
    }

    fn act(&mut self, due: Due) {
        let at = self.at();
        match due {
            Due::Step(step) => self.step(step, false),
            Due::Headers((number, send), mut head) => {
                head.received_at = at.wall;
                self.engines[number].handle_headers(send, *head);
            }
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
                let reads_wall = matches!(answer, Ok((_, Some(_))));
                let at = self.unread(reads_wall);
                self.engines[number].handle_token(question, answer, at);
            }
        }
    }

    fn step(&mut self, step: Step, nested: bool) {
        let at = self.unread(false);
        if let Some(name) = step.call {
            let number = if self.isolated {
                self.engines.push(self.engines[0].fork());
                self.engines.len() - 1
            } else {
                0
            };
            let given = step.options;
            let usual = Limits::default();
            let limit = |ms: Option<u64>| ms.map_or(f64::INFINITY, |ms| ms as f64);
            let options = Options {
                format: match given.format.as_deref() {
                    Some("jsonl") => Format::Jsonl,
                    _ => Format::Json,
                },
                headers: given.headers.into_iter().collect(),
                limits: Limits {
                    max_retries: given.max_retries.map_or(usual.max_retries, f64::from),
                    attempt_timeout: given
                        .attempt_timeout_ms
                        .map_or(usual.attempt_timeout, limit),
                    total_timeout: given.total_timeout_ms.map_or(usual.total_timeout, limit),
                },
                waited_ms: 0.0,
                coalesce: given.coalesce.unwrap_or(true),
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
        let at = self.unread(false);
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
                    let mut sends = self.sends.iter();
                    if let Some(place) = sends.position(|own| *own == (number, id)) {
                        self.server.cancel(place + 1, self.now);
                    }
                    let questions = self.questions.iter_mut();
                    for (_, value) in questions.filter(|(own, _)| *own == (number, id)) {
                        value["cancelled"] = json!(self.now);
                    }
                    self.due.retain(|(_, due)| match due {
                        Due::Headers(own, _)
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
        let authorization = request.header("authorization");
        let (usage, reply) = self.server.answer(&request.url, authorization, self.now);
        self.sends.push(id);
        let head = || {
            let mut head = response(&reply, usage);
            head.body = Body::Whole(Vec::new());
            Due::Headers(id, Box::new(head))
        };
        let due = match &reply.fails {
            Some(words) => Due::Fails(id, NetworkError::new(words).into()),
            None => Due::Reply(id, Box::new(response(&reply, usage))),
        };
        if let Some(after) = reply.headers_after {
            self.due.push((self.now + after, head()));
        }
        match reply.hangs.as_deref() {
            Some("body") => self.due.push((self.now + reply.after, head())),
            Some("headers") => {}
            Some(other) => panic!("{other} does not hang"),
            None => self.due.push((self.now + reply.after, due)),
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
    let mut value = json!({ "error": error.code(), "message": error.to_string(), "isRetryable": error.is_retryable() });
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

fn response(reply: &Reply, usage: usize) -> HttpResponse {
    let mut response = HttpResponse::new(reply.status, "", &reply.bytes(usage));
    response.headers = reply.all_headers().into_iter().collect();
    response
}
