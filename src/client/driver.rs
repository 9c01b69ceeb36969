//! Carries out what the engine says. Whoever polls a call drives all calls of
//! its client: there is no executor, and so nothing to install.
//!
//! Nothing is locked while code of others runs: a transport, a provider, a
//! listener or a waker may use the client at once.

use std::{
    cell::RefCell,
    mem::replace,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use super::{
    bearer_token::{Bearer, BearerToken, TokenRequest},
    event::{Event, Listener},
    hub::Hub,
    pool::{Done, Taken, Work},
    state::{State, Step},
};
use crate::{
    dto::GetAiChatUsage,
    engine::{Engine, Id, Moment, Options, Outcome},
    threads::{BoxFuture, Local},
    transport::Transport,
    wire::encode::endpoint,
};

/// No call.
const NOBODY: Id = 0;
/// So many polls without a pause; then others have their turn.
const POLLS_AT_ONCE: usize = 256;

pub(super) struct Driver<T> {
    pub transport: T,
    listener: Option<Local<Arc<Listener>>>,
    /// Where the requests go, for the listener.
    url: String,
    hub: Arc<Hub>,
    state: Mutex<State>,
}

impl<T: Transport> Driver<T> {
    pub fn new(engine: Engine, transport: T, listener: Option<Local<Arc<Listener>>>) -> Self {
        let url = endpoint(&engine.config().base_url);
        Self {
            transport,
            listener,
            url,
            hub: Arc::default(),
            state: Mutex::new(State::new(engine)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the engine something, with the time and the chance that go with it.
    fn input<R>(&self, wants_wall: bool, tell: impl FnOnce(&mut State, Moment) -> R) -> R {
        let reads = {
            let state = self.lock();
            wants_wall || state.has_sent || state.engine.wants_wall()
        };
        let read = |number: fn(&T) -> f64| {
            if reads {
                number(&self.transport)
            } else {
                f64::NAN
            }
        };
        let (now, wall, random) = (self.transport.now(), read(T::unix_now), read(T::random));
        let mut state = self.lock();
        state.now = state.now.max(now);
        let at = Moment {
            now: state.now,
            wall,
            random,
        };
        tell(&mut state, at)
    }

    pub fn set_bearer_token(&self, bearer: Option<Bearer>, same_identity: bool) {
        let (token, provider) = match bearer {
            None => (None, None),
            Some(Bearer::Fixed(token)) => (Some(token.0), None),
            Some(Bearer::Provider(provider)) => (None, Some(provider)),
        };
        let _attended = self.hub.attend();
        let old = self.input(false, |state, at| {
            let has_provider = provider.is_some();
            let engine = &mut state.engine;
            engine.set_bearer_token(token, has_provider, same_identity, at);
            replace(&mut state.provider, provider)
        });
        drop(old);
        self.carry_out(NOBODY);
    }

    /// When the latest 429 came that may pass, and until when all calls pause.
    pub fn limit(&self) -> (f64, f64) {
        self.lock().engine.limit()
    }

    /// A call begins. It has to be polled, and abandoned where it is not
    /// polled to its end.
    pub fn begin(self: &Arc<Self>, request: GetAiChatUsage, options: Options) -> Id {
        // The provider may have answered when nobody waited.
        self.drive(NOBODY);
        let nested = self.asks();
        let options = Options { nested, ..options };
        self.input(false, |state, at| state.engine.call(request, options, at))
    }

    pub fn poll(self: &Arc<Self>, call: Id, waker: &Waker) -> Poll<Box<Outcome>> {
        self.hub.enter(call, waker);
        self.drive(call);
        let outcome = self.lock().outcomes.remove(&call);
        match outcome {
            Some(outcome) => {
                self.leave(call);
                Poll::Ready(outcome)
            }
            None => Poll::Pending,
        }
    }

    /// Does what there is to do, or the first of it.
    fn drive(self: &Arc<Self>, call: Id) {
        let _attended = self.hub.attend();
        for _ in 0..POLLS_AT_ONCE {
            self.carry_out(call);
            match self.hub.next() {
                None => return,
                Some(task) => self.poll_task(task),
            }
        }
        self.carry_out(call);
    }

    /// `call` is over; a renewal of the token in the background may be left.
    fn leave(self: &Arc<Self>, call: Id) {
        self.hub.leave(call);
        #[cfg(target_arch = "wasm32")]
        if self.hub.is_deserted() && !self.lock().pool.is_empty() {
            let driver = Arc::downgrade(self);
            wasm_bindgen_futures::spawn_local(std::future::poll_fn(move |context| {
                let Some(driver) = driver.upgrade() else {
                    return Poll::Ready(());
                };
                driver.hub.enter(NOBODY, context.waker());
                driver.drive(NOBODY);
                let is_over = driver.lock().pool.is_empty();
                if !is_over {
                    return Poll::Pending;
                }
                driver.hub.leave(NOBODY);
                Poll::Ready(())
            }));
        }
    }

    pub fn abandon(self: &Arc<Self>, call: Id) {
        let _attended = self.hub.attend();
        let outcome = self.input(false, |state, at| {
            state.engine.abandon(call, at);
            state.outcomes.remove(&call)
        });
        drop(outcome);
        self.carry_out(call);
        self.leave(call);
    }

    /// `call`: who is at it, and need not be woken.
    fn carry_out(&self, call: Id) {
        loop {
            let step = self.lock().step(&self.hub);
            match step {
                None => return,
                Some(Step::Over(task)) => drop(task),
                Some(Step::Tell(event)) => {
                    if let Some(listener) = &self.listener {
                        self.outside(false, || listener(&Event::of(&event, &self.url)));
                    }
                }
                Some(Step::Settled(own)) if own != call => self.hub.wake(own),
                Some(Step::Settled(_)) => {}
            }
        }
    }

    fn poll_task(self: &Arc<Self>, id: Id) {
        let taken = self.lock().pool.take_out(id);
        let Some(Taken { alarm, work }) = taken else {
            return;
        };
        alarm.stop();
        let (mut future, asks) = self.run(id, work);
        let waker = Waker::from(Arc::clone(&alarm));
        let mut context = Context::from_waker(&waker);
        match self.outside(asks, || future.as_mut().poll(&mut context)) {
            Poll::Pending => {
                let work = Work::Running { future, asks };
                let left = self.lock().pool.put_back(id, Taken { alarm, work });
                drop(left);
            }
            Poll::Ready(done) => {
                drop(future);
                let is_wanted = self.lock().pool.finish(id, &alarm);
                if is_wanted {
                    self.handle(id, done);
                }
            }
        }
    }

    fn run(self: &Arc<Self>, id: Id, work: Work) -> (BoxFuture<Done>, bool) {
        match work {
            Work::Running { future, asks } => (future, asks),
            Work::Send(request) => {
                self.lock().has_sent = true;
                let driver = Arc::downgrade(self);
                let on_headers = move || {
                    if let Some(driver) = driver.upgrade() {
                        driver.lock().engine.handle_headers(id);
                    }
                };
                let reply = self.outside(false, || self.transport.send(request, on_headers));
                (Box::pin(async { Done::Reply(reply.await) }), false)
            }
            Work::Ask { force_refresh } => {
                let provider = self.lock().provider.clone();
                let asked = async move {
                    let asked = provider.map(|provider| provider(TokenRequest { force_refresh }));
                    Done::Token(match asked {
                        Some(asked) => asked.await,
                        None => Ok(BearerToken::none()),
                    })
                };
                (Box::pin(asked), true)
            }
            Work::SleepUntil(at) => {
                let ms = (at - self.transport.now()).max(0.0);
                let slept = self.outside(false, || self.transport.sleep(ms));
                let slept = async {
                    slept.await;
                    Done::Slept
                };
                (Box::pin(slept), false)
            }
        }
    }

    fn handle(&self, id: Id, done: Done) {
        match done {
            Done::Reply(Ok(reply)) => {
                self.input(true, |state, at| state.engine.handle_reply(id, reply, at));
            }
            Done::Reply(Err(error)) => {
                let tell = |state: &mut State, at| state.engine.handle_send_error(id, error, at);
                self.input(true, tell);
            }
            Done::Token(token) => {
                let expires = token.as_ref().is_ok_and(BearerToken::expires);
                self.input(expires, |state, at| {
                    let token = token.and_then(|token| token.checked(at.wall));
                    state.engine.handle_token(id, token, at);
                });
            }
            Done::Slept => self.input(false, |state, at| {
                state.timer_at = f64::INFINITY;
                state.engine.handle_timeout(at);
            }),
        }
    }

    /// Whether the provider of this client runs on this thread just now: a call
    /// that it makes cannot wait for its answer.
    fn asks(&self) -> bool {
        let own = std::ptr::from_ref(self).addr();
        RUNNING.with_borrow(|running| {
            let mut inner_first = running.iter().rev();
            inner_first
                .find(|(driver, _)| *driver == own)
                .is_some_and(|(_, asks)| *asks)
        })
    }

    /// Runs code of others. `asks`: whether it is the provider's.
    fn outside<R>(&self, asks: bool, run: impl FnOnce() -> R) -> R {
        /// Also where the code panics.
        struct Leave;

        impl Drop for Leave {
            fn drop(&mut self) {
                RUNNING.with_borrow_mut(Vec::pop);
            }
        }

        RUNNING.with_borrow_mut(|running| running.push((std::ptr::from_ref(self).addr(), asks)));
        let _leave = Leave;
        run()
    }
}

thread_local! {
    /// Whose drivers run code of others on this thread, the innermost last, and
    /// whether it is their provider's.
    static RUNNING: RefCell<Vec<(usize, bool)>> = const { RefCell::new(Vec::new()) };
}
