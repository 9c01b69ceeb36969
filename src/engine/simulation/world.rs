//! The simulated world: calls and callers, a server, a provider and a clock.

use std::collections::BTreeMap;

use super::{
    super::{Command, Config, Engine, Event, Id, Limits, Moment, Options, What},
    random::Random,
    rules::{Ref, Rules},
};
use crate::{
    dto::GetAiChatUsage,
    error::{Error, FetchError, NetworkError, TokenProviderError},
    transport::{Body, HttpResponse},
    wire::{Format, base_url::BaseUrl, decode::Integers, guid},
};

const INFINITE: f64 = f64::INFINITY;
const COMPANIES: [&str; 4] = [
    "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c",
    "{9F2C7B1A-4D3E-4F5A-8B6C-7D8E9F0A1B2C}",
    "00000000000000000000000000000000",
    "11111111-2222-3333-4444-555555555555",
];

/// A token, and its expiry by either clock.
#[derive(Debug, Clone)]
pub struct Token {
    pub text: String,
    ends: Option<(f64, f64)>,
}

impl Token {
    /// By the earlier clock.
    pub fn left(&self, at: Moment) -> Option<f64> {
        self.ends
            .map(|(now, wall)| (now - at.now).min(wall - at.wall))
    }
}

/// The parameters of a schedule.
struct Mood {
    calls: usize,
    failing: f64,
    fresh: f64,
    sharing: f64,
    hanging: f64,
    quoting: f64,
    refusing: f64,
    expiring: f64,
    reentrant: f64,
    /// The greatest delay of timers.
    late: f64,
    companies: usize,
    has_provider: bool,
    pauses: f64,
}

#[derive(Debug, Clone)]
enum Act {
    Call,
    Abandon(Ref),
    SetToken,
    SetWall(f64),
    Headers(Ref),
    Reply(Ref),
    Break(Ref),
    Answer(Ref),
}

pub struct World {
    random: Random,
    mood: Mood,
    is_traced: bool,
    now: f64,
    /// The wall clock minus the monotonic one.
    wall: f64,
    engines: Vec<Engine>,
    /// By time, and in the order in which it came about.
    todo: BTreeMap<(u64, u64), Act>,
    planned: u64,
    tokens: usize,
    late: f64,
    rules: Rules,
}

impl World {
    pub fn new(seed: u64, is_traced: bool) -> Self {
        let mut random = Random::new(seed);
        let is_storm = random.happens(0.15);
        // More retries than are served in a minute.
        let is_stampede = random.happens(0.001);
        let mood = Mood {
            calls: match is_storm {
                _ if is_stampede => 180,
                true => 13 + random.below(24),
                false => 1 + random.below(10),
            },
            failing: if is_stampede {
                1.0
            } else {
                random.one_of(&[0.1, 0.5, 0.9])
            },
            fresh: random.one_of(&[0.0, 0.0, 0.4]),
            sharing: match is_storm {
                _ if is_stampede => 0.0,
                true => 0.3,
                false => 0.8,
            },
            hanging: random.one_of(&[0.0, 0.1, 0.4]),
            quoting: random.one_of(&[0.0, 0.0, 0.0, 0.5]),
            refusing: random.one_of(&[0.0, 0.1, 0.6]),
            expiring: random.one_of(&[0.0, 0.3, 1.0]),
            reentrant: random.one_of(&[0.0, 0.0, 0.1]),
            late: random.one_of(&[0.0, 0.0, 0.0, 50.0, 60_000.0]),
            companies: 1 + random.below(COMPANIES.len()),
            has_provider: random.happens(0.6),
            pauses: random.one_of(&[0.0, 0.2, 0.6]),
        };
        let is_shared = random.happens(0.75);
        let config = Config {
            base_url: BaseUrl::parse("https://api.bookmore.com").unwrap(),
            api_key: random.happens(0.5).then(|| "key/with+s3cret".to_owned()),
            integers: Integers::default(),
            paces_retries: random.happens(0.85),
            listens: true,
            shares: is_shared,
        };
        let first = Engine::new(config);
        let forks = if is_shared { 0 } else { random.below(3) };
        let mut engines: Vec<_> = (0..forks).map(|_| first.fork()).collect();
        engines.push(first);
        let jumps = random.happens(0.15);
        let mut world = Self {
            mood,
            is_traced,
            now: random.one_of(&[0.0, 1e9]),
            wall: 1_700_000_000_000.0,
            engines,
            todo: BTreeMap::new(),
            planned: 0,
            tokens: 0,
            late: 0.0,
            rules: Rules::new(!jumps),
            random,
        };
        world.learn("key/with+s3cret");
        if world.random.happens(0.9) {
            world.set_token(world.mood.has_provider);
        }
        let span = world.random.one_of(&[10.0, 2_000.0, 30_000.0]);
        for _ in 0..world.mood.calls {
            let after = world.ms(span);
            world.plan(after, Act::Call);
        }
        for _ in 0..world.random.one_of(&[0, 0, 1, 3]) {
            let after = world.ms(span + 1_000.0);
            world.plan(after, Act::SetToken);
        }
        if jumps {
            let after = world.ms(span);
            let by = world.random.one_of(&[-3_600_000.0, 80_000.0, 3_600_000.0]);
            world.plan(after, Act::SetWall(by));
        }
        world
    }

    /// Runs the schedule to its end; how many calls, sends and questions
    /// there were.
    pub fn run(mut self) -> [usize; 3] {
        for step in 0.. {
            assert!(step < 20_000, "a schedule ends");
            let due = |engine: &mut Engine| engine.poll_timeout();
            let next = self.engines.iter_mut().map(due).enumerate();
            let (number, due) = next.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
            let first = self
                .todo
                .first_key_value()
                .map(|((at, _), _)| f64::from_bits(*at));
            if let Some(at) = first
                && at < due + self.late
            {
                let (_, act) = self.todo.pop_first().unwrap();
                self.now = self.now.max(at);
                self.act(act);
            } else if due.is_finite() {
                self.now = self.now.max(due + self.late);
                self.late = self.random.unit().powi(4) * self.mood.late;
                self.input(number, "timeout", |engine, at| engine.handle_timeout(at));
                self.rules
                    .after_timeout(number, &mut self.engines[number], self.now);
                self.carry_out(number);
            } else {
                break;
            }
        }
        self.mood.reentrant = 0.0;
        for number in 0..self.engines.len() {
            for id in self.engines[number].waiting_calls() {
                self.abandon((number, id));
                self.carry_out(number);
            }
            self.engines[number].check_empty();
        }
        self.rules.at_the_end();
        self.rules.counts()
    }

    fn trace(&self, text: impl FnOnce() -> String) {
        if self.is_traced {
            println!("{:>12} {}", self.now, text());
        }
    }

    fn plan(&mut self, after: f64, act: Act) {
        self.planned += 1;
        self.todo
            .insert(((self.now + after).to_bits(), self.planned), act);
    }

    /// Whole milliseconds, so that events coincide.
    fn ms(&mut self, below: f64) -> f64 {
        (self.random.unit() * below).floor()
    }

    fn at(&mut self) -> Moment {
        Moment {
            now: self.now,
            wall: self.now + self.wall,
            random: self.random.unit(),
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Call => {
                let number = self.random.below(self.engines.len());
                self.call(number);
                self.carry_out(number);
            }
            Act::Abandon(call) => {
                if self.rules.is_waiting(call) {
                    self.abandon(call);
                    self.carry_out(call.0);
                }
            }
            Act::SetToken => {
                let has_provider = self.random.happens(0.6);
                let number = self.set_token(has_provider);
                self.carry_out(number);
            }
            Act::SetWall(by) => self.wall += by,
            Act::Headers((number, send)) => {
                self.input(number, "headers", |engine, _| {
                    engine.handle_headers(send, HttpResponse::new(200, "", b""));
                });
                self.carry_out(number);
            }
            Act::Reply(send) => {
                self.reply(send);
                self.carry_out(send.0);
            }
            Act::Break(send) => {
                self.break_off(send);
                self.carry_out(send.0);
            }
            Act::Answer(question) => {
                self.answer(question);
                self.carry_out(question.0);
            }
        }
    }

    fn input<R>(
        &mut self,
        number: usize,
        name: &str,
        act: impl FnOnce(&mut Engine, Moment) -> R,
    ) -> R {
        let at = self.at();
        self.trace(|| format!("[{number}] {name}"));
        let is_event = |command: &&Option<Command>| matches!(command, Some(Command::Emit(_)));
        let engine = &mut self.engines[number];
        let before = engine.commands.iter().filter(is_event).count();
        let result = act(engine, at);
        let events = engine.commands.iter().filter(is_event).skip(before);
        let retries: Vec<Id> = events
            .filter_map(|command| match command {
                Some(Command::Emit(Event {
                    call,
                    what: What::Retry { .. },
                    ..
                })) => Some(*call),
                _ => None,
            })
            .collect();
        // A call is not known before it has begun.
        if name != "call" {
            self.rules.after_input(number, engine, &retries, at);
        }
        result
    }

    fn call(&mut self, number: usize) {
        let company = self.random.below(self.mood.companies + 1);
        let company = COMPANIES.get(company).copied();
        let (fresh, coalesce) = (self.mood.fresh, self.mood.sharing);
        let options = Options {
            format: if self.random.happens(0.9) {
                Format::Json
            } else {
                Format::Jsonl
            },
            headers: if self.random.happens(0.9) {
                vec![]
            } else {
                vec![("x-a".to_owned(), "b".to_owned())]
            },
            limits: Limits {
                max_retries: self.random.one_of(&[2.0, 2.0, 0.0, 6.0]),
                attempt_timeout: self.random.one_of(&[10_000.0, 1_000.0, INFINITE]),
                total_timeout: self
                    .random
                    .one_of(&[30_000.0, 30_000.0, 400.0, 5_000.0, 100_000.0, INFINITE]),
            },
            waited_ms: if self.random.happens(0.9) {
                0.0
            } else {
                self.ms(500.0)
            },
            coalesce: self.random.happens(coalesce),
            fresh: self.random.happens(fresh),
            nested: self.random.happens(0.03),
        };
        let name = format!("call {company:?} {options:?}");
        self.trace(|| name);
        let request = GetAiChatUsage {
            company_id: company.map(str::to_owned),
        };
        let given = options.clone();
        let id = self.input(number, "call", |engine, at| {
            let at = unread(engine, at);
            engine.call(request, given, at)
        });
        let at = Moment {
            now: self.now,
            wall: self.now + self.wall,
            random: 0.5,
        };
        let engine = &mut self.engines[number];
        let company = company.and_then(guid::number).unwrap_or(0);
        self.rules.begin((number, id), engine, company, options, at);
        self.rules.after_input(number, engine, &[], at);
        if self.random.happens(0.2) {
            let after = self.random.one_of(&[0.0, 100.0, 3_000.0]);
            let after = self.ms(after);
            self.plan(after, Act::Abandon((number, id)));
        }
    }

    fn abandon(&mut self, (number, call): Ref) {
        self.rules.abandoned((number, call));
        self.input(number, &format!("abandon {call}"), |engine, at| {
            engine.abandon(call, unread(engine, at))
        });
    }

    fn set_token(&mut self, has_provider: bool) -> usize {
        let number = self.random.below(self.engines.len());
        let token = (!has_provider && self.random.happens(0.8)).then(|| self.new_token());
        let same_identity = self.random.happens(0.3);
        let text = token.as_ref().map(|token| token.text.clone());
        self.rules.set_token(token, has_provider, same_identity);
        let name =
            format!("set token {text:?}, provider {has_provider}, same identity {same_identity}");
        self.input(number, &name, |engine, at| {
            let at = unread(engine, at);
            engine.set_bearer_token(text, has_provider, same_identity, at);
        });
        number
    }

    fn new_token(&mut self) -> Token {
        self.tokens += 1;
        let text = format!("t0ken+{}/{}=", self.tokens, self.random.below(1_000_000));
        self.learn(&text);
        Token { text, ends: None }
    }

    /// From now on nothing may show it.
    fn learn(&mut self, secret: &str) {
        if self.mood.quoting > 0.0 {
            for form in 0..FORMS {
                self.rules.secrets.push(quoted(secret, form));
            }
        }
    }

    /// Something that a server may write, with the secrets that it was sent.
    fn words(&mut self, send: Option<Ref>) -> String {
        if !self.random.happens(self.mood.quoting) {
            return "no reason".to_owned();
        }
        let own = send
            .and_then(|send| self.rules.sent_with(send))
            .map(str::to_owned);
        let current = self.rules.token().map(|token| token.text.clone());
        let key = self.engines[0].config.api_key.clone();
        let mut secrets: Vec<_> = [own, current, key].into_iter().flatten().collect();
        secrets.extend(self.rules.earlier.iter().rev().take(10).cloned());
        if secrets.is_empty() {
            return "no secret".to_owned();
        }
        let secret = &secrets[self.random.below(secrets.len())];
        format!("not {} here", quoted(secret, self.random.below(FORMS)))
    }

    fn carry_out(&mut self, number: usize) {
        while let Some(command) = self.engines[number].poll_command() {
            self.trace(|| format!("[{number}]     {}", told(&command)));
            let at = Moment {
                now: self.now,
                wall: self.now + self.wall,
                random: 0.5,
            };
            self.rules
                .command(number, &self.engines[number], &command, at);
            match command {
                Command::Send { send, .. } => self.plan_reply((number, send)),
                Command::Ask { question, .. } if !self.random.happens(self.mood.hanging) => {
                    let most = self.random.one_of(&[1.0, 300.0, 20_000.0]);
                    let after = self.ms(most);
                    self.plan(after, Act::Answer((number, question)));
                }
                _ => {}
            }
            // A provider, a listener or a fetch may call the client at once.
            if self.random.happens(self.mood.reentrant) {
                match self.random.below(3) {
                    0 => self.call(number),
                    1 => {
                        // Also one that is settled by a command to come.
                        let calls = self.rules.under_way(number);
                        if !calls.is_empty() {
                            let call = calls[self.random.below(calls.len())];
                            self.abandon((number, call));
                        }
                    }
                    _ => self.set_token_reentrantly(number),
                }
            }
        }
        self.rules.after_commands(number, &self.engines[number]);
    }

    fn set_token_reentrantly(&mut self, number: usize) {
        // The commands of other engines are not being carried out.
        if self.engines.len() == 1 {
            let has_provider = self.random.happens(0.6);
            assert_eq!(self.set_token(has_provider), number);
        }
    }

    fn plan_reply(&mut self, send: Ref) {
        let most = self.random.one_of(&[1.0, 100.0, 3_000.0, 15_000.0]);
        let after = self.ms(most);
        if self.random.happens(0.3) {
            let before = self.ms(after);
            self.plan(before, Act::Headers(send));
        }
        if self.random.happens(self.mood.hanging / 2.0) {
            return;
        }
        let breaks = self.random.happens(self.mood.failing * 0.3);
        self.plan(
            after,
            if breaks {
                Act::Break(send)
            } else {
                Act::Reply(send)
            },
        );
    }

    fn break_off(&mut self, send: Ref) {
        let words = self.words(Some(send));
        let cause = crate::error::TokenProviderError::new(self.words(Some(send)));
        let error = if self.random.happens(0.8) {
            let error = NetworkError::no_reply("https://api.bookmore.com", words);
            Error::from(error.caused_by(std::sync::Arc::new(cause)))
        } else {
            FetchError::new(words).into()
        };
        self.rules.fails(send, None, None, self.now);
        self.input(send.0, &format!("breaks {}", send.1), |engine, at| {
            engine.handle_send_error(send.1, error, at);
        });
    }

    fn reply(&mut self, send: Ref) {
        let (response, usage) = if self.random.happens(self.mood.refusing) {
            (self.failure(send, 401), false)
        } else if self.random.happens(self.mood.failing) {
            match self.random.below(6) {
                0 => (self.unusable(send), false),
                1 => (self.truncated(send), false),
                _ => {
                    let status = self.random.one_of(&[429, 503, 500, 502, 404, 403]);
                    (self.failure(send, status), false)
                }
            }
        } else {
            (self.usage(send), true)
        };
        let asked = super::super::retry_after::asked_wait(&response.headers, response.received_at);
        if usage {
            self.rules.succeeds(send, &self.engines[send.0], self.now);
        } else {
            self.rules
                .fails(send, Some(response.status), asked, self.now);
        }
        let name = format!(
            "reply {} to {}, asks for {asked:?}",
            response.status, send.1
        );
        self.input(send.0, &name, |engine, at| {
            engine.handle_reply(send.1, response, at)
        });
    }

    fn response(&mut self, send: Ref, status: u16, content_type: &str, body: &str) -> HttpResponse {
        let mut response = HttpResponse::new(status, content_type, body.as_bytes());
        response.received_at = self.now + self.wall;
        for name in ["x-request-id", "www-authenticate", "x-echo"] {
            if self.random.happens(0.3) {
                let words = self.words(Some(send));
                response
                    .headers
                    .push((name.to_owned(), format!("a={words}")));
            }
        }
        response
    }

    fn usage(&mut self, send: Ref) -> HttpResponse {
        let words = self.words(Some(send));
        let body = format!(
            r#"{{"tokensUsed":5,"tokenLimit":10,"tokensRemaining":5,"isWithinBudget":true,"windowDays":30,"responseStatus":{{"message":"{words}","meta":{{"{words}":"{words}"}}}}}}"#
        );
        self.response(send, 200, "application/json", &body)
    }

    fn failure(&mut self, send: Ref, status: u16) -> HttpResponse {
        let words = self.words(Some(send));
        let (content_type, body) = match self.random.below(4) {
            0 => ("text/html", format!("<p>{words}")),
            1 => ("text/plain", words),
            2 => (
                "application/problem+json",
                format!(r#"{{"title":"{words}"}}"#),
            ),
            _ => (
                "application/json",
                format!(
                    r#"{{"responseStatus":{{"errorCode":"No","message":"{words}","stackTrace":"{words}","errors":[{{"fieldName":"{words}","message":"{words}","meta":{{"{words}":"{words}"}}}}]}}}}"#
                ),
            ),
        };
        let mut response = self.response(send, status, content_type, &body);
        if matches!(status, 429 | 500 | 503) && self.random.happens(self.mood.pauses) {
            let seconds = self
                .random
                .one_of(&["0", "0.2", "1", "5", "30", "60", "61", "120"]);
            response
                .headers
                .push(("retry-after".to_owned(), seconds.to_owned()));
        }
        response
    }

    fn unusable(&mut self, send: Ref) -> HttpResponse {
        let words = self.words(Some(send));
        let mut response = self.response(send, 200, "text/html", &words);
        match self.random.below(4) {
            0 => response.url = Some(format!("https://elsewhere.example/{words}")),
            1 => {
                response.status = 302;
                response.headers.push(("location".to_owned(), words));
            }
            2 => response.headers[0].1 = format!("text/{words}"),
            _ => {
                response.headers[0].1 = "application/json".to_owned();
                response.body = Body::Whole(
                    format!(r#"{{"tokensUsed":5,"responseStatus":{{"meta":{{"{words}":7}}}}}}"#)
                        .into_bytes(),
                );
            }
        }
        response
    }

    fn truncated(&mut self, send: Ref) -> HttpResponse {
        let words = self.words(Some(send));
        let mut response = self.response(send, 200, "application/json", r#"{"tokensUsed":5,"#);
        if self.random.happens(0.5) {
            let bytes = response.body.bytes().to_vec();
            response.body = Body::Broken(bytes, NetworkError::broke_off(words));
        }
        response
    }

    fn answer(&mut self, question: Ref) {
        let given = match self.random.below(10) {
            0 => Err(()),
            1 => Ok(None),
            2 | 3 if self.rules.token().is_some() => Ok(self.rules.token().cloned()),
            _ => Ok(Some(self.new_token())),
        };
        let lives_for = self
            .random
            .one_of(&[-1_000.0, 10_000.0, 40_000.0, 100_000.0, 600_000.0]);
        let at = self.at();
        let ends = (given.as_ref().is_ok_and(Option::is_some)
            && self.random.happens(self.mood.expiring))
        .then_some((at.now + lives_for, at.wall + lives_for));
        let given = given.map(|token| token.map(|token| Token { ends, ..token }));
        let answer = match &given {
            Ok(token) => Ok((
                token.as_ref().map(|token| token.text.clone()),
                ends.map(|(_, wall)| wall),
            )),
            Err(()) => Err(TokenProviderError::new(self.words(None)).into()),
        };
        let name = format!("answer to {}: {answer:?}", question.1);
        self.rules.answers(question, given, self.now);
        self.input(question.0, &name, |engine, at| {
            let wall = at.wall;
            let at = unread(engine, at);
            let wall = if ends.is_some() { wall } else { at.wall };
            engine.handle_token(question.1, answer, Moment { wall, ..at });
        });
    }
}

/// What drivers tell where nothing may have been sent yet.
fn unread(engine: &Engine, at: Moment) -> Moment {
    Moment {
        wall: if engine.wants_wall() {
            at.wall
        } else {
            f64::NAN
        },
        random: f64::NAN,
        ..at
    }
}

const FORMS: usize = 8;

/// The forms in which it may be quoted.
fn quoted(secret: &str, form: usize) -> String {
    match form {
        0 => secret.to_owned(),
        1 => secret.bytes().map(|byte| format!("%{byte:02X}")).collect(),
        2 => base64(secret),
        3 => base64(&format!("Bearer {secret}")),
        4 => base64(&format!("user:{secret}!")),
        5 => secret
            .bytes()
            .map(|byte| format!("%25{byte:02x}"))
            .collect(),
        6 => secret
            .bytes()
            .map(|byte| format!("\\u{byte:04X}"))
            .collect(),
        _ => secret.bytes().map(|byte| format!("&#x{byte:x};")).collect(),
    }
}

fn base64(text: &str) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: String = text.bytes().map(|byte| format!("{byte:08b}")).collect();
    let digits = bits.as_bytes().chunks(6).map(|six| {
        let six = format!("{:0<6}", std::str::from_utf8(six).unwrap());
        char::from(DIGITS[usize::from_str_radix(&six, 2).unwrap()])
    });
    digits.collect()
}

fn told(command: &Command) -> String {
    match command {
        Command::Settle { call, outcome } => match &outcome.result {
            Ok(success) => format!("settle {call}: send {}", success.send),
            Err(error) => format!(
                "settle {call}: {} {error}, retry at {:?}",
                error.code(),
                error.retry_at()
            ),
        },
        Command::Send { send, request } => {
            format!("send {send} {} {:?}", request.url, request.headers)
        }
        Command::Emit(event) => format!("{} {} {:?}", event.call, event.attempt, event.what),
        other => format!("{other:?}"),
    }
}
