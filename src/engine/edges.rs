//! What neither the scenarios nor the simulation reach: long queues, endless
//! exchanges, and waits to the millisecond.

use super::{
    Attempt, Command, Config, Engine, Event, Id, Limits, Moment, Options, Outcome, What,
    group::MOST_SWAPS, questions::MOST_SUPERSEDED,
};
use crate::{
    dto::GetAiChatUsage,
    transport::HttpResponse,
    wire::{Format, base_url::BaseUrl, decode::Integers},
};

/// Far from 0, so that a time is not taken for a duration.
const START: f64 = 100_000.0;
const WALL: f64 = 1_700_000_000_000.0;
const USAGE: &str =
    r#"{"tokensUsed":5,"tokenLimit":10,"tokensRemaining":5,"isWithinBudget":true,"windowDays":30}"#;

/// An engine, and what it has commanded.
struct Driven {
    engine: Engine,
    now: f64,
    sends: Vec<Id>,
    questions: Vec<Id>,
    events: Vec<Event>,
    outcomes: Vec<Outcome>,
}

impl Driven {
    fn new() -> Self {
        Self {
            engine: Engine::new(Config {
                base_url: BaseUrl::parse("https://api.bookmore.com").unwrap(),
                api_key: None,
                integers: Integers::Int64,
                paces_retries: true,
                listens: true,
                shares: true,
            }),
            now: START,
            sends: Vec::new(),
            questions: Vec::new(),
            events: Vec::new(),
            outcomes: Vec::new(),
        }
    }

    fn input(&mut self, tell: impl FnOnce(&mut Engine, Moment)) {
        let at = Moment {
            now: self.now,
            wall: WALL + self.now,
            random: 0.5,
        };
        tell(&mut self.engine, at);
        self.engine.check(self.now);
        while let Some(command) = self.engine.poll_command() {
            match command {
                Command::Send { send, .. } => self.sends.push(send),
                Command::Ask { question, .. } => self.questions.push(question),
                Command::Emit(event) => self.events.push(event),
                Command::Settle { outcome, .. } => self.outcomes.push(*outcome),
                Command::Cancel { .. } | Command::Forget { .. } => {}
            }
        }
    }

    /// A call of its own, without a total timeout.
    fn call(&mut self) {
        let options = Options {
            format: Format::Json,
            headers: Vec::new(),
            limits: Limits {
                total_timeout: f64::INFINITY,
                ..Limits::default()
            },
            waited_ms: 0.0,
            coalesce: false,
            fresh: false,
            nested: false,
        };
        self.input(|engine, at| {
            engine.call(GetAiChatUsage::default(), options, at);
        });
    }

    /// The reply to each request in flight.
    fn reply(&mut self, status: u16) {
        for send in std::mem::take(&mut self.sends) {
            let reply = HttpResponse::new(status, "application/json", USAGE.as_bytes());
            self.input(|engine, at| engine.handle_reply(send, reply, at));
        }
    }

    /// The provider is replaced.
    fn replace_provider(&mut self) {
        self.input(|engine, at| engine.set_bearer_token(None, true, true, at));
    }

    /// Lets time pass to the next timer.
    fn wait(&mut self) {
        self.now = self.engine.poll_timeout();
        self.input(Engine::handle_timeout);
    }
}

#[test]
fn whose_turn_comes_in_a_minute_waits_and_nobody_longer() {
    let mut client = Driven::new();
    for _ in 0..140 {
        client.call();
    }
    client.reply(500);
    // Ten numbers are served at once, and two a second from then on.
    assert_eq!(client.outcomes.len(), 10);
    for outcome in &client.outcomes {
        assert_eq!(outcome.retry_at(), Some(WALL + START + 60_500.0));
    }
}

#[test]
fn a_retry_tells_of_its_wait_to_the_millisecond() {
    let mut client = Driven::new();
    client.call();
    client.now += 10.0;
    client.reply(500);
    client.wait();
    assert_eq!(client.now, START + 10.0 + 375.0);
    client.now += 20.0;
    client.reply(200);
    let [Outcome { attempts, .. }] = &client.outcomes[..] else {
        panic!("{:?}", client.outcomes);
    };
    let failed = Attempt {
        status: Some(500),
        error: Some("server_error"),
        ms: 10.0,
        wait_ms: 0.0,
    };
    let served = Attempt {
        status: Some(200),
        error: None,
        ms: 20.0,
        wait_ms: 375.0,
    };
    assert_eq!(attempts, &[failed, served]);
    let waits = client.events.iter().filter_map(|event| match event.what {
        What::Retry { wait_ms, .. } => Some(wait_ms),
        _ => None,
    });
    assert_eq!(waits.collect::<Vec<_>>(), [375.0]);
}

/// `get_many` asks for it before each request.
#[test]
fn a_client_knows_when_its_latest_429_came_and_how_long_all_calls_pause() {
    let mut client = Driven::new();
    assert_eq!(client.engine.limit(), (f64::NEG_INFINITY, 0.0));
    client.call();
    client.now += 10.0;
    let send = client.sends.pop().unwrap();
    let mut reply = HttpResponse::new(429, "", b"");
    reply.headers.push(("retry-after".into(), "5".into()));
    client.input(|engine, at| engine.handle_reply(send, reply, at));
    let came = START + 10.0;
    assert_eq!(client.engine.limit(), (came, came + 5_000.0));
}

#[test]
fn a_request_does_not_follow_one_provider_after_the_other_for_ever() {
    let mut client = Driven::new();
    client.replace_provider();
    client.call();
    let mut sends = 0;
    while client.outcomes.is_empty() {
        let question = client.questions.pop().expect("each provider is asked");
        let token = format!("t0ken-{sends}");
        client.input(|engine, at| engine.handle_token(question, Ok((Some(token), None)), at));
        sends += client.sends.len();
        client.replace_provider();
        client.reply(401);
        assert!(sends < 100, "it follows");
    }
    assert_eq!(sends, MOST_SWAPS + 1);
}

#[test]
fn a_provider_that_sets_another_one_whenever_it_is_asked_is_given_up() {
    let mut client = Driven::new();
    client.replace_provider();
    client.call();
    while client.outcomes.is_empty() {
        assert!(client.questions.len() <= MOST_SUPERSEDED as usize);
        client.replace_provider();
    }
    let [
        Outcome {
            result: Err(error), ..
        },
    ] = &client.outcomes[..]
    else {
        panic!("{:?}", client.outcomes);
    };
    assert_eq!(error.code(), "token_provider_error");
    assert_eq!(client.questions.len(), MOST_SUPERSEDED as usize);
}

#[test]
fn a_question_that_everybody_left_is_given_up_in_the_end() {
    let mut client = Driven::new();
    client.replace_provider();
    client.call();
    client.now += 1_000.0;
    let [call] = client.engine.waiting_calls()[..] else {
        panic!("one call waits")
    };
    client.input(|engine, at| engine.abandon(call, at));
    assert!(client.engine.question.is_some(), "it goes on");
    client.wait();
    assert_eq!(client.now, START + 10_000.0);
    client.engine.check_empty();
    assert!(client.engine.question.is_none() && client.engine.poll_timeout().is_infinite());
}
