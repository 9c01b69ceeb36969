//! Random lists of companies on a virtual clock, held against rules that are
//! kept apart from how [`Many`] decides them. `SCHEDULES=…` runs more of them,
//! `SEED=…` one of them, with a trace.

use std::io::Write;

use super::{
    super::simulation::{Random, TellSeed, number},
    Came, MOST_PAUSES, Many,
};

#[test]
fn random_lists_keep_every_rule() {
    if let Some(seed) = number("SEED") {
        World::new(seed, true).run();
        return;
    }
    for seed in 0..number("SCHEDULES").unwrap_or(20_000) {
        let _failed = TellSeed(seed);
        World::new(seed, false).run();
    }
}

/// What is known of a company, apart from `Many`.
#[derive(Default)]
struct Company {
    ids: usize,
    asked: u32,
    /// In which round it was asked last; the first is 0.
    round: u32,
    in_flight: bool,
    /// As whom it was asked last.
    identity: u32,
    /// Not to be asked before.
    not_before: f64,
    outcome: Option<Came>,
}

struct World {
    random: Random,
    traces: bool,
    now: f64,
    many: Many,
    most: usize,
    rounds: u32,
    companies: Vec<Company>,
    /// Ids of known companies since the last outcome.
    repeats: usize,
    /// How many ids the source has yet.
    source: usize,
    is_ended: bool,
    in_flight: Vec<usize>,
    /// Who is to be asked in this round: in the first one in this order.
    expected: Vec<usize>,
    again: Vec<usize>,
    round: u32,
    round_at: f64,
    allowed: usize,
    successes: usize,
    limited_at: f64,
    started_at: f64,
    paused_until: f64,
    /// Since the latest success.
    pauses: u32,
    identity: u32,
    is_given_up: bool,
    was_given_up: bool,
    /// How likely it is that a call succeeds, that a failure may pass, and that
    /// such a one is a 429.
    succeeds: f64,
    passes: f64,
    limits: f64,
    reports: Vec<f64>,
}

impl World {
    fn new(seed: u64, traces: bool) -> Self {
        let mut random = Random::new(seed);
        let most = random.one_of(&[1, 2, 3, 6, 8, 50]);
        let rounds = random.below(6) as u32;
        let now = random.unit() * 1e6;
        let source = random.one_of(&[0, 1, 2, 5, 20, 120]);
        let succeeds = random.one_of(&[0.0, 0.3, 0.8, 1.0]);
        let passes = random.one_of(&[0.0, 0.5, 1.0]);
        let limits = random.one_of(&[0.0, 0.1, 1.0]);
        Self {
            random,
            traces,
            now,
            many: Many::new(most, rounds, true, now),
            most,
            rounds,
            companies: Vec::new(),
            repeats: 0,
            source,
            is_ended: false,
            in_flight: Vec::new(),
            expected: Vec::new(),
            again: Vec::new(),
            round: 0,
            round_at: now,
            allowed: most,
            successes: 0,
            limited_at: f64::NEG_INFINITY,
            started_at: now,
            paused_until: now,
            pauses: 0,
            identity: 0,
            is_given_up: false,
            was_given_up: false,
            succeeds,
            passes,
            limits,
            reports: Vec::new(),
        }
    }

    fn run(mut self) {
        let mut steps = 0;
        while !self.many.is_over() {
            steps += 1;
            assert!(steps < 100_000, "it does not come to an end");
            self.fetch();
            self.begin();
            // Whoever is not asked makes room at once.
            while self.many.wants_id(0) {
                self.fetch();
                self.begin();
            }
            self.report();
            if self.many.is_over() {
                break;
            }
            self.let_something_happen();
        }
        self.report();
        self.check_end();
    }

    fn trace(&self, text: impl FnOnce() -> String) {
        if self.traces {
            let _ = writeln!(std::io::stderr(), "{:>12.1} {}", self.now, text());
        }
    }

    /// Ids come as they are wanted, never more than `most` ahead.
    fn fetch(&mut self) {
        while self.many.wants_id(0) {
            if self.source == 0 {
                self.trace(|| "no more ids".to_owned());
                self.is_ended = true;
                self.many.end(self.now);
                self.turn();
                assert!(!self.many.wants_id(0), "there are no more");
                return;
            }
            self.source -= 1;
            let is_duplicate = !self.companies.is_empty() && self.random.happens(0.2);
            if is_duplicate {
                let company = self.random.below(self.companies.len());
                self.companies[company].ids += 1;
                if let Some(came) = self.companies[company].outcome {
                    self.many.repeat(came != Came::Usage);
                    continue;
                }
                self.many.add(false);
                self.repeats += 1;
                let ahead = self.expected.len() + self.repeats;
                let is_fine = ahead <= self.most || self.in_flight.is_empty();
                assert!(is_fine, "too many ids ahead");
                continue;
            }
            self.many.add(true);
            self.expected.push(self.companies.len());
            self.companies.push(Company {
                ids: 1,
                ..Company::default()
            });
            assert!(self.expected.len() <= self.most, "too many ids ahead");
        }
        let unread = self.random.below(self.most + 1);
        if self.expected.len() + unread >= self.most {
            assert!(!self.many.wants_id(unread), "nobody reads");
        }
    }

    fn begin(&mut self) {
        let may_begin = self.now >= self.paused_until && self.now >= self.round_at;
        while let Some(company) = self.many.poll(self.now) {
            self.trace(|| format!("asks {company}"));
            let place = self.expected.iter().position(|of| *of == company);
            let place = place.expect("it is not its turn");
            self.expected.remove(place);
            let known = &mut self.companies[company];
            assert!(!known.in_flight, "it is asked already");
            known.identity = self.identity;
            if self.is_given_up {
                assert!(self.many.is_given_up());
                known.in_flight = true;
                self.in_flight.push(company);
                self.come_to(company, Came::Limited, f64::NAN);
                continue;
            }
            assert!(may_begin, "it is a pause, or too early for the round");
            assert!(self.round > 0 || place == 0, "out of turn");
            assert!(known.not_before <= self.now, "too early for the company");
            assert!(known.round < self.round || known.asked == 0, "twice");
            known.in_flight = true;
            known.asked += 1;
            known.round = self.round;
            self.in_flight.push(company);
            assert!(self.in_flight.len() <= self.allowed, "too many at once");
        }
        let is_full = self.in_flight.len() >= self.allowed;
        let is_held = !may_begin || is_full || self.next_at() > self.now;
        assert!(is_held, "somebody could be asked");
    }

    /// When the first of this round may be asked.
    fn next_at(&self) -> f64 {
        let times = self.expected.iter();
        times
            .map(|company| self.companies[*company].not_before)
            .fold(f64::INFINITY, f64::min)
    }

    /// What was told before binds nobody any more.
    fn change_identity(&mut self) {
        self.trace(|| "another identity".to_owned());
        self.many.change_identity(self.now);
        self.identity += 1;
        self.allowed = self.most;
        self.successes = 0;
        self.paused_until = self.now;
        self.limited_at = f64::NEG_INFINITY;
        self.pauses = 0;
        self.is_given_up = false;
        for company in &mut self.companies {
            company.not_before = self.now;
        }
    }

    fn let_something_happen(&mut self) {
        if self.random.happens(0.02) {
            self.now += self.random.unit() * 500.0;
            self.change_identity();
            return;
        }
        let timeout = self.many.poll_timeout();
        let is_stuck = self.in_flight.is_empty() && timeout.is_infinite();
        assert!(!is_stuck, "nothing will happen");
        if self.expected.is_empty() || self.in_flight.len() >= self.allowed {
            assert!(timeout.is_infinite() || self.many.has_news, "for nothing");
        } else {
            let begins_at = self.paused_until.max(self.round_at);
            assert!(timeout <= begins_at.max(self.next_at()), "too late");
            assert!(timeout == begins_at.max(self.next_at()) || self.many.has_news);
        }
        if self.in_flight.is_empty() || (timeout.is_finite() && self.random.happens(0.3)) {
            self.now = self.now.max(timeout);
            return;
        }
        self.now += self.random.unit() * self.random.one_of(&[0.0, 10.0, 500.0]);
        if self.random.happens(0.05) {
            self.limit();
            return;
        }
        let place = self.random.below(self.in_flight.len());
        let company = self.in_flight.remove(place);
        self.settle(company);
    }

    /// A 429 of the client, perhaps told late, or twice.
    fn limit(&mut self) {
        let at = self.now - self.random.one_of(&[0.0, 0.0, 5.0, 50_000.0]);
        let until = at + self.wait().max(0.0);
        self.many.handle_limit(at, until);
        self.many.handle_limit(at, until);
        self.expect_pause(at, until);
    }

    /// What a server may ask for.
    fn wait(&mut self) -> f64 {
        let waits = [f64::NAN, -5.0, 0.0, 300.0, 2_000.0, 45_000.0, 60_000.0];
        match self.random.below(10) {
            0 => 90_000.0,
            1 => f64::INFINITY,
            _ => self.random.one_of(&waits),
        }
    }

    fn expect_pause(&mut self, at: f64, until: f64) {
        self.trace(|| format!("429 at {at:.1} until {until:.1}"));
        let is_new = at >= self.started_at && at > self.limited_at;
        if is_new && at >= self.paused_until {
            self.allowed = 1.max(self.allowed / 2);
            self.successes = 0;
            self.pauses += 1;
        }
        if until - at <= 60_000.0 {
            self.paused_until = self.paused_until.max(until);
        }
        if is_new {
            self.limited_at = at;
            let doubled = 1_000.0 * 2_f64.powi(self.pauses.max(1) as i32 - 1);
            self.paused_until = self.paused_until.max(at + doubled.min(60_000.0));
        }
    }

    fn settle(&mut self, company: usize) {
        let came = match self.random.unit() {
            unit if unit < self.succeeds => Came::Usage,
            _ if !self.random.happens(self.passes) => Came::Failure,
            _ if self.random.happens(self.limits) => Came::Limited,
            _ => Came::Passing,
        };
        let wait = match came {
            Came::Passing | Came::Limited => self.wait(),
            Came::Usage | Came::Failure => f64::NAN,
        };
        self.come_to(company, came, wait);
    }

    fn come_to(&mut self, company: usize, came: Came, wait: f64) {
        self.trace(|| format!("{company} came to {came:?}, {wait} ms to wait"));
        self.in_flight.retain(|other| *other != company);
        self.repeats = 0;
        let ids = self.companies[company].ids;
        let is_over = self.many.settle(company, came, ids, wait, self.now);
        let is_own = self.companies[company].identity == self.identity;
        let wait = if is_own { wait } else { f64::NAN };
        if came == Came::Limited && is_own {
            self.expect_pause(self.now, self.now + wait);
            self.is_given_up |= self.pauses >= MOST_PAUSES;
            self.was_given_up |= self.is_given_up;
        }
        let known = &mut self.companies[company];
        known.in_flight = false;
        assert_eq!(known.outcome, None, "an outcome twice");
        let may_again = match came {
            Came::Usage | Came::Failure => false,
            _ if wait > 60_000.0 || self.is_given_up => false,
            Came::Passing => self.round < self.rounds,
            Came::Limited => self.rounds > 0,
        };
        assert_eq!(is_over, !may_again);
        if is_over {
            known.outcome = Some(came);
        } else {
            known.not_before = self.now + wait.max(0.0);
            self.again.push(company);
        }
        if came == Came::Usage && is_own {
            self.pauses = 0;
            self.successes += 1;
            if self.allowed < self.most && self.successes >= self.allowed {
                self.allowed += 1;
                self.successes = 0;
            }
        }
        self.turn();
    }

    fn turn(&mut self) {
        let is_through = self.is_ended && self.in_flight.is_empty() && self.expected.is_empty();
        if is_through && !self.again.is_empty() {
            let doubled = f64::from(2_u32.pow(self.round.min(self.rounds)));
            self.round_at = self.now + 2_000.0 * doubled;
            self.round += 1;
            self.expected = std::mem::take(&mut self.again);
        }
    }

    fn report(&mut self) {
        let over = |company: &&Company| company.outcome.is_some();
        let failed = |company: &&Company| over(company) && company.outcome != Some(Came::Usage);
        let ids = |is: &dyn Fn(&&Company) -> bool| -> usize {
            self.companies.iter().filter(is).map(|of| of.ids).sum()
        };
        assert_eq!(self.many.done(), ids(&over), "done");
        assert_eq!(self.many.failed(), ids(&failed), "failed");
        let tried = |company: &&Company| {
            let is_first = company.round == 0 && company.in_flight;
            company.asked > 0 && company.outcome.is_none() && !is_first
        };
        let again = self.companies.iter().filter(tried).count();
        assert_eq!(self.many.again(), again, "again");
        if self.many.reports(self.now) {
            if let Some(last) = self.reports.last()
                && !self.many.is_over()
            {
                assert!(self.now - last > 99.9, "too soon a report");
            }
            self.reports.push(self.now);
        }
        assert!(!self.many.reports(self.now), "nothing new");
    }

    fn check_end(&self) {
        for company in &self.companies {
            assert!(company.outcome.is_some(), "a company is lost");
            assert!(company.asked >= 1 || self.was_given_up);
            let is_limited = self.limits > 0.0 && self.rounds > 0;
            assert!(company.asked <= self.rounds + 1 || is_limited);
        }
        let ids: usize = self.companies.iter().map(|company| company.ids).sum();
        assert_eq!(self.many.done(), ids);
        assert_eq!(self.many.poll_timeout(), f64::INFINITY);
        assert_eq!(self.reports.last(), Some(&self.now), "the last report");
        let total = ids as f64;
        let left = self.many.eta_ms(total, self.now + 1.0);
        assert!(left == 0.0 || ids == 0, "{left} ms left");
    }
}
