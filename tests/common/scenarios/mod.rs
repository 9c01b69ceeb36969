//! Runs scenarios through the Rust client, in any [`World`].

mod table;

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::{Future, pending},
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use bookmore_sdk::{
    Client, Error, Format, GetAiChatUsage, Transport,
    client::{BearerToken, CallError, CallOptions, Event, TokenSource, WithResponse},
    error::TokenProviderError,
};
use send_wrapper::SendWrapper;
use serde_json::{Value, json};

use table::{Answer, Auth, Options, Step, is_as};
pub use table::{Reply, START, Scenario, Server, Table};

/// The environment of a scenario: a clock, timers and a server.
pub trait World: Clone + 'static {
    type Transport: Transport;

    fn transport(&self) -> Self::Transport;

    /// Milliseconds since the start.
    fn now(&self) -> f64;

    fn sleep(&self, ms: f64) -> impl Future<Output = ()> + 'static;

    fn move_wall_clock(&self, ms: f64);

    /// Runs what needs no time, until it is idle.
    fn settle(&self) -> impl Future<Output = ()>;

    /// When the next timer fires.
    fn next(&self) -> Option<f64>;

    /// Advances the clock.
    fn pass_to_next(&self);

    /// Advances the clock and wakes the timers that are due.
    fn pass_to(&self, at: f64);

    /// The requests, in the form of the table.
    fn sends(&self) -> Vec<Value>;
}

/// Runs every scenario in a world of its own, and returns how many there are.
///
/// # Panics
/// If the result of one differs from the table.
pub async fn run_all<W: World>(
    make: impl Fn(&mut Scenario, &BTreeMap<String, String>) -> W,
) -> String {
    let Table {
        companies,
        scenarios,
    } = Table::read();
    let (mut count, mut passed_over, mut wrong) = (0, 0, String::new());
    for mut scenario in scenarios {
        // Calls of the Rust client always share what is in flight.
        if scenario.client.isolated {
            passed_over += 1;
            continue;
        }
        count += 1;
        let expected = json!({
            "sends": scenario.sends,
            "questions": scenario.questions,
            "outcomes": scenario.outcomes,
        });
        let world = make(&mut scenario, &companies);
        let (name, never) = (scenario.name.clone(), scenario.never.clone());
        let (came, said) = Run::new(scenario, &companies, world).to_its_end().await;
        let leak = never.iter().find(|secret| said.contains(secret.as_str()));
        if !is_as(&came, &expected) || leak.is_some() {
            wrong +=
                &format!("{name}\n  came     {came}\n  expected {expected}\n  leaked   {leak:?}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    format!("scenarios: {count}, and {passed_over} of calls that share nothing passed over")
}

type Outcome = Result<WithResponse, CallError>;

/// A call in its own task.
struct Task {
    call: Pin<Box<dyn Future<Output = Outcome>>>,
    woken: Arc<Woken>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Run<W: World> {
    world: W,
    companies: BTreeMap<String, String>,
    client: RefCell<Option<Client<W::Transport>>>,
    steps: RefCell<Vec<Step>>,
    on: RefCell<BTreeMap<String, Vec<Step>>>,
    tasks: RefCell<BTreeMap<String, Task>>,
    /// In the order in which they began.
    begun: RefCell<Vec<String>>,
    /// The number of attempts of each call, from events.
    attempts: RefCell<BTreeMap<u64, usize>>,
    outcomes: RefCell<BTreeMap<String, Value>>,
    questions: RefCell<Vec<Value>>,
    said: RefCell<String>,
}

impl<W: World> Run<W> {
    fn new(scenario: Scenario, companies: &BTreeMap<String, String>, world: W) -> Rc<Self> {
        let mut steps = scenario.steps;
        steps.sort_by(|a, b| a.at.total_cmp(&b.at));
        let run = Rc::new(Self {
            world,
            companies: companies.clone(),
            client: RefCell::default(),
            steps: RefCell::new(steps),
            on: RefCell::new(scenario.on),
            tasks: RefCell::default(),
            begun: RefCell::default(),
            attempts: RefCell::default(),
            outcomes: RefCell::default(),
            questions: RefCell::default(),
            said: RefCell::default(),
        });
        let heard = SendWrapper::new(Rc::downgrade(&run));
        let mut builder = Client::builder()
            .retry_pacing(scenario.client.retry_pacing)
            .on_event(move |event| heard.upgrade().unwrap().hear(event));
        if let Some(key) = scenario.client.api_key {
            builder = builder.api_key(key);
        }
        let client = builder.build(run.world.transport()).unwrap();
        client
            .set_bearer_token(run.source(scenario.client.bearer_token))
            .unwrap();
        run.client.replace(Some(client));
        run
    }

    async fn to_its_end(self: Rc<Self>) -> (Value, String) {
        loop {
            self.run_woken();
            self.world.settle().await;
            if self.is_any_woken() {
                continue;
            }
            let step = self.steps.borrow().first().map(|step| step.at);
            match (step, self.world.next()) {
                (Some(at), next) if next.is_none_or(|next| at <= next) => {
                    self.world.pass_to(at);
                    let step = self.steps.borrow_mut().remove(0);
                    self.step(step);
                }
                (_, Some(_)) => self.world.pass_to_next(),
                _ => break,
            }
        }
        self.count_attempts();
        let came = json!({
            "sends": self.world.sends(),
            "questions": self.questions.take(),
            "outcomes": self.outcomes.take(),
        });
        // A provider may hold the run, which holds the client.
        self.client.take();
        (came, self.said.take())
    }

    fn step(self: &Rc<Self>, step: Step) {
        if let Some(name) = step.call {
            self.begin(name, step.company, step.options);
        }
        if let Some(name) = step.abort
            && !self.outcomes.borrow().contains_key(&name)
        {
            let outcome = json!({ "at": self.world.now(), "aborted": true });
            self.outcomes.borrow_mut().insert(name.clone(), outcome);
            let task = self.tasks.borrow_mut().remove(&name);
            drop(task);
        }
        if let Some(auth) = step.set_bearer_token {
            let source = self.source(auth);
            let source = if step.same_identity {
                source.same_identity()
            } else {
                source
            };
            self.client().set_bearer_token(source).unwrap();
        }
        if let Some(ms) = step.move_wall_clock {
            self.world.move_wall_clock(ms);
        }
    }

    fn client(&self) -> Client<W::Transport> {
        self.client.borrow().clone().unwrap()
    }

    /// Polls a call once; later polls come from the executor.
    fn begin(self: &Rc<Self>, name: String, company: Option<String>, given: Options) {
        let company = company.map(|name| self.companies.get(&name).unwrap_or(&name).clone());
        let request = GetAiChatUsage {
            company_id: company,
        };
        let mut options = CallOptions::new().fresh(given.fresh);
        if let Some(format) = given.format {
            options = options.format(match &*format {
                "json" => Format::Json,
                "jsonl" => Format::Jsonl,
                other => panic!("{other} is no format"),
            });
        }
        for (name, value) in given.headers {
            options = options.header(name, value);
        }
        if let Some(retries) = given.max_retries {
            options = options.max_retries(retries);
        }
        if let Some(ms) = given.attempt_timeout_ms {
            options = options.attempt_timeout(ms.map(Duration::from_millis));
        }
        if let Some(ms) = given.total_timeout_ms {
            options = options.total_timeout(ms.map(Duration::from_millis));
        }
        if let Some(coalesce) = given.coalesce {
            options = options.coalesce(coalesce);
        }
        let client = self.client();
        let call = async move { client.get_ai_chat_usage_with(&request, &options).await };
        self.begun.borrow_mut().push(name.clone());
        let task = Task {
            call: Box::pin(call),
            woken: Arc::new(Woken(AtomicBool::new(true))),
        };
        self.poll(name, task);
    }

    fn is_any_woken(&self) -> bool {
        let tasks = self.tasks.borrow();
        tasks
            .values()
            .any(|task| task.woken.0.load(Ordering::Relaxed))
    }

    fn run_woken(self: &Rc<Self>) {
        loop {
            let woken = {
                let tasks = self.tasks.borrow();
                let mut tasks = tasks.iter();
                let is_woken = |(_, task): &(&String, &Task)| task.woken.0.load(Ordering::Relaxed);
                tasks.find(is_woken).map(|(name, _)| name.clone())
            };
            let Some(name) = woken else { return };
            let task = self.tasks.borrow_mut().remove(&name).unwrap();
            self.poll(name, task);
        }
    }

    /// Holds no borrow meanwhile.
    fn poll(self: &Rc<Self>, name: String, mut task: Task) {
        task.woken.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&task.woken));
        let polled = task.call.as_mut().poll(&mut Context::from_waker(&waker));
        let is_aborted = self.outcomes.borrow().contains_key(&name);
        match polled {
            Poll::Pending if is_aborted => {}
            Poll::Pending => {
                self.tasks.borrow_mut().insert(name, task);
            }
            Poll::Ready(outcome) => self.record(name, &outcome),
        }
    }

    fn record(&self, name: String, outcome: &Outcome) {
        let mut value = match outcome {
            Ok(reply) => {
                let said = format!("{:?} {:?}", reply.data, reply.response);
                self.said.borrow_mut().push_str(&said);
                json!({ "usage": reply.data.tokens_used })
            }
            Err(error) => {
                self.said
                    .borrow_mut()
                    .push_str(&format!("{error} {error:?}"));
                members(&error.error)
            }
        };
        value["at"] = json!(self.world.now());
        let none = self.outcomes.borrow_mut().insert(name.clone(), value);
        assert!(none.is_none(), "{name} settles once");
    }

    /// Events identify calls by increasing numbers, in the order in which they begin.
    fn count_attempts(&self) {
        let mut outcomes = self.outcomes.borrow_mut();
        let begun = self.begun.borrow();
        let ended = begun
            .iter()
            .filter(|name| outcomes[*name].get("aborted").is_none());
        let ended: Vec<_> = ended.cloned().collect();
        let attempts = self.attempts.borrow();
        assert_eq!(
            ended.len(),
            attempts.len(),
            "the end of each call is told once"
        );
        for (name, count) in ended.iter().zip(attempts.values()) {
            let outcome = outcomes.get_mut(name).unwrap();
            if outcome.get("error").is_some() {
                outcome["attempts"] = json!(count);
            }
        }
    }

    fn hear(self: &Rc<Self>, event: &Event<'_>) {
        let name = match event {
            Event::Attempt { .. } => "attempt",
            Event::Response { .. } => "response",
            Event::Retry { error, .. } => {
                self.said.borrow_mut().push_str(&error.to_string());
                "retry"
            }
            Event::Success { call, attempts, .. } => {
                self.attempts.borrow_mut().insert(*call, *attempts);
                "success"
            }
            Event::Error {
                call,
                attempts,
                error,
                ..
            } => {
                self.said.borrow_mut().push_str(&error.to_string());
                self.attempts.borrow_mut().insert(*call, *attempts);
                "error"
            }
            other => panic!("{other:?} is unknown"),
        };
        let steps = self.on.borrow_mut().remove(name);
        for step in steps.unwrap_or_default() {
            self.step(step);
        }
    }

    fn source(self: &Rc<Self>, auth: Auth) -> TokenSource {
        let answers = match auth {
            Auth::Token(None) => return TokenSource::none(),
            Auth::Token(Some(token)) => return TokenSource::from(token),
            Auth::Provider(answers) => answers,
        };
        let own = SendWrapper::new((Rc::downgrade(self), Cell::new(0)));
        TokenSource::provider(move |request| {
            let (run, asked) = &*own;
            let run = run.upgrade().unwrap();
            let answer = answers[asked.get().min(answers.len() - 1)].clone();
            asked.set(asked.get() + 1);
            let question = json!({ "at": run.world.now(), "forced": request.force_refresh });
            run.questions.borrow_mut().push(question);
            let number = run.questions.borrow().len() - 1;
            for step in answer.calls.clone() {
                run.step(step);
            }
            SendWrapper::new(run.answer(number, answer))
        })
    }

    async fn answer(
        self: Rc<Self>,
        number: usize,
        answer: Answer,
    ) -> Result<BearerToken, TokenProviderError> {
        let mut asked = Asked {
            run: Rc::clone(&self),
            number,
            is_answered: false,
        };
        if answer.hangs {
            return pending().await;
        }
        if answer.after > 0.0 {
            self.world.sleep(answer.after).await;
        }
        asked.is_answered = true;
        if let Some(words) = answer.fails {
            return Err(TokenProviderError::new(words));
        }
        let token = answer
            .token
            .map_or_else(BearerToken::none, BearerToken::new);
        Ok(match answer.expires_in {
            Some(ms) => token.expires_in(Duration::from_secs_f64(ms / 1e3)),
            None => token,
        })
    }
}

/// A question, cancelled if it is dropped before its answer.
struct Asked<W: World> {
    run: Rc<Run<W>>,
    number: usize,
    is_answered: bool,
}

impl<W: World> Drop for Asked<W> {
    fn drop(&mut self) {
        // A background question outlives the run.
        if !self.is_answered
            && let Some(question) = self.run.questions.borrow_mut().get_mut(self.number)
        {
            question["cancelled"] = json!(self.run.world.now());
        }
    }
}

/// The compared parts of an error. Times count from the start.
fn members(error: &Error) -> Value {
    let mut value = json!({ "error": error.code(), "message": error.to_string(), "isRetryable": error.is_retryable() });
    if let Some(status) = error.status() {
        value["status"] = json!(status);
    }
    if let Some(at) = error.retry_at() {
        value["retryAt"] = json!(at - START);
    }
    if let Some(wait) = error.retry_after() {
        value["retryAfterMs"] = json!(wait.as_secs_f64() * 1e3);
    }
    if let Error::Timeout(timeout) = error {
        value["phase"] = json!(timeout.phase.name());
        value["scope"] = json!(timeout.scope.name());
        value["timeoutMs"] = json!(timeout.timeout().as_secs_f64() * 1e3);
        if let Some(last) = &timeout.last {
            value["last"] = json!(last.code());
        }
    }
    value
}
