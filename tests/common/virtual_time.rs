//! A transport whose time passes only where a call waits, and whose replies
//! are written down beforehand.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::Future,
    ops::Range,
    pin::pin,
    rc::Rc,
    task::Poll,
};

use bookmore_sdk::{
    Error, HttpRequest, HttpResponse, Transport,
    error::{NetworkError, Phase, TimeoutError},
    transport::Body,
};

/// What becomes of a request.
#[derive(Clone)]
pub enum Answer {
    /// Status, headers, body.
    Reply(u16, Vec<(&'static str, String)>, String),
    /// The body ends too early, with an error.
    Broken(u16, &'static str),
    Lost,
    /// Nothing more comes in this phase.
    Stall(Phase),
    /// 503 in this time, a usage before and after it.
    ByTime(Range<f64>),
    /// 401 for this bearer token, a usage for any other.
    Refusal(&'static str),
    /// The same, but so many milliseconds later.
    After(f64, Box<Answer>),
}

pub const USAGE: &str =
    r#"{"tokensUsed":5,"tokenLimit":10,"tokensRemaining":5,"isWithinBudget":true,"windowDays":30}"#;

pub fn ok() -> Answer {
    Answer::Reply(200, Vec::new(), USAGE.to_owned())
}

pub fn status(status: u16) -> Answer {
    Answer::Reply(status, Vec::new(), String::new())
}

pub fn told(status: u16, name: &'static str, value: &str) -> Answer {
    Answer::Reply(status, vec![(name, value.to_owned())], String::new())
}

#[derive(Default)]
pub struct World {
    pub now: Cell<f64>,
    pub chance: Cell<f64>,
    pub answers: RefCell<VecDeque<Answer>>,
    /// Given when the answers are over.
    pub at_last: RefCell<Option<Answer>>,
    /// When each request was sent, and its headers.
    pub sent: RefCell<Vec<(f64, HttpRequest)>>,
}

impl World {
    pub fn with(answers: impl IntoIterator<Item = Answer>) -> VirtualTime {
        let world = Self::default();
        world.answers.borrow_mut().extend(answers);
        VirtualTime(Rc::new(world))
    }

    fn pass(&self, ms: f64) {
        assert!(ms.is_finite(), "it would wait for ever");
        self.now.set(self.now.get() + ms);
    }

    fn come_to(
        &self,
        answer: Answer,
        request: &HttpRequest,
        timeout_ms: f64,
    ) -> Result<HttpResponse, Error> {
        let reply = |status, headers: Vec<(&str, String)>, body| HttpResponse {
            status,
            url: None,
            headers: headers
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            body,
            received_at: 1_000_000_000_000.0 + self.now.get(),
        };
        match answer {
            Answer::Reply(status, headers, body) => {
                Ok(reply(status, headers, Body::Whole(body.into_bytes())))
            }
            Answer::Broken(status, body) => {
                let error = NetworkError::new("The reply broke off.");
                Ok(reply(status, Vec::new(), Body::Broken(body.into(), error)))
            }
            Answer::Lost => Err(NetworkError::new("No reply came.").into()),
            Answer::Stall(phase) => {
                self.pass(timeout_ms);
                Err(TimeoutError::in_phase(phase).into())
            }
            Answer::ByTime(outage) if outage.contains(&self.now.get()) => {
                self.come_to(status(503), request, timeout_ms)
            }
            Answer::ByTime(_) => self.come_to(ok(), request, timeout_ms),
            Answer::Refusal(refused) => {
                let is_refused = token(request) == Some(refused);
                let answer = if is_refused { status(401) } else { ok() };
                self.come_to(answer, request, timeout_ms)
            }
            Answer::After(ms, _) if ms > timeout_ms => {
                self.come_to(Answer::Stall(Phase::Headers), request, timeout_ms)
            }
            Answer::After(ms, answer) => {
                self.pass(ms);
                self.come_to(*answer, request, timeout_ms - ms)
            }
        }
    }
}

#[derive(Clone)]
pub struct VirtualTime(pub Rc<World>);

impl VirtualTime {
    /// When each request was sent.
    pub fn times(&self) -> Vec<f64> {
        self.0.sent.borrow().iter().map(|(at, _)| *at).collect()
    }

    /// The bearer token of each request.
    pub fn tokens(&self) -> Vec<Option<String>> {
        let sent = self.0.sent.borrow();
        sent.iter()
            .map(|(_, request)| token(request).map(str::to_owned))
            .collect()
    }
}

fn token(request: &HttpRequest) -> Option<&str> {
    let mut headers = request.headers.iter();
    let (_, value) = headers.find(|(name, _)| name == "Authorization")?;
    value.strip_prefix("Bearer ")
}

impl Transport for VirtualTime {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Error> {
        let timeout_ms = request.timeout_ms;
        let at = self.0.now.get();
        self.0.sent.borrow_mut().push((at, request.clone()));
        let answer = self.0.answers.borrow_mut().pop_front();
        let answer = answer.or_else(|| self.0.at_last.borrow().clone());
        self.0
            .come_to(answer.expect("an answer"), &request, timeout_ms)
    }

    async fn limit<F: Future>(&self, ms: f64, future: F) -> Option<F::Output> {
        // What only lets others run before it goes on does not hang.
        let mut future = pin!(future);
        let mut turns = 0;
        let polled = std::future::poll_fn(|context| {
            let polled = future.as_mut().poll(context);
            if polled.is_pending() && turns < 3 {
                turns += 1;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(polled)
        });
        match polled.await {
            Poll::Ready(output) => Some(output),
            Poll::Pending => {
                self.0.pass(ms);
                None
            }
        }
    }

    async fn wait(&self, ms: f64) {
        self.0.pass(ms);
    }

    fn now(&self) -> f64 {
        self.0.now.get()
    }

    fn chance(&self) -> f64 {
        self.0.chance.get()
    }
}
