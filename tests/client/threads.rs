//! One client used by several threads at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use bookmore_sdk::{
    Client, GetAiChatUsage,
    client::{BearerToken, CallOptions},
    testing::VirtualTransport,
};

use super::{ms, ok, seconds, status};

/// Advances the clock until it is dropped.
struct Clock {
    is_over: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Clock {
    fn start(transport: &VirtualTransport) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let (stop, transport) = (Arc::clone(&is_over), transport.clone());
        let run = move || {
            while !stop.load(Ordering::Relaxed) {
                transport.advance_to_next();
                thread::yield_now();
            }
        };
        Self {
            is_over,
            thread: Some(thread::spawn(run)),
        }
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let _ = self.thread.take().unwrap().join();
    }
}

#[test]
fn calls_of_four_threads_all_end() {
    let failing = Arc::new(AtomicUsize::new(0));
    let asked = Arc::new(AtomicUsize::new(0));
    let (count, questions) = (Arc::clone(&failing), Arc::clone(&asked));
    let transport = VirtualTransport::new().respond_with(move |sent| {
        assert!(sent.request.header("authorization").is_some());
        match count.fetch_add(1, Ordering::Relaxed) % 7 {
            3 => status(503).after(ms(3)),
            _ => ok().after(ms(2)),
        }
    });
    let client = Client::builder()
        .total_timeout(None)
        .attempt_timeout(None)
        .max_retries(10)
        .token_provider(move |_| {
            questions.fetch_add(1, Ordering::Relaxed);
            async { BearerToken::new("t0ken").expires_in(seconds(3600)) }
        })
        .build(transport.clone())
        .unwrap();
    let clock = Clock::start(&transport);
    thread::scope(|scope| {
        for number in 0..4 {
            let client = client.clone();
            scope.spawn(move || {
                let options = CallOptions::new().coalesce(number % 2 == 0);
                for _ in 0..250 {
                    let request = GetAiChatUsage::default();
                    let call = client.get_ai_chat_usage_with(&request, &options);
                    pollster::block_on(call).unwrap();
                }
            });
        }
    });
    drop(clock);
    assert!(
        asked.load(Ordering::Relaxed) < 10,
        "a token is asked for once in an hour"
    );
}

/// A provider that is running on one thread does not count as re-entrant for a
/// call on another.
#[test]
fn a_call_beside_a_provider_that_runs_on_another_thread_waits_for_its_answer() {
    let runs = Arc::new(std::sync::Barrier::new(2));
    let provider = Arc::clone(&runs);
    let client = Client::builder()
        .coalesce(false)
        .token_provider(move |_| {
            let runs = Arc::clone(&provider);
            async move {
                runs.wait(); // the other call begins,
                runs.wait(); // and has begun
                BearerToken::new("t0ken").expires_in(Duration::from_secs(3600))
            }
        })
        .build(VirtualTransport::new().respond_with(|_| ok()))
        .unwrap();
    let call = |client: Client<VirtualTransport>| async move {
        client.get_ai_chat_usage(&GetAiChatUsage::default()).await
    };
    thread::scope(|scope| {
        scope.spawn(|| pollster::block_on(call(client.clone())).unwrap());
        runs.wait();
        let mut second = super::task::Task::started(&client, super::COMPANY);
        runs.wait();
        // The provider's answer, or the first call, wakes it.
        while second.poll().is_pending() {
            thread::yield_now();
        }
    });
    for sent in client.transport().requests() {
        assert_eq!(sent.request.header("authorization"), Some("Bearer t0ken"));
    }
}
