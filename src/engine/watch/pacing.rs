//! What a schedule does, sentence by sentence, on a virtual clock.

use super::{
    super::{Id, Moment},
    Figures, Pace, Schedule, Status,
};

const WALL: f64 = 1_700_000_000_000.0;
const MINUTE: f64 = 60_000.0;
const NONE: [f64; 0] = [];

fn pace() -> Pace {
    Pace {
        interval: MINUTE,
        idle_interval: MINUTE,
        polls_hidden: false,
        lowest_threshold: 0.8,
    }
}

fn idling() -> Pace {
    Pace {
        idle_interval: 5.0 * MINUTE,
        ..pace()
    }
}

fn every(seconds: f64) -> Pace {
    Pace {
        interval: seconds * 1_000.0,
        idle_interval: seconds * 1_000.0,
        ..pace()
    }
}

fn used(percent: f64) -> Figures {
    Figures {
        used: percent,
        limit: 100.0,
        is_within_budget: percent < 100.0,
        window_days: 30.0,
    }
}

#[derive(Clone, Copy)]
enum Answer {
    Usage(f64),
    Error(&'static str),
    /// With seconds from now on.
    RetryAfter(f64),
}

use Answer::{Error, RetryAfter, Usage};

/// A schedule whose polls are answered after `takes`.
struct World {
    schedule: Schedule,
    now: f64,
    /// How far the wall clock is ahead of `WALL` + `now`: what a machine slept.
    slept: f64,
    random: f64,
    takes: f64,
}

impl World {
    fn new(paces: impl IntoIterator<Item = Pace>) -> Self {
        let mut schedule = Schedule::new(0.0);
        for pace in paces {
            schedule.listen(pace);
        }
        Self {
            schedule,
            now: 0.0,
            slept: 0.0,
            random: 0.5,
            takes: 0.0,
        }
    }

    fn at(&self) -> Moment {
        Moment {
            now: self.now,
            wall: WALL + self.now + self.slept,
            random: self.random,
        }
    }

    fn answer(&mut self, request: Id, answer: &Answer) -> bool {
        let at = self.at();
        match answer {
            Usage(percent) => self.schedule.handle_usage(request, used(*percent), at),
            Error(code) => self.schedule.handle_error(request, code, f64::NAN, at),
            RetryAfter(seconds) => {
                let retry_at = at.wall + seconds * 1_000.0;
                let code = "server_error";
                self.schedule.handle_error(request, code, retry_at, at)
            }
        }
    }

    /// When polls are sent in the next `ms`, in seconds.
    fn run(&mut self, ms: f64, mut answer: impl FnMut(f64) -> Answer) -> Vec<f64> {
        let (end, mut polls) = (self.now + ms, Vec::new());
        loop {
            let next = self.schedule.poll_timeout();
            if next > end || self.schedule.is_over(self.now) {
                self.now = end;
                return polls;
            }
            self.now = self.now.max(next);
            if let Some(poll) = self.schedule.handle_timeout(self.now) {
                polls.push((self.now / 1_000.0 * 10.0).round() / 10.0);
                let answer = answer(self.now);
                self.now += self.takes;
                self.answer(poll, &answer);
            }
        }
    }

    fn same(&mut self, ms: f64) -> Vec<f64> {
        self.run(ms, |_| Usage(50.0))
    }

    fn hide(&mut self, is_hidden: bool) {
        let at = self.at();
        self.schedule.set_hidden(is_hidden, at);
    }

    fn disconnect(&mut self, is_offline: bool) {
        let at = self.at();
        self.schedule.set_offline(is_offline, at);
    }
}

#[test]
fn the_first_who_listens_starts_it_and_the_next_poll_is_timed_from_the_end_of_the_last() {
    let mut world = World::new([pace()]);
    world.takes = 7_000.0;
    assert_eq!(world.same(3.0 * MINUTE), [0.0, 67.0, 134.0]);
}

#[test]
fn without_listeners_nothing_is_sent() {
    let mut world = World::new([]);
    assert_eq!(world.same(MINUTE), NONE);
    let mut world = World::new([]);
    let listener = world.schedule.listen(pace());
    world.schedule.leave(listener, world.now);
    assert_eq!(world.same(MINUTE), NONE);
}

#[test]
fn the_shortest_interval_wins_and_goes_with_who_wanted_it() {
    let mut world = World::new([pace()]);
    let quick = world.schedule.listen(every(10.0));
    assert_eq!(world.same(25_000.0), [0.0, 10.0, 20.0]);
    world.schedule.leave(quick, world.now);
    assert_eq!(world.same(60_000.0), [80.0]);
}

#[test]
fn gaps_vary_by_a_tenth() {
    for (random, second) in [(0.0, 54.0), (0.75, 63.0), (0.999_999_999, 66.0)] {
        let mut world = World::new([pace()]);
        world.random = random;
        assert_eq!(world.same(66_500.0), [0.0, second]);
    }
}

#[test]
fn the_gap_doubles_towards_the_idle_interval_while_nothing_changes() {
    let mut world = World::new([idling()]);
    assert_eq!(
        world.same(21.0 * MINUTE),
        [0.0, 60.0, 180.0, 420.0, 720.0, 1020.0]
    );
    let mut answers = [50.0, 50.0, 51.0, 51.0, 51.0].into_iter();
    let mut world = World::new([idling()]);
    let polls = world.run(8.0 * MINUTE, |_| Usage(answers.next().unwrap()));
    assert_eq!(polls, [0.0, 60.0, 180.0, 240.0, 360.0]);
}

#[test]
fn the_gap_does_not_double_from_the_first_threshold_on() {
    for percent in [80.0, 120.0] {
        let mut world = World::new([idling()]);
        let polls = world.run(3.0 * MINUTE, |_| Usage(percent));
        assert_eq!(polls, [0.0, 60.0, 120.0, 180.0]);
    }
}

#[test]
fn it_pauses_while_hidden_or_offline() {
    for pause in [World::hide, World::disconnect] {
        let mut world = World::new([every(5.0)]);
        world.same(7_000.0);
        pause(&mut world, true);
        assert_eq!(world.same(30_000.0), NONE);
        pause(&mut world, false);
        assert_eq!(world.same(4_000.0), [37.0]);
    }
}

#[test]
fn a_page_that_starts_hidden_sends_its_first_request_when_it_is_shown() {
    let mut world = World::new([pace()]);
    world.hide(true);
    assert_eq!(world.same(MINUTE), NONE);
    world.hide(false);
    assert_eq!(world.same(1.0), [60.0]);
}

#[test]
fn hidden_and_offline_must_both_end() {
    let mut world = World::new([every(5.0)]);
    world.same(1.0);
    world.hide(true);
    world.disconnect(true);
    world.same(30_000.0);
    world.hide(false);
    assert_eq!(world.same(10_000.0), NONE);
    world.disconnect(false);
    assert_eq!(world.same(1.0), [40.0]);
}

#[test]
fn who_wants_to_be_polled_hidden_is() {
    let slow = Pace {
        polls_hidden: true,
        ..every(20.0)
    };
    let mut world = World::new([every(5.0), slow]);
    world.hide(true);
    assert_eq!(world.same(45_000.0), [0.0, 20.0, 40.0]);
}

#[test]
fn a_return_refreshes_what_is_older_than_the_interval_or_30_s_whichever_is_less() {
    for (interval, away, polls) in [
        (5.0, 4_900.0, vec![]),
        (5.0, 5_000.0, vec![5.0]),
        (300.0, 29_900.0, vec![]),
        (300.0, 30_000.0, vec![30.0]),
    ] {
        let mut world = World::new([every(interval)]);
        world.same(0.0);
        world.hide(true);
        world.same(away);
        world.hide(false);
        assert_eq!(world.same(0.0), polls, "{interval} {away}");
    }
}

#[test]
fn a_return_to_an_error_asks_at_once_but_not_before_retry_at() {
    for (answer, polls) in [
        (Error("network_error"), vec![1.0]),
        (RetryAfter(20.0), vec![20.0]),
        (Error("permission_denied"), vec![]),
    ] {
        let mut world = World::new([pace()]);
        world.run(0.0, |_| answer);
        world.disconnect(true);
        assert_eq!(world.same(1_000.0), NONE);
        world.disconnect(false);
        assert_eq!(world.same(30_000.0), polls);
    }
}

#[test]
fn twenty_quick_toggles_send_one_request() {
    let mut world = World::new([every(5.0)]);
    world.takes = 300.0;
    world.same(0.0);
    world.hide(true);
    world.same(30_000.0);
    let mut polls = 0;
    for toggle in 0..20 {
        world.hide(toggle % 2 == 1);
        polls += world.same(100.0).len();
    }
    assert_eq!(polls, 1);
}

#[test]
fn a_machine_that_wakes_sends_one_request() {
    let mut world = World::new([pace()]);
    world.same(0.0);
    // Its timers were late,
    world.now += 8.0 * 60.0 * MINUTE;
    assert_eq!(world.same(50_000.0).len(), 1);
    // or its first clock stood still, and the network came back.
    world.disconnect(true);
    world.slept += 8.0 * 60.0 * MINUTE;
    world.disconnect(false);
    assert_eq!(world.same(50_000.0).len(), 1);
}

#[test]
fn what_no_other_request_would_mend_stops_it() {
    for code in [
        "authentication_error",
        "permission_denied",
        "config_error",
        "company_mismatch",
    ] {
        let mut world = World::new([pace()]);
        assert_eq!(world.run(60.0 * MINUTE, |_| Error(code)), [0.0]);
        assert_eq!(world.schedule.status(), Status::Stopped);
        world.hide(true);
        world.hide(false);
        world.schedule.listen(pace());
        assert_eq!(world.same(60.0 * MINUTE), NONE);
    }
}

#[test]
fn a_refresh_starts_what_was_stopped() {
    let mut world = World::new([pace()]);
    world.run(0.0, |_| Error("permission_denied"));
    let refresh = world.schedule.refresh();
    assert!(world.answer(refresh, &Usage(5.0)));
    assert_eq!(world.schedule.status(), Status::Ok);
    assert_eq!(world.same(MINUTE), [60.0]);
    // Unless it is refused as well.
    let refresh = world.schedule.refresh();
    world.answer(refresh, &Error("permission_denied"));
    assert_eq!(world.same(60.0 * MINUTE), NONE);
}

#[test]
fn a_poll_that_is_refused_after_the_refresh_was_sent_does_not_stop_it_for_long() {
    let mut world = World::new([pace()]);
    let poll = world.schedule.handle_timeout(0.0).unwrap();
    let refresh = world.schedule.refresh();
    assert!(world.answer(poll, &Error("permission_denied")));
    assert!(world.answer(refresh, &Usage(5.0)));
    assert_eq!(world.same(MINUTE), [60.0]);
}

#[test]
fn a_new_token_starts_what_was_stopped_and_changes_nothing_else() {
    let mut world = World::new([pace()]);
    world.run(5_000.0, |_| Error("authentication_error"));
    world.schedule.resume();
    assert_eq!(world.same(0.0), [5.0]);
    world.schedule.resume();
    assert_eq!(world.same(30_000.0), NONE);
}

#[test]
fn errors_double_the_gap_up_to_15_minutes_and_it_recovers() {
    let mut world = World::new([pace()]);
    let fails = |now: f64| {
        if now < 50.0 * MINUTE {
            Error("server_error")
        } else {
            Usage(5.0)
        }
    };
    let polls = world.run(64.0 * MINUTE, fails);
    let minutes: Vec<_> = polls.iter().map(|seconds| seconds / 60.0).collect();
    assert_eq!(
        minutes,
        [
            0.0, 2.0, 6.0, 14.0, 29.0, 44.0, 59.0, 60.0, 61.0, 62.0, 63.0, 64.0
        ]
    );
    assert_eq!(world.schedule.status(), Status::Ok);
}

#[test]
fn after_an_error_no_poll_is_sent_before_retry_at() {
    let mut world = World::new([every(5.0)]);
    let polls = world.run(401_000.0, |now| {
        if now == 0.0 {
            RetryAfter(400.0)
        } else {
            Usage(5.0)
        }
    });
    assert_eq!(polls, [0.0, 400.0]);
    let refresh = world.schedule.refresh();
    world.answer(refresh, &RetryAfter(100.0));
    world.hide(true);
    world.same(50_000.0);
    world.hide(false);
    assert_eq!(world.run(60_000.0, |_| Usage(5.0))[0], 501.0);
}

#[test]
fn who_refreshes_again_and_again_does_not_wait_longer() {
    let mut world = World::new([pace()]);
    world.same(0.0);
    for _ in 0..9 {
        let refresh = world.schedule.refresh();
        world.answer(refresh, &Error("network_error"));
    }
    assert_eq!(world.same(2.0 * MINUTE), [120.0]);
}

#[test]
fn an_older_answer_never_replaces_a_newer_one() {
    let mut world = World::new([pace()]);
    let poll = world.schedule.handle_timeout(0.0).unwrap();
    let refresh = world.schedule.refresh();
    assert!(world.answer(refresh, &Usage(5.0)));
    assert!(!world.answer(poll, &Error("permission_denied")));
    assert_eq!(world.schedule.status(), Status::Ok);
    let first = world.schedule.refresh();
    let second = world.schedule.refresh();
    assert!(world.answer(second, &Usage(6.0)));
    assert!(!world.answer(first, &Usage(5.0)));
}

#[test]
fn no_poll_is_sent_while_a_request_is_in_flight() {
    let mut world = World::new([every(5.0)]);
    world.same(0.0);
    let refresh = world.schedule.refresh();
    assert_eq!(world.same(20_000.0), NONE);
    world.answer(refresh, &Usage(5.0));
    assert_eq!(world.same(5_000.0), [25.0]);
}

#[test]
fn it_ends_a_second_after_the_last_left_and_moving_in_that_second_costs_nothing() {
    let mut world = World::new([]);
    let listener = world.schedule.listen(every(40.0));
    world.same(39_500.0);
    world.schedule.leave(listener, world.now);
    world.now += 900.0;
    let at = world.now;
    assert!(
        world.schedule.handle_timeout(at).is_none(),
        "nobody listens"
    );
    assert!(!world.schedule.is_over(at));
    let other = world.schedule.listen(every(40.0));
    assert_eq!(world.same(0.0), [40.4], "it was due meanwhile");
    world.schedule.leave(other, world.now);
    assert!(!world.schedule.is_over(world.now + 999.0));
    assert!(world.schedule.is_over(world.now + 1_000.0));
}
