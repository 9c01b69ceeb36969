//! [`Client`] and its builder.

use std::{fmt, future::Future, pin::Pin, rc::Rc};

use crate::{
    dto::{AiChatUsageResponse, GetAiChatUsage},
    error::Error,
    policy::outcome,
    transport::{HttpResponse, Transport, names},
    wire::{
        Format,
        base_url::BaseUrl,
        decode::Integers,
        encode::{self, Envelope},
        header,
    },
};

/// Calls the BookMore API through a [`Transport`].
#[derive(Debug)]
pub struct Client<T> {
    config: Config,
    transport: T,
}

impl Client<()> {
    /// Starts with the defaults: `https://api.bookmore.com`, JSON, no
    /// credentials.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }
}

impl<T: Transport> Client<T> {
    /// Get the AI assistant token usage and limit for a company.
    ///
    /// # Errors
    /// Each kind of [`Error`]; `Config` for a company id, a header or a
    /// provider's token that cannot be sent.
    pub async fn get_ai_chat_usage(
        &self,
        request: &GetAiChatUsage,
    ) -> Result<AiChatUsageResponse, Error> {
        let options = CallOptions::default();
        Ok(self.get_ai_chat_usage_with(request, &options).await?.data)
    }

    /// The same with options for this call, and with the reply's status and
    /// headers.
    ///
    /// # Errors
    /// Each kind of [`Error`]; `Config` for a company id, a header or a
    /// provider's token that cannot be sent.
    pub async fn get_ai_chat_usage_with(
        &self,
        request: &GetAiChatUsage,
        options: &CallOptions,
    ) -> Result<WithResponse, Error> {
        let config = &self.config;
        let token = match &config.bearer {
            None => None,
            Some(Bearer::Fixed(token)) => Some(token.0.clone()),
            Some(Bearer::Provider(provide)) => provide().await?,
        };
        let http_request = encode::request(
            request,
            &Envelope {
                base_url: &config.base_url,
                format: options.format.unwrap_or(config.format),
                bearer_token: token.as_deref(),
                api_key: config.api_key.as_ref().map(|key| key.0.as_str()),
                headers: [&config.headers, &options.headers],
            },
        )?;
        let response = self.transport.send(http_request).await?;
        let data = outcome::judge(&response, request, &config.base_url, config.integers)?;
        Ok(WithResponse { data, response })
    }
}

/// What may differ from call to call.
#[derive(Clone, Default)]
pub struct CallOptions {
    /// Instead of the client's format.
    pub format: Option<Format>,
    /// Besides the client's extra headers; a name that is in both is sent
    /// with this value.
    pub headers: Vec<(String, String)>,
}

/// A usage and the reply that brought it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WithResponse {
    /// The usage.
    pub data: AiChatUsageResponse,
    /// The reply.
    pub response: HttpResponse,
}

struct Config {
    base_url: BaseUrl,
    format: Format,
    bearer: Option<Bearer>,
    api_key: Option<Secret>,
    headers: Vec<(String, String)>,
    integers: Integers,
}

/// Headers may hold secrets: only their names are shown.
impl fmt::Debug for CallOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallOptions")
            .field("format", &self.format)
            .field("headers", &names(&self.headers))
            .finish()
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("base_url", &self.base_url.as_str())
            .field("format", &self.format)
            .field("headers", &names(&self.headers))
            .finish_non_exhaustive()
    }
}

/// What a token provider gives: a token, `None` to send none, or an error.
pub type TokenFuture = Pin<Box<dyn Future<Output = Result<Option<String>, Error>>>>;

#[derive(Clone)]
pub(crate) enum Bearer {
    Fixed(Secret),
    Provider(Rc<dyn Fn() -> TokenFuture>),
}

/// Has no `Debug`, so that it is never shown.
#[derive(Clone)]
pub(crate) struct Secret(pub String);

/// Collects the options of a [`Client`]; they are checked by
/// [`build`](Self::build).
#[derive(Clone, Default)]
pub struct ClientBuilder {
    pub(crate) base_url: Option<String>,
    pub(crate) format: Format,
    pub(crate) bearer: Option<Bearer>,
    pub(crate) api_key: Option<Secret>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) integers: Integers,
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("base_url", &self.base_url)
            .field("format", &self.format)
            .field("headers", &names(&self.headers))
            .finish_non_exhaustive()
    }
}

impl ClientBuilder {
    /// Where the API lives, with or without a path. Default:
    /// `https://api.bookmore.com`.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// The form in which replies are asked for. Default: JSON.
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Sent as `Authorization: Bearer …`.
    #[must_use]
    pub fn bearer_token(mut self, token: impl Into<String>) -> Self {
        self.bearer = Some(Bearer::Fixed(Secret(token.into())));
        self
    }

    /// Asked for the bearer token at each call.
    #[must_use]
    pub fn token_provider<P, F>(mut self, provider: P) -> Self
    where
        P: Fn() -> F + 'static,
        F: Future<Output = Result<Option<String>, Error>> + 'static,
    {
        self.bearer = Some(Bearer::Provider(Rc::new(move || Box::pin(provider()))));
        self
    }

    /// Sent as `x-api-key`.
    #[must_use]
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(Secret(key.into()));
        self
    }

    /// Sent with every request. A header beyond the CORS-safelisted ones
    /// must be allowed by the server, or browsers refuse the request.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// A client that sends its requests through `transport`.
    ///
    /// # Errors
    /// A base URL that is no absolute http(s) URL, a token or API key that is
    /// empty or has white space in it, a header that HTTP forbids or that the
    /// SDK sets itself.
    pub fn build<T: Transport>(self, transport: T) -> Result<Client<T>, Error> {
        let base_url = self
            .base_url
            .as_deref()
            .unwrap_or("https://api.bookmore.com");
        if let Some(Bearer::Fixed(token)) = &self.bearer {
            header::check_secret("The bearer token", &token.0)?;
        }
        if let Some(key) = &self.api_key {
            header::check_secret("The API key", &key.0)?;
        }
        for (name, value) in &self.headers {
            header::check_extra(name, value)?;
        }
        let config = Config {
            base_url: BaseUrl::parse(base_url)?,
            format: self.format,
            bearer: self.bearer,
            api_key: self.api_key,
            headers: self.headers,
            integers: self.integers,
        };
        Ok(Client { config, transport })
    }
}
