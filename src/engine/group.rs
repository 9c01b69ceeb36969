//! The engine's records of calls and groups.

use std::sync::Arc;

use super::{Id, Limits, Secret, Tokens};
use crate::{dto::GetAiChatUsage, error::Error, transport::HttpResponse, wire::Format};

/// How many times a request is sent again because another token was set while it
/// was in flight.
pub(super) const MOST_SWAPS: usize = 16;

/// The options of a call.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub format: Format,
    /// Headers beyond the SDK's own.
    pub headers: Vec<(String, String)>,
    pub limits: Limits,
    /// How long the call waited for the engine itself, in milliseconds. Its total
    /// timeout covers that as well.
    pub waited_ms: f64,
    /// Whether the call may share an equal call's requests.
    pub coalesce: bool,
    /// Whether the call needs a request that is sent after it was made.
    pub fresh: bool,
    /// Whether the token provider makes the call before it answers, so that the
    /// call cannot wait for the answer.
    pub nested: bool,
}

/// One caller's share of a group. Times are milliseconds of the monotonic clock;
/// infinite for no deadline.
pub(super) struct Call {
    pub id: Id,
    pub started_at: f64,
    pub deadline: f64,
    pub total_timeout: f64,
}

/// What makes calls equal. Signals and total timeouts are not part of it: each
/// caller keeps its own.
#[derive(PartialEq)]
pub(super) struct Key {
    /// 0 for the caller's own company.
    pub company: u128,
    pub format: Format,
    pub headers: Vec<(String, String)>,
    pub max_retries: f64,
    pub attempt_timeout: f64,
}

/// One request on behalf of the calls that wait for it.
pub(super) struct Group {
    pub id: Id,
    /// The slot it is put back into.
    pub place: usize,
    pub key: Key,
    pub request: GetAiChatUsage,
    /// Whether its calls want a fresh reply.
    pub fresh: bool,
    pub nested: bool,
    /// Whether equal calls may join it.
    pub is_listed: bool,
    pub calls: Vec<Call>,
    /// The call that events name.
    pub first: Id,
    /// The group that starts when this one is over.
    pub behind: Option<Id>,
    pub stage: Stage,
    /// When the stage began.
    pub since: f64,
    /// When the stage is due; infinite for never.
    pub wake_at: f64,
    /// The last send.
    pub send: Id,
    /// The reply, while its body is still to come.
    pub head: Option<HttpResponse>,
    /// When the sleep ends, apart from the ticket.
    pub ready_at: f64,
    /// The ticket number of the retry until it is served, else 0.
    pub number: f64,
    /// The failure that it sleeps after.
    pub failure: Option<Arc<Error>>,
    pub attempts: Vec<Attempt>,
    /// How long it has waited before the next attempt, in milliseconds.
    pub wait_ms: f64,
    pub retries: u32,
    /// The provider that has been asked for the next attempt.
    pub asked: Option<u64>,
    /// The revision of the token that it was last sent with.
    pub revision: u64,
    /// Whose that was, or the pause that it keeps.
    pub identity: u64,
    /// The provider whose renewed token followed a 401.
    pub renewed: Option<u64>,
    /// The 401 that a token of another revision may fix.
    pub refused: Option<(u64, Arc<Error>)>,
    /// All tokens that it was sent with.
    pub tokens: Vec<Arc<Secret>>,
    /// The send whose failure may still be reported.
    pub failed_send: Option<Id>,
}

/// What a group waits for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Stage {
    /// Another group; or nothing, because its attempt is over.
    Behind,
    /// The provider's answer.
    Token,
    /// A pause or a backoff, and possibly a ticket number.
    Sleep,
    /// The headers of a reply.
    Headers,
    /// The rest of the reply.
    Body,
}

/// One attempt of a call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Attempt {
    /// The HTTP status, if a reply came.
    pub status: Option<u16>,
    /// The code of its error, if it failed.
    pub error: Option<&'static str>,
    /// How long it took, in milliseconds.
    pub ms: f64,
    /// How long the client waited before it, in milliseconds.
    pub wait_ms: f64,
}

impl Group {
    /// When the stage or one of the callers is due.
    pub fn due(&self) -> f64 {
        let mut due = self.wake_at;
        for call in &self.calls {
            due = due.min(call.deadline);
        }
        due
    }

    /// Whether any caller has time left.
    pub fn has_time(&self, now: f64) -> bool {
        self.calls.iter().any(|call| call.deadline > now)
    }

    /// Whether the current token may be accepted where the one that was sent was
    /// not. Bounds how often a request follows newly set tokens.
    pub fn may_try(&self, tokens: &Tokens) -> bool {
        let is_sent =
            |secret: &Arc<Secret>| self.tokens.iter().any(|sent| sent.text() == secret.text());
        let is_refused = !tokens.has_provider() && tokens.current().as_ref().is_some_and(is_sent);
        !is_refused && self.attempts.len() <= self.retries as usize + MOST_SWAPS
    }

    /// Whether a request is in flight.
    pub fn is_sent(&self) -> bool {
        matches!(self.stage, Stage::Headers | Stage::Body)
    }

    pub fn is_sent_as(&self, send: Id) -> bool {
        self.is_sent() && self.send == send
    }

    /// Whether its request has not been sent yet.
    pub fn is_unsent(&self) -> bool {
        self.attempts.is_empty() && !self.is_sent()
    }

    /// Before another attempt: a token with an expiry is checked again; one without
    /// stays for the whole call.
    pub fn ask_again(&mut self, tokens: &Tokens) {
        if tokens.expires() {
            self.asked = None;
        }
    }

    /// Records the current attempt, which ended with `status` and `error`.
    pub fn record(&mut self, status: Option<u16>, error: Option<&'static str>, now: f64) {
        self.attempts.push(self.attempt(status, error, now));
        self.stage = Stage::Behind;
    }

    /// The current attempt.
    pub fn attempt(&self, status: Option<u16>, error: Option<&'static str>, now: f64) -> Attempt {
        Attempt {
            status,
            error,
            ms: now - self.since,
            wait_ms: self.wait_ms,
        }
    }
}
