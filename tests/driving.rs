//! Calls drive each other: who is dropped, woken or called at an odd moment
//! leaves the others as they were.
#![cfg(not(target_arch = "wasm32"))]

use std::{
    cell::{Cell, RefCell},
    future::Future,
    pin::{Pin, pin},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use bookmore_sdk::{
    AiChatUsageResponse, Client, Error, GetAiChatUsage, HttpRequest, HttpResponse, Transport,
    client::{BearerToken, CallOptions, Event},
    testing::{Reply, VirtualTransport},
};
use futures_util::{StreamExt, future::join, stream::FuturesUnordered};

const COMPANY: &str = "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c";
const OTHER: &str = "3fa85f64-5717-4562-b3fc-2c963f66afa6";
const USAGE: &str =
    r#"{"tokensUsed":5,"tokenLimit":10,"tokensRemaining":5,"isWithinBudget":true,"windowDays":30}"#;

fn ok() -> Reply {
    Reply::json(USAGE)
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

/// Each reply takes a second.
fn slow() -> VirtualTransport {
    VirtualTransport::new().respond_with(|_| ok().after(seconds(1)))
}

/// Waker of a task, and how often it was woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

type Usage = Result<AiChatUsageResponse, Error>;

/// A call in a task of its own.
struct Task<'a> {
    call: Pin<Box<dyn Future<Output = Usage> + 'a>>,
    woken: Arc<Count>,
}

impl<'a> Task<'a> {
    fn of<T: Transport>(client: &'a Client<T>, company: &'a str, options: CallOptions) -> Self {
        let request = GetAiChatUsage::for_company(company);
        let call = async move {
            let reply = client.get_ai_chat_usage_with(&request, &options).await;
            reply.map(|reply| reply.data)
        };
        Self {
            call: Box::pin(call),
            woken: Arc::default(),
        }
    }

    /// Begins it.
    fn started<T: Transport>(client: &'a Client<T>, company: &'a str) -> Self {
        let mut task = Self::of(client, company, CallOptions::new());
        assert!(task.poll().is_pending());
        task
    }

    fn poll(&mut self) -> Poll<Usage> {
        self.woken.0.store(0, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&self.woken));
        self.call.as_mut().poll(&mut Context::from_waker(&waker))
    }

    fn is_woken(&self) -> bool {
        self.woken.0.load(Ordering::Relaxed) > 0
    }

    /// Polls it as an executor does: only where it was woken.
    fn poll_if_woken(&mut self) -> Poll<Usage> {
        assert!(self.is_woken(), "nobody woke it");
        self.poll()
    }
}

fn client() -> Client<VirtualTransport> {
    Client::builder().build(slow()).unwrap()
}

// ---- Dropping ----

#[test]
fn a_call_that_is_dropped_gives_up_its_request() {
    let client = client();
    let first = Task::started(&client, COMPANY);
    let mut second = Task::started(&client, OTHER);
    drop(first);
    let cancelled = |client: &Client<VirtualTransport>| -> Vec<_> {
        let sent = client.transport().requests();
        sent.iter()
            .map(|sent| sent.cancelled_at.is_some())
            .collect()
    };
    assert_eq!(cancelled(&client), [true, false]);
    client.transport().advance(seconds(1));
    assert!(second.poll_if_woken().is_ready());
    drop(second);
    assert_eq!(cancelled(&client), [true, false]);
}

#[test]
fn a_call_that_was_never_polled_sends_nothing() {
    let client = client();
    drop(Task::of(&client, COMPANY, CallOptions::new()));
    assert!(client.transport().requests().is_empty());
}

#[test]
fn an_equal_call_goes_on_when_the_one_that_began_is_dropped() {
    let client = client();
    let first = Task::started(&client, COMPANY);
    let mut second = Task::started(&client, "{9F2C7B1A-4D3E-4F5A-8B6C-7D8E9F0A1B2C}");
    drop(first);
    client.transport().advance(seconds(1));
    let Poll::Ready(reply) = second.poll_if_woken() else {
        panic!("no reply")
    };
    reply.unwrap();
    assert_eq!(client.transport().requests().len(), 1);
}

#[test]
fn what_a_dropped_call_was_woken_for_is_done_by_another() {
    for drops_the_woken in [true, false] {
        let client = client();
        let mut calls = [
            Some(Task::started(&client, COMPANY)),
            Some(Task::started(&client, COMPANY)),
        ];
        client.transport().advance(seconds(1));
        let woken = usize::from(!calls[0].as_ref().unwrap().is_woken());
        let dropped = if drops_the_woken { woken } else { 1 - woken };
        calls[dropped] = None;
        let left = calls[1 - dropped].as_mut().unwrap();
        assert!(left.poll_if_woken().is_ready(), "{drops_the_woken}");
    }
}

#[test]
fn the_timer_of_a_dropped_call_is_anothers() {
    let transport = VirtualTransport::new().respond_with(|_| Reply::never());
    let client = Client::builder()
        .attempt_timeout(None)
        .build(transport)
        .unwrap();
    let first = Task::started(&client, COMPANY);
    let mut second = Task::started(&client, OTHER);
    drop(first);
    client.transport().advance(seconds(30));
    let Poll::Ready(reply) = second.poll_if_woken() else {
        panic!("no limit")
    };
    assert_eq!(reply.unwrap_err().code(), "timeout");
}

#[test]
fn each_of_equal_calls_keeps_its_own_limit() {
    let client = client();
    let short = CallOptions::new().total_timeout(Duration::from_millis(300));
    let mut hurried = Task::of(&client, COMPANY, short);
    assert!(hurried.poll().is_pending());
    let mut patient = Task::started(&client, COMPANY);
    client.transport().advance(Duration::from_millis(300));
    let Poll::Ready(reply) = hurried.poll_if_woken() else {
        panic!("no limit")
    };
    assert_eq!(reply.unwrap_err().code(), "timeout");
    client.transport().advance(Duration::from_millis(700));
    let Poll::Ready(reply) = patient.poll_if_woken() else {
        panic!("no reply")
    };
    reply.unwrap();
    let sent = client.transport().requests();
    assert_eq!((sent.len(), sent[0].cancelled_at.is_some()), (1, false));
}

#[test]
fn a_call_that_nobody_polls_holds_up_no_other() {
    let client = client();
    let stalled = Task::started(&client, COMPANY);
    let mut other = Task::started(&client, OTHER);
    client.transport().advance(seconds(1));
    let Poll::Ready(reply) = other.poll_if_woken() else {
        panic!("no reply")
    };
    reply.unwrap();
    drop(stalled);
}

#[test]
fn two_thousand_calls_in_tasks_of_their_own_are_each_answered_once() {
    let client = Client::builder().coalesce(false).build(slow()).unwrap();
    let request = GetAiChatUsage::default();
    let calls: FuturesUnordered<_> = (0..2000)
        .map(|_| client.get_ai_chat_usage(&request))
        .collect();
    let replies = client.transport().run(calls.collect::<Vec<_>>());
    assert_eq!(replies.iter().filter(|reply| reply.is_ok()).count(), 2000);
    assert_eq!(client.transport().elapsed(), seconds(1));
}

#[test]
fn any_executor_will_do() {
    let transport = VirtualTransport::new().respond_with(|_| ok());
    let client = Client::builder().build(transport).unwrap();
    pollster::block_on(client.get_ai_chat_usage(&GetAiChatUsage::default())).unwrap();
}

// ---- What is equal, and what is fresh ----

#[test]
fn equal_calls_share_a_request_unless_told_otherwise() {
    let sent = |options: [CallOptions; 2]| {
        let client = client();
        let mut calls = options.map(|options| Task::of(&client, COMPANY, options));
        for call in &mut calls {
            assert!(call.poll().is_pending());
        }
        client.transport().requests().len()
    };
    let usual = CallOptions::new;
    assert_eq!(sent([usual(), usual().total_timeout(seconds(5))]), 1);
    assert_eq!(sent([usual(), usual().max_retries(2)]), 1);
    assert_eq!(sent([usual(), usual().max_retries(3)]), 2);
    assert_eq!(sent([usual(), usual().header("x-language", "sv")]), 2);
    assert_eq!(sent([usual(), usual().coalesce(false)]), 2);
    assert_eq!(sent([usual(), usual().fresh(true)]), 2);
    // The second of two fresh ones waits until the first is over.
    assert_eq!(sent([usual().fresh(true), usual().fresh(true)]), 1);
}

#[test]
fn fresh_calls_share_the_request_after_the_one_in_flight() {
    let client = client();
    let fresh = || Task::of(&client, COMPANY, CallOptions::new().fresh(true));
    let mut calls = [fresh(), fresh(), fresh()];
    for call in &mut calls {
        assert!(call.poll().is_pending());
    }
    client.transport().advance(seconds(1));
    assert!(calls[0].poll_if_woken().is_ready());
    client.transport().advance(seconds(1));
    // The last one was woken, and wakes the other.
    for call in calls[1..].iter_mut().rev() {
        let Poll::Ready(reply) = call.poll_if_woken() else {
            panic!("no reply")
        };
        reply.unwrap();
    }
    assert_eq!(client.transport().requests().len(), 2);
}

// ---- Code of others that uses the client at once ----

type Slot<T> = Rc<RefCell<Option<Client<T>>>>;

/// Polls a call once, on the spot, and leaves it.
fn poll_once<T: Transport>(client: &Client<T>, company: &str) {
    let request = GetAiChatUsage::for_company(company);
    let mut call = pin!(client.get_ai_chat_usage(&request));
    let _ = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
}

#[test]
fn a_provider_may_call_the_client() {
    let slot = Slot::default();
    let own = Rc::clone(&slot);
    let builder = Client::builder().token_provider(move |_| {
        let client: Client<VirtualTransport> = own.borrow().clone().unwrap();
        // Also on the spot, before it gives a future.
        poll_once(&client, COMPANY);
        async move {
            let usage = client
                .get_ai_chat_usage(&GetAiChatUsage::for_company(OTHER))
                .await?;
            Ok::<_, Error>(format!("t0ken-{}", usage.tokens_used))
        }
    });
    let client = builder.build(slow()).unwrap();
    slot.replace(Some(client.clone()));
    let request = GetAiChatUsage::default();
    client
        .transport()
        .run(client.get_ai_chat_usage(&request))
        .unwrap();
    let sent = client.transport().requests();
    let sent: Vec<_> = sent
        .iter()
        .map(|sent| {
            (
                sent.request.header("authorization"),
                sent.cancelled_at.is_some(),
            )
        })
        .collect();
    assert_eq!(
        sent,
        [(None, true), (None, false), (Some("Bearer t0ken-5"), false)]
    );
    slot.take();
}

#[test]
fn a_listener_may_call_the_client_and_asks_the_provider_like_any_other() {
    let slot = Slot::default();
    let own = Rc::clone(&slot);
    let called = Cell::new(false);
    let builder = Client::builder()
        .token_provider(|_| async { BearerToken::new("t0ken") })
        .on_event(move |event| {
            let client: Option<Client<VirtualTransport>> = own.borrow().clone();
            if let (Some(client), Event::Attempt { .. }) = (client, event)
                && !called.replace(true)
            {
                // Even to its end, on the spot.
                let request = GetAiChatUsage::for_company(OTHER);
                let usage = client.transport().run(client.get_ai_chat_usage(&request));
                assert_eq!(usage.unwrap().tokens_used, 5);
            }
        });
    let client = builder.build(slow()).unwrap();
    slot.replace(Some(client.clone()));
    let request = GetAiChatUsage::default();
    client
        .transport()
        .run(client.get_ai_chat_usage(&request))
        .unwrap();
    let sent = client.transport().requests();
    assert_eq!(sent.len(), 2);
    for sent in sent {
        assert_eq!(sent.request.header("authorization"), Some("Bearer t0ken"));
    }
    slot.take();
}

#[test]
fn a_listener_may_set_another_token() {
    let slot = Slot::default();
    let own = Rc::clone(&slot);
    let builder = Client::builder()
        .bearer_token("first")
        .on_event(move |event| {
            let client: Option<Client<VirtualTransport>> = own.borrow().clone();
            if let (Some(client), Event::Retry { .. }) = (client, event) {
                client.set_bearer_token("second").unwrap();
            }
        });
    let transport = slow().reply(Reply::status(503));
    let client = builder.build(transport).unwrap();
    slot.replace(Some(client.clone()));
    let request = GetAiChatUsage::default();
    client
        .transport()
        .run(client.get_ai_chat_usage(&request))
        .unwrap();
    let sent = client.transport().requests();
    let tokens: Vec<_> = sent
        .iter()
        .map(|sent| sent.request.header("authorization"))
        .collect();
    assert_eq!(tokens, [Some("Bearer first"), Some("Bearer second")]);
    slot.take();
}

/// A transport that runs something before it sends.
struct Hooked {
    inner: VirtualTransport,
    hook: Rc<dyn Fn()>,
}

impl Transport for Hooked {
    fn send(
        &self,
        request: HttpRequest,
        on_headers: impl FnOnce() + 'static,
    ) -> impl Future<Output = Result<HttpResponse, Error>> + 'static {
        (self.hook)();
        let sent = self.inner.send(request, on_headers);
        let hook = Rc::clone(&self.hook);
        async move {
            hook();
            sent.await
        }
    }

    fn sleep(&self, ms: f64) -> impl Future<Output = ()> + 'static {
        (self.hook)();
        self.inner.sleep(ms)
    }

    fn now(&self) -> f64 {
        self.inner.now()
    }

    fn unix_now(&self) -> f64 {
        self.inner.unix_now()
    }

    fn random(&self) -> f64 {
        self.inner.random()
    }
}

#[test]
fn a_transport_may_call_the_client() {
    let slot = Slot::default();
    let own = Rc::clone(&slot);
    let depth = Cell::new(0);
    let hook = move || {
        let client: Option<Client<Hooked>> = own.borrow().clone();
        if let Some(client) = client
            && depth.get() < 3
        {
            depth.set(depth.get() + 1);
            poll_once(&client, OTHER);
            depth.set(depth.get() - 1);
        }
    };
    let transport = slow();
    let client = Client::builder()
        .build(Hooked {
            inner: transport.clone(),
            hook: Rc::new(hook),
        })
        .unwrap();
    slot.replace(Some(client.clone()));
    let request = GetAiChatUsage::default();
    transport.run(client.get_ai_chat_usage(&request)).unwrap();
    let sent = transport.requests();
    assert!(sent.len() > 1);
    assert_eq!(
        sent.iter()
            .filter(|sent| sent.cancelled_at.is_none())
            .count(),
        1
    );
    slot.take();
}

#[test]
fn a_transport_that_drops_the_call_it_sends_for_sends_nothing() {
    let call: Rc<RefCell<Option<Task<'static>>>> = Rc::default();
    let own = Rc::clone(&call);
    let transport = slow();
    let client = Client::builder()
        .build(Hooked {
            inner: transport.clone(),
            hook: Rc::new(move || drop(own.take())),
        })
        .unwrap();
    // Leaked, so that the transport can own the call.
    let client: &'static _ = Box::leak(Box::new(client));
    call.replace(Some(Task::of(client, COMPANY, CallOptions::new())));
    let mut taken = call.take().unwrap();
    // While it is polled nobody else has it; another one drops it.
    assert!(taken.poll().is_pending());
    call.replace(Some(taken));
    poll_once(client, OTHER);
    assert!(call.borrow().is_none());
    assert!(
        transport
            .requests()
            .iter()
            .all(|sent| sent.cancelled_at.is_some())
    );
}

#[test]
fn a_future_that_never_rests_leaves_the_others_their_turn() {
    let builder = Client::builder().token_provider(|_| async {
        loop {
            let mut yielded = false;
            std::future::poll_fn(|context| {
                context.waker().wake_by_ref();
                if std::mem::replace(&mut yielded, true) {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
            if false {
                return "t0ken";
            }
        }
    });
    let client = builder.build(slow()).unwrap();
    let mut call = Task::started(&client, COMPANY);
    assert!(call.is_woken());
    client.transport().advance(seconds(30));
    let Poll::Ready(reply) = call.poll_if_woken() else {
        panic!("no limit")
    };
    assert_eq!(reply.unwrap_err().code(), "timeout");
}

#[test]
fn a_provider_that_panics_does_not_let_later_calls_go_without_a_token() {
    let panics = Cell::new(true);
    let builder = Client::builder().token_provider(move |_| {
        let panics = panics.replace(false);
        async move {
            assert!(!panics, "the provider's own fault");
            "t0ken"
        }
    });
    let client = builder.build(slow()).unwrap();
    let request = GetAiChatUsage::default();
    let call = || client.transport().run(client.get_ai_chat_usage(&request));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call));
    assert!(panicked.is_err());
    call().unwrap();
    let sent = client.transport().requests();
    assert_eq!(sent.len(), 1);
    assert_eq!(
        sent[0].request.header("authorization"),
        Some("Bearer t0ken")
    );
}

// ---- Seeing inside ----

#[test]
fn events_and_attempts_tell_what_happened() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let heard = Rc::clone(&seen);
    let builder = Client::builder()
        .base_url("https://api.example")
        .max_retries(1)
        .on_event(move |event| {
            heard.borrow_mut().push(match event {
                Event::Attempt {
                    call, attempt, url, ..
                } => (*call, format!("attempt {attempt} {url}")),
                Event::Response {
                    call,
                    attempt,
                    status,
                    ..
                } => (*call, format!("response {attempt} {status}")),
                Event::Retry {
                    call,
                    attempt,
                    wait,
                    error,
                    ..
                } => (*call, format!("retry {attempt} {wait:?} {}", error.code())),
                Event::Success {
                    call,
                    attempts,
                    elapsed,
                    ..
                } => (*call, format!("success {attempts} {elapsed:?}")),
                Event::Error {
                    call,
                    attempts,
                    elapsed,
                    error,
                    ..
                } => (
                    *call,
                    format!("error {attempts} {elapsed:?} {}", error.code()),
                ),
                _ => unreachable!(),
            });
        });
    let transport = VirtualTransport::new()
        .reply(Reply::status(503).after(Duration::from_millis(7)))
        .reply(ok())
        .reply(Reply::lost())
        .reply(Reply::status(404));
    let client = builder.build(transport.clone()).unwrap();
    let request = GetAiChatUsage::for_company(COMPANY);
    let options = CallOptions::default();
    let reply = transport
        .run(client.get_ai_chat_usage_with(&request, &options))
        .unwrap();
    let attempts: Vec<_> = reply
        .attempts
        .iter()
        .map(|attempt| {
            (
                attempt.status,
                attempt.error,
                attempt.elapsed,
                attempt.waited,
            )
        })
        .collect();
    let ms = Duration::from_millis;
    assert_eq!(
        attempts,
        [
            (Some(503), Some("server_error"), ms(7), ms(0)),
            (Some(200), None, ms(0), ms(250))
        ]
    );
    assert_eq!(reply.elapsed, ms(257));
    transport
        .run(client.get_ai_chat_usage(&request))
        .unwrap_err();
    let url = "https://api.example/assistant/ai-chat/usage";
    let seen = seen.borrow();
    let words: Vec<_> = seen.iter().map(|(_, words)| words.as_str()).collect();
    assert_eq!(
        words,
        [
            &*format!("attempt 1 {url}"),
            "response 1 503",
            "retry 1 250ms server_error",
            &*format!("attempt 2 {url}"),
            "response 2 200",
            "success 2 257ms",
            &*format!("attempt 1 {url}"),
            "retry 1 250ms network_error",
            &*format!("attempt 2 {url}"),
            "response 2 404",
            "error 2 250ms api_error",
        ]
    );
    let (first, second) = (seen[0].0, seen[6].0);
    assert_ne!(first, second);
    assert!(seen[..6].iter().all(|(call, _)| *call == first));
    assert!(seen[6..].iter().all(|(call, _)| *call == second));
}

#[test]
fn the_end_of_each_of_equal_calls_is_told() {
    let ends = Rc::new(Cell::new(0));
    let counted = Rc::clone(&ends);
    let client = Client::builder()
        .on_event(move |event| {
            if let Event::Success { .. } = event {
                counted.set(counted.get() + 1);
            }
        })
        .build(slow())
        .unwrap();
    let request = GetAiChatUsage::default();
    let call = || client.get_ai_chat_usage(&request);
    let (first, second) = client.transport().run(join(call(), call()));
    assert_eq!(first.unwrap(), second.unwrap());
    assert_eq!((ends.get(), client.transport().requests().len()), (2, 1));
}

#[test]
fn errors_go_anywhere_and_builders_and_clients_are_cloned() {
    fn goes_anywhere<T: Send + Sync + 'static>() {}
    fn is_cloned<T: Clone>() {}
    goes_anywhere::<Error>();
    goes_anywhere::<VirtualTransport>();
    is_cloned::<Client<Hooked>>();
}
