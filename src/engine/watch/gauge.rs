//! What a store tells of a usage: the share, the level, a threshold that was
//! reached, and the trend.

use super::{
    Figures,
    trend::{Before, Point, Trend},
};

/// How far below a threshold the usage has to fall until it can be reached anew.
const REARM: f64 = 0.02;

/// How serious a usage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Below all thresholds.
    Ok,
    /// From the lowest threshold on.
    Warning,
    /// From the second threshold on.
    Critical,
    /// Not within budget.
    Over,
}

/// What is told of a usage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reading {
    pub share: Option<f64>,
    pub level: Level,
    /// The most severe of the thresholds that were reached.
    pub reached: Option<f64>,
    pub trend: Option<Trend>,
}

/// What a store remembers from one usage to the next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// How many thresholds, from the lowest on, were reached and are not armed
    /// again.
    pub reached: f64,
    /// The limit and the window to which the trend belongs; NaN for none yet.
    pub limit: f64,
    pub window_days: f64,
    /// Older points are of another company, limit or window.
    pub since: f64,
    /// The first usage that was seen since then.
    pub first: Point,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            reached: 0.0,
            limit: f64::NAN,
            window_days: f64::NAN,
            since: f64::NEG_INFINITY,
            first: Point {
                at: f64::NAN,
                used: 0.0,
            },
        }
    }
}

#[derive(Debug)]
pub(crate) struct Gauge<'a> {
    /// In ascending order.
    pub thresholds: &'a [f64],
    /// What the app knows from before: times and usages.
    pub history: &'a [[f64; 2]],
    pub memory: Memory,
}

impl Gauge<'_> {
    /// `at`: milliseconds since 1970.
    pub fn read(&mut self, figures: &Figures, is_same_company: bool, at: f64) -> Reading {
        self.remember(figures, is_same_company, at);
        let reached = self.reach(figures);
        let Memory { since, first, .. } = self.memory;
        let mut before = Before::new(at);
        for &[at, used] in self.history {
            if at >= since {
                before.see(Point { at, used });
            }
        }
        before.see(first);
        Reading {
            share: figures.share(),
            level: level(figures, self.thresholds),
            reached,
            trend: Trend::of(figures, at, before.best),
        }
    }

    /// What was seen of another company, limit or window says nothing of this one.
    fn remember(&mut self, figures: &Figures, is_same_company: bool, at: f64) {
        let memory = &mut self.memory;
        let is_first = memory.limit.is_nan();
        if !is_first && !is_same_company {
            memory.reached = 0.0;
        }
        let is_same = memory.limit == figures.limit && memory.window_days == figures.window_days;
        if is_first || !is_same || !is_same_company {
            memory.limit = figures.limit;
            memory.window_days = figures.window_days;
            memory.first = Point {
                at,
                used: figures.used,
            };
            if !is_first {
                memory.since = at;
            }
        }
    }

    /// The thresholds that were reached are always the lowest ones, so their
    /// number tells which.
    fn reach(&mut self, figures: &Figures) -> Option<f64> {
        let reach = figures.reach();
        let (mut now, mut kept, mut highest) = (0.0_f64, 0.0, 0.0);
        for threshold in self.thresholds {
            if *threshold <= reach {
                now += 1.0;
                highest = *threshold;
            }
            // A little less than the whole distance: shares are rounded.
            if *threshold <= reach + REARM - 1e-9 && kept < self.memory.reached {
                kept += 1.0;
            }
        }
        self.memory.reached = now.max(kept);
        (now > kept).then_some(highest)
    }
}

/// `thresholds`: in ascending order.
fn level(figures: &Figures, thresholds: &[f64]) -> Level {
    let reach = figures.reach();
    if !figures.is_within_budget {
        Level::Over
    } else if thresholds.get(1).is_some_and(|second| reach >= *second) {
        Level::Critical
    } else if thresholds.first().is_some_and(|lowest| reach >= *lowest) {
        Level::Warning
    } else {
        Level::Ok
    }
}

#[cfg(test)]
mod tests {
    use super::{super::trend::DAY, *};

    fn figures(percent: f64) -> Figures {
        Figures {
            used: percent * 10.0,
            limit: 1000.0,
            is_within_budget: percent < 100.0,
            window_days: 30.0,
        }
    }

    fn gauge() -> Gauge<'static> {
        Gauge {
            thresholds: &[0.8, 0.95, 1.0],
            history: &[],
            memory: Memory::default(),
        }
    }

    /// What is told of one after the other.
    fn reached(percents: &[f64]) -> Vec<Option<f64>> {
        let mut gauge = gauge();
        let read = |percent: &f64| gauge.read(&figures(*percent), true, 1e12).reached;
        percents.iter().map(read).collect()
    }

    #[test]
    fn the_share_is_not_clamped_and_absent_where_the_limit_is_0() {
        assert_eq!(figures(130.0).share(), Some(1.3));
        let none = Figures {
            limit: 0.0,
            ..figures(0.0)
        };
        assert_eq!(none.share(), None);
    }

    #[test]
    fn levels_follow_the_thresholds_and_the_budget() {
        let of = |percent: f64, thresholds: &[f64]| level(&figures(percent), thresholds);
        for (percent, expected) in [
            (79.9, Level::Ok),
            (80.0, Level::Warning),
            (95.0, Level::Critical),
            (99.9, Level::Critical),
            (100.0, Level::Over),
        ] {
            assert_eq!(of(percent, &[0.8, 0.95, 1.0]), expected, "{percent}");
        }
        assert_eq!(of(99.0, &[0.5]), Level::Warning);
        assert_eq!(of(99.0, &[]), Level::Ok);
        assert_eq!(of(100.0, &[]), Level::Over);
        // The server's word counts, not the numbers.
        let within = Figures {
            is_within_budget: true,
            ..figures(100.0)
        };
        assert_eq!(level(&within, &[0.8, 0.95, 1.0]), Level::Critical);
    }

    #[test]
    fn the_most_severe_threshold_alone_is_told() {
        assert_eq!(
            reached(&[79.0, 96.0, 70.0, 85.0]),
            [None, Some(0.95), None, Some(0.8)]
        );
    }

    #[test]
    fn a_threshold_is_told_at_the_start_and_once() {
        assert_eq!(reached(&[96.0, 97.0]), [Some(0.95), None]);
        assert_eq!(reached(&[120.0, 96.0, 120.0]), [Some(1.0), None, Some(1.0)]);
    }

    #[test]
    fn a_threshold_is_armed_again_two_points_below_it() {
        assert_eq!(reached(&[80.0, 78.1, 80.0]), [Some(0.8), None, None]);
        assert_eq!(reached(&[80.0, 78.0, 80.0]), [Some(0.8), None, Some(0.8)]);
        assert_eq!(reached(&[96.0, 92.0, 96.0]), [Some(0.95), None, Some(0.95)]);
    }

    #[test]
    fn a_limit_of_0_is_beyond_all_thresholds() {
        let none = Figures {
            used: 0.0,
            limit: 0.0,
            is_within_budget: false,
            window_days: 30.0,
        };
        let reading = gauge().read(&none, true, 1e12);
        assert_eq!((reading.level, reading.reached), (Level::Over, Some(1.0)));
    }

    #[test]
    fn the_trend_is_forgotten_when_company_limit_or_window_changes() {
        let at = 1e12;
        let history = [[at - 8.0 * DAY, 0.0]];
        let fresh = || Gauge {
            history: &history,
            ..gauge()
        };
        let net = |gauge: &mut Gauge, figures: &Figures, same, at| {
            gauge.read(figures, same, at).trend.unwrap().net
        };
        let mut gauge = fresh();
        assert!(net(&mut gauge, &figures(50.0), true, at).is_some());
        assert!(net(&mut gauge, &figures(50.0), true, at + 1.0).is_some());
        for (changed, same) in [
            (
                Figures {
                    limit: 2000.0,
                    ..figures(50.0)
                },
                true,
            ),
            (
                Figures {
                    window_days: 7.0,
                    ..figures(50.0)
                },
                true,
            ),
            (figures(50.0), false),
        ] {
            let mut gauge = fresh();
            net(&mut gauge, &figures(50.0), true, at);
            assert_eq!(net(&mut gauge, &changed, same, at + 1.0), None);
            let later = net(&mut gauge, &changed, true, at + 2.0).unwrap();
            assert_eq!(later.span_ms, 1.0);
        }
    }
}
