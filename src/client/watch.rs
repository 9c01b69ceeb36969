//! A usage that is kept up to date, as a stream.

use std::{
    fmt,
    mem::replace,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, Weak},
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_core::Stream;

use super::{CallOptions, Client, milliseconds, timer::Timer};
pub use crate::engine::watch::{Level, Net, Status, Trend};
use crate::{
    dto::{AiChatUsageResponse, GetAiChatUsage},
    engine::{
        Id, Moment,
        watch::{Figures, Gauge, Memory, Pace, Schedule},
    },
    error::{ConfigError, Error},
    threads::{BoxFuture, Local, lock},
    transport::{LONGEST_TIMER_MS, Transport},
};

/// Options of [`Client::watch`].
///
/// ```
/// use std::time::Duration;
/// use bookmore_sdk::client::WatchOptions;
///
/// WatchOptions::new().interval(Duration::from_secs(30)).thresholds([0.8, 1.0]);
/// ```
#[derive(Debug, Clone)]
pub struct WatchOptions {
    interval: Duration,
    idle_interval: Option<Duration>,
    thresholds: Vec<f64>,
    history: Vec<[f64; 2]>,
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60),
            idle_interval: None,
            thresholds: vec![0.8, 0.95, 1.0],
            history: Vec::new(),
        }
    }
}

impl WatchOptions {
    /// The defaults: one minute from the end of a request to the next, and up to
    /// five minutes while nothing changes and less than 80 % is used.
    ///
    /// ```
    /// # use bookmore_sdk::client::WatchOptions;
    /// WatchOptions::new();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the interval from the end of a request to the next, give or take a
    /// tenth. At least five seconds, at most 24 days.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use bookmore_sdk::client::WatchOptions;
    /// WatchOptions::new().interval(Duration::from_secs(30));
    /// ```
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Sets the longest interval. While nothing changes and the usage is below the
    /// lowest threshold, the interval doubles up to it. Default: five minutes, or
    /// the interval if that is longer.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use bookmore_sdk::client::WatchOptions;
    /// WatchOptions::new().idle_interval(Duration::from_secs(600));
    /// ```
    #[must_use]
    pub fn idle_interval(mut self, interval: Duration) -> Self {
        self.idle_interval = Some(interval);
        self
    }

    /// Sets the thresholds, as shares of the limit. Default: 0.8, 0.95 and 1.
    ///
    /// ```
    /// # use bookmore_sdk::client::WatchOptions;
    /// WatchOptions::new().thresholds([0.5, 0.9]);
    /// ```
    #[must_use]
    pub fn thresholds(mut self, shares: impl Into<Vec<f64>>) -> Self {
        self.thresholds = shares.into();
        self.thresholds.sort_by(f64::total_cmp);
        self
    }

    /// Sets past usages that the app has kept, for the [`Trend`]: times in
    /// milliseconds since 1970 with the tokens used, in any order.
    ///
    /// ```
    /// # use bookmore_sdk::client::WatchOptions;
    /// WatchOptions::new().history([(1_767_225_600_000.0, 41_000)]);
    /// ```
    #[must_use]
    pub fn history(mut self, points: impl IntoIterator<Item = (f64, i64)>) -> Self {
        let points = points.into_iter().map(|(at, used)| [at, used as f64]);
        self.history = points.collect();
        self
    }

    fn check(&self) -> Result<Pace, Error> {
        let interval = milliseconds(Some(self.interval));
        let idle_interval = match self.idle_interval {
            Some(idle) => milliseconds(Some(idle)),
            None => interval.max(300_000.0),
        };
        let refused = |message| Err(ConfigError::new(&[message]).into());
        if interval < 5_000.0 {
            return refused("The interval of a watch must be at least 5 seconds.");
        }
        if interval.max(idle_interval) > f64::from(LONGEST_TIMER_MS) {
            return refused("The intervals of a watch must be at most 2147483647 milliseconds.");
        }
        if idle_interval < interval {
            return refused("The idle interval of a watch must not be shorter than its interval.");
        }
        if !self.thresholds.iter().all(|share| *share > 0.0) {
            return refused("Thresholds must be shares of the limit, such as 0.8 for 80 %.");
        }
        Ok(Pace {
            interval,
            idle_interval,
            polls_hidden: false,
            lowest_threshold: self.thresholds.first().copied().unwrap_or(f64::INFINITY),
        })
    }
}

/// What a watch knows of a usage.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct UsageState {
    /// The outcome of the last request.
    pub status: Status,
    /// The latest usage; an error does not remove it.
    pub usage: Option<AiChatUsageResponse>,
    /// Why the last request failed.
    pub error: Option<Error>,
    /// When the usage arrived, in milliseconds since 1970.
    pub updated_at: Option<f64>,
    /// Tokens used divided by the limit; may exceed 1. `None` if the limit is 0.
    pub share: Option<f64>,
    /// How close the usage is to the limit.
    pub level: Option<Level>,
    /// The threshold that this usage has just reached, the highest if there are
    /// several. It is reported again only after the usage was two percentage
    /// points below it.
    pub reached: Option<f64>,
    /// How the usage changes over time.
    pub trend: Option<Trend>,
}

impl UsageState {
    const PENDING: Self = Self {
        status: Status::Pending,
        usage: None,
        error: None,
        updated_at: None,
        share: None,
        level: None,
        reached: None,
        trend: None,
    };
}

/// A stream of the states of a usage: see [`Client::watch`].
pub struct Watch<T> {
    client: Client<T>,
    request: GetAiChatUsage,
    options: WatchOptions,
    memory: Memory,
    schedule: Schedule,
    /// Whether the stream has yielded the current state.
    is_told: bool,
    state: UsageState,
    calls: Local<Vec<(Id, Answer)>>,
    timer: Timer,
    handle: WatchHandle,
}

type Answer = BoxFuture<Result<AiChatUsageResponse, Error>>;

/// Controls a [`Watch`] from elsewhere, for example when a framework has spawned
/// its loop as a task that cannot be cancelled. Clones control the same watch.
#[derive(Clone, Default)]
pub struct WatchHandle(Arc<Mutex<Wishes>>);

#[derive(Default)]
struct Wishes {
    stop: bool,
    refresh: bool,
    pause: bool,
    /// The client has a new token.
    resume: bool,
    /// The new token is of another identity.
    forget: bool,
    waker: Option<Waker>,
}

/// The watches of a client, which are notified of a new token.
#[derive(Default)]
pub(super) struct Watches(Mutex<Vec<Weak<Mutex<Wishes>>>>);

impl Watches {
    pub fn add(&self, WatchHandle(wishes): &WatchHandle) {
        let mut all = lock(&self.0);
        all.retain(|one| one.strong_count() > 0);
        all.push(Arc::downgrade(wishes));
    }

    pub fn set_token(&self, is_same_identity: bool) {
        let all: Vec<_> = lock(&self.0).iter().filter_map(Weak::upgrade).collect();
        for wishes in all {
            WatchHandle(wishes).wish(|wishes| {
                wishes.resume = true;
                wishes.forget |= !is_same_identity;
            });
        }
    }
}

impl WatchHandle {
    /// Ends the stream and cancels a request in flight.
    ///
    /// ```
    /// # use bookmore_sdk::{GetAiChatUsage, client::WatchOptions, testing::FakeBookMore};
    /// # let client = FakeBookMore::new().client();
    /// let watch = client.watch(&GetAiChatUsage::default(), WatchOptions::new());
    /// let handle = watch.handle();
    /// handle.stop();
    /// ```
    pub fn stop(&self) {
        self.wish(|wishes| wishes.stop = true);
    }

    /// Sends a request now, even if the watch is [stopped](Status::Stopped). The
    /// request starts after this call.
    ///
    /// ```
    /// # use bookmore_sdk::{GetAiChatUsage, client::WatchOptions, testing::FakeBookMore};
    /// # let client = FakeBookMore::new().client();
    /// client.watch(&GetAiChatUsage::default(), WatchOptions::new()).handle().refresh();
    /// ```
    pub fn refresh(&self) {
        self.wish(|wishes| wishes.refresh = true);
    }

    /// Pauses or resumes the requests, for example while a page is hidden. On
    /// resuming it sends one at once if the last request failed, or is longer ago
    /// than the interval or 30 seconds, whichever is shorter.
    ///
    /// ```
    /// # use bookmore_sdk::{GetAiChatUsage, client::WatchOptions, testing::FakeBookMore};
    /// # let client = FakeBookMore::new().client();
    /// client.watch(&GetAiChatUsage::default(), WatchOptions::new()).handle().pause(true);
    /// ```
    pub fn pause(&self, is_paused: bool) {
        self.wish(|wishes| wishes.pause = is_paused);
    }

    fn lock(&self) -> MutexGuard<'_, Wishes> {
        lock(&self.0)
    }

    /// Whether the client has become another identity's since this was asked last.
    /// `waker` is woken when it does.
    pub(super) fn is_of_another(&self, waker: &Waker) -> bool {
        let mut wishes = self.lock();
        wishes.waker = Some(waker.clone());
        replace(&mut wishes.forget, false)
    }

    fn wish(&self, wish: impl FnOnce(&mut Wishes)) {
        let waker = {
            let mut wishes = self.lock();
            wish(&mut wishes);
            wishes.waker.take()
        };
        waker.inspect(Waker::wake_by_ref);
    }
}

impl fmt::Debug for WatchHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchHandle").finish_non_exhaustive()
    }
}

impl<T: fmt::Debug> fmt::Debug for Watch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("request", &self.request)
            .field("options", &self.options)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl<T: Transport> Client<T> {
    /// Keeps a usage up to date: a stream that yields the current state at once
    /// and the new state after each request. Nothing is sent until it is polled.
    /// It ends only when it is dropped or [stopped](WatchHandle::stop).
    ///
    /// Each error doubles the interval, up to 15 minutes, and leaves the last
    /// usage in place. Refused credentials, an invalid company id, another
    /// company's usage and invalid options stop the requests until
    /// [`refresh`](WatchHandle::refresh) or
    /// [`set_bearer_token`](Self::set_bearer_token) is called. The latter also
    /// clears the state, unless the token is of the same identity.
    ///
    /// Like the client, a watch over `fetch::Fetch` is `Send`, but must be used on
    /// the thread that created it. Its states may be used on any thread. A browser
    /// opens only six HTTP/1.1 connections to a server, and the wait for one counts
    /// towards the timeout: a page that watches dozens of companies on a slow server
    /// needs a longer [`attempt_timeout`](super::ClientBuilder::attempt_timeout).
    ///
    /// ```
    /// use futures_util::StreamExt;
    /// # use bookmore_sdk::{GetAiChatUsage, client::{Level, WatchOptions}, testing::{FakeBookMore, UsageMembers}};
    /// # let fake = FakeBookMore::new();
    /// # fake.set(None, UsageMembers::new().share(0.83));
    /// # let client = fake.client();
    /// # fake.run(async {
    /// let mut states = client.watch(&GetAiChatUsage::default(), WatchOptions::new());
    /// while let Some(state) = states.next().await {
    ///     if state.level == Some(Level::Warning) {
    ///         break;
    ///     }
    /// }
    /// # });
    /// ```
    pub fn watch(&self, request: &GetAiChatUsage, options: WatchOptions) -> Watch<T> {
        let mut schedule = Schedule::new(0.0);
        let state = match options.check() {
            Ok(pace) => {
                schedule.listen(pace);
                UsageState::PENDING
            }
            Err(error) => UsageState {
                status: Status::Stopped,
                error: Some(error),
                ..UsageState::PENDING
            },
        };
        let handle = WatchHandle::default();
        self.driver.watches.add(&handle);
        Watch {
            client: self.clone(),
            request: request.clone(),
            options,
            memory: Memory::default(),
            schedule,
            is_told: false,
            state,
            calls: Local::new(Vec::new()),
            timer: Timer::default(),
            handle,
        }
    }
}

impl<T: Transport> Watch<T> {
    /// A handle that stops, pauses or refreshes the watch from elsewhere.
    ///
    /// ```
    /// # use bookmore_sdk::{GetAiChatUsage, client::WatchOptions, testing::FakeBookMore};
    /// # let client = FakeBookMore::new().client();
    /// let watch = client.watch(&GetAiChatUsage::default(), WatchOptions::new());
    /// let handle = watch.handle();
    /// ```
    pub fn handle(&self) -> WatchHandle {
        self.handle.clone()
    }

    fn at(&self) -> Moment {
        let transport = self.client.transport();
        Moment {
            now: transport.now(),
            wall: transport.unix_now(),
            random: transport.random(),
        }
    }

    /// Carries out what handles have asked for. Returns whether to stop.
    fn heed(&mut self, waker: &Waker) -> bool {
        let waker = Some(waker.clone());
        let wishes = {
            let mut wishes = self.handle.lock();
            let lasting = Wishes {
                stop: wishes.stop,
                pause: wishes.pause,
                waker,
                ..Wishes::default()
            };
            replace(&mut *wishes, lasting)
        };
        if let Ok(pace) = self.options.check() {
            if wishes.forget {
                self.forget(pace);
            }
            if wishes.resume {
                self.schedule.resume();
            }
            if wishes.refresh {
                let id = self.schedule.refresh();
                self.ask(id, CallOptions::new().fresh(true));
            }
        }
        if wishes.pause != self.schedule.is_hidden() {
            self.schedule.set_hidden(wishes.pause, self.at());
        }
        wishes.stop
    }

    /// Starts over for another identity.
    fn forget(&mut self, pace: Pace) {
        self.calls.clear();
        self.schedule = Schedule::new(self.client.transport().now());
        self.schedule.listen(pace);
        self.memory = Memory::default();
        self.is_told &= self.state.status == Status::Pending;
        self.state = UsageState::PENDING;
    }

    fn ask(&mut self, id: Id, options: CallOptions) {
        let (client, request) = (self.client.clone(), self.request.clone());
        let answer = async move {
            Ok(client
                .get_ai_chat_usage_with(&request, &options)
                .await?
                .data)
        };
        self.calls.push((id, Box::pin(answer)));
    }

    /// Handles a request that has ended. Returns whether its outcome counts.
    fn poll_calls(&mut self, context: &mut Context<'_>) -> bool {
        let mut place = 0;
        while let Some((id, answer)) = self.calls.get_mut(place) {
            let id = *id;
            match answer.as_mut().poll(context) {
                Poll::Pending => place += 1,
                Poll::Ready(answer) => {
                    drop(self.calls.swap_remove(place));
                    if self.take(id, answer) {
                        return true;
                    }
                }
            }
        }
        false
    }

    /// Handles the outcome of a request. Returns whether the state has changed.
    fn take(&mut self, id: Id, answer: Result<AiChatUsageResponse, Error>) -> bool {
        let at = self.at();
        let counts = match &answer {
            Ok(usage) => self.schedule.handle_usage(id, usage.into(), at),
            Err(error) => {
                let retry_at = error.retry_at().unwrap_or(f64::NAN);
                self.schedule.handle_error(id, error.code(), retry_at, at)
            }
        };
        if !counts {
            return false;
        }
        let state = &mut self.state;
        state.status = self.schedule.status();
        state.reached = None;
        match answer {
            Err(error) => state.error = Some(error),
            Ok(usage) => {
                let mut gauge = Gauge {
                    thresholds: &self.options.thresholds,
                    history: &self.options.history,
                    memory: self.memory,
                };
                let before = state.usage.as_ref();
                let is_same = before.is_none_or(|old| old.company_id == usage.company_id);
                let reading = gauge.read(&Figures::from(&usage), is_same, at.wall);
                self.memory = gauge.memory;
                *state = UsageState {
                    status: state.status,
                    usage: Some(usage),
                    error: None,
                    updated_at: Some(at.wall),
                    share: reading.share,
                    level: Some(reading.level),
                    reached: reading.reached,
                    trend: reading.trend,
                };
            }
        }
        true
    }

    /// Sends a poll that is due. Pending until the next one is.
    fn poll_clock(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let now = self.client.transport().now();
        if let Some(id) = self.schedule.handle_timeout(now) {
            self.ask(id, CallOptions::new().max_retries(0));
            return Poll::Ready(());
        }
        let at = self.schedule.poll_timeout();
        // With invalid options the schedule has no listener.
        if self.schedule.is_over(now) {
            self.timer.stop();
            return Poll::Pending;
        }
        self.timer.poll(at, self.client.transport(), context)
    }
}

impl<T: Transport> Stream for Watch<T> {
    type Item = UsageState;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<UsageState>> {
        let watch = self.get_mut();
        loop {
            if watch.heed(context.waker()) {
                watch.calls.clear();
                watch.timer.stop();
                return Poll::Ready(None);
            }
            if !watch.is_told {
                watch.is_told = true;
                return Poll::Ready(Some(watch.state.clone()));
            }
            if watch.poll_calls(context) {
                return Poll::Ready(Some(watch.state.clone()));
            }
            if watch.poll_clock(context).is_pending() {
                return Poll::Pending;
            }
        }
    }
}
