//! A provider, a listener or a transport may call the client synchronously.

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use bookmore_sdk::{
    Client, Error, GetAiChatUsage, HttpRequest, HttpResponse, Transport,
    client::{BearerToken, CallOptions, Event},
    testing::{Reply, VirtualTransport},
    transport::MaybeSend,
};

use super::{COMPANY, OTHER, seconds, slow, task::Task};

type Slot<T> = Arc<Mutex<Option<Client<T>>>>;

/// Polls a call once, synchronously, and drops it.
fn poll_once<T: Transport>(client: &Client<T>, company: &str) {
    let request = GetAiChatUsage::for_company(company);
    let mut call = pin!(client.get_ai_chat_usage(&request));
    let _ = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
}

#[test]
fn a_provider_may_call_the_client() {
    let slot = Slot::default();
    let own = Arc::clone(&slot);
    let builder = Client::builder().token_provider(move |_| {
        let client: Client<VirtualTransport> = own.lock().unwrap().clone().unwrap();
        // Also synchronously, before it returns a future.
        poll_once(&client, COMPANY);
        async move {
            let usage = client
                .get_ai_chat_usage(&GetAiChatUsage::for_company(OTHER))
                .await?;
            Ok::<_, Error>(format!("t0ken-{}", usage.tokens_used))
        }
    });
    let client = builder.build(slow()).unwrap();
    slot.lock().unwrap().replace(client.clone());
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
    slot.lock().unwrap().take();
}

#[test]
fn a_listener_may_call_the_client_and_asks_the_provider_like_any_other() {
    let slot = Slot::default();
    let own = Arc::clone(&slot);
    let called = AtomicBool::new(false);
    let builder = Client::builder()
        .token_provider(|_| async { BearerToken::new("t0ken") })
        .on_event(move |event| {
            let client: Option<Client<VirtualTransport>> = own.lock().unwrap().clone();
            if let (Some(client), Event::Attempt { .. }) = (client, event)
                && !called.swap(true, Ordering::Relaxed)
            {
                // Even to completion, synchronously.
                let request = GetAiChatUsage::for_company(OTHER);
                let usage = client.transport().run(client.get_ai_chat_usage(&request));
                assert_eq!(usage.unwrap().tokens_used, 5);
            }
        });
    let client = builder.build(slow()).unwrap();
    slot.lock().unwrap().replace(client.clone());
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
    slot.lock().unwrap().take();
}

#[test]
fn a_listener_may_set_another_token() {
    let slot = Slot::default();
    let own = Arc::clone(&slot);
    let builder = Client::builder()
        .bearer_token("first")
        .on_event(move |event| {
            let client: Option<Client<VirtualTransport>> = own.lock().unwrap().clone();
            if let (Some(client), Event::Retry { .. }) = (client, event) {
                client.set_bearer_token("second").unwrap();
            }
        });
    let transport = slow().reply(Reply::status(503));
    let client = builder.build(transport).unwrap();
    slot.lock().unwrap().replace(client.clone());
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
    slot.lock().unwrap().take();
}

/// A transport that runs something before it sends.
struct Hooked {
    inner: VirtualTransport,
    hook: Arc<dyn Fn() + Send + Sync>,
}

impl Transport for Hooked {
    fn send(
        &self,
        request: HttpRequest,
        on_headers: impl FnOnce(&HttpResponse) + MaybeSend + 'static,
    ) -> impl Future<Output = Result<HttpResponse, Error>> + MaybeSend + 'static {
        (self.hook)();
        let sent = self.inner.send(request, on_headers);
        let hook = Arc::clone(&self.hook);
        async move {
            hook();
            sent.await
        }
    }

    fn sleep(&self, ms: f64) -> impl Future<Output = ()> + MaybeSend + 'static {
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
    let own = Arc::clone(&slot);
    let depth = AtomicUsize::new(0);
    let hook = move || {
        let client: Option<Client<Hooked>> = own.lock().unwrap().clone();
        if let Some(client) = client
            && depth.load(Ordering::Relaxed) < 3
        {
            depth.fetch_add(1, Ordering::Relaxed);
            poll_once(&client, OTHER);
            depth.fetch_sub(1, Ordering::Relaxed);
        }
    };
    let transport = slow();
    let client = Client::builder()
        .build(Hooked {
            inner: transport.clone(),
            hook: Arc::new(hook),
        })
        .unwrap();
    slot.lock().unwrap().replace(client.clone());
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
    slot.lock().unwrap().take();
}

#[test]
fn a_transport_may_await_a_call_for_the_same_usage() {
    struct Asking {
        inner: VirtualTransport,
        slot: Slot<Asking>,
    }

    impl Transport for Asking {
        fn send(
            &self,
            request: HttpRequest,
            on_headers: impl FnOnce(&HttpResponse) + MaybeSend + 'static,
        ) -> impl Future<Output = Result<HttpResponse, Error>> + MaybeSend + 'static {
            let client = self.slot.lock().unwrap().take();
            let sent = self.inner.send(request, on_headers);
            async move {
                if let Some(client) = client {
                    // Boxed, because the transport's future cannot contain its own type.
                    let request = GetAiChatUsage::default();
                    let call: Pin<Box<dyn Future<Output = _> + Send + '_>> =
                        Box::pin(client.get_ai_chat_usage(&request));
                    call.await?;
                }
                sent.await
            }
        }

        fn sleep(&self, ms: f64) -> impl Future<Output = ()> + MaybeSend + 'static {
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

    let (transport, slot) = (slow(), Slot::default());
    let client = Client::builder()
        .build(Asking {
            inner: transport.clone(),
            slot: Arc::clone(&slot),
        })
        .unwrap();
    slot.lock().unwrap().replace(client.clone());
    let request = GetAiChatUsage::default();
    transport.run(client.get_ai_chat_usage(&request)).unwrap();
    assert_eq!(transport.requests().len(), 2);
}

#[test]
fn a_transport_that_drops_its_own_call_sends_nothing() {
    let call: Arc<Mutex<Option<Task<'static>>>> = Arc::default();
    let own = Arc::clone(&call);
    let transport = slow();
    let client = Client::builder()
        .build(Hooked {
            inner: transport.clone(),
            hook: Arc::new(move || {
                let task = own.lock().unwrap().take();
                drop(task);
            }),
        })
        .unwrap();
    // Leaked, so that the transport can own the call.
    let client: &'static _ = Box::leak(Box::new(client));
    call.lock()
        .unwrap()
        .replace(Task::of(client, COMPANY, CallOptions::new()));
    let mut taken = call.lock().unwrap().take().unwrap();
    // It cannot be dropped while it is polled, so another task drops it.
    assert!(taken.poll().is_pending());
    call.lock().unwrap().replace(taken);
    poll_once(client, OTHER);
    assert!(call.lock().unwrap().is_none());
    assert!(
        transport
            .requests()
            .iter()
            .all(|sent| sent.cancelled_at.is_some())
    );
}

#[test]
fn a_future_that_always_wakes_itself_does_not_starve_others() {
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
fn after_a_provider_panics_later_calls_are_not_sent_without_a_token() {
    let panics = AtomicBool::new(true);
    let builder = Client::builder().token_provider(move |_| {
        let panics = panics.swap(false, Ordering::Relaxed);
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
