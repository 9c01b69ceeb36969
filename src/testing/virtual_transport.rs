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

/// Replies as the test says, when it says. A clone is the same transport.
#[derive(Clone)]
pub struct VirtualTransport(Arc<Mutex<World>>);

struct World {
    /// Milliseconds since the transport was made.
    now: f64,
    unix_start: f64,
    random: f64,
    replies: VecDeque<Reply>,
    responder: Option<Arc<Responder>>,
    sent: Vec<Sent>,
    /// Whoever sleeps, by when it wakes; then in the order in which it went to
    /// sleep.
    sleepers: BTreeMap<(u64, u64), Waker>,
    slept: u64,
}

type Responder = dyn Fn(&Sent) -> Reply + Send + Sync;

/// A request that was sent.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Sent {
    /// When, counted from the making of the transport.
    pub at: Duration,
    /// The request.
    pub request: HttpRequest,
    /// When it was given up, if that was before its reply was there.
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
    /// Its clock starts at zero, and at 9 September 2001, 01:46:40 UTC. Each
    /// number drawn is zero.
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

    /// The next request that has none yet gets this reply.
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

    /// The same, for a transport that a client has already.
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

    /// Requests for which no reply is written down get what `responder` says.
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

    /// What is drawn from now on: a number from 0 to 1, without 1.
    ///
    /// ```
    /// # use bookmore_sdk::testing::VirtualTransport;
    /// VirtualTransport::new().set_random(0.5);
    /// ```
    pub fn set_random(&self, number: f64) {
        self.lock().random = number;
    }

    /// Sets the wall clock, in milliseconds since 1970. It goes on from there.
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

    /// How much time has passed.
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

    /// Lets time pass, and wakes whoever wakes meanwhile. A future that was
    /// woken runs when its executor polls it: then the whole time has passed.
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

    /// Lets time pass to the next moment at which anybody wakes, if there is one.
    ///
    /// ```
    /// # use bookmore_sdk::testing::VirtualTransport;
    /// // Nobody sleeps.
    /// assert!(!VirtualTransport::new().advance_to_next());
    /// ```
    pub fn advance_to_next(&self) -> bool {
        self.wake_next(f64::INFINITY)
    }

    /// That moment, in milliseconds by [`now`](Transport::now).
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

    /// Runs `future` to its end. Where it can only wait, time passes to the
    /// next moment at which anybody wakes.
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
    /// Where it waits for something that no time brings.
    #[allow(clippy::panic)] // It is what fails a test.
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
                panic!("the future waits for something that no time brings");
            }
        }
    }

    /// Goes to the next moment at which anybody wakes, if there is one until
    /// `end`.
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
                    "No reply is written down for this request; give the VirtualTransport one with reply or respond_with.",
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
    /// Sends `request`; `decide` says of it, and of its number, what it comes to.
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

/// Wakes whoever polled it last, until it is dropped.
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

/// Marks a request whose reply nobody waits for.
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
