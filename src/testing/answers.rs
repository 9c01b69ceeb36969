//! The outcomes that a test sets for requests.

use std::time::{Duration, UNIX_EPOCH};

use super::UsageMembers;
use crate::dto::ResponseError;

/// The outcome of one request, or of several in a row.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Answer {
    /// The company's usage.
    Usage(UsageMembers),
    /// A failure instead of a usage.
    Failure(Failure),
}

/// The outcomes of a company's requests: one [`Answer`], or a list of them.
///
/// ```
/// use bookmore_sdk::testing::{Answer, Failure, FakeBookMore, UsageMembers};
///
/// let fake = FakeBookMore::new();
/// fake.set(None, UsageMembers::new().token_limit(50_000));
/// fake.set(None, Failure::network());
/// fake.set(None, [
///     Answer::from(Failure::status(503).times(2)),
///     UsageMembers::new().share(0.83).into(),
/// ]);
/// ```
#[derive(Debug, Clone)]
pub struct Answers(pub(super) Vec<Answer>);

/// A failure that a company's requests get instead of a usage.
#[derive(Debug, Clone)]
pub struct Failure {
    pub(super) kind: Kind,
    pub(super) times: Option<usize>,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Status(StatusFailure),
    Quota,
    LoginPage,
    LoginRedirect,
    /// The base URL to redirect to; `None` for a path below the present one.
    Moved(Option<String>),
    Expired,
    OtherCompany(Option<String>),
    NoCompany,
    Network,
    Hang,
    HangInBody,
    Truncated {
        /// How many bytes arrive; `None` for half of them.
        bytes: Option<usize>,
        /// Whether the body ends without a transport error.
        is_clean: bool,
    },
    Slow {
        delay: Duration,
        per_byte: Duration,
    },
}

impl Failure {
    /// A reply with this status, from 200 to 599, with the bytes that the
    /// framework would send.
    ///
    /// ```
    /// use std::time::Duration;
    /// use bookmore_sdk::testing::{Failure, FailureBody};
    ///
    /// Failure::status(403).message("Not this company");
    /// Failure::status(401).body(FailureBody::Empty);
    /// Failure::status(429).retry_after(2);
    /// Failure::status(503).retry_after_at(Duration::from_secs(1_900_000_000)).times(3);
    /// ```
    ///
    /// # Panics
    /// If the status is outside this range.
    #[track_caller]
    pub fn status(status: u16) -> StatusFailure {
        let fits = (200..600).contains(&status);
        assert!(fits, "A status must be from 200 to 599, not {status}.");
        StatusFailure {
            status,
            error_code: None,
            message: None,
            errors: Some(Vec::new()),
            body: None,
            headers: Vec::new(),
            times: None,
        }
    }

    /// A 429 because the quota is used up; waiting does not help.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{Failure, FakeBookMore};
    /// # let fake = FakeBookMore::new();
    /// fake.set(None, Failure::quota());
    /// ```
    pub fn quota() -> Self {
        Kind::Quota.into()
    }

    /// An HTML login page with status 200, as after a session has expired.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{Failure, FakeBookMore};
    /// # let fake = FakeBookMore::new();
    /// fake.set(None, Failure::login_page());
    /// ```
    pub fn login_page() -> Self {
        Kind::LoginPage.into()
    }

    /// A redirect to a login page, as a proxy in front of the API sends it.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{Failure, FakeBookMore};
    /// # let fake = FakeBookMore::new();
    /// fake.set(None, Failure::login_redirect());
    /// ```
    pub fn login_redirect() -> Self {
        Kind::LoginRedirect.into()
    }

    /// A redirect to the same operation at another base URL: the given one, or
    /// `/moved` below the present one.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{Failure, FakeBookMore};
    /// # let fake = FakeBookMore::new();
    /// fake.set(None, Failure::moved(Some("https://v2.example")));
    /// ```
    pub fn moved(to: Option<&str>) -> Self {
        Kind::Moved(to.map(str::to_owned)).into()
    }

    /// A 401 without a body, as ASP.NET in front of the API answers an expired
    /// token.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{Failure, FakeBookMore};
    /// # let fake = FakeBookMore::new();
    /// fake.set(None, Failure::expired());
    /// ```
    pub fn expired() -> Self {
        Kind::Expired.into()
    }

    /// The usage of another company than the one that was asked for: of this one,
    /// or of one that no test is likely to ask for.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{Failure, FakeBookMore};
    /// # let fake = FakeBookMore::new();
    /// fake.set(None, Failure::other_company(None));
    /// ```
    pub fn other_company(company_id: Option<&str>) -> Self {
        Kind::OtherCompany(company_id.map(str::to_owned)).into()
    }

    /// The usage names no company.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{Failure, FakeBookMore};
    /// # let fake = FakeBookMore::new();
    /// fake.set(None, Failure::no_company());
    /// ```
    pub fn no_company() -> Self {
        Kind::NoCompany.into()
    }

    /// No reply: the connection is lost.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{Failure, FakeBookMore};
    /// # let fake = FakeBookMore::new();
    /// fake.set(None, Failure::network());
    /// ```
    pub fn network() -> Self {
        Kind::Network.into()
    }

    /// The reply never comes.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{Failure, FakeBookMore};
    /// # let fake = FakeBookMore::new();
    /// fake.set(None, Failure::hang());
    /// ```
    pub fn hang() -> Self {
        Kind::Hang.into()
    }

    /// The headers arrive, but the body never does.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{Failure, FakeBookMore};
    /// # let fake = FakeBookMore::new();
    /// fake.set(None, Failure::hang_in_body());
    /// ```
    pub fn hang_in_body() -> Self {
        Kind::HangInBody.into()
    }

    /// The connection breaks in the middle of the usage.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{Failure, FakeBookMore};
    /// # let fake = FakeBookMore::new();
    /// fake.set(None, Failure::truncated());
    /// ```
    pub fn truncated() -> Self {
        let (bytes, is_clean) = (None, false);
        Kind::Truncated { bytes, is_clean }.into()
    }

    /// The body ends in the middle of the usage, or after this many bytes, without
    /// a transport error.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{Failure, FakeBookMore};
    /// # let fake = FakeBookMore::new();
    /// fake.set(None, Failure::truncated_cleanly(Some(20)));
    /// ```
    pub fn truncated_cleanly(bytes: Option<usize>) -> Self {
        let is_clean = true;
        Kind::Truncated { bytes, is_clean }.into()
    }

    /// The whole usage, late and byte by byte: the headers arrive after `delay`,
    /// and then one byte each `per_byte`.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use bookmore_sdk::testing::{Failure, FakeBookMore};
    /// # let fake = FakeBookMore::new();
    /// fake.set(None, Failure::slow(Duration::from_millis(300), Duration::ZERO));
    /// ```
    pub fn slow(delay: Duration, per_byte: Duration) -> Self {
        Kind::Slow { delay, per_byte }.into()
    }

    /// How many requests fail in this way. Default: one, or all of them if it is
    /// the last of its list. Then comes the next of the list, or the company's
    /// usage.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{Failure, FakeBookMore};
    /// # let fake = FakeBookMore::new();
    /// fake.set(None, Failure::network().times(2));
    /// ```
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = Some(times);
        self
    }

    /// Whether the request never reaches the API, so its credentials are not
    /// checked.
    pub(super) fn is_cut(&self) -> bool {
        matches!(
            self.kind,
            Kind::Network | Kind::Hang | Kind::LoginRedirect | Kind::Moved(_)
        )
    }
}

impl From<Kind> for Failure {
    fn from(kind: Kind) -> Self {
        Self { kind, times: None }
    }
}

/// A reply with a status: see [`Failure::status`].
#[derive(Debug, Clone)]
pub struct StatusFailure {
    pub(super) status: u16,
    pub(super) error_code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) errors: Option<Vec<ResponseError>>,
    pub(super) body: Option<FailureBody>,
    pub(super) headers: Vec<(String, String)>,
    times: Option<usize>,
}

/// The body of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureBody {
    /// A usage full of zeros with the error, as a service writes it. The default.
    ZeroFilled,
    /// The error alone, as the framework writes it before the service runs. The
    /// default for 401.
    StatusOnly,
    /// Empty, as from something in front of the framework. The default below 400.
    Empty,
    /// An HTML page, as a proxy writes it.
    Html,
    /// This text, as JSON unless a header says otherwise.
    Text(String),
}

impl StatusFailure {
    /// The server's name for the error. Default: that of the status, such as
    /// `Forbidden`.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{Failure, FakeBookMore};
    /// # let fake = FakeBookMore::new();
    /// fake.set(None, Failure::status(409).error_code("WindowClosed"));
    /// ```
    #[must_use]
    pub fn error_code(mut self, code: impl Into<String>) -> Self {
        self.error_code = Some(code.into());
        self
    }

    /// The message of the error.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{Failure, FakeBookMore};
    /// # let fake = FakeBookMore::new();
    /// fake.set(None, Failure::status(403).message("Not this company"));
    /// ```
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// The field errors; `None` leaves the list out. Default: an empty list.
    ///
    /// ```
    /// # use bookmore_sdk::{ResponseError, testing::{Failure, FakeBookMore}};
    /// # let fake = FakeBookMore::new();
    /// let field_name = Some("CompanyId".to_owned());
    /// let errors = vec![ResponseError { field_name, ..Default::default() }];
    /// fake.set(None, Failure::status(400).errors(errors));
    /// fake.set(None, Failure::status(400).errors(None));
    /// ```
    #[must_use]
    pub fn errors(mut self, errors: impl Into<Option<Vec<ResponseError>>>) -> Self {
        self.errors = errors.into();
        self
    }

    /// The body. The default depends on the status: see [`FailureBody`].
    ///
    /// ```
    /// # use bookmore_sdk::testing::FailureBody;
    /// # use bookmore_sdk::testing::{Failure, FakeBookMore};
    /// # let fake = FakeBookMore::new();
    /// fake.set(None, Failure::status(503).body(FailureBody::Html));
    /// ```
    #[must_use]
    pub fn body(mut self, body: FailureBody) -> Self {
        self.body = Some(body);
        self
    }

    /// A `Retry-After` header in seconds.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{Failure, FakeBookMore};
    /// # let fake = FakeBookMore::new();
    /// fake.set(None, Failure::status(429).retry_after(2));
    /// ```
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.header("retry-after", seconds.to_string())
    }

    /// A `Retry-After` header as an HTTP date. Set other forms with
    /// [`header`](Self::header).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use bookmore_sdk::testing::{Failure, FakeBookMore};
    /// # let fake = FakeBookMore::new();
    /// fake.set(None, Failure::status(503).retry_after_at(Duration::from_secs(1_900_000_000)));
    /// ```
    #[must_use]
    pub fn retry_after_at(self, since_1970: Duration) -> Self {
        self.header("retry-after", http_date(since_1970))
    }

    /// A `retry-after-ms` header.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{Failure, FakeBookMore};
    /// # let fake = FakeBookMore::new();
    /// fake.set(None, Failure::status(429).retry_after_ms(700));
    /// ```
    #[must_use]
    pub fn retry_after_ms(self, milliseconds: u64) -> Self {
        self.header("retry-after-ms", milliseconds.to_string())
    }

    /// A header of the reply; it replaces one of the same name.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{Failure, FakeBookMore};
    /// # let fake = FakeBookMore::new();
    /// fake.set(None, Failure::status(503).header("retry-after", "soon"));
    /// ```
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// See [`Failure::times`].
    ///
    /// ```
    /// # use bookmore_sdk::testing::{Failure, FakeBookMore};
    /// # let fake = FakeBookMore::new();
    /// fake.set(None, Failure::status(503).times(2));
    /// ```
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = Some(times);
        self
    }
}

/// Formats a time as an HTTP date.
pub(super) fn http_date(since_1970: Duration) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + since_1970)
}

impl From<StatusFailure> for Failure {
    fn from(failure: StatusFailure) -> Self {
        Self {
            times: failure.times,
            kind: Kind::Status(failure),
        }
    }
}

impl From<UsageMembers> for Answer {
    fn from(members: UsageMembers) -> Self {
        Self::Usage(members)
    }
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<StatusFailure> for Answer {
    fn from(failure: StatusFailure) -> Self {
        Self::Failure(failure.into())
    }
}

impl<A: Into<Answer>> From<A> for Answers {
    fn from(answer: A) -> Self {
        Self(vec![answer.into()])
    }
}

impl<const N: usize> From<[Answer; N]> for Answers {
    fn from(answers: [Answer; N]) -> Self {
        Self(answers.into())
    }
}

impl From<Vec<Answer>> for Answers {
    fn from(answers: Vec<Answer>) -> Self {
        Self(answers)
    }
}
