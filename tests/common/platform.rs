//! Every scenario of the table, through the Rust client over `fetch`, on a
//! platform whose clock, timers, random numbers and network the test controls.

use std::{
    cell::{Cell, RefCell},
    future::{Future, pending},
    rc::Rc,
};

use bookmore_sdk::{Transport, fetch::Fetch};
use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use serde_json::Value;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use wasm_bindgen_test::wasm_bindgen_test;

use super::{
    fetch::javascript,
    scenarios::{self, Reply, START, Server, World},
};

const RESTORE: &str = "
    [globalThis.setTimeout, globalThis.clearTimeout, Date.now, Math.random] = globalThis.realPlatform;
    delete performance.now;
";

const CLOCK: &str = "
    globalThis.realPlatform ??= [setTimeout, clearTimeout, Date.now, Math.random];
    const timers = new Map();
    let last = 0;
    const first = () => {
        let [id, timer] = [0, undefined];
        for (const [own, other] of timers) if (!timer || other.at < timer.at) [id, timer] = [own, other];
        return timer && { id, ...timer };
    };
    const clock = {
        now: 0,
        wall,
        next: () => first()?.at,
        passToNext() {
            const { id, at, run } = first();
            timers.delete(id);
            clock.now = Math.max(clock.now, at);
            run();
        },
        passTo(at) {
            while (first()?.at <= at) clock.passToNext();
            clock.now = at;
        },
    };
    globalThis.setTimeout = (run, ms) => (timers.set(++last, { at: clock.now + ms, run }), last);
    globalThis.clearTimeout = (id) => timers.delete(id);
    performance.now = () => clock.now;
    Date.now = () => clock.wall + clock.now;
    Math.random = () => random;
    return clock;
";

struct Clock(JsValue);

impl Clock {
    fn get(&self, name: &str) -> f64 {
        Reflect::get(&self.0, &name.into())
            .unwrap()
            .as_f64()
            .unwrap()
    }

    fn call(&self, method: &str, argument: &JsValue) -> JsValue {
        let method = Reflect::get(&self.0, &method.into()).unwrap();
        method
            .unchecked_into::<Function>()
            .call1(&self.0, argument)
            .unwrap()
    }
}

#[derive(Clone)]
struct Platform {
    clock: Rc<Clock>,
    server: Rc<RefCell<Server>>,
}

impl Platform {
    fn new(server: Server, random: f64) -> Self {
        let clock = javascript("wall, random", CLOCK)
            .call2(&JsValue::NULL, &START.into(), &random.into())
            .unwrap();
        Self {
            clock: Rc::new(Clock(clock)),
            server: Rc::new(RefCell::new(server)),
        }
    }

    /// The outcome of a request.
    fn answer(&self, url: &str, init: &JsValue) -> Promise {
        let get = |of: &JsValue, name: &str| Reflect::get(of, &name.into()).unwrap();
        let authorization = get(&get(init, "headers"), "Authorization").as_string();
        let now = self.now();
        let mut server = self.server.borrow_mut();
        let (number, reply) = server.answer(url, authorization.as_deref(), now);
        drop(server);
        let is_over = Rc::new(Cell::new(false));
        let (own, own_over) = (self.clone(), Rc::clone(&is_over));
        let cancel = Closure::<dyn FnMut()>::new(move || {
            if !own_over.get() {
                let now = own.now();
                own.server.borrow_mut().cancel(number, now);
            }
        });
        javascript("signal, run", "signal.addEventListener('abort', run)")
            .call2(
                &JsValue::NULL,
                &get(init, "signal"),
                &cancel.into_js_value(),
            )
            .unwrap();
        future_to_promise(self.clone().come_to(reply, number, is_over))
    }

    async fn come_to(
        self,
        reply: Reply,
        number: usize,
        is_over: Rc<Cell<bool>>,
    ) -> Result<JsValue, JsValue> {
        if reply.hangs.as_deref() == Some("headers") {
            return pending().await;
        }
        let headers_after = reply.headers_after.unwrap_or(reply.after);
        self.sleep(headers_after).await;
        if let Some(words) = &reply.fails {
            is_over.set(true);
            let fail = javascript(
                "words",
                "throw new TypeError('fetch failed', { cause: new Error(words) })",
            );
            return fail.call1(&JsValue::NULL, &words.into());
        }
        let headers = Array::new();
        for (name, value) in reply.all_headers() {
            headers.push(&Array::of2(&name.into(), &value.into()));
        }
        let (status, hangs) = (reply.status, reply.hangs.is_some());
        let (rest, bytes) = (reply.after - headers_after, reply.bytes(number));
        let body = future_to_promise(async move {
            if hangs {
                return pending().await;
            }
            if rest > 0.0 {
                self.sleep(rest).await;
            }
            is_over.set(true);
            Ok(Uint8Array::from(bytes.as_slice()).into())
        });
        javascript(
            "status, headers, body",
            "return { status, headers: new Headers(headers), arrayBuffer: () => body }",
        )
        .call3(&JsValue::NULL, &status.into(), &headers, &body)
    }
}

impl World for Platform {
    type Transport = Fetch;

    fn transport(&self) -> Fetch {
        let own = self.clone();
        let fetch =
            Closure::<dyn FnMut(String, JsValue) -> Promise>::new(move |url: String, init| {
                own.answer(&url, &init)
            });
        Fetch::new().with_function(fetch.into_js_value().unchecked_into())
    }

    fn now(&self) -> f64 {
        self.clock.get("now")
    }

    #[allow(clippy::manual_async_fn)] // It borrows nothing.
    fn sleep(&self, ms: f64) -> impl Future<Output = ()> + 'static {
        async move {
            let fetch = Fetch::new();
            fetch.sleep(ms).await;
        }
    }

    fn move_wall_clock(&self, ms: f64) {
        let wall = self.clock.get("wall") + ms;
        Reflect::set(&self.clock.0, &"wall".into(), &wall.into()).unwrap();
    }

    async fn settle(&self) {
        for _ in 0..40 {
            let nothing = Promise::resolve(&JsValue::UNDEFINED);
            JsFuture::from(nothing).await.unwrap();
        }
    }

    fn next(&self) -> Option<f64> {
        self.clock.call("next", &JsValue::UNDEFINED).as_f64()
    }

    fn pass_to_next(&self) {
        self.clock.call("passToNext", &JsValue::UNDEFINED);
    }

    fn pass_to(&self, at: f64) {
        self.clock.call("passTo", &at.into());
    }

    fn sends(&self) -> Vec<Value> {
        self.server.borrow().sends.clone()
    }
}

#[wasm_bindgen_test]
async fn every_scenario_comes_out_as_written() {
    let run = scenarios::run_all(|scenario, companies| {
        let server = Server {
            replies: std::mem::take(&mut scenario.server),
            companies: companies.clone(),
            sends: Vec::new(),
        };
        Platform::new(server, scenario.client.random)
    });
    let counts = run.await;
    javascript("", RESTORE).call0(&JsValue::NULL).unwrap();
    wasm_bindgen_test::console_log!("{counts} through the Rust client over fetch");
}
