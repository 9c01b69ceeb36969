//! The replies that a test specifies.

use std::time::Duration;

use crate::{
    dto::AiChatUsageResponse,
    error::{Error, NetworkError},
    transport::{Body, HttpResponse},
};

/// The outcome of a request: a reply, an error, or nothing at all.
///
/// ```
/// use std::time::Duration;
/// use bookmore_sdk::testing::Reply;
///
/// Reply::json(r#"{"tokensUsed":5}"#).after(Duration::from_millis(40));
/// Reply::status(429).header("retry-after", "3");
/// Reply::json("{").breaks_off();
/// Reply::status(200).without_body();
/// Reply::lost();
/// Reply::never();
/// ```
#[derive(Debug, Clone)]
pub struct Reply {
    pub(super) comes: Comes,
    pub(super) after: Duration,
    pub(super) body_after: Duration,
}

#[derive(Debug, Clone)]
pub(super) enum Comes {
    Whole(HttpResponse),
    /// The connection breaks within the body.
    Broken(HttpResponse),
    /// The headers arrive, and nothing else.
    Headers(HttpResponse),
    /// An error instead of a reply.
    Lost(Error),
    Nothing,
}

impl Comes {
    fn response(&self) -> Option<&HttpResponse> {
        match self {
            Self::Whole(response) | Self::Broken(response) | Self::Headers(response) => {
                Some(response)
            }
            Self::Lost(_) | Self::Nothing => None,
        }
    }

    fn response_mut(&mut self) -> Option<&mut HttpResponse> {
        match self {
            Self::Whole(response) | Self::Broken(response) | Self::Headers(response) => {
                Some(response)
            }
            Self::Lost(_) | Self::Nothing => None,
        }
    }
}

impl Reply {
    /// 200 with `usage` as JSON, without its response status.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{Reply, UsageMembers, usage};
    /// Reply::usage(&usage(UsageMembers::new().share(0.83)));
    /// ```
    pub fn usage(usage: &AiChatUsageResponse) -> Self {
        let company = usage.company_id.as_ref();
        let company = company.map_or_else(String::new, |id| format!(r#""companyId":"{id}","#));
        Self::json(format!(
            r#"{{{company}"tokensUsed":{},"tokenLimit":{},"tokensRemaining":{},"isWithinBudget":{},"windowDays":{}}}"#,
            usage.tokens_used,
            usage.token_limit,
            usage.tokens_remaining,
            usage.is_within_budget,
            usage.window_days
        ))
    }

    /// 200 with this body as JSON.
    ///
    /// ```
    /// # use bookmore_sdk::testing::Reply;
    /// Reply::json(r#"{"tokensUsed":5}"#);
    /// ```
    pub fn json(body: impl AsRef<[u8]>) -> Self {
        HttpResponse::new(200, "application/json", body.as_ref()).into()
    }

    /// This status, without headers or body.
    ///
    /// ```
    /// # use bookmore_sdk::testing::Reply;
    /// Reply::status(503);
    /// ```
    pub fn status(status: u16) -> Self {
        let mut response = HttpResponse::new(status, "", b"");
        response.headers.clear();
        response.into()
    }

    /// No reply: the connection is lost.
    ///
    /// ```
    /// # use bookmore_sdk::testing::Reply;
    /// Reply::lost();
    /// ```
    pub fn lost() -> Self {
        Self::error(NetworkError::new("No reply came."))
    }

    /// This error instead of a reply.
    ///
    /// ```
    /// # use bookmore_sdk::{error::NetworkError, testing::Reply};
    /// Reply::error(NetworkError::new("No route to host."));
    /// ```
    pub fn error(error: impl Into<Error>) -> Self {
        Self::of(Comes::Lost(error.into()))
    }

    /// Neither a reply nor an error: the request stays pending.
    ///
    /// ```
    /// # use bookmore_sdk::testing::Reply;
    /// Reply::never();
    /// ```
    pub fn never() -> Self {
        Self::of(Comes::Nothing)
    }

    fn of(comes: Comes) -> Self {
        Self {
            comes,
            after: Duration::ZERO,
            body_after: Duration::ZERO,
        }
    }

    /// Adds a header.
    ///
    /// ```
    /// # use bookmore_sdk::testing::Reply;
    /// Reply::status(429).header("retry-after", "3");
    /// ```
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        if let Some(response) = self.comes.response_mut() {
            response.headers.push((name.into(), value.into()));
        }
        self
    }

    /// Adds a header, unless there is one of this name.
    pub(super) fn with_default_header(self, name: &str, value: &str) -> Self {
        match self.comes.response() {
            Some(response) if response.header(name).is_none() => self.header(name, value),
            _ => self,
        }
    }

    /// The status, if there is a reply.
    pub(super) fn status_code(&self) -> Option<u16> {
        self.comes.response().map(|response| response.status)
    }

    /// Sets the body.
    ///
    /// ```
    /// # use bookmore_sdk::testing::Reply;
    /// Reply::status(500).body("Server Error");
    /// ```
    #[must_use]
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        if let Some(response) = self.comes.response_mut() {
            response.body = Body::Whole(body.as_ref().to_vec());
        }
        self
    }

    /// Breaks the connection at the end of the given body.
    ///
    /// ```
    /// # use bookmore_sdk::testing::Reply;
    /// Reply::json("{").breaks_off();
    /// ```
    #[must_use]
    pub fn breaks_off(mut self) -> Self {
        if let Comes::Whole(response) = self.comes {
            self.comes = Comes::Broken(response);
        }
        self
    }

    /// Sends the headers and never the body.
    ///
    /// ```
    /// # use bookmore_sdk::testing::Reply;
    /// Reply::status(200).without_body();
    /// ```
    #[must_use]
    pub fn without_body(mut self) -> Self {
        self.comes = match self.comes {
            Comes::Whole(response) | Comes::Broken(response) => Comes::Headers(response),
            comes => comes,
        };
        self.body([])
    }

    /// Delays the reply by this long after the request.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use bookmore_sdk::testing::Reply;
    /// Reply::json("{}").after(Duration::from_millis(40));
    /// ```
    #[must_use]
    pub fn after(mut self, time: Duration) -> Self {
        self.after = time;
        self
    }

    /// Delays the body by this long after the headers.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use bookmore_sdk::testing::Reply;
    /// Reply::json("{}").body_after(Duration::from_secs(2));
    /// ```
    #[must_use]
    pub fn body_after(mut self, time: Duration) -> Self {
        self.body_after = time;
        self
    }
}

impl From<HttpResponse> for Reply {
    fn from(response: HttpResponse) -> Self {
        Self::of(Comes::Whole(response))
    }
}
