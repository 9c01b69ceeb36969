//! When a usage that is watched is asked for: one poll for all who listen.
//!
//! Times are milliseconds. The gap to the next poll runs from the end of the
//! last request, and is no state: it follows from who listens and from what the
//! last answers were.

use super::{
    super::{Id, Moment},
    Figures,
};

/// A gap varies by so much, up and down: not all the world asks at once.
const JITTER: f64 = 0.1;
/// A gap after errors does not grow beyond this.
const LONGEST_AFTER_ERRORS: f64 = 900_000.0;
/// Who returns gets a new answer where the last request failed, or ended longer
/// ago than this or than the interval.
const STALE: f64 = 30_000.0;
/// For so long a poll outlives who listened last: another may be on its way.
const LINGER: f64 = 1_000.0;

/// How somebody who listens wants to be kept up to date.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub interval: f64,
    /// The longest gap: it grows up to this while nothing changes.
    pub idle_interval: f64,
    pub polls_hidden: bool,
    /// The share from which on the gap does not grow; infinite for none.
    pub lowest_threshold: f64,
}

/// How the last request for a usage that is watched went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// No answer yet.
    Pending,
    /// It brought a usage.
    Ok,
    /// It failed, and another follows.
    Error,
    /// It failed so that no other would go better.
    Stopped,
}

/// The poll of a client and a company, for as long as the identity stays the
/// same: another one gets a schedule of its own.
pub(crate) struct Schedule {
    listeners: Vec<(Id, Pace)>,
    last_id: Id,
    status: Status,
    /// Whether polls are given up until a refresh or a new token.
    is_stopped: bool,
    is_hidden: bool,
    is_offline: bool,
    /// Whether the next poll is due at once, whatever the gap.
    is_due: bool,
    /// The poll in flight; 0 for none.
    polling: Id,
    refreshing: usize,
    /// The request whose outcome counts: that of an older one does not.
    newest: Id,
    /// When the last request ended, by both clocks; NaN for none.
    ended: f64,
    ended_wall: f64,
    /// The random part of the interval.
    swing: f64,
    /// No poll before that.
    not_before: f64,
    last: Option<Figures>,
    /// How many polls in a row told the same as the answer before.
    unchanged: u32,
    /// How many failed in a row.
    failures: u32,
    /// Since when nobody listens and nothing is refreshed.
    unused_since: f64,
}

impl Schedule {
    pub fn new(now: f64) -> Self {
        Self {
            listeners: Vec::new(),
            last_id: 0,
            status: Status::Pending,
            is_stopped: false,
            is_hidden: false,
            is_offline: false,
            is_due: true,
            polling: 0,
            refreshing: 0,
            newest: 0,
            ended: f64::NAN,
            ended_wall: f64::NAN,
            swing: 1.0,
            not_before: f64::NEG_INFINITY,
            last: None,
            unchanged: 0,
            failures: 0,
            unused_since: now,
        }
    }

    pub fn status(&self) -> Status {
        self.status
    }

    /// Whether the page is hidden.
    pub fn is_hidden(&self) -> bool {
        self.is_hidden
    }

    /// Whether nobody has been at it for a while: it is to be dropped, and a
    /// poll in flight given up.
    pub fn is_over(&self, now: f64) -> bool {
        now >= self.over_at()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called;
    /// infinite for never.
    pub fn poll_timeout(&self) -> f64 {
        self.due().min(self.over_at())
    }

    /// Somebody listens; gives the number to [leave](Self::leave) with.
    pub fn listen(&mut self, pace: Pace) -> Id {
        let id = self.next_id();
        self.listeners.push((id, pace));
        id
    }

    #[cfg(any(feature = "npm", test))]
    pub fn leave(&mut self, listener: Id, now: f64) {
        let mut listeners = self.listeners.iter();
        if let Some(place) = listeners.position(|(id, _)| *id == listener) {
            self.listeners.swap_remove(place);
            self.unused_since = now;
        }
    }

    /// The page was hidden or shown.
    pub fn set_hidden(&mut self, is_hidden: bool, at: Moment) {
        if self.is_hidden && !is_hidden {
            self.come_back(at);
        }
        self.is_hidden = is_hidden;
    }

    /// The network has gone, or is there again.
    #[cfg(any(feature = "npm", test))]
    pub fn set_offline(&mut self, is_offline: bool, at: Moment) {
        if self.is_offline && !is_offline {
            self.come_back(at);
        }
        self.is_offline = is_offline;
    }

    /// Another token of the same identity is sent from now on.
    pub fn resume(&mut self) {
        self.is_due |= self.is_stopped;
        self.is_stopped = false;
    }

    /// A request is sent because somebody wants to know now.
    pub fn refresh(&mut self) -> Id {
        self.is_stopped = false;
        self.refreshing += 1;
        self.next_id()
    }

    /// Time has passed. Gives the number of a poll that is to be sent.
    pub fn handle_timeout(&mut self, now: f64) -> Option<Id> {
        if self.due() > now {
            return None;
        }
        self.polling = self.next_id();
        Some(self.polling)
    }

    /// A request has brought a usage. Gives whether it counts.
    pub fn handle_usage(&mut self, request: Id, figures: Figures, at: Moment) -> bool {
        let is_poll = request == self.polling;
        if !self.end(request, at) {
            return false;
        }
        if self.last != Some(figures) {
            self.unchanged = 0;
        } else if is_poll {
            self.unchanged = self.unchanged.saturating_add(1);
        }
        self.last = Some(figures);
        // A poll may have been refused after the refresh was sent.
        self.is_stopped = false;
        self.failures = 0;
        self.not_before = f64::NEG_INFINITY;
        self.status = Status::Ok;
        true
    }

    /// A request has failed. `retry_at`: before which asking again is of no
    /// use, in milliseconds since 1970; NaN where that is not known. Gives
    /// whether it counts.
    pub fn handle_error(&mut self, request: Id, code: &str, retry_at: f64, at: Moment) -> bool {
        let is_poll = request == self.polling;
        if !self.end(request, at) {
            return false;
        }
        self.is_stopped = matches!(
            code,
            "authentication_error" | "permission_denied" | "config_error" | "company_mismatch"
        );
        // Somebody who tries again and again is no reason to wait longer.
        self.failures = if is_poll {
            self.failures.saturating_add(1)
        } else {
            self.failures.max(1)
        };
        let wait = (retry_at - at.wall).max(0.0);
        self.not_before = at.now + wait;
        self.status = if self.is_stopped {
            Status::Stopped
        } else {
            Status::Error
        };
        true
    }

    /// Whether the outcome of this request counts.
    fn end(&mut self, request: Id, at: Moment) -> bool {
        if request == self.polling {
            self.polling = 0;
        } else {
            self.refreshing = self.refreshing.saturating_sub(1);
            self.unused_since = at.now;
        }
        self.is_due = false;
        (self.ended, self.ended_wall) = (at.now, at.wall);
        let random = if (0.0..1.0).contains(&at.random) {
            at.random
        } else {
            0.5
        };
        self.swing = 1.0 + JITTER * (2.0 * random - 1.0);
        let counts = request > self.newest;
        self.newest = self.newest.max(request);
        counts
    }

    /// What kept polls back does not any more.
    fn come_back(&mut self, at: Moment) {
        let mut shortest = STALE;
        for (_, pace) in &self.listeners {
            shortest = shortest.min(pace.interval);
        }
        // A machine that slept may not count the time by its first clock.
        let age = (at.now - self.ended).max(at.wall - self.ended_wall);
        self.is_due |= self.failures > 0 || age >= shortest;
    }

    /// When the next poll is to be sent.
    fn due(&self) -> f64 {
        if self.is_stopped || self.is_offline || self.polling != 0 || self.refreshing > 0 {
            return f64::INFINITY;
        }
        let mut due = f64::INFINITY;
        for (_, pace) in &self.listeners {
            if self.is_hidden && !pace.polls_hidden {
                continue;
            }
            due = due.min(if self.is_due {
                f64::NEG_INFINITY
            } else {
                self.ended + self.gap(pace)
            });
        }
        due.max(self.not_before)
    }

    fn gap(&self, pace: &Pace) -> f64 {
        let gap = pace.interval * self.swing;
        if self.failures > 0 {
            doubled(gap, self.failures, LONGEST_AFTER_ERRORS)
        } else if self.is_below(pace.lowest_threshold) {
            doubled(gap, self.unchanged, pace.idle_interval * self.swing)
        } else {
            gap
        }
    }

    fn is_below(&self, threshold: f64) -> bool {
        self.last.is_some_and(|last| last.reach() < threshold)
    }

    fn over_at(&self) -> f64 {
        if self.listeners.is_empty() && self.refreshing == 0 {
            self.unused_since + LINGER
        } else {
            f64::INFINITY
        }
    }

    fn next_id(&mut self) -> Id {
        self.last_id += 1;
        self.last_id
    }
}

/// As often as `times` says, but not beyond `most`.
fn doubled(gap: f64, times: u32, most: f64) -> f64 {
    let mut longer = gap;
    for _ in 0..times {
        if longer >= most {
            break;
        }
        longer *= 2.0;
    }
    longer.min(most.max(gap))
}
