//! Many companies: whom to ask next, how many at once, whom to ask again, and
//! what to tell of it. Like the [engine](super), it is told what happens and
//! asked what to do, and knows no clock. Its drivers are `client/many.rs` for
//! Rust and `pkg/src/many/run.ts` for the npm package; they know the ids, of
//! which each different one is a company with a number, from 0 on.
//!
//! - The first round asks everybody, with the retries that a call has. Those who
//!   failed in a way that may pass are asked again in the next one, when all
//!   others are through, with one attempt each: a server that is away for a
//!   while loses nobody. Nobody is asked before the time that the server named,
//!   and who would have to wait for more than a minute is not asked again.
//! - A 429 halves how many are asked at once, and pauses all. Those that come
//!   while the pause lasts are of calls that were made before it, and halve
//!   nothing. It speaks of the pace and not of the company, which is asked again
//!   after its last round, too.
//! - Pauses in which nobody succeeds grow longer. After [`MOST_PAUSES`] of them
//!   the run is given up: nobody is asked any more.
//! - No request is sent while the client is paused: calls have time limits, and a
//!   pause must not use them up.
//! - Limits that the server set for one identity do not apply to another: after a
//!   change, pauses and waits end, and the concurrency is as at the beginning. The
//!   wait before a round stays.

use std::mem::replace;

use super::pauses::LONGEST_WAIT_MS;

#[cfg(test)]
mod simulation;

/// Before the second round; doubled before each that follows.
const ROUND_MS: f64 = 2_000.0;
/// How long a 429 pauses at least; doubled with each in a row, up to a minute.
const PAUSE_MS: f64 = 1_000.0;
/// With so many in a row and no success between, the run is given up, at the
/// beginning of the last: after four to ten minutes.
const MOST_PAUSES: u32 = 10;
/// Between two reports.
const REPORT_MS: f64 = 100.0;

/// What a call came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    Usage,
    Failure,
    /// A failure that may pass.
    Passing,
    /// A 429 that may pass.
    Limited,
}

pub(crate) struct Many {
    /// Counts the client's identities.
    identity: u32,
    /// As which identity each company was asked last.
    asked_as: Vec<u32>,
    /// How many may be asked at once, at the most.
    most: usize,
    /// How many may be now.
    allowed: usize,
    /// How many succeeded since that changed.
    successes: usize,
    in_flight: usize,
    /// How many are known, and how many of them were asked in the first round.
    added: usize,
    first: usize,
    /// How many ids came since the last outcome that are of a known company.
    repeats: usize,
    /// Whether all are known.
    is_ended: bool,
    /// How many are left after this one.
    rounds: u32,
    /// Who is to be asked again, and not before when. Those of this round end at
    /// `this_round`, and those before `taken` were asked; behind them is the
    /// next round.
    again: Vec<(usize, f64)>,
    taken: usize,
    this_round: usize,
    round_at: f64,
    /// Before the next round.
    wait_ms: f64,
    paused_until: f64,
    /// When the latest 429 came.
    limited_at: f64,
    /// How many pauses there were since the latest success.
    pauses: u32,
    is_given_up: bool,
    started_at: f64,
    /// Ids that have their outcome, and how many of these are failures.
    done: usize,
    failed: usize,
    /// When there was a report; infinite where nobody listens.
    reported_at: f64,
    /// Whether there is something to report.
    has_news: bool,
}

impl Many {
    /// `listens`: whether anybody wants reports.
    pub fn new(concurrency: usize, rounds: u32, listens: bool, now: f64) -> Self {
        Self {
            identity: 0,
            asked_as: Vec::new(),
            most: concurrency,
            allowed: concurrency,
            successes: 0,
            in_flight: 0,
            added: 0,
            first: 0,
            repeats: 0,
            is_ended: false,
            rounds,
            again: Vec::new(),
            taken: 0,
            this_round: 0,
            round_at: now,
            wait_ms: ROUND_MS,
            paused_until: now,
            limited_at: f64::NEG_INFINITY,
            pauses: 0,
            is_given_up: false,
            started_at: now,
            done: 0,
            failed: 0,
            reported_at: if listens { now } else { f64::INFINITY },
            has_news: false,
        }
    }

    /// Whether another id is to be fetched, where `unread` outcomes wait for a
    /// reader.
    pub fn wants_id(&self, unread: usize) -> bool {
        // Repeats wait for what is in flight, or for the next round, which needs all ids.
        let repeats = if self.in_flight > 0 { self.repeats } else { 0 };
        !self.is_ended && self.added - self.first + repeats + unread < self.most
    }

    /// There is another id: of another company, or of one that has no outcome
    /// yet.
    pub fn add(&mut self, is_other: bool) {
        if is_other {
            self.added += 1;
        } else {
            self.repeats += 1;
        }
    }

    /// There are no more.
    pub fn end(&mut self, now: f64) {
        self.is_ended = true;
        self.has_news = true;
        self.turn(now);
    }

    /// The company to ask now; then [`settle`](Self::settle). Once the run [is
    /// given up](Self::is_given_up), each company that is left comes out here: it
    /// is settled with the last 429, without a request.
    pub fn poll(&mut self, now: f64) -> Option<usize> {
        let is_held = self.in_flight >= self.allowed || now < self.begins_at();
        if is_held && !self.is_given_up {
            return None;
        }
        let company = if self.first < self.added {
            self.first += 1;
            self.asked_as.push(self.identity);
            self.first - 1
        } else {
            let (place, at) = self.next_again(now)?;
            if now < at && !self.is_given_up {
                return None;
            }
            let first = *self.again.get(self.taken)?;
            let (company, _) = replace(self.again.get_mut(place)?, first);
            self.taken += 1;
            *self.asked_as.get_mut(company)? = self.identity;
            company
        };
        self.in_flight += 1;
        Some(company)
    }

    /// Where in this round somebody is who may be asked by then, or else who may
    /// be first, and when.
    fn next_again(&self, by: f64) -> Option<(usize, f64)> {
        let mut next: Option<(usize, f64)> = None;
        let places = self.again.iter().enumerate();
        for (place, (_, at)) in places.take(self.this_round).skip(self.taken) {
            if next.is_none_or(|(_, first)| *at < first) {
                next = Some((place, *at));
            }
            if *at <= by {
                break;
            }
        }
        next
    }

    /// What a company's call came to, for which `ids` ids wait, and how long the
    /// server asked to wait; NaN where it did not. Whether that is their outcome:
    /// otherwise the company is asked again.
    pub fn settle(&mut self, company: usize, came: Came, ids: usize, wait: f64, now: f64) -> bool {
        self.in_flight -= 1;
        self.repeats = 0;
        self.has_news = true;
        let is_own = self.asked_as.get(company) == Some(&self.identity);
        let wait = if is_own { wait } else { f64::NAN };
        match came {
            Came::Usage if is_own => self.grow(),
            Came::Limited if is_own => {
                self.handle_limit(now, now + wait);
                self.is_given_up |= self.pauses >= MOST_PAUSES;
            }
            _ => {}
        }
        // A 429 is followed by a round after the last one, too, where there are any.
        let has_round = self.rounds > 0 || came == Came::Limited && self.this_round > 0;
        let may_pass = matches!(came, Came::Passing | Came::Limited) && !is_long(wait);
        let is_over = !may_pass || !has_round || self.is_given_up;
        if is_over {
            self.count(ids, came != Came::Usage);
        } else {
            self.again.push((company, (now + wait).max(now)));
        }
        self.turn(now);
        is_over
    }

    /// The client is another identity's from now on.
    pub fn change_identity(&mut self, now: f64) {
        self.identity += 1;
        self.allowed = self.most;
        self.successes = 0;
        self.paused_until = now;
        self.limited_at = f64::NEG_INFINITY;
        self.pauses = 0;
        self.is_given_up = false;
        for (_, at) in &mut self.again {
            *at = now;
        }
    }

    /// Whether nobody is asked any more.
    pub fn is_given_up(&self) -> bool {
        self.is_given_up
    }

    /// An id is of a company that has its outcome already.
    pub fn repeat(&mut self, is_failure: bool) {
        self.count(1, is_failure);
    }

    fn count(&mut self, ids: usize, is_failure: bool) {
        self.has_news = true;
        self.done += ids;
        if is_failure {
            self.failed += ids;
        }
    }

    /// One more at once for as many successes as there may be in flight.
    fn grow(&mut self) {
        self.pauses = 0;
        self.successes += 1;
        if self.successes >= self.allowed && self.allowed < self.most {
            self.allowed += 1;
            self.successes = 0;
        }
    }

    /// The latest 429 came at `at`, and asked to wait until then; NaN where it
    /// did not say. Of one from before the run only the rest of its pause counts.
    pub fn handle_limit(&mut self, at: f64, until: f64) {
        let is_new = at >= self.started_at && at > self.limited_at;
        if is_new && at >= self.paused_until {
            self.allowed = (self.allowed / 2).max(1);
            self.successes = 0;
            self.pauses += 1;
        }
        // As for a client's pauses, a longer wait is none.
        if !is_long(until - at) {
            self.paused_until = self.paused_until.max(until);
        }
        if is_new {
            self.limited_at = at;
            let doubled = PAUSE_MS * f64::from(1_u32 << self.pauses.clamp(1, 7)) / 2.0;
            self.paused_until = self.paused_until.max(at + doubled.min(LONGEST_WAIT_MS));
        }
    }

    /// The next round comes when all of this one are through.
    fn turn(&mut self, now: f64) {
        if self.is_idle() && self.taken < self.again.len() {
            self.round_at = now + self.wait_ms;
            self.this_round = self.again.len();
            if self.rounds > 0 {
                self.wait_ms *= 2.0;
                self.rounds -= 1;
            }
        }
    }

    /// Whether nobody of this round is left.
    fn is_idle(&self) -> bool {
        self.is_ended && self.in_flight == 0 && !self.is_anybody_left()
    }

    /// Whether somebody of this round is to be asked yet.
    fn is_anybody_left(&self) -> bool {
        self.first < self.added || self.taken < self.this_round
    }

    /// Whether all have their outcome.
    pub fn is_over(&self) -> bool {
        self.is_idle() && self.taken == self.again.len()
    }

    fn begins_at(&self) -> f64 {
        self.round_at.max(self.paused_until)
    }

    /// When to [`poll`](Self::poll) again, or to look for a report, if nothing
    /// happens before; infinite for never.
    pub fn poll_timeout(&self) -> f64 {
        let begins_at = if self.in_flight >= self.allowed {
            f64::INFINITY
        } else if self.first < self.added {
            self.begins_at()
        } else {
            let next = self.next_again(self.begins_at());
            next.map_or(f64::INFINITY, |(_, at)| at.max(self.begins_at()))
        };
        begins_at.min(self.reports_at())
    }

    fn reports_at(&self) -> f64 {
        if self.has_news {
            self.reported_at + REPORT_MS
        } else {
            f64::INFINITY
        }
    }

    /// Whether there is to be a report now: at most ten a second, and one at the
    /// end.
    #[cfg(any(feature = "npm", test))]
    pub fn reports(&mut self, now: f64) -> bool {
        let is_last = self.is_over() && self.has_news && self.reported_at.is_finite();
        let is_due = is_last || now >= self.reports_at();
        if is_due {
            self.reported_at = now;
            self.has_news = false;
        }
        is_due
    }

    /// How many ids have their outcome.
    pub fn done(&self) -> usize {
        self.done
    }

    /// How many of them are failures.
    pub fn failed(&self) -> usize {
        self.failed
    }

    /// How many companies have failed and are asked again.
    pub fn again(&self) -> usize {
        let asked = if self.this_round == 0 {
            0
        } else {
            self.in_flight
        };
        self.again.len() - self.taken + asked
    }

    /// Outcomes a second, since the start.
    pub fn rate_per_second(&self, now: f64) -> f64 {
        let seconds = (now - self.started_at) / 1e3;
        if seconds > 0.0 {
            self.done as f64 / seconds
        } else {
            0.0
        }
    }

    /// In how many milliseconds all of `total` ids have their outcome, as it
    /// went until now; not finite where nobody knows.
    pub fn eta_ms(&self, total: f64, now: f64) -> f64 {
        (total - self.done as f64) / self.rate_per_second(now) * 1e3
    }
}

/// How long the server asked to wait, in milliseconds from now on: `asked` from
/// its reply on, which may have been a while ago, NaN where it did not; and
/// `left` until asking again is useful, which may be for the client's own pace.
pub(crate) fn asked_wait(asked: f64, left: f64) -> f64 {
    if left < asked { left } else { asked }
}

/// Whether that is longer than anybody waits.
fn is_long(wait: f64) -> bool {
    wait > LONGEST_WAIT_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_one_company() -> Many {
        let mut many = Many::new(6, 1, false, 1_000.0);
        many.add(true);
        many
    }

    #[test]
    fn a_429_pauses_for_a_second_unless_it_says_for_how_long_up_to_a_minute() {
        for (wait_ms, pause_ms) in [
            (f64::NAN, PAUSE_MS),
            (0.0, PAUSE_MS),
            (1_500.0, 1_500.0),
            (LONGEST_WAIT_MS, LONGEST_WAIT_MS),
            (90_000.0, PAUSE_MS),
            (f64::INFINITY, PAUSE_MS),
        ] {
            let mut many = with_one_company();
            many.handle_limit(1_007.0, 1_007.0 + wait_ms);
            assert_eq!(many.poll_timeout(), 1_007.0 + pause_ms, "{wait_ms}");
        }
    }

    #[test]
    fn a_pause_from_before_is_waited_out_and_halves_nothing() {
        let mut many = with_one_company();
        many.handle_limit(900.0, 45_900.0);
        assert_eq!(many.poll(1_000.0), None);
        assert_eq!((many.poll_timeout(), many.allowed), (45_900.0, 6));
        assert_eq!(many.poll(45_900.0), Some(0));
    }

    #[test]
    fn what_one_identity_was_told_binds_no_other() {
        let mut many = with_one_company();
        many.add(true);
        assert_eq!((many.poll(1_000.0), many.poll(1_000.0)), (Some(0), Some(1)));
        many.settle(0, Came::Limited, 1, 50_000.0, 1_010.0);
        many.add(true);
        assert_eq!(many.poll(1_020.0), None);
        many.change_identity(1_020.0);
        assert_eq!((many.poll_timeout(), many.allowed), (1_020.0, 6));
        // It was asked as the one before.
        many.settle(1, Came::Limited, 1, 50_000.0, 1_030.0);
        assert_eq!(many.poll(1_030.0), Some(2));
        many.settle(2, Came::Usage, 1, f64::NAN, 1_040.0);
        many.end(1_040.0);
        assert_eq!(many.poll_timeout(), 1_040.0 + ROUND_MS);
        assert_eq!(many.poll(1_040.0 + ROUND_MS), Some(0));
        assert_eq!(many.poll(1_040.0 + ROUND_MS), Some(1));
    }

    #[test]
    fn pauses_without_a_success_double_up_to_a_minute_and_ten_are_the_most() {
        let mut many = with_one_company();
        let mut now = 1_000.0;
        let mut pauses = Vec::new();
        while !many.is_given_up() {
            many.add(true);
            assert!(many.poll(now).is_some());
            many.settle(0, Came::Limited, 1, f64::NAN, now);
            pauses.push((many.paused_until - now) / 1e3);
            now = many.paused_until;
        }
        assert_eq!(
            pauses,
            [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0, 60.0]
        );
    }

    #[test]
    fn what_the_server_asked_for_counts_from_its_reply_on() {
        assert_eq!(asked_wait(45_000.0, 20_000.0), 20_000.0);
        assert_eq!(asked_wait(2_000.0, 20_000.0), 2_000.0, "the client's pace");
        assert_eq!(asked_wait(2_000.0, f64::NAN), 2_000.0);
        assert!(asked_wait(f64::NAN, 20_000.0).is_nan());
    }
}
