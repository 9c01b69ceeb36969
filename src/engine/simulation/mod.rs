//! Random schedules of everything that can happen to a client, on a virtual
//! clock. `world` generates events from a seed. `rules` are the invariants of the
//! engine's commands, written independently of how the engine decides.
//! [`check`](super::Engine::check) has those of its internal state.
//!
//! `SCHEDULES=…` runs more of them, `SEED=…` one of them, with a trace.

mod random;
mod rules;
mod tickets;
mod world;

use std::{
    env,
    io::Write,
    sync::atomic::{AtomicBool, Ordering},
    thread::{self, available_parallelism},
    time::Instant,
};

pub(super) use random::Random;
use world::World;

#[test]
fn random_schedules_keep_every_rule() {
    if let Some(seed) = number("SEED") {
        World::new(seed, true).run();
        return;
    }
    let schedules = number("SCHEDULES").unwrap_or(100_000);
    let began = Instant::now();
    let threads = available_parallelism().map_or(1, |count| count.get() as u64);
    let is_over = AtomicBool::new(false);
    let run = |first: u64| {
        let mut counts = [0; 3];
        for seed in (first..schedules).step_by(threads as usize) {
            // One failure is enough.
            if is_over.load(Ordering::Relaxed) {
                break;
            }
            let stop = StopAll(&is_over);
            let failed = TellSeed(seed);
            let more = World::new(seed, false).run();
            drop((failed, stop));
            for (count, more) in counts.iter_mut().zip(more) {
                *count += more;
            }
        }
        counts
    };
    let [calls, sends, questions] = thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|first| scope.spawn(move || run(first)))
            .collect();
        let mut sum = [0; 3];
        for counts in running {
            let counts = counts.join().expect("the seed that failed stands above");
            for (sum, count) in sum.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        sum
    });
    // The test runner captures `println!`.
    let _ = writeln!(
        std::io::stderr(),
        "simulation: {schedules} schedules, {calls} calls, {sends} sends, {questions} questions in {:.1} s",
        began.elapsed().as_secs_f64()
    );
}

pub(super) fn number(name: &str) -> Option<u64> {
    let value = env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} is a whole number")),
    )
}

/// The other threads stop once one has failed.
struct StopAll<'a>(&'a AtomicBool);

impl Drop for StopAll<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

/// Prints the seed that failed.
pub(super) struct TellSeed(pub u64);

impl Drop for TellSeed {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = writeln!(
                std::io::stderr(),
                "simulation: failed. To see how: SEED={} cargo test --lib simulation -- --nocapture",
                self.0
            );
        }
    }
}
