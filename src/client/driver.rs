//! Executes the engine's commands. Whoever polls a call drives all calls of its
//! client, so there is no executor to install.
//!
//! No lock is held while foreign code runs: a transport, a provider, a listener
//! or a waker may use the client synchronously.

use std::{
    mem::replace,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
};

use super::{
    bearer_token::{Bearer, BearerToken, TokenRequest},
    event::{Event, Listener},
    hub::Hub,
    pool::{Done, Place, Taken, Work},
    running::{Whose, outside, running},
    state::{State, Step},
    watch::Watches,
};
#[cfg(all(target_arch = "wasm32", not(feature = "npm")))]
use crate::fetch;
use crate::{
    dto::GetAiChatUsage,
    engine::{Engine, Id, Moment, Options, Outcome},
    threads::{BoxFuture, Local, lock},
    transport::{HttpResponse, Transport},
    wire::encode::endpoint,
};

/// No call.
const NOBODY: Id = 0;
/// How many polls are made in a row before other tasks get their turn.
const POLLS_AT_ONCE: usize = 256;

pub(super) struct Driver<T> {
    pub transport: T,
    listener: Option<Local<Arc<Listener>>>,
    /// The URL of the requests, for events.
    url: String,
    hub: Arc<Hub>,
    state: Arc<Mutex<State>>,
    /// The hub and the state, as tasks refer to them.
    place: Place,
    pub watches: Watches,
}

impl<T: Transport> Driver<T> {
    // With the feature `npm` the engine is not `Send`.
    #[cfg_attr(feature = "npm", allow(clippy::arc_with_non_send_sync))]
    pub fn new(engine: Engine, transport: T, listener: Option<Local<Arc<Listener>>>) -> Self {
        let url = endpoint(&engine.config().base_url);
        let hub = Arc::<Hub>::default();
        let state = Arc::new(Mutex::new(State::new(engine)));
        let place = Place {
            hub: Arc::clone(&hub),
            state: Local::new(Arc::downgrade(&state)),
        };
        Self {
            transport,
            listener,
            url,
            hub,
            state,
            place,
            watches: Watches::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Passes an input to the engine, with the time and random number it needs.
    fn input<R>(&self, looks: Looks, tell: impl FnOnce(&mut State, Moment) -> R) -> R {
        let read = |is_read, number: fn(&T) -> f64| {
            if is_read {
                number(&self.transport)
            } else {
                f64::NAN
            }
        };
        let wants_wall = looks != Looks::Nowhere || self.lock().engine.wants_wall();
        let now = self.transport.now();
        let wall = read(wants_wall, T::unix_now);
        let random = read(looks == Looks::Anywhere, T::random);
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
        let old = self.input(Looks::Nowhere, |state, at| {
            let has_provider = provider.is_some();
            let engine = &mut state.engine;
            engine.set_bearer_token(token, has_provider, same_identity, at);
            replace(&mut state.provider, provider)
        });
        drop(old);
        self.carry_out(NOBODY);
        self.watches.set_token(same_identity);
    }

    /// When the latest retryable 429 arrived, and until when all calls pause.
    pub fn limit(&self) -> (f64, f64) {
        self.lock().engine.limit()
    }

    /// Begins a call, which must be polled to its end or abandoned.
    pub fn begin(self: &Arc<Self>, request: GetAiChatUsage, options: Options) -> Id {
        // The provider may have answered while nobody polled.
        self.drive(NOBODY);
        let options = match running(&self.state) {
            // A call that the provider makes cannot wait for its answer,
            Some(Whose::Provider) => Options {
                nested: true,
                ..options
            },
            // and one that the transport makes not for what it is sending.
            Some(Whose::Transport) => Options {
                coalesce: false,
                ..options
            },
            Some(Whose::Listener) | None => options,
        };
        let tell = |state: &mut State, at| state.engine.call(request, options, at);
        self.input(Looks::Nowhere, tell)
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

    /// Executes what is pending, or the first part of it.
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

    /// Ends `call`. A call of the token provider may go on.
    fn leave(self: &Arc<Self>, call: Id) {
        self.hub.leave(call);
        #[cfg(all(target_arch = "wasm32", not(feature = "npm")))]
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

    #[cfg(all(feature = "bindings", target_arch = "wasm32"))]
    pub fn leave_unless_settled(self: &Arc<Self>, call: Id) {
        let has_settled = self.lock().outcomes.contains_key(&call);
        if !has_settled {
            self.abandon(call);
        }
    }

    pub fn abandon(self: &Arc<Self>, call: Id) {
        let _attended = self.hub.attend();
        let outcome = self.input(Looks::Nowhere, |state, at| {
            state.engine.abandon(call, at);
            state.outcomes.remove(&call)
        });
        drop(outcome);
        self.carry_out(call);
        self.leave(call);
    }

    /// `call`: the one that is polling, which need not be woken.
    fn carry_out(&self, call: Id) {
        loop {
            let step = self.lock().step(&self.place);
            match step {
                None => return,
                Some(Step::Over(task)) => drop(task),
                Some(Step::Tell(event)) => {
                    if let Some(listener) = &self.listener {
                        outside(&self.state, Whose::Listener, || {
                            listener(&Event::of(&event, &self.url))
                        });
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
        let (mut future, whose) = self.run(id, work);
        let waker = Waker::from(Arc::clone(&alarm));
        let mut context = Context::from_waker(&waker);
        match outside(&self.state, whose, || future.as_mut().poll(&mut context)) {
            Poll::Pending => {
                let work = Work::Running { future, whose };
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

    fn run(self: &Arc<Self>, id: Id, work: Work) -> (BoxFuture<Done>, Whose) {
        match work {
            Work::Running { future, whose } => (future, whose),
            Work::Send(request) => {
                let driver = Arc::downgrade(self);
                let on_headers = move |head: &HttpResponse| {
                    if let Some(driver) = driver.upgrade() {
                        driver.lock().engine.handle_headers(id, head.clone());
                    }
                };
                let whose = Whose::Transport;
                let reply = outside(&self.state, whose, || {
                    self.transport.send(request, on_headers)
                });
                (Box::pin(async { Done::Reply(reply.await) }), whose)
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
                (Box::pin(asked), Whose::Provider)
            }
            Work::SleepUntil(at) => {
                let ms = (at - self.transport.now()).max(0.0);
                let slept = outside(&self.state, Whose::Transport, || self.transport.sleep(ms));
                let slept = async {
                    slept.await;
                    Done::Slept
                };
                (Box::pin(slept), Whose::Transport)
            }
        }
    }

    fn handle(&self, id: Id, done: Done) {
        match done {
            Done::Reply(Ok(reply)) => {
                let tell = |state: &mut State, at| state.engine.handle_reply(id, reply, at);
                self.input(Looks::Anywhere, tell);
            }
            Done::Reply(Err(error)) => {
                let tell = |state: &mut State, at| state.engine.handle_send_error(id, error, at);
                self.input(Looks::Anywhere, tell);
            }
            Done::Token(token) => {
                // Outside the lock: looking at a cause may run a proxy's traps.
                #[cfg(all(target_arch = "wasm32", not(feature = "npm")))]
                let token = token.map_err(|error| {
                    let redactor = self.lock().engine.redactor_of_tokens();
                    fetch::examined(error, &redactor)
                });
                let looks = match &token {
                    Ok(token) if token.expires() => Looks::AtTheWall,
                    _ => Looks::Nowhere,
                };
                self.input(looks, |state, at| {
                    let token = token.and_then(|token| token.checked(at.wall));
                    state.engine.handle_token(id, token, at);
                });
            }
            Done::Slept => self.input(Looks::Anywhere, |state, at| {
                state.timer_at = f64::INFINITY;
                state.engine.handle_timeout(at);
            }),
        }
    }
}

/// What is read for an input, unless the engine needs more: see [`Moment`].
#[derive(Clone, Copy, PartialEq)]
enum Looks {
    Nowhere,
    /// The wall clock.
    AtTheWall,
    /// The wall clock and a random number.
    Anywhere,
}
