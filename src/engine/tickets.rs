//! Paces retries with a ticket counter, so that a failing server is not
//! overloaded and no call waits longer than needed.
//!
//! Each retry draws the next number and is sent when that number is served. The
//! number served advances by one with each success and by two a second, and
//! stays at most ten ahead of the numbers drawn.

/// How far the number served may be ahead of the numbers drawn.
const AHEAD: f64 = 10.0;
/// Milliseconds after which a number is served without a success.
const EACH_MS: f64 = 500.0;

/// The ticket counter of a client. Times are milliseconds of the monotonic
/// clock.
#[derive(Debug)]
pub(crate) struct Tickets {
    drawn: f64,
    /// The number served, times [`EACH_MS`]: whole milliseconds in give whole
    /// milliseconds out, without rounding errors.
    served_ms: f64,
    moved_at: f64,
}

impl Default for Tickets {
    fn default() -> Self {
        Self {
            drawn: 0.0,
            served_ms: AHEAD * EACH_MS,
            moved_at: f64::NAN,
        }
    }
}

impl Tickets {
    /// Advances to `now`, and by `more` numbers for successes and abandoned
    /// retries.
    pub fn serve(&mut self, more: f64, now: f64) {
        // No time has passed at first, nor when the clock goes back.
        let passed = (now - self.moved_at).max(0.0);
        self.moved_at = now;
        let most = (self.drawn + AHEAD) * EACH_MS;
        self.served_ms = (self.served_ms + passed + more * EACH_MS).min(most);
    }

    /// The number that the next retry would draw.
    pub fn next(&self) -> f64 {
        self.drawn + 1.0
    }

    /// Draws [`next`](Self::next).
    pub fn draw(&mut self) {
        self.drawn += 1.0;
    }

    /// The longest time until `number` is served, in milliseconds after the last
    /// [`serve`](Self::serve); 0 if it is served already.
    pub fn wait_ms(&self, number: f64) -> f64 {
        let wait = number * EACH_MS - self.served_ms;
        // Less than a microsecond is a rounding error.
        if wait < 0.001 { 0.0 } else { wait }
    }

    /// The numbers drawn and served.
    #[cfg(test)]
    pub fn counts_at(&self, now: f64) -> (f64, f64) {
        let mut counts = Self { ..*self };
        counts.serve(0.0, now);
        (counts.drawn, counts.served_ms / EACH_MS)
    }

    /// How long until `number` is served at the latest.
    #[cfg(test)]
    pub fn wait_ms_at(&self, number: f64, now: f64) -> f64 {
        let mut counts = Self { ..*self };
        counts.serve(0.0, now);
        counts.wait_ms(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_are_served_at_once_and_then_two_a_second() {
        let mut tickets = Tickets::default();
        tickets.serve(0.0, 5_000.0);
        for number in 1..=12 {
            assert_eq!(tickets.next(), f64::from(number));
            tickets.draw();
        }
        assert_eq!(tickets.wait_ms(10.0), 0.0);
        assert_eq!(tickets.wait_ms(11.0), 500.0);
        assert_eq!(tickets.wait_ms(12.0), 1_000.0);
        tickets.serve(0.0, 5_500.0);
        assert_eq!((tickets.wait_ms(11.0), tickets.wait_ms(12.0)), (0.0, 500.0));
    }

    #[test]
    fn a_success_serves_one_and_nothing_runs_far_ahead() {
        let mut tickets = Tickets::default();
        for _ in 0..12 {
            tickets.draw();
        }
        tickets.serve(1.0, 0.0);
        assert_eq!((tickets.wait_ms(11.0), tickets.wait_ms(12.0)), (0.0, 500.0));
        tickets.serve(100.0, 3_600_000.0);
        for _ in 12..22 {
            tickets.draw();
        }
        assert_eq!(tickets.wait_ms(22.0), 0.0);
        assert_eq!(tickets.wait_ms(23.0), 500.0);
    }

    #[test]
    fn a_clock_that_goes_back_takes_nothing_away() {
        let mut tickets = Tickets::default();
        for _ in 0..12 {
            tickets.draw();
        }
        tickets.serve(0.0, 10_000.0);
        tickets.serve(0.0, 9_000.0);
        assert_eq!(tickets.wait_ms(11.0), 500.0);
        tickets.serve(0.0, 9_250.0);
        assert_eq!(tickets.wait_ms(11.0), 250.0);
    }
}
