//! What is to happen when.

use std::{cmp::Reverse, collections::BinaryHeap, mem::take};

use super::Id;

/// A heap of the times at which something wants to be looked at. Times that
/// changed stay in it until they are due or too many: whoever takes one out
/// asks its owner whether it still holds.
#[derive(Default)]
pub(super) struct Timers(BinaryHeap<Reverse<(u64, Id)>>);

/// Times are not negative, so their bits have their order.
fn key(at: f64) -> u64 {
    at.max(0.0).to_bits()
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
        while let Some(&Reverse((bits, id))) = self.0.peek() {
            let at = f64::from_bits(bits);
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
            kept.retain(|&Reverse((bits, id))| holds(id, f64::from_bits(bits)));
            self.0 = kept.into();
        }
    }
}
