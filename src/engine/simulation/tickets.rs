//! A second implementation of the ticket counter, fed with the same events.

/// The number served moves by one with every success and every number given
/// up, and by two a second, never more than ten ahead of the numbers drawn.
#[derive(Default)]
pub struct Tickets {
    drawn: u32,
    served: f64,
    /// Nothing moves before the first look.
    seen_at: Option<f64>,
}

impl Tickets {
    fn most(&self) -> f64 {
        f64::from(self.drawn) + 10.0
    }

    pub fn pass(&mut self, now: f64) {
        let seconds = match self.seen_at.replace(now) {
            Some(before) => (now - before) / 1_000.0,
            None => {
                self.served = 10.0;
                0.0
            }
        };
        self.served = self.most().min(self.served + 2.0 * seconds);
    }

    pub fn draw(&mut self) -> f64 {
        self.drawn += 1;
        f64::from(self.drawn)
    }

    pub fn success(&mut self) {
        self.served = self.most().min(self.served + 1.0);
    }

    pub fn served(&self) -> f64 {
        self.served
    }

    /// Numbers were given up; those that had not been served count as served.
    /// The engine's count is taken where several, or rounding, leave it open.
    pub fn given_up(&mut self, numbers: &[f64], engine: f64) {
        let close = |a: f64, b: f64| (a - b).abs() < 1e-6;
        match numbers {
            [] => {}
            [number] if !close(*number, self.served) => {
                if *number > self.served {
                    self.success();
                }
            }
            _ => {
                let more = engine - self.served;
                assert!(more > -1e-6 && more < numbers.len() as f64 + 1e-6);
                self.served = engine;
            }
        }
    }

    pub fn check(&self, (drawn, served): (f64, f64)) {
        assert_eq!(drawn, f64::from(self.drawn), "numbers drawn");
        assert!(
            (served - self.served).abs() < 1e-6,
            "{served} served instead of {}",
            self.served
        );
    }
}
