//! What holds of an engine's own state between two inputs.

use super::{
    Engine, Id,
    group::{Group, Stage},
    lock, place_of,
    questions::LONGEST_QUESTION_MS,
};

impl Engine {
    /// # Panics
    /// Something does not hold.
    pub(super) fn check(&self, now: f64) {
        assert!(self.groups.is_sorted_by(|a, b| a.id < b.id));
        assert!(self.sends.is_sorted());
        let gaps = self.groups.iter().filter(|slot| slot.group.is_none());
        assert_eq!(gaps.count(), self.gaps, "what was taken is put back");
        let most = self.groups.len() / 2;
        assert!(self.gaps <= most, "what is over takes no room");
        for slot in &self.groups {
            let Some(group) = &slot.group else { continue };
            let id = group.id;
            assert_eq!((slot.id, slot.due), (id, group.due()));
            assert!(!group.calls.is_empty(), "group {id} has callers");
            for call in &group.calls {
                assert_eq!(
                    self.group_of(call.id),
                    Some(id),
                    "call {} waits once",
                    call.id
                );
            }
            self.check_stage(group);
            self.check_hurry(group, now);
        }
        let first = self.groups().map(Group::due).fold(f64::INFINITY, f64::min);
        let asked = self.question.as_ref();
        let first = asked.map_or(first, |asked| first.min(asked.hung_at));
        assert_eq!(self.poll_timeout(), first, "the timer is the first one's");
        self.check_listed();
        self.check_numbers();
        self.check_question();
    }

    /// Nothing is left behind of calls that are over, but for a question that goes
    /// on for a while.
    pub(super) fn check_empty(&self) {
        assert!(self.is_idle() && self.groups.is_empty());
        assert!(self.sends.is_empty() && self.commands.is_empty());
        assert!(self.due.is_infinite());
        self.check_question();
    }

    pub(super) fn group(&self, id: Id) -> Option<&Group> {
        self.groups().find(|group| group.id == id)
    }

    /// In the order in which they came.
    pub(super) fn waiting_calls(&self) -> Vec<Id> {
        let calls = self.groups().flat_map(|group| &group.calls);
        let mut calls: Vec<Id> = calls.map(|call| call.id).collect();
        calls.sort_unstable();
        calls
    }

    /// The group in which a call waits.
    pub(super) fn group_of(&self, call: Id) -> Option<Id> {
        let waits = |group: &&Group| group.calls.iter().any(|own| own.id == call);
        let mut groups = self.groups().filter(waits);
        let group = groups.next()?;
        assert!(groups.next().is_none(), "call {call} waits once");
        let times = group.calls.iter().filter(|own| own.id == call).count();
        assert_eq!(times, 1, "call {call} waits once");
        Some(group.id)
    }

    /// No group waits without a question, a send, a timer or another group.
    fn check_stage(&self, group: &Group) {
        let id = group.id;
        match group.stage {
            Stage::Behind => {
                let fronts = self.groups().filter(|front| front.behind == Some(id));
                assert_eq!(fronts.count(), 1, "group {id} is behind one other");
            }
            Stage::Token => {
                assert!(self.question.is_some(), "group {id} waits for an answer");
            }
            Stage::Sleep => assert!(group.wake_at.is_finite(), "group {id} wakes"),
            Stage::Headers | Stage::Body => {
                let same = self.groups().filter(|other| other.is_sent_as(group.send));
                assert_eq!(same.count(), 1, "group {id} has a send");
                let place = self.place_of_send(group.send);
                assert_eq!(place, place_of(&self.groups, id), "its reply finds it");
                let behind = group.behind.and_then(|id| self.group(id));
                let calls = group.calls.iter();
                let calls = calls.chain(behind.into_iter().flat_map(|group| &group.calls));
                let heard = self.callers_of(group.send);
                assert!(
                    calls.map(|call| call.id).eq(heard),
                    "who hears of its reply"
                );
            }
        }
        // Those behind may have left.
        if let Some(behind) = group.behind.and_then(|id| self.group(id)) {
            assert_eq!(behind.stage, Stage::Behind);
        }
    }

    /// Who cannot wait for as long as the group will does not wait at all.
    fn check_hurry(&self, group: &Group, now: f64) {
        let shared = lock(&self.forks).expect("nobody else looks");
        let mut until = f64::NEG_INFINITY;
        if group.stage == Stage::Sleep {
            until = group.ready_at;
            if group.number > 0.0 {
                until = until.max(now + shared.tickets.wait_ms_at(group.number, now));
            }
        }
        // Other engines are not told of a pause before they ask.
        if self.config.shares
            && !group.is_sent()
            && let Some(pause) = shared.pauses.of(group.key.company, now)
        {
            assert_ne!(group.stage, Stage::Token, "a pause is kept first");
            until = until.max(pause.until);
        }
        for call in &group.calls {
            // Timers may be late, and sums of times are rounded.
            assert!(
                call.deadline <= now || call.deadline > until - 1e-6,
                "who has time until {} waits until {until}",
                call.deadline
            );
        }
    }

    fn check_listed(&self) {
        let listed: Vec<_> = self.groups().filter(|group| group.is_listed).collect();
        for (place, group) in listed.iter().enumerate() {
            assert!(!group.nested);
            for other in &listed[..place] {
                let is_older = !other.fresh && group.fresh;
                assert!(
                    other.key != group.key || is_older,
                    "equal groups are listed once, but for one beside a fresh one"
                );
            }
        }
    }

    fn check_numbers(&self) {
        let mut numbers = Vec::new();
        for group in self.groups().filter(|group| group.number != 0.0) {
            assert_eq!(group.stage, Stage::Sleep, "who has a number waits for it");
            assert!(!numbers.contains(&group.number), "each number is one's own");
            numbers.push(group.number);
            assert!(self.lowest <= group.number, "it is served in time");
        }
    }

    /// A question for which nobody waits ends by itself.
    fn check_question(&self) {
        if let Some(asked) = &self.question
            && self.awaiting_token().next().is_none()
        {
            assert!(
                asked.hung_at <= asked.asked_at + LONGEST_QUESTION_MS,
                "it ends"
            );
        }
    }
}
