//! The exports behind `bookmore-sdk/watch`, whose driver is `pkg/src/watch`.

use wasm_bindgen::prelude::*;

use crate::engine::{
    Id, Moment,
    watch::{Figures, Gauge, Memory, Pace, Point, Schedule, Status},
};

/// The schedule by which one client polls one company. Times and ids are those
/// of [`Core`](super::Core).
#[wasm_bindgen]
pub struct Watch(Schedule);

#[wasm_bindgen]
impl Watch {
    #[wasm_bindgen(constructor)]
    pub fn new(now: f64) -> Watch {
        Watch(Schedule::new(now))
    }

    /// When to call `timeout`; infinity for never.
    #[wasm_bindgen(js_name = pollTimeout)]
    pub fn poll_timeout(&self) -> f64 {
        self.0.poll_timeout()
    }

    /// Adds a listener. Returns the id that `leave` takes.
    pub fn listen(
        &mut self,
        interval: f64,
        idle_interval: f64,
        polls_hidden: bool,
        lowest_threshold: f64,
    ) -> f64 {
        let pace = Pace {
            interval,
            idle_interval,
            polls_hidden,
            lowest_threshold,
        };
        self.0.listen(pace) as f64
    }

    pub fn leave(&mut self, listener: f64, now: f64) {
        self.0.leave(listener as Id, now);
    }

    /// The page was hidden or shown, or the network went away or came back.
    pub fn pause(&mut self, hidden: bool, offline: bool, now: f64, wall: f64, random: f64) {
        let at = Moment { now, wall, random };
        self.0.set_hidden(hidden, at);
        self.0.set_offline(offline, at);
    }

    /// The client has a renewed token of the same identity.
    pub fn resume(&mut self) {
        self.0.resume();
    }

    /// Begins a request out of turn. Returns its id.
    pub fn refresh(&mut self) -> f64 {
        self.0.refresh() as f64
    }

    /// The id of a poll to send now; 0 for none, -1 if the schedule has had no
    /// listener for a while and is over.
    pub fn timeout(&mut self, now: f64) -> f64 {
        if self.0.is_over(now) {
            return -1.0;
        }
        self.0.handle_timeout(now).unwrap_or_default() as f64
    }

    /// A request succeeded. Returns whether its usage counts: it does not if a
    /// newer one has arrived.
    #[allow(clippy::too_many_arguments)]
    pub fn usage(
        &mut self,
        request: f64,
        used: f64,
        limit: f64,
        is_within_budget: bool,
        window_days: f64,
        now: f64,
        wall: f64,
        random: f64,
    ) -> bool {
        let figures = Figures {
            used,
            limit,
            is_within_budget,
            window_days,
        };
        let at = Moment { now, wall, random };
        self.0.handle_usage(request as Id, figures, at)
    }

    /// A request failed; `retry_at` is NaN if unknown. Returns 0 if the failure
    /// does not count, 1 if polling continues, 2 if it stops.
    pub fn error(
        &mut self,
        request: f64,
        code: &str,
        retry_at: f64,
        now: f64,
        wall: f64,
        random: f64,
    ) -> u8 {
        let at = Moment { now, wall, random };
        let counts = self.0.handle_error(request as Id, code, retry_at, at);
        u8::from(counts) << u8::from(self.0.status() == Status::Stopped)
    }
}

/// Derives level, share, threshold and trend from a usage. `row` holds the six
/// numbers of a store's [`Memory`], the number of thresholds, the thresholds,
/// and the history as alternating times and usages. Returns the next six
/// numbers, followed by the figures that `pkg/src/watch/gauge.ts` names, with
/// NaN for absent ones.
#[wasm_bindgen]
pub fn gauge(
    used: f64,
    limit: f64,
    is_within_budget: bool,
    window_days: f64,
    is_same_company: bool,
    wall: f64,
    row: &[f64],
) -> Vec<f64> {
    let &[
        reached,
        of_limit,
        of_window,
        since,
        at,
        first,
        count,
        ref rest @ ..,
    ] = row
    else {
        return Vec::new();
    };
    let Some((thresholds, history)) = rest.split_at_checked(count as usize) else {
        return Vec::new();
    };
    let (history, _) = history.as_chunks();
    let mut gauge = Gauge {
        thresholds,
        history,
        memory: Memory {
            reached,
            limit: of_limit,
            window_days: of_window,
            since,
            first: Point { at, used: first },
        },
    };
    let figures = Figures {
        used,
        limit,
        is_within_budget,
        window_days,
    };
    let reading = gauge.read(&figures, is_same_company, wall);
    let told = |value: Option<f64>| value.unwrap_or(f64::NAN);
    let (trend, memory) = (reading.trend, gauge.memory);
    let net = trend.and_then(|trend| trend.net);
    vec![
        memory.reached,
        memory.limit,
        memory.window_days,
        memory.since,
        memory.first.at,
        memory.first.used,
        f64::from(reading.level as u8),
        told(reading.share),
        told(reading.reached),
        told(trend.map(|trend| trend.used_per_day)),
        told(trend.map(|trend| trend.sustainable_per_day)),
        told(net.map(|net| net.per_day)),
        told(net.map(|net| net.span_ms)),
        told(trend.and_then(|trend| trend.exhausts_at)),
    ]
}
