//! Random schedules of everything that can happen to a poll, and what must hold
//! of it whatever happens. `SCHEDULES=…` runs more of them, `SEED=…` one, with a
//! trace.

use std::{collections::BTreeMap, io::Write};

use super::{
    super::{
        Id, Moment,
        simulation::{Random, TellSeed, number},
    },
    Figures, Pace, Schedule, Status,
};

const WALL: f64 = 1_700_000_000_000.0;
const LINGER: f64 = 1_000.0;

#[derive(Debug)]
enum Act {
    Listen,
    Leave,
    Hide(bool),
    Disconnect(bool),
    Refresh,
    /// Of the same identity.
    Token,
    Answer(Id),
    Sleep(f64),
}

struct World {
    random: Random,
    is_traced: bool,
    schedule: Schedule,
    now: f64,
    slept: f64,
    todo: BTreeMap<(u64, u64), Act>,
    planned: u64,
    failing: f64,
    listeners: Vec<(Id, Pace)>,
    is_hidden: bool,
    is_offline: bool,
    is_stopped: bool,
    /// The requests in flight, and whether they are polls.
    flights: BTreeMap<Id, bool>,
    /// The newest request that has ended.
    newest: Id,
    /// When the last one ended, by both clocks.
    ended: f64,
    ended_wall: f64,
    /// Whether the newest failed.
    has_failed: bool,
    /// No poll before that.
    retry_at: f64,
    /// Whether a poll may come however short the gap: after a start, a return or
    /// a new token.
    may_hurry: bool,
    /// Whether it has to: after a return to an error or to an old answer.
    must_hurry: bool,
    unused_since: f64,
    polls: usize,
    refreshes: usize,
    settled: usize,
}

impl World {
    fn new(seed: u64, is_traced: bool) -> Self {
        let mut random = Random::new(seed);
        let failing = random.one_of(&[0.0, 0.2, 0.9]);
        let mut world = Self {
            random,
            is_traced,
            schedule: Schedule::new(0.0),
            now: 0.0,
            slept: 0.0,
            todo: BTreeMap::new(),
            planned: 0,
            failing,
            listeners: Vec::new(),
            is_hidden: false,
            is_offline: false,
            is_stopped: false,
            flights: BTreeMap::new(),
            newest: 0,
            ended: f64::NEG_INFINITY,
            ended_wall: f64::NEG_INFINITY,
            has_failed: false,
            retry_at: f64::NEG_INFINITY,
            may_hurry: true,
            must_hurry: true,
            unused_since: 0.0,
            polls: 0,
            refreshes: 0,
            settled: 0,
        };
        world.plan(0.0, Act::Listen);
        let span = world.random.one_of(&[2_000.0, 60_000.0, 3_600_000.0]);
        for _ in 0..world.random.below(20) {
            let act = match world.random.below(14) {
                0..4 => Act::Listen,
                4..6 => Act::Leave,
                6 => Act::Hide(true),
                7 => Act::Hide(false),
                8 => Act::Disconnect(true),
                9 => Act::Disconnect(false),
                10 | 11 => Act::Refresh,
                12 => Act::Token,
                _ => Act::Sleep(world.random.unit() * 7_200_000.0),
            };
            let after = world.random.unit() * span;
            world.plan(after, act);
        }
        world
    }

    fn plan(&mut self, after: f64, act: Act) {
        self.planned += 1;
        let at = self.now + after;
        self.todo.insert((at.to_bits(), self.planned), act);
    }

    fn at(&mut self) -> Moment {
        Moment {
            now: self.now,
            wall: WALL + self.now + self.slept,
            random: self.random.unit(),
        }
    }

    /// How many polls and refreshes there were.
    fn run(mut self) -> [usize; 2] {
        for _ in 0..300 {
            let due = self.schedule.poll_timeout();
            let first = self.todo.first_key_value();
            let first = first.map_or(f64::INFINITY, |((at, _), _)| f64::from_bits(*at));
            if first.min(due) == f64::INFINITY {
                break;
            }
            if first <= due {
                self.now = self.now.max(first);
                let act = self.todo.pop_first().expect("it was looked at").1;
                self.act(act);
            } else {
                // Timers can be late, and more so where a page is throttled.
                self.now = self.now.max(due) + self.random.one_of(&[0.0, 0.0, 30.0, 3_000.0]);
                if self.schedule.is_over(self.now) {
                    let mut flights = self.flights.values();
                    assert!(self.listeners.is_empty() && flights.all(|is_poll| *is_poll));
                    assert!(self.now >= self.unused_since + LINGER);
                    break;
                }
                self.timeout();
            }
            self.check();
        }
        // Whatever is in flight comes to its end.
        while let Some((_, act)) = self.todo.pop_first() {
            if let Act::Answer(_) = act {
                self.act(act);
            }
        }
        assert_eq!(self.settled, self.refreshes, "every refresh settles");
        [self.polls, self.refreshes]
    }

    fn act(&mut self, act: Act) {
        if self.is_traced {
            println!("{:>12.1} {act:?}", self.now);
        }
        let at = self.at();
        match act {
            Act::Listen => {
                let interval = self.random.one_of(&[5_000.0, 30_000.0, 60_000.0]);
                let pace = Pace {
                    interval,
                    idle_interval: interval * self.random.one_of(&[1.0, 5.0]),
                    polls_hidden: self.random.happens(0.2),
                    lowest_threshold: self.random.one_of(&[0.5, 0.8, f64::INFINITY]),
                };
                self.listeners.push((self.schedule.listen(pace), pace));
            }
            Act::Leave if self.listeners.is_empty() => {}
            Act::Leave => {
                let place = self.random.below(self.listeners.len());
                let (id, _) = self.listeners.swap_remove(place);
                self.schedule.leave(id, self.now);
                self.unused_since = self.now;
            }
            Act::Hide(is_hidden) => {
                if self.is_hidden && !is_hidden {
                    self.come_back(at);
                }
                self.is_hidden = is_hidden;
                self.schedule.set_hidden(is_hidden, at);
            }
            Act::Disconnect(is_offline) => {
                if self.is_offline && !is_offline {
                    self.come_back(at);
                }
                self.is_offline = is_offline;
                self.schedule.set_offline(is_offline, at);
            }
            Act::Refresh => {
                let id = self.schedule.refresh();
                self.refreshes += 1;
                self.is_stopped = false;
                self.sent(id, false);
            }
            Act::Token => {
                self.schedule.resume();
                self.may_hurry |= self.is_stopped;
                self.is_stopped = false;
            }
            Act::Sleep(ms) => self.slept += ms,
            Act::Answer(id) => self.answer(id, at),
        }
    }

    fn come_back(&mut self, at: Moment) {
        self.may_hurry = true;
        let intervals = self.listeners.iter().map(|(_, pace)| pace.interval);
        let shortest = intervals.fold(30_000.0, f64::min);
        let age = (at.now - self.ended).max(at.wall - self.ended_wall);
        self.must_hurry |= self.has_failed || age >= shortest;
    }

    fn sent(&mut self, id: Id, is_poll: bool) {
        let most = self.random.one_of(&[10.0, 2_000.0, 40_000.0]);
        let after = self.random.unit() * most;
        self.plan(after, Act::Answer(id));
        let known = self.flights.insert(id, is_poll);
        assert!(known.is_none(), "each request has a number of its own");
    }

    fn answer(&mut self, id: Id, at: Moment) {
        let is_poll = self.flights.remove(&id).expect("each is answered once");
        let before = self.schedule.status();
        let (counts, status, retry_at) = if self.random.happens(self.failing) {
            let code = self.random.one_of(&[
                "server_error",
                "network_error",
                "rate_limited",
                "permission_denied",
            ]);
            let status = match code {
                "permission_denied" => Status::Stopped,
                _ => Status::Error,
            };
            let wait = self.random.one_of(&[f64::NAN, -5.0, 90_000.0]);
            let counts = self.schedule.handle_error(id, code, at.wall + wait, at);
            (counts, status, self.now + wait.max(0.0))
        } else {
            let used = self.random.one_of(&[10.0, 10.0, 60.0, 100.0]);
            let figures = Figures {
                used,
                limit: 100.0,
                is_within_budget: used < 100.0,
                window_days: 30.0,
            };
            let counts = self.schedule.handle_usage(id, figures, at);
            (counts, Status::Ok, f64::NEG_INFINITY)
        };
        assert_eq!(counts, id > self.newest, "the newest answer counts");
        assert_eq!(
            self.schedule.status(),
            if counts { status } else { before },
            "what does not count changes nothing"
        );
        if counts {
            self.newest = id;
            self.retry_at = retry_at;
            self.is_stopped = status == Status::Stopped;
            self.has_failed = status != Status::Ok;
        }
        if !is_poll {
            self.settled += 1;
            self.unused_since = self.now;
        }
        (self.ended, self.ended_wall) = (at.now, at.wall);
        self.may_hurry = false;
        self.must_hurry = false;
    }

    fn timeout(&mut self) {
        let Some(id) = self.schedule.handle_timeout(self.now) else {
            return;
        };
        if self.is_traced {
            println!("{:>12.1} poll {id}", self.now);
        }
        let is_heard = |(_, pace): &&(Id, Pace)| !self.is_hidden || pace.polls_hidden;
        let heard = self.listeners.iter().filter(is_heard);
        let shortest = heard.fold(f64::INFINITY, |least, (_, pace)| least.min(pace.interval));
        assert!(shortest.is_finite(), "nobody who is shown listens");
        assert!(!self.is_offline && !self.is_stopped);
        assert!(self.flights.is_empty(), "one request at a time");
        assert!(self.now >= self.retry_at, "never before retryAt");
        let gap = self.now - self.ended;
        // Sums of times are rounded.
        assert!(self.may_hurry || gap >= shortest * 0.9 - 1e-3, "{gap} ms");
        self.polls += 1;
        self.sent(id, true);
    }

    /// Whoever listens and is shown has a poll in flight or to come.
    fn check(&self) {
        let is_shown = !self.listeners.is_empty() && !self.is_hidden && !self.is_offline;
        if is_shown && !self.is_stopped && self.flights.is_empty() {
            let gap = self.schedule.poll_timeout() - self.now;
            assert!(gap < 900_000.1, "{gap} ms to the next poll");
            let wait = (self.retry_at - self.now).max(0.0);
            // Sums of times are rounded.
            let is_soon = !self.must_hurry || gap <= wait + 1e-3;
            assert!(is_soon, "{gap} ms to the poll after a return");
        }
    }
}

#[test]
fn random_polls_keep_every_rule() {
    if let Some(seed) = number("SEED") {
        World::new(seed, true).run();
        return;
    }
    let schedules = number("SCHEDULES").unwrap_or(50_000);
    let [mut polls, mut refreshes] = [0; 2];
    for seed in 0..schedules {
        let failed = TellSeed(seed);
        let [more_polls, more_refreshes] = World::new(seed, false).run();
        drop(failed);
        polls += more_polls;
        refreshes += more_refreshes;
    }
    assert!(polls > schedules as usize && refreshes > 0);
    // The test runner keeps what `println!` writes to itself.
    let _ = writeln!(
        std::io::stderr(),
        "watch: {schedules} schedules, {polls} polls, {refreshes} refreshes"
    );
}
