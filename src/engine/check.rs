//! What holds of an engine's own state between two inputs.

use super::{Engine, Id, Stage, group::Group, lock};

impl Engine {
    /// # Panics
    /// Something does not hold.
    pub(super) fn check(&self, now: f64) {
        for (id, call) in self.calls.iter() {
            let group = self.groups.get(call.group).expect("a call has a group");
            let times = group.waiting.iter().filter(|&&waiting| waiting == id);
            assert_eq!(times.count(), 1, "call {id} waits once");
            assert!(
                self.timers.holds(call.deadline, id),
                "call {id} has a timer"
            );
        }
        for (id, group) in self.groups.iter() {
            assert!(!group.waiting.is_empty(), "group {id} has callers");
            for &call in &group.waiting {
                let call = self.calls.get(call).expect("who waits is a call");
                assert_eq!(call.group, id);
            }
            assert!(
                self.timers.holds(group.wake_at, id),
                "group {id} has a timer"
            );
            self.check_stage(id, group);
            self.check_hurry(group, now);
        }
        self.check_sends();
        self.check_listed();
        self.check_line();
        self.check_question();
    }

    /// Nothing is left behind of calls that are over. A question in the
    /// background may be.
    pub(super) fn check_empty(&self) {
        assert!(self.is_idle() && self.groups.len() == 0 && self.sends.len() == 0);
        assert!(self.listed.is_empty(), "no group is listed");
        assert!(self.line.is_empty(), "no group waits for its number");
        assert!(self.commands.is_empty());
        assert!(
            self.question
                .as_ref()
                .is_none_or(|asked| asked.is_background)
        );
    }

    /// No group waits without a question, a send, a timer or another group.
    fn check_stage(&self, id: Id, group: &Group) {
        match &group.stage {
            Stage::Behind => {
                let fronts = self.groups.iter();
                let fronts = fronts.filter(|(_, front)| front.behind == Some(id));
                assert_eq!(fronts.count(), 1, "group {id} is behind one other");
            }
            Stage::Token => {
                let question = self.question.as_ref().expect("it waits for an answer");
                assert!(!question.is_background, "group {id} waits for an answer");
            }
            Stage::Sleep { number, .. } => {
                assert!(group.wake_at.is_finite(), "group {id} wakes");
                if let Some(number) = number {
                    assert!(self.line.contains(&(*number, id)), "{number} is in line");
                }
            }
            Stage::Sent { send, .. } => {
                assert_eq!(self.sends.get(*send), Some(&id), "group {id} has a send");
            }
        }
        // Those behind may have left.
        if let Some(behind) = group.behind.and_then(|id| self.groups.get(id)) {
            assert!(matches!(behind.stage, Stage::Behind));
        }
    }

    /// Who cannot wait for as long as the group will does not wait at all.
    fn check_hurry(&self, group: &Group, now: f64) {
        let shared = lock(&self.shared);
        let mut until = f64::NEG_INFINITY;
        if let Stage::Sleep {
            ready_at, number, ..
        } = group.stage
        {
            until = ready_at;
            if let Some(number) = number {
                until = until.max(now + shared.tickets.wait_ms_at(number, now));
            }
        }
        // Other engines are not told of a pause before they ask.
        if self.config.shares
            && !matches!(group.stage, Stage::Sent { .. })
            && let Some(pause) = shared.pauses.of(group.key.company, now)
        {
            assert!(
                !matches!(group.stage, Stage::Token),
                "a pause is kept first"
            );
            until = until.max(pause.until);
        }
        for call in group
            .waiting
            .iter()
            .filter_map(|&call| self.calls.get(call))
        {
            // Timers may be late, and sums of times are rounded.
            assert!(
                call.deadline <= now || call.deadline > until - 1e-6,
                "who has time until {} waits until {until}",
                call.deadline
            );
        }
    }

    fn check_sends(&self) {
        for (send, group) in self.sends.iter() {
            let group = self.groups.get(*group).expect("a send has a group");
            assert!(matches!(group.stage, Stage::Sent { send: own, .. } if own == send));
        }
    }

    fn check_listed(&self) {
        for (place, (company, id)) in self.listed.iter().enumerate() {
            let group = self.groups.get(*id).expect("what is listed is there");
            assert!(group.key.company == *company && !group.nested);
            for (_, other) in &self.listed[..place] {
                let other = self.groups.get(*other).expect("what is listed is there");
                assert!(other.key != group.key, "equal groups are listed once");
            }
        }
    }

    fn check_line(&self) {
        assert!(self.line.iter().is_sorted_by(|(a, _), (b, _)| a < b));
        for (own, id) in &self.line {
            let group = self.groups.get(*id).expect("who is in line is there");
            let waits =
                matches!(group.stage, Stage::Sleep { number: Some(number), .. } if number == *own);
            assert!(waits, "group {id} waits for {own}");
        }
    }

    fn check_question(&self) {
        if self
            .question
            .as_ref()
            .is_some_and(|asked| !asked.is_background)
        {
            let mut groups = self.groups.iter();
            assert!(
                groups.any(|(_, group)| matches!(group.stage, Stage::Token)),
                "somebody waits for the answer"
            );
        }
    }
}
