//! What is to happen when.

use std::{cmp::Reverse, collections::BinaryHeap, mem::take};

use super::Id;

/// A heap of the times at which something wants to be looked at. Times that
/// changed stay in it until they are due or too many: whoever takes one out
/// asks its owner whether it still holds.
#[derive(Default)]
pub(super) struct Timers(BinaryHeap<Reverse<(i64, Id)>>);

/// A number with the order of the times: that of their bits, which are turned
/// round for times below zero.
fn key(at: f64) -> i64 {
    flip(at.to_bits() as i64)
}

fn time(key: i64) -> f64 {
    f64::from_bits(flip(key) as u64)
}

fn flip(bits: i64) -> i64 {
    if bits < 0 { bits ^ i64::MAX } else { bits }
}

impl Timers {
    /// `id` wants to be looked at then; never, where that is infinite.
    pub fn set(&mut self, at: f64, id: Id) {
        if at.is_finite() {
            self.0.push(Reverse((key(at), id)));
        }
    }

    /// The earliest time that `holds`.
    pub fn next(&mut self, holds: impl Fn(Id, f64) -> bool) -> Option<(f64, Id)> {
        while let Some(&Reverse((key, id))) = self.0.peek() {
            let at = time(key);
            if holds(id, at) {
                return Some((at, id));
            }
            self.0.pop();
        }
        None
    }

    /// Forgets what does not hold any more, where that is most of it.
    pub fn tidy(&mut self, owners: usize, holds: impl Fn(Id, f64) -> bool) {
        if self.0.len() > 4 * owners + 64 {
            let mut kept = take(&mut self.0).into_vec();
            kept.retain(|&Reverse((key, id))| holds(id, time(key)));
            self.0 = kept.into();
        }
    }

    /// Whether `id` will be looked at then.
    #[cfg(test)]
    pub fn holds(&self, at: f64, id: Id) -> bool {
        at.is_infinite() || self.0.iter().any(|Reverse(own)| *own == (key(at), id))
    }
}
