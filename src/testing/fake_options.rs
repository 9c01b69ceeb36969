//! Options of the API in memory.

use std::fmt;

use super::Host;

/// The company that the recorded server answered for.
const OWN_COMPANY: &str = "3fa85f64-5717-4562-b3fc-2c963f66afa6";

/// Options of a [`FakeBookMore`](super::FakeBookMore).
///
/// ```
/// use bookmore_sdk::testing::{FakeBookMore, FakeOptions, Host};
///
/// let options = FakeOptions::new().host(Host::CamelCase).bearer_token("the only one");
/// let fake = FakeBookMore::with(options);
/// ```
#[derive(Clone)]
pub struct FakeOptions {
    pub(super) base_url: String,
    pub(super) company_id: String,
    pub(super) bearer_token: Option<String>,
    pub(super) api_key: Option<String>,
    pub(super) host: Host,
}

impl Default for FakeOptions {
    fn default() -> Self {
        Self {
            base_url: "https://api.bookmore.com".to_owned(),
            company_id: OWN_COMPANY.to_owned(),
            bearer_token: None,
            api_key: None,
            host: Host::default(),
        }
    }
}

impl FakeOptions {
    /// The defaults.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{FakeBookMore, FakeOptions, Host};
    /// FakeBookMore::with(FakeOptions::new());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// The base URL of the API. Requests to any other address are refused.
    /// Default: `https://api.bookmore.com`.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{FakeBookMore, FakeOptions, Host};
    /// FakeBookMore::with(FakeOptions::new().base_url("https://gateway.example/bookmore"));
    /// ```
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into();
        self
    }

    /// The logged-in user's company, which answers requests without a company
    /// id.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{FakeBookMore, FakeOptions, Host};
    /// FakeBookMore::with(FakeOptions::new().company_id("9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c"));
    /// ```
    #[must_use]
    pub fn company_id(mut self, company_id: impl Into<String>) -> Self {
        self.company_id = company_id.into();
        self
    }

    /// The only token that is accepted; any other gets a 401. Default: any.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{FakeBookMore, FakeOptions, Host};
    /// FakeBookMore::with(FakeOptions::new().bearer_token("the only one"));
    /// ```
    #[must_use]
    pub fn bearer_token(mut self, token: impl Into<String>) -> Self {
        self.bearer_token = Some(token.into());
        self
    }

    /// The only API key that is accepted, a Guid; any other gets a 401 or 403.
    /// Default: any.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{FakeBookMore, FakeOptions, Host};
    /// FakeBookMore::with(FakeOptions::new().api_key("0b6f2f2e-6a7c-4d5e-9c56-2f1f3f0a1b2c"));
    /// ```
    #[must_use]
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// How the server is configured. Default: [`Host::Classic`].
    ///
    /// ```
    /// # use bookmore_sdk::testing::{FakeBookMore, FakeOptions, Host};
    /// FakeBookMore::with(FakeOptions::new().host(Host::CamelCase));
    /// ```
    #[must_use]
    pub fn host(mut self, host: Host) -> Self {
        self.host = host;
        self
    }
}

/// Leaves the credentials out.
impl fmt::Debug for FakeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeOptions")
            .field("base_url", &self.base_url)
            .field("company_id", &self.company_id)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}
