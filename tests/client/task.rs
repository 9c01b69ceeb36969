//! A call that a test polls by hand.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use bookmore_sdk::{
    AiChatUsageResponse, Client, Error, GetAiChatUsage, Transport, client::CallOptions,
};

/// The waker of a task, which counts how often it was woken.
#[derive(Default)]
pub struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

pub type Usage = Result<AiChatUsageResponse, Error>;

/// A call in a task of its own.
pub struct Task<'a> {
    call: Pin<Box<dyn Future<Output = Usage> + Send + 'a>>,
    woken: Arc<Count>,
}

impl<'a> Task<'a> {
    pub fn of<T: Transport>(client: &'a Client<T>, company: &'a str, options: CallOptions) -> Self {
        let request = GetAiChatUsage::for_company(company);
        let call = async move {
            let reply = client.get_ai_chat_usage_with(&request, &options).await?;
            Ok(reply.data)
        };
        Self {
            call: Box::pin(call),
            woken: Arc::default(),
        }
    }

    /// Starts it.
    pub fn started<T: Transport>(client: &'a Client<T>, company: &'a str) -> Self {
        let mut task = Self::of(client, company, CallOptions::new());
        assert!(task.poll().is_pending());
        task
    }

    pub fn poll(&mut self) -> Poll<Usage> {
        self.woken.0.store(0, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&self.woken));
        self.call.as_mut().poll(&mut Context::from_waker(&waker))
    }

    pub fn is_woken(&self) -> bool {
        self.woken.0.load(Ordering::Relaxed) > 0
    }

    /// Polls it only if it was woken, as an executor does.
    pub fn poll_if_woken(&mut self) -> Poll<Usage> {
        assert!(self.is_woken(), "nobody woke it");
        self.poll()
    }
}
