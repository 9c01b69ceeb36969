//! What the engine knows of calls and of their groups.

use std::sync::Arc;

use super::{Id, Limits, Secret, Tokens};
use crate::{dto::GetAiChatUsage, error::Error, transport::HttpResponse, wire::Format};

/// A request follows the tokens that are set while it is on its way so often.
const MOST_SWAPS: usize = 16;

/// How a call is to be made.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub format: Format,
    /// Besides those of the API.
    pub headers: Vec<(String, String)>,
    pub limits: Limits,
    /// How long the call has waited before the engine was there, in
    /// milliseconds: its limit covers that, too.
    pub waited_ms: f64,
    /// Whether the call may share the requests of an equal one.
    pub coalesce: bool,
    /// Whether only a request will do that is sent after the call was made.
    pub fresh: bool,
    /// Whether the call is made by the token provider before it has answered,
    /// and so cannot wait for the answer.
    pub nested: bool,
}

/// What one caller waits for. Times are milliseconds of the monotonic clock;
/// infinite for no limit.
pub(super) struct Call {
    pub id: Id,
    pub started_at: f64,
    pub deadline: f64,
    pub total_timeout: f64,
}

/// What makes calls equal. Signals and total limits do not: each caller keeps
/// its own.
#[derive(PartialEq)]
pub(super) struct Key {
    /// 0 for the caller's own.
    pub company: u128,
    pub format: Format,
    pub headers: Vec<(String, String)>,
    pub max_retries: f64,
    pub attempt_timeout: f64,
}

/// One request on behalf of the calls that wait for it.
pub(super) struct Group {
    pub id: Id,
    /// Where it is put back.
    pub place: usize,
    pub key: Key,
    pub request: GetAiChatUsage,
    /// Whether it was made for calls that want a fresh reply.
    pub fresh: bool,
    pub nested: bool,
    /// Whether an equal call joins it.
    pub is_listed: bool,
    pub calls: Vec<Call>,
    /// The call that events name.
    pub first: Id,
    /// The group that starts when this one is over.
    pub behind: Option<Id>,
    pub stage: Stage,
    /// When the stage began.
    pub since: f64,
    /// When the stage wants to be looked at; infinite for never.
    pub wake_at: f64,
    /// The last send.
    pub send: Id,
    /// The reply whose body is still to come.
    pub head: Option<HttpResponse>,
    /// When the sleep is over but for the number.
    pub ready_at: f64,
    /// The number of the retry until it is served, else 0.
    pub number: f64,
    /// Why it sleeps.
    pub failure: Option<Arc<Error>>,
    pub attempts: Vec<Attempt>,
    /// How long it waited before the attempt to come, in milliseconds.
    pub wait_ms: f64,
    pub retries: u32,
    /// The provider that has been asked for the attempt to come.
    pub asked: Option<u64>,
    /// Of the token that it was sent with last.
    pub revision: u64,
    /// Whose that was, or the pause that it keeps.
    pub identity: u64,
    /// The provider that a 401 has been answered with another token of.
    pub renewed: Option<u64>,
    /// The 401 that another token than this revision may mend.
    pub refused: Option<(u64, Arc<Error>)>,
    /// The tokens that it was sent with.
    pub tokens: Vec<Arc<Secret>>,
    /// The send whose failure may still be told of.
    pub failed_send: Option<Id>,
}

/// What a group waits for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Stage {
    /// The group before it, or nothing any more.
    Behind,
    /// The provider's answer.
    Token,
    /// A pause or a backoff, and perhaps a number.
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
    /// When somebody's time is over, or the stage's.
    pub fn due(&self) -> f64 {
        let mut due = self.wake_at;
        for call in &self.calls {
            due = due.min(call.deadline);
        }
        due
    }

    /// Whether anybody can wait on.
    pub fn has_time(&self, now: f64) -> bool {
        self.calls.iter().any(|call| call.deadline > now)
    }

    /// Whether the token that is there by now may be accepted where the one that
    /// was sent is not. Tokens that are set without end have one here.
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

    /// Whether its reply will be to a request that has not been sent yet.
    pub fn is_unsent(&self) -> bool {
        self.attempts.is_empty() && !self.is_sent()
    }

    /// Another attempt is to come: a token with an end is looked at again, one
    /// without stays for the whole call.
    pub fn ask_again(&mut self, tokens: &Tokens) {
        if tokens.expires() {
            self.asked = None;
        }
    }

    /// The attempt under way is over: it came to `status` and `error`.
    pub fn record(&mut self, status: Option<u16>, error: Option<&'static str>, now: f64) {
        self.attempts.push(self.attempt(status, error, now));
        self.stage = Stage::Behind;
    }

    /// The attempt under way.
    pub fn attempt(&self, status: Option<u16>, error: Option<&'static str>, now: f64) -> Attempt {
        Attempt {
            status,
            error,
            ms: now - self.since,
            wait_ms: self.wait_ms,
        }
    }
}
