//! A transport on a virtual clock.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    future::{Future, pending, poll_fn},
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use super::reply::{Comes, Reply};
use crate::{
    error::{ConfigError, Error, NetworkError},
    threads::lock,
    transport::{Body, HttpRequest, HttpResponse, MaybeSend, Transport},
};

/// Gives the replies that a test specifies, on a virtual clock. Clones share
/// the clock and the replies.
#[derive(Clone)]
pub struct VirtualTransport(Arc<Mutex<World>>);

struct World {
    /// Milliseconds since the transport was created.
    now: f64,
    unix_start: f64,
    random: f64,
    replies: VecDeque<Reply>,
    responder: Option<Arc<Responder>>,
    sent: Vec<Sent>,
    /// The sleepers, ordered by when they wake, then by when they fell asleep.
    sleepers: BTreeMap<(u64, u64), Waker>,
    slept: u64,
}

type Responder = dyn Fn(&Sent) -> Reply + Send + Sync;

/// A request that was sent.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Sent {
    /// When it was sent, counted from the creation of the transport.
    pub at: Duration,
    /// The request.
    pub request: HttpRequest,
    /// When it was cancelled, if that was before its reply arrived.
    pub cancelled_at: Option<Duration>,
}

impl Default for VirtualTransport {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(World {
            now: 0.0,
            unix_start: 1e12,
            random: 0.0,
            replies: VecDeque::new(),
            responder: None,
            sent: Vec::new(),
            sleepers: BTreeMap::new(),
            slept: 0,
        })))
    }
}

impl VirtualTransport {
    /// A transport whose clock starts at zero and whose wall clock starts at
    /// 9 September 2001, 01:46:40 UTC. Each random number is zero.
    ///
    /// ```
    /// # use bookmore_sdk::testing::VirtualTransport;
    /// let transport = VirtualTransport::new();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        lock(&self.0)
    }

    /// Adds the reply to the next request that has none yet.
    ///
    /// ```
    /// # use bookmore_sdk::testing::VirtualTransport;
    /// # use bookmore_sdk::testing::Reply;
    /// let transport = VirtualTransport::new().reply(Reply::status(503)).reply(Reply::lost());
    /// ```
    #[must_use = "gives the transport back"]
    pub fn reply(self, reply: impl Into<Reply>) -> Self {
        self.push_reply(reply);
        self
    }

    /// Like [`reply`](Self::reply), for a transport that a client uses already.
    ///
    /// ```
    /// # use bookmore_sdk::testing::VirtualTransport;
    /// # use bookmore_sdk::testing::Reply;
    /// let transport = VirtualTransport::new();
    /// transport.push_reply(Reply::status(503));
    /// ```
    pub fn push_reply(&self, reply: impl Into<Reply>) {
        self.lock().replies.push_back(reply.into());
    }

    /// Calls `responder` for the reply to each request that was given none.
    ///
    /// ```
    /// # use bookmore_sdk::testing::VirtualTransport;
    /// # use bookmore_sdk::testing::Reply;
    /// VirtualTransport::new().respond_with(|sent| match sent.request.header("authorization") {
    ///     Some("Bearer t0ken") => Reply::json(r#"{"tokensUsed":5}"#),
    ///     _ => Reply::status(401),
    /// });
    /// ```
    #[must_use = "gives the transport back"]
    pub fn respond_with(self, responder: impl Fn(&Sent) -> Reply + Send + Sync + 'static) -> Self {
        self.lock().responder = Some(Arc::new(responder));
        self
    }

    /// Sets the random number that is drawn from now on, at least 0 and below 1.
    ///
    /// ```
    /// # use bookmore_sdk::testing::VirtualTransport;
    /// VirtualTransport::new().set_random(0.5);
    /// ```
    pub fn set_random(&self, number: f64) {
        self.lock().random = number;
    }

    /// Sets the wall clock, in milliseconds since 1970; it continues from there.
    ///
    /// ```
    /// # use bookmore_sdk::testing::VirtualTransport;
    /// VirtualTransport::new().set_unix_now(1.9e12);
    /// ```
    pub fn set_unix_now(&self, ms: f64) {
        let mut world = self.lock();
        world.unix_start = ms - world.now;
    }

    /// The requests so far.
    ///
    /// ```
    /// # use bookmore_sdk::testing::VirtualTransport;
    /// assert_eq!(VirtualTransport::new().requests().len(), 0);
    /// ```
    pub fn requests(&self) -> Vec<Sent> {
        self.lock().sent.clone()
    }

    /// The time that has passed since the creation of the transport.
    ///
    /// ```
    /// # use bookmore_sdk::testing::VirtualTransport;
    /// # use std::time::Duration;
    /// let transport = VirtualTransport::new();
    /// transport.advance(Duration::from_secs(5));
    /// assert_eq!(transport.elapsed(), Duration::from_secs(5));
    /// ```
    pub fn elapsed(&self) -> Duration {
        Duration::from_secs_f64(self.lock().now / 1e3)
    }

    /// Advances the clock and wakes the sleepers that are due. A woken future runs
    /// when its executor polls it, when the whole time has passed.
    ///
    /// ```
    /// # use bookmore_sdk::testing::VirtualTransport;
    /// # use std::time::Duration;
    /// let transport = VirtualTransport::new();
    /// transport.advance(Duration::from_secs(5));
    /// assert_eq!(transport.elapsed(), Duration::from_secs(5));
    /// ```
    pub fn advance(&self, time: Duration) {
        let end = self.lock().now + time.as_secs_f64() * 1e3;
        while self.wake_next(end) {}
        self.lock().now = end;
    }

    /// Advances the clock to the next wake-up. Returns whether there was one.
    ///
    /// ```
    /// # use bookmore_sdk::testing::VirtualTransport;
    /// // Nobody sleeps.
    /// assert!(!VirtualTransport::new().advance_to_next());
    /// ```
    pub fn advance_to_next(&self) -> bool {
        self.wake_next(f64::INFINITY)
    }

    /// The time of the next wake-up, in milliseconds by [`now`](Transport::now).
    ///
    /// ```
    /// # use bookmore_sdk::testing::VirtualTransport;
    /// assert_eq!(VirtualTransport::new().next_moment(), None);
    /// ```
    pub fn next_moment(&self) -> Option<f64> {
        let world = self.lock();
        let (&(bits, _), _) = world.sleepers.first_key_value()?;
        Some(f64::from_bits(bits))
    }

    /// Runs `future` to completion. Whenever it can only wait, the clock advances
    /// to the next wake-up.
    ///
    /// ```
    /// # use bookmore_sdk::testing::VirtualTransport;
    /// # use std::time::Duration;
    /// # use bookmore_sdk::Transport;
    /// let transport = VirtualTransport::new();
    /// transport.run(transport.sleep(5000.0));
    /// assert_eq!(transport.elapsed(), Duration::from_secs(5));
    /// ```
    ///
    /// # Panics
    /// If it waits for something that the passing of time does not bring.
    #[allow(clippy::panic)] // The panic fails the test.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&woken));
        loop {
            while woken.0.swap(false, Ordering::AcqRel) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker))
                {
                    return output;
                }
            }
            if !self.advance_to_next() {
                panic!("the future waits for something that the passing of time does not bring");
            }
        }
    }

    /// Advances to the next wake-up, if there is one before or at `end`.
    fn wake_next(&self, end: f64) -> bool {
        let waker = {
            let mut world = self.lock();
            let Some((&(bits, number), _)) = world.sleepers.first_key_value() else {
                return false;
            };
            let at = f64::from_bits(bits);
            if at > end {
                return false;
            }
            world.now = world.now.max(at);
            world.sleepers.remove(&(bits, number))
        };
        waker.inspect(Waker::wake_by_ref);
        true
    }

    fn sleep_until(&self, at: f64) -> impl Future<Output = ()> + use<> {
        let number = {
            let mut world = self.lock();
            world.slept += 1;
            world.slept
        };
        let mut sleeper = Sleeper {
            world: self.clone(),
            key: (at.max(0.0).to_bits(), number),
        };
        poll_fn(move |context| sleeper.poll(context))
    }
}

impl fmt::Debug for VirtualTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualTransport")
            .field("elapsed", &self.elapsed())
            .finish_non_exhaustive()
    }
}

impl Transport for VirtualTransport {
    fn send(
        &self,
        request: HttpRequest,
        on_headers: impl FnOnce(&HttpResponse) + MaybeSend + 'static,
    ) -> impl Future<Output = Result<HttpResponse, Error>> + MaybeSend + 'static {
        let world = self.clone();
        self.exchange(request, on_headers, move |_, sent| {
            let (written, responder) = {
                let mut world = world.lock();
                (world.replies.pop_front(), world.responder.clone())
            };
            let reply = written.or_else(|| responder.map(|responder| responder(sent)));
            reply.unwrap_or_else(|| {
                Reply::error(ConfigError::new(&[
                    "This request has no reply; give the VirtualTransport one with reply or respond_with.",
                ]))
            })
        })
    }

    fn sleep(&self, ms: f64) -> impl Future<Output = ()> + MaybeSend + 'static {
        self.sleep_until(self.now() + ms)
    }

    fn now(&self) -> f64 {
        self.lock().now
    }

    fn unix_now(&self) -> f64 {
        let world = self.lock();
        world.unix_start + world.now
    }

    fn random(&self) -> f64 {
        self.lock().random
    }
}

impl VirtualTransport {
    /// Sends `request`. `decide` gives its outcome, from the request and its number.
    pub(super) fn exchange(
        &self,
        request: HttpRequest,
        on_headers: impl FnOnce(&HttpResponse) + MaybeSend + 'static,
        decide: impl FnOnce(usize, &Sent) -> Reply + MaybeSend + 'static,
    ) -> impl Future<Output = Result<HttpResponse, Error>> + MaybeSend + 'static {
        let world = self.clone();
        async move {
            let (number, sent) = {
                let mut world = world.lock();
                let sent = Sent {
                    at: Duration::from_secs_f64(world.now / 1e3),
                    request,
                    cancelled_at: None,
                };
                world.sent.push(sent.clone());
                (world.sent.len() - 1, sent)
            };
            let mut guard = CancelOnDrop {
                world: world.clone(),
                number,
                is_over: false,
            };
            let reply = decide(number, &sent);
            let result = world.come_to(reply, on_headers).await;
            guard.is_over = true;
            result
        }
    }

    async fn come_to(
        &self,
        reply: Reply,
        on_headers: impl FnOnce(&HttpResponse),
    ) -> Result<HttpResponse, Error> {
        let Reply {
            comes,
            after,
            body_after,
        } = reply;
        if !after.is_zero() {
            self.sleep(after.as_secs_f64() * 1e3).await;
        }
        let (mut response, breaks_off) = match comes {
            Comes::Whole(response) => (response, false),
            Comes::Broken(response) => (response, true),
            Comes::Lost(error) => return Err(error),
            Comes::Nothing => return pending().await,
            Comes::Headers(mut head) => {
                head.received_at = self.unix_now();
                on_headers(&head);
                return pending().await;
            }
        };
        response.received_at = self.unix_now();
        on_headers(&response);
        if !body_after.is_zero() {
            self.sleep(body_after.as_secs_f64() * 1e3).await;
        }
        if breaks_off && let Body::Whole(bytes) = response.body {
            response.body = Body::Broken(bytes, NetworkError::new("The reply broke off."));
        }
        Ok(response)
    }
}

/// Wakes the task that polled it last, until it is dropped.
struct Sleeper {
    world: VirtualTransport,
    key: (u64, u64),
}

impl Sleeper {
    fn poll(&mut self, context: &Context<'_>) -> Poll<()> {
        let waker = context.waker().clone();
        let mut world = self.world.lock();
        if world.now >= f64::from_bits(self.key.0) {
            return Poll::Ready(());
        }
        let old = world.sleepers.insert(self.key, waker);
        drop(world);
        drop(old);
        Poll::Pending
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let waker = self.world.lock().sleepers.remove(&self.key);
        drop(waker);
    }
}

/// Marks its request as cancelled when it is dropped before the reply.
struct CancelOnDrop {
    world: VirtualTransport,
    number: usize,
    is_over: bool,
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let now = self.world.elapsed();
        if let Some(sent) = self.world.lock().sent.get_mut(self.number) {
            sent.cancelled_at = Some(now);
        }
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}
