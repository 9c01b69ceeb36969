//! [`Client`], its builder, and the options and results of calls.

mod bearer_token;
mod builder;
mod driver;
mod event;
mod hub;
mod many;
mod options;
mod pool;
mod response;
mod running;
mod state;
mod timer;
mod watch;

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

pub use bearer_token::{BearerToken, IntoBearerToken, TokenRequest, TokenSource};
pub use builder::ClientBuilder;
pub use event::Event;
pub use many::{GetMany, ManyOutcome, ManyProgress};
pub use options::CallOptions;
pub use response::{Attempt, CallError, ResponseInfo, WithResponse};
pub use watch::{Level, Net, Status, Trend, UsageState, Watch, WatchHandle, WatchOptions};

use builder::check_bearer;
use driver::Driver;
use event::Listener;

use crate::{
    dto::{AiChatUsageResponse, GetAiChatUsage},
    engine::{Id, Options, Outcome},
    error::Error,
    transport::{Transport, names},
};

/// Calls the BookMore API through a [`Transport`]. A client serves one identity
/// and any number of concurrent calls; a clone is the same client.
///
/// Over `fetch::Fetch` a client, its calls and its errors are `Send` and `Sync`,
/// as some frameworks require. They must still be used on the thread that made
/// them; on another one they panic.
pub struct Client<T> {
    driver: Arc<Driver<T>>,
    settings: Arc<Settings>,
}

struct Settings {
    base_url: String,
    /// Whether tokens may be sent to the base URL.
    keeps_secrets: bool,
    options: Options,
}

impl<T> Clone for Client<T> {
    fn clone(&self) -> Self {
        Self {
            driver: Arc::clone(&self.driver),
            settings: Arc::clone(&self.settings),
        }
    }
}

/// A client equals its clones and no other client: Yew and Dioxus require
/// equality of properties.
///
/// ```
/// # use bookmore_sdk::testing::FakeBookMore;
/// let fake = FakeBookMore::new();
/// let client = fake.client();
/// assert!(client == client.clone() && client != fake.client());
/// ```
impl<T> PartialEq for Client<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.driver, &other.driver)
    }
}

impl<T> Eq for Client<T> {}

impl Client<()> {
    /// Starts with the defaults: `https://api.bookmore.com`, JSON, no
    /// credentials.
    ///
    /// ```
    /// # use bookmore_sdk::{Client, testing::VirtualTransport as Fetch};
    /// let client = Client::builder().bearer_token("t0ken").build(Fetch::new())?;
    /// # Ok::<_, bookmore_sdk::Error>(())
    /// ```
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }
}

impl<T: Transport> Client<T> {
    /// Get the AI assistant token usage and limit for a company.
    ///
    /// Dropping the future cancels the call, and its request unless an equal call
    /// waits for the same reply.
    ///
    /// ```
    /// # use bookmore_sdk::{AiChatUsageResponse, Client, GetAiChatUsage, testing::*};
    /// # let usage = AiChatUsageResponse { tokens_used: 5, ..Default::default() };
    /// # let transport = VirtualTransport::new().reply(Reply::usage(&usage));
    /// # let client = Client::builder().build(transport.clone())?;
    /// # transport.run(async {
    /// let company = "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c";
    /// let usage = client.get_ai_chat_usage(&GetAiChatUsage::for_company(company)).await?;
    /// println!("{} of {} tokens", usage.tokens_used, usage.token_limit);
    /// # Ok::<_, bookmore_sdk::Error>(()) })?;
    /// # Ok::<_, bookmore_sdk::Error>(())
    /// ```
    ///
    /// # Errors
    /// Each kind of [`Error`]; `Config` for a company id that is not a Guid.
    pub async fn get_ai_chat_usage(
        &self,
        request: &GetAiChatUsage,
    ) -> Result<AiChatUsageResponse, Error> {
        let options = CallOptions::default();
        Ok(self.get_ai_chat_usage_with(request, &options).await?.data)
    }

    /// Like [`get_ai_chat_usage`](Self::get_ai_chat_usage), with options for this
    /// call; also returns the reply's status and headers.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use bookmore_sdk::{AiChatUsageResponse, Client, GetAiChatUsage, client::CallOptions, testing::*};
    /// # let transport = VirtualTransport::new().reply(Reply::usage(&AiChatUsageResponse::default()));
    /// # let client = Client::builder().build(transport.clone())?;
    /// # transport.run(async {
    /// let options = CallOptions::new().fresh(true).total_timeout(Duration::from_secs(5));
    /// let reply = client.get_ai_chat_usage_with(&GetAiChatUsage::default(), &options).await?;
    /// assert_eq!((reply.response.status, reply.attempts.len()), (200, 1));
    /// # Ok::<_, bookmore_sdk::Error>(()) })?;
    /// # Ok::<_, bookmore_sdk::Error>(())
    /// ```
    ///
    /// # Errors
    /// Each kind of [`Error`], with the attempts; `Config` for an invalid company
    /// id, header or timeout.
    pub async fn get_ai_chat_usage_with(
        &self,
        request: &GetAiChatUsage,
        options: &CallOptions,
    ) -> Result<WithResponse, CallError> {
        WithResponse::of(*self.begin(request, options)?.await)
    }

    /// Begins a call, which is carried out when it is polled.
    fn begin(
        &self,
        request: &GetAiChatUsage,
        options: &CallOptions,
    ) -> Result<Call<'_, T>, CallError> {
        let options = options.over(&self.settings.options)?;
        Ok(Call {
            driver: &self.driver,
            id: self.driver.begin(request.clone(), options),
            is_over: false,
        })
    }

    /// The same as [`get_ai_chat_usage_with`](Self::get_ai_chat_usage_with), for
    /// who may leave while the call is being polled: `on_begin` is given what
    /// leaves it, unless it has settled.
    #[cfg(all(feature = "bindings", target_arch = "wasm32"))]
    pub(crate) async fn call_until_left(
        &self,
        request: &GetAiChatUsage,
        options: &CallOptions,
        on_begin: impl FnOnce(Box<dyn Fn()>),
    ) -> Result<WithResponse, CallError>
    where
        T: 'static,
    {
        let call = self.begin(request, options)?;
        let (driver, id) = (Arc::downgrade(&self.driver), call.id);
        on_begin(Box::new(move || {
            if let Some(driver) = driver.upgrade() {
                driver.leave_unless_settled(id);
            }
        }));
        WithResponse::of(*call.await)
    }

    /// From now on sends another token, or asks another provider, or sends
    /// none. Calls that have not been sent yet go with it; the reply to one that
    /// has been is given to its callers and to nobody else. The pauses that the
    /// server has asked for end, unless it is the same identity; a
    /// [`watch`](Self::watch) forgets what it knew.
    ///
    /// ```
    /// # use bookmore_sdk::{Client, client::TokenSource, testing::VirtualTransport as Fetch};
    /// # let client = Client::builder().build(Fetch::new())?;
    /// client.set_bearer_token("t0ken")?; // somebody has signed in
    /// client.set_bearer_token(TokenSource::from("n3w").same_identity())?;
    /// client.set_bearer_token(TokenSource::none())?;
    /// # Ok::<_, bookmore_sdk::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError`](crate::error::ConfigError) for a token that is empty,
    /// has white space in it or would go over plain http.
    pub fn set_bearer_token(&self, source: impl Into<TokenSource>) -> Result<(), Error> {
        let TokenSource {
            bearer,
            same_identity,
        } = source.into();
        check_bearer(bearer.as_ref(), self.settings.keeps_secrets)?;
        self.driver.set_bearer_token(bearer, same_identity);
        Ok(())
    }

    /// The transport that sends the requests.
    ///
    /// ```
    /// # use bookmore_sdk::testing::FakeBookMore;
    /// let client = FakeBookMore::new().client();
    /// assert_eq!(client.transport().requests().len(), 0);
    /// ```
    pub fn transport(&self) -> &T {
        &self.driver.transport
    }
}

impl<T: fmt::Debug> fmt::Debug for Client<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = &self.settings.options;
        f.debug_struct("Client")
            .field("base_url", &self.settings.base_url)
            .field("format", &options.format)
            .field("headers", &names(&options.headers))
            .field("limits", &options.limits)
            .field("transport", &self.driver.transport)
            .finish_non_exhaustive()
    }
}

/// A call in progress.
struct Call<'a, T: Transport> {
    driver: &'a Arc<Driver<T>>,
    id: Id,
    is_over: bool,
}

impl<T: Transport> Future for Call<'_, T> {
    type Output = Box<Outcome>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Box<Outcome>> {
        let polled = self.driver.poll(self.id, context.waker());
        self.is_over = polled.is_ready();
        polled
    }
}

impl<T: Transport> Drop for Call<'_, T> {
    fn drop(&mut self) {
        if !self.is_over {
            self.driver.abandon(self.id);
        }
    }
}

fn milliseconds(limit: Option<Duration>) -> f64 {
    limit.map_or(f64::INFINITY, |limit| limit.as_secs_f64() * 1e3)
}

/// A duration in milliseconds; zero for a negative number or NaN.
fn duration(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1e3).unwrap_or_default()
}

/// Frameworks such as Leptos require these bounds of what they store.
#[cfg(not(feature = "npm"))]
const _: () = {
    const fn goes_anywhere<T: Clone + Send + Sync + 'static>() {}
    goes_anywhere::<ClientBuilder>();
    goes_anywhere::<TokenSource>();
    goes_anywhere::<CallOptions>();
    goes_anywhere::<WithResponse>();
    goes_anywhere::<CallError>();

    goes_anywhere::<UsageState>();
    goes_anywhere::<WatchHandle>();

    const fn _clients_do<T: Transport + Send + Sync>() {
        goes_anywhere::<Client<T>>();
    }

    fn _calls_do<T: Transport + Send + Sync>(client: &Client<T>, request: &GetAiChatUsage) {
        fn goes_anywhere<T: Send>(_: T) {}
        goes_anywhere(client.get_ai_chat_usage(request));
        goes_anywhere(client.watch(request, WatchOptions::new()));
    }
};
