//! Every scenario of the table, through the Rust client over a virtual
//! transport.

use std::{
    future::{Future, ready},
    sync::{Arc, Mutex},
    time::Duration,
};

use super::scenarios::{START, Server, World};
use bookmore_sdk::{
    HttpResponse, Transport,
    error::NetworkError,
    testing::{Reply, VirtualTransport},
};
use serde_json::{Value, json};

#[derive(Clone)]
struct Virtual {
    transport: VirtualTransport,
    server: Arc<Mutex<Server>>,
}

impl World for Virtual {
    type Transport = VirtualTransport;

    fn transport(&self) -> VirtualTransport {
        self.transport.clone()
    }

    fn now(&self) -> f64 {
        self.transport.now()
    }

    fn sleep(&self, ms: f64) -> impl Future<Output = ()> + 'static {
        self.transport.sleep(ms)
    }

    fn move_wall_clock(&self, ms: f64) {
        self.transport.set_unix_now(self.transport.unix_now() + ms);
    }

    fn settle(&self) -> impl Future<Output = ()> {
        ready(())
    }

    fn next(&self) -> Option<f64> {
        self.transport.next_moment()
    }

    fn pass_to_next(&self) {
        self.transport.advance_to_next();
    }

    fn pass_to(&self, at: f64) {
        let time = Duration::from_secs_f64((at - self.transport.now()) / 1e3);
        self.transport.advance(time);
    }

    fn sends(&self) -> Vec<Value> {
        let sent = self.transport.requests();
        let sends = self.server.lock().unwrap().sends.clone();
        assert_eq!(sent.len(), sends.len());
        let with_end = |(mut send, sent): (Value, bookmore_sdk::testing::Sent)| {
            if let Some(at) = sent.cancelled_at {
                send["cancelled"] = json!(at.as_secs_f64() * 1e3);
            }
            send
        };
        sends.into_iter().zip(sent).map(with_end).collect()
    }
}

fn ms(number: f64) -> Duration {
    Duration::from_secs_f64(number / 1e3)
}

fn reply(of: &super::scenarios::Reply, number: usize) -> Reply {
    let reply = match &of.fails {
        Some(words) => Reply::error(NetworkError::new(words)),
        None => {
            let mut response = HttpResponse::new(of.status, "", &of.bytes(number));
            response.headers = of.all_headers().into_iter().collect();
            Reply::from(response)
        }
    };
    match (of.hangs.as_deref(), of.headers_after) {
        (Some("headers"), _) => Reply::never(),
        (Some("body"), _) => reply.without_body().after(ms(of.after)),
        (_, Some(headers)) => reply.after(ms(headers)).body_after(ms(of.after - headers)),
        (_, None) => reply.after(ms(of.after)),
    }
}

#[test]
fn every_scenario_comes_out_as_written() {
    let run = super::scenarios::run_all(|scenario, companies| {
        let server = Arc::new(Mutex::new(Server {
            replies: std::mem::take(&mut scenario.server),
            companies: companies.clone(),
            sends: Vec::new(),
        }));
        let own = Arc::clone(&server);
        let transport = VirtualTransport::new().respond_with(move |sent| {
            let at = sent.at.as_secs_f64() * 1e3;
            let authorization = sent.request.header("authorization");
            let (number, of) = own
                .lock()
                .unwrap()
                .answer(&sent.request.url, authorization, at);
            reply(&of, number)
        });
        transport.set_unix_now(START);
        transport.set_random(scenario.client.random);
        Virtual { transport, server }
    });
    println!("{} through the Rust client", pollster::block_on(run));
}
