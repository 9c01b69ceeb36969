//! Where a usage is going, as far as that can be known.
//!
//! In a rolling window nothing resets: what is seen is what was spent less what
//! has dropped out. Over a few snapshots a run-out date is mostly wrong, so
//! there is one only on the ground of a week, and for the next two.

use super::Figures;

pub(super) const DAY: f64 = 86_400_000.0;
/// A date needs a change that was seen over so many days,
const LEAST_DAYS: f64 = 7.0;
/// and reaches so many days ahead.
const MOST_DAYS_AHEAD: f64 = 14.0;

/// What was used at some time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    /// Milliseconds since 1970.
    pub at: f64,
    pub used: f64,
}

/// Where a usage is going, in tokens a day. The window rolls: nothing resets,
/// and what is seen is what was spent less what has dropped out.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Trend {
    /// What was used, by the days of the window.
    pub used_per_day: f64,
    /// What can be used day by day without going over the limit.
    pub sustainable_per_day: f64,
    /// How the usage changed, what dropped out of the window included.
    pub net: Option<Net>,
    /// When the limit is reached if this trend continues, in milliseconds since
    /// 1970. Only where the change was seen over 7 days or more, and for the
    /// next 14 days.
    pub exhausts_at: Option<f64>,
}

/// A change of a usage that was seen.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Net {
    /// In tokens.
    pub per_day: f64,
    /// Over how many milliseconds.
    pub span_ms: f64,
}

impl Trend {
    /// None where there is no window.
    pub(super) fn of(figures: &Figures, at: f64, before: Option<Point>) -> Option<Self> {
        if figures.window_days <= 0.0 {
            return None;
        }
        let net = before.map(|point| {
            let span_ms = at - point.at;
            Net {
                per_day: (figures.used - point.used) / (span_ms / DAY),
                span_ms,
            }
        });
        Some(Self {
            used_per_day: figures.used / figures.window_days,
            sustainable_per_day: figures.limit / figures.window_days,
            net,
            exhausts_at: net.and_then(|net| exhausts_at(figures, at, net)),
        })
    }
}

/// Finds the point to compare with among those of the same company, limit and
/// window: the last one that is a week old, else the first.
pub(super) struct Before {
    at: f64,
    pub best: Option<Point>,
}

impl Before {
    pub fn new(at: f64) -> Self {
        Self { at, best: None }
    }

    pub fn see(&mut self, point: Point) {
        let week_ago = self.at - LEAST_DAYS * DAY;
        let is_better = |best: Point| {
            if point.at <= week_ago {
                best.at > week_ago || point.at > best.at
            } else {
                point.at < best.at
            }
        };
        if point.at < self.at && self.best.is_none_or(is_better) {
            self.best = Some(point);
        }
    }
}

fn exhausts_at(figures: &Figures, at: f64, net: Net) -> Option<f64> {
    let left = figures.limit - figures.used;
    if !figures.is_within_budget || left <= 0.0 || net.span_ms < LEAST_DAYS * DAY {
        return None;
    }
    // Without growth it is infinite or past.
    let days = left / net.per_day;
    (days > 0.0 && days <= MOST_DAYS_AHEAD).then_some(at + days * DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: f64 = 1_700_000_000_000.0;

    fn figures(used: f64) -> Figures {
        Figures {
            used,
            limit: 300.0,
            is_within_budget: used < 300.0,
            window_days: 30.0,
        }
    }

    fn days_ago(days: f64, used: f64) -> Point {
        Point {
            at: NOW - days * DAY,
            used,
        }
    }

    fn trend(used: f64, points: &[Point]) -> Trend {
        let mut before = Before::new(NOW);
        for point in points {
            before.see(*point);
        }
        Trend::of(&figures(used), NOW, before.best).unwrap()
    }

    #[test]
    fn tells_what_is_used_and_what_can_be_used_day_by_day() {
        let trend = trend(150.0, &[]);
        assert_eq!((trend.used_per_day, trend.sustainable_per_day), (5.0, 10.0));
        assert_eq!((trend.net, trend.exhausts_at), (None, None));
    }

    #[test]
    fn without_a_window_there_is_none() {
        let figures = Figures {
            window_days: 0.0,
            ..figures(5.0)
        };
        assert_eq!(Trend::of(&figures, NOW, None), None);
    }

    #[test]
    fn tells_the_change_with_the_time_over_which_it_was_seen() {
        let net = trend(150.0, &[days_ago(1.0, 140.0), days_ago(2.0, 160.0)]).net;
        let (per_day, span_ms) = (-5.0, 2.0 * DAY);
        assert_eq!(net, Some(Net { per_day, span_ms }));
        // What is to come is not known.
        assert_eq!(trend(150.0, &[days_ago(-1.0, 1.0)]).net, None);
    }

    #[test]
    fn a_date_needs_seven_days_of_history() {
        assert_eq!(trend(200.0, &[days_ago(6.99, 100.0)]).exhausts_at, None);
        let week = trend(200.0, &[days_ago(7.0, 100.0)]).exhausts_at.unwrap();
        assert!((week - (NOW + 7.0 * DAY)).abs() < 1.0);
    }

    #[test]
    fn a_date_is_fourteen_days_ahead_at_the_most() {
        assert!(trend(200.0, &[days_ago(7.0, 150.0)]).exhausts_at.is_some());
        assert_eq!(trend(200.0, &[days_ago(7.0, 151.0)]).exhausts_at, None);
    }

    #[test]
    fn there_is_no_date_without_growth_or_beyond_the_limit() {
        for (used, earlier) in [(200.0, 200.0), (200.0, 250.0), (300.0, 100.0), (400.0, 1.0)] {
            assert_eq!(trend(used, &[days_ago(8.0, earlier)]).exhausts_at, None);
        }
    }

    #[test]
    fn the_last_week_counts_not_what_was_before() {
        let points = [
            days_ago(20.0, 0.0),
            days_ago(7.0, 200.0),
            days_ago(1.0, 0.0),
        ];
        assert_eq!(trend(200.0, &points).net.unwrap().per_day, 0.0);
    }
}
