//! Carries out what the engine says. Whoever polls a call drives all calls of
//! its client: there is no executor, and so nothing to install.
//!
//! Nothing is locked while code of others runs: a transport, a provider, a
//! listener or a waker may use the client at once.

use std::{
    collections::BTreeMap,
    mem::replace,
    rc::Rc,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};

use super::{
    bearer_token::{Bearer, BearerToken, Provider, TokenRequest},
    event::{Event, Listener},
    local::Local,
    pool::{Done, Hub, Pool, Running, Taken, Work},
};
use crate::{
    dto::GetAiChatUsage,
    engine::{Command, Engine, Id, Moment, Options, Outcome},
    transport::Transport,
    wire::encode::endpoint,
};

/// The one timer; the engine counts from 1.
const TIMER: Id = 0;
/// No call.
const NOBODY: Id = 0;
/// So many polls without a pause; then others have their turn.
const POLLS_AT_ONCE: usize = 256;

pub(super) struct Driver<T> {
    pub transport: T,
    listener: Option<Local<Rc<Listener>>>,
    /// Where the requests go, for the listener.
    url: String,
    hub: Arc<Hub>,
    state: Mutex<State>,
    /// Whether the provider's code runs just now: a call that it makes cannot
    /// wait for its answer.
    asks: AtomicBool,
}

struct State {
    engine: Engine,
    provider: Option<Local<Rc<Provider>>>,
    pool: Local<Pool>,
    outcomes: BTreeMap<Id, Box<Outcome>>,
    /// When the timer ends; infinite where there is none.
    timer_at: f64,
    /// Whether anything was sent. A page that is rendered ahead may not look
    /// at the wall clock or at chance before that.
    has_sent: bool,
}

impl<T: Transport> Driver<T> {
    pub fn new(engine: Engine, transport: T, listener: Option<Local<Rc<Listener>>>) -> Self {
        let url = endpoint(&engine.config().base_url);
        let state = State {
            engine,
            provider: None,
            pool: Local::new(Pool::default()),
            outcomes: BTreeMap::new(),
            timer_at: f64::INFINITY,
            has_sent: false,
        };
        Self {
            transport,
            listener,
            url,
            hub: Arc::default(),
            state: Mutex::new(state),
            asks: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moment(&self, wants_wall: bool) -> Moment {
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
        Moment {
            now: self.transport.now(),
            wall: read(T::unix_now),
            random: read(T::random),
        }
    }

    pub fn set_bearer_token(&self, bearer: Option<Bearer>, same_identity: bool) {
        let (token, provider) = match bearer {
            None => (None, None),
            Some(Bearer::Fixed(token)) => (Some(token.0), None),
            Some(Bearer::Provider(provider)) => (None, Some(provider)),
        };
        let at = self.moment(false);
        let old = {
            let mut state = self.lock();
            let has_provider = provider.is_some();
            state
                .engine
                .set_bearer_token(token, has_provider, same_identity, at);
            replace(&mut state.provider, provider)
        };
        drop(old);
        self.carry_out(NOBODY);
        self.hub.hand_over();
    }

    /// A call begins. It has to be polled, and abandoned where it is not
    /// polled to its end.
    pub fn begin(self: &Arc<Self>, request: GetAiChatUsage, options: Options) -> Id {
        // The provider may have answered when nobody waited.
        self.drive(NOBODY);
        let nested = self.asks.load(Ordering::Relaxed);
        let at = self.moment(false);
        self.lock()
            .engine
            .call(request, Options { nested, ..options }, at)
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

    /// Does what there is to do; `call` is woken where there is more.
    fn drive(self: &Arc<Self>, call: Id) {
        for _ in 0..POLLS_AT_ONCE {
            self.carry_out(call);
            match self.hub.next() {
                None => return,
                Some(task) => self.poll_task(task, call),
            }
        }
        self.carry_out(call);
        self.hub.wake(call);
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
        let at = self.moment(false);
        let outcome = {
            let mut state = self.lock();
            state.engine.abandon(call, at);
            state.outcomes.remove(&call)
        };
        drop(outcome);
        self.carry_out(call);
        self.leave(call);
    }

    /// `call`: who is at it, and need not be woken.
    fn carry_out(&self, call: Id) {
        loop {
            let command = self.lock().engine.poll_command();
            match command {
                None => break,
                Some(Command::Send { send, request }) => self.start(send, Work::Send(request)),
                Some(Command::Ask {
                    question,
                    force_refresh,
                }) => self.start(question, Work::Ask { force_refresh }),
                Some(Command::Cancel { id }) => self.cancel(id),
                // The errors of Rust hold their causes themselves.
                Some(Command::Forget { .. }) => {}
                Some(Command::Emit(event)) => {
                    if let Some(listener) = &self.listener {
                        self.outside(false, || listener(&Event::of(&event, &self.url)));
                    }
                }
                Some(Command::Settle { call: own, outcome }) => {
                    self.lock().outcomes.insert(own, outcome);
                    if own != call {
                        self.hub.wake(own);
                    }
                }
            }
        }
        self.set_timer();
    }

    fn start(&self, id: Id, work: Work) {
        self.lock().pool.insert(id, &self.hub, work);
    }

    fn cancel(&self, id: Id) {
        let task = self.lock().pool.remove(id);
        drop(task);
    }

    /// A timer that ends too early is left as it is: it is set anew then.
    fn set_timer(&self) {
        let at = {
            let mut state = self.lock();
            let at = state.engine.poll_timeout();
            if at == state.timer_at || (at > state.timer_at && at.is_finite()) {
                return;
            }
            state.timer_at = at;
            at
        };
        self.cancel(TIMER);
        if at.is_finite() {
            self.start(TIMER, Work::SleepUntil(at));
        }
    }

    fn poll_task(self: &Arc<Self>, id: Id, call: Id) {
        let taken = self.lock().pool.take_out(id);
        let Some(Taken { alarm, work }) = taken else {
            return;
        };
        alarm.stop(call);
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
                if self.lock().pool.finish(id, &alarm) {
                    self.handle(id, done);
                }
            }
        }
    }

    fn run(self: &Arc<Self>, id: Id, work: Work) -> (Running, bool) {
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
                    Done::Token(match provider {
                        Some(provider) => provider(TokenRequest { force_refresh }).await,
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
            Done::Reply(reply) => {
                let at = self.moment(true);
                let engine = &mut self.lock().engine;
                match reply {
                    Ok(reply) => engine.handle_reply(id, reply, at),
                    Err(error) => engine.handle_send_error(id, error, at),
                }
            }
            Done::Token(token) => {
                let at = self.moment(token.as_ref().is_ok_and(BearerToken::expires));
                let token = token.and_then(|token| token.checked(at.wall));
                self.lock().engine.handle_token(id, token, at);
            }
            Done::Slept => {
                let at = self.moment(false);
                let mut state = self.lock();
                state.timer_at = f64::INFINITY;
                state.engine.handle_timeout(at);
            }
        }
    }

    /// Runs code of others. `asks`: whether it is the provider's.
    fn outside<R>(&self, asks: bool, run: impl FnOnce() -> R) -> R {
        /// Puts the mark back, also where the code panics.
        struct Restore<'a>(&'a AtomicBool, bool);

        impl Drop for Restore<'_> {
            fn drop(&mut self) {
                self.0.store(self.1, Ordering::Relaxed);
            }
        }

        let _restore = Restore(&self.asks, self.asks.swap(asks, Ordering::Relaxed));
        run()
    }
}
