//! The usage of many companies, as a stream.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    iter::Fuse,
    mem::take,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_core::Stream;

use super::{CallError, CallOptions, Client, WithResponse, timer::Timer, watch::WatchHandle};
use crate::{
    dto::{AiChatUsageResponse, GetAiChatUsage},
    engine::{Came, Many, asked_wait},
    error::Error,
    threads::BoxFuture,
    transport::Transport,
    wire::guid,
};

impl<T: Transport> Client<T> {
    /// The usage of many companies, as a [`Stream`] of one outcome for each id,
    /// in the order of their arrival. A failure affects only its own ids. An id
    /// that is given twice is requested once and has two outcomes.
    ///
    /// A 429 pauses all calls and halves how many are in flight at once, which
    /// grows back with successes. Companies that failed in a way worth retrying
    /// are asked once more after all others. Ids are taken as they are needed.
    /// Nothing is sent before the stream is polled, and dropping it cancels what
    /// is in flight.
    ///
    /// While the client is paused nothing is sent, and no call's timeout runs.
    /// A token of another identity ends the pause. After ten pauses in a row
    /// without a success, which take four to ten minutes, the run is given up:
    /// all ids left have the last 429 as their outcome.
    ///
    /// ```
    /// # use bookmore_sdk::testing::FakeBookMore;
    /// # use futures_util::StreamExt;
    /// # let fake = FakeBookMore::new();
    /// # let client = fake.client();
    /// # fake.run(async {
    /// let ids = ["9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c", "nobody"];
    /// let mut usages = client.get_many(ids).concurrency(20);
    /// while let Some(outcome) = usages.next().await {
    ///     match outcome.result {
    ///         Ok(usage) => println!("{} has {} left", outcome.company_id, usage.tokens_remaining),
    ///         Err(error) => eprintln!("{}: {error}", outcome.company_id),
    ///     }
    /// }
    /// assert_eq!((usages.progress().done, usages.progress().failed), (2, 1));
    /// # });
    /// ```
    pub fn get_many<I>(&self, company_ids: I) -> GetMany<T, I::IntoIter>
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let handle = WatchHandle::default();
        self.driver.watches.add(&handle);
        GetMany {
            client: self.clone(),
            ids: company_ids.into_iter().fuse(),
            taken: 0,
            options: CallOptions::new(),
            concurrency: 6,
            rounds: 1,
            many: None,
            companies: Vec::new(),
            known: BTreeMap::new(),
            calls: Vec::new(),
            ready: VecDeque::new(),
            limit: None,
            timer: Timer::default(),
            handle,
        }
    }
}

/// The outcome of one id.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ManyOutcome {
    /// The id as it was given.
    pub company_id: String,
    /// The usage, or the error that [`get_ai_chat_usage`](Client::get_ai_chat_usage)
    /// would have returned: the last one, if the company was asked again.
    pub result: Result<AiChatUsageResponse, Error>,
}

/// The progress of a [`GetMany`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ManyProgress {
    /// Ids that have their outcome.
    pub done: usize,
    /// Failures among them.
    pub failed: usize,
    /// Companies that failed and will be asked again after the others.
    pub again: usize,
    /// The number of ids, if known.
    pub total: Option<usize>,
    /// Outcomes a second since the start.
    pub rate_per_second: f64,
    /// The estimated time left, from the progress so far.
    pub eta: Option<Duration>,
}

/// The usage of many companies: see [`Client::get_many`].
#[must_use = "a stream does nothing until it is polled"]
pub struct GetMany<T: Transport, I> {
    client: Client<T>,
    ids: Fuse<I>,
    taken: usize,
    options: CallOptions,
    concurrency: usize,
    rounds: u32,
    /// Set by the first poll.
    many: Option<Many>,
    companies: Vec<Company>,
    known: BTreeMap<u128, usize>,
    calls: Vec<(usize, BoxFuture<Result<WithResponse, CallError>>)>,
    ready: VecDeque<ManyOutcome>,
    /// The latest 429 of any company.
    limit: Option<Error>,
    timer: Timer,
    /// Is notified of another identity.
    handle: WatchHandle,
}

/// One company, for all ids that are the same Guid.
#[derive(Default)]
struct Company {
    /// The ids that have no outcome yet.
    waiting: Vec<String>,
    came: Option<Result<AiChatUsageResponse, Error>>,
    has_failed: bool,
}

impl<T: Transport, I> GetMany<T, I> {
    /// Sets how many calls may be in flight at once, clamped to 1 to 1000.
    /// Default: 6.
    ///
    /// ```
    /// # let client = bookmore_sdk::testing::FakeBookMore::new().client();
    /// let usages = client.get_many(["9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c"]).concurrency(50);
    /// ```
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency.clamp(1, 1000);
        self
    }

    /// Sets how many further rounds there are for companies that failed in a way
    /// worth retrying: at most 5. A round starts after all other calls and a
    /// pause of two seconds, then four, and so on, and makes one attempt for each
    /// company, not before the time that the server named. A company whose server
    /// asked to wait for more than a minute is not asked again. A 429 in the last
    /// round does not count as its company's attempt. Default: 1.
    ///
    /// ```
    /// # let client = bookmore_sdk::testing::FakeBookMore::new().client();
    /// let usages = client.get_many(["9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c"]).rounds(0);
    /// ```
    pub fn rounds(mut self, rounds: u32) -> Self {
        self.rounds = rounds.min(5);
        self
    }

    /// Sets the options of each call.
    ///
    /// ```
    /// # use bookmore_sdk::{Format, client::CallOptions};
    /// # let client = bookmore_sdk::testing::FakeBookMore::new().client();
    /// let options = CallOptions::new().format(Format::Jsonl);
    /// let usages = client.get_many(["9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c"]).options(options);
    /// ```
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }
}

impl<T: Transport, I: Iterator> GetMany<T, I> {
    /// The progress so far.
    ///
    /// ```
    /// # let client = bookmore_sdk::testing::FakeBookMore::new().client();
    /// let usages = client.get_many(["9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c"]);
    /// assert_eq!(usages.progress().total, Some(1));
    /// ```
    pub fn progress(&self) -> ManyProgress {
        let (least, most) = self.ids.size_hint();
        let total = (most == Some(least)).then(|| self.taken.saturating_add(least));
        let now = self.client.transport().now();
        let many = self.many.as_ref();
        let eta_ms = total
            .zip(many)
            .map(|(total, many)| many.eta_ms(total as f64, now));
        ManyProgress {
            done: many.map_or(0, Many::done),
            failed: many.map_or(0, Many::failed),
            again: many.map_or(0, Many::again),
            total,
            rate_per_second: many.map_or(0.0, |many| many.rate_per_second(now)),
            eta: eta_ms.and_then(|ms| Duration::try_from_secs_f64(ms / 1e3).ok()),
        }
    }
}

// Nothing in it is structurally pinned.
impl<T: Transport, I> Unpin for GetMany<T, I> {}

impl<T: Transport, I> Stream for GetMany<T, I>
where
    I: Iterator,
    I::Item: Into<String>,
{
    type Item = ManyOutcome;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<ManyOutcome>> {
        let now = self.client.transport().now();
        let mut many = self.many.take().unwrap_or_else(|| {
            // Progress is polled by the caller, so no reports are due.
            Many::new(self.concurrency, self.rounds, false, now)
        });
        let polled = self.run(&mut many, context);
        self.many = Some(many);
        polled
    }
}

impl<T: Transport, I> GetMany<T, I>
where
    I: Iterator,
    I::Item: Into<String>,
{
    /// Carries out the engine's decisions until there is an outcome or nothing to do.
    fn run(&mut self, many: &mut Many, context: &mut Context<'_>) -> Poll<Option<ManyOutcome>> {
        loop {
            if let Some(outcome) = self.ready.pop_front() {
                return Poll::Ready(Some(outcome));
            }
            let now = self.client.transport().now();
            if self.handle.is_of_another(context.waker()) {
                many.change_identity(now);
            }
            let (at, until) = self.client.driver.limit();
            many.handle_limit(at, until);
            loop {
                while let Some(number) = many.poll(now) {
                    match &self.limit {
                        Some(error) if many.is_given_up() => {
                            let result = Err(error.clone());
                            self.settle(many, number, result);
                        }
                        _ => self.ask(number),
                    }
                }
                if !many.wants_id(self.ready.len()) {
                    break;
                }
                self.take_id(many, now);
            }
            let is_settled = self.poll_calls(many, context);
            if !is_settled && self.ready.is_empty() {
                if many.is_over() {
                    return Poll::Ready(None);
                }
                let (at, transport) = (many.poll_timeout(), self.client.transport());
                if self.timer.poll(at, transport, context).is_pending() {
                    return Poll::Pending;
                }
            }
        }
    }

    fn take_id(&mut self, many: &mut Many, now: f64) {
        let Some(id) = self.ids.next() else {
            many.end(now);
            return;
        };
        self.taken += 1;
        let company_id = id.into();
        let number = guid::number(&company_id);
        let new = self.companies.len();
        let place = match number {
            Some(number) => *self.known.entry(number).or_insert(new),
            None => new,
        };
        if place == new {
            self.companies.push(Company::default());
        }
        let Some(company) = self.companies.get_mut(place) else {
            return;
        };
        match &company.came {
            None => {
                many.add(place == new);
                company.waiting.push(company_id);
            }
            Some(result) => {
                many.repeat(result.is_err());
                let result = result.clone();
                self.ready.push_back(ManyOutcome { company_id, result });
            }
        }
    }

    fn ask(&mut self, number: usize) {
        let Some(company) = self.companies.get(number) else {
            return;
        };
        let company_id = company.waiting.first().cloned();
        let options = if company.has_failed {
            self.options.clone().max_retries(0)
        } else {
            self.options.clone()
        };
        let client = self.client.clone();
        let call = async move {
            let request = GetAiChatUsage { company_id };
            client.get_ai_chat_usage_with(&request, &options).await
        };
        self.calls.push((number, Box::pin(call)));
    }

    /// Polls the calls in flight. Returns whether one has ended.
    fn poll_calls(&mut self, many: &mut Many, context: &mut Context<'_>) -> bool {
        let mut settled = Vec::new();
        self.calls
            .retain_mut(|(number, call)| match call.as_mut().poll(context) {
                Poll::Pending => true,
                Poll::Ready(result) => {
                    settled.push((*number, result));
                    false
                }
            });
        let is_any_settled = !settled.is_empty();
        for (number, result) in settled {
            let result = result.map(|reply| reply.data).map_err(Error::from);
            self.settle(many, number, result);
        }
        is_any_settled
    }

    fn settle(
        &mut self,
        many: &mut Many,
        number: usize,
        result: Result<AiChatUsageResponse, Error>,
    ) {
        let Some(company) = self.companies.get_mut(number) else {
            return;
        };
        let transport = self.client.transport();
        let (mut came, mut wait) = (Came::Usage, f64::NAN);
        if let Err(error) = &result {
            let left = error.retry_at().map(|at| at - transport.unix_now());
            let asked = error.retry_after_ms().unwrap_or(f64::NAN);
            wait = asked_wait(asked, left.unwrap_or(f64::NAN));
            came = match error.status() {
                _ if !error.is_retryable() => Came::Failure,
                Some(429) => Came::Limited,
                _ => Came::Passing,
            };
            if came == Came::Limited {
                self.limit = Some(error.clone());
            }
        }
        let ids = company.waiting.len();
        if !many.settle(number, came, ids, wait, transport.now()) {
            company.has_failed = true;
            return;
        }
        for company_id in take(&mut company.waiting) {
            let result = result.clone();
            self.ready.push_back(ManyOutcome { company_id, result });
        }
        company.came = Some(result);
    }
}

impl<T: Transport, I> fmt::Debug for GetMany<T, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GetMany")
            .field("concurrency", &self.concurrency)
            .field("rounds", &self.rounds)
            .field("options", &self.options)
            .field("taken", &self.taken)
            .finish_non_exhaustive()
    }
}
