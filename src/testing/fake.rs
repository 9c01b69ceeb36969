//! A BookMore API in memory.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use super::{
    Answers, FakeOptions, FakeRequest, Host, Reply, Sent, VirtualTransport,
    answers::http_date,
    companies::{Companies, dashed, guid_number, number_of},
    fake_reply::{Question, Style, company_of, since_1970},
    fake_request::asked,
};
use crate::{
    client::{Client, ClientBuilder},
    error::{ConfigError, Error},
    threads::lock,
    transport::{HttpRequest, HttpResponse, MaybeSend, Transport},
    wire::base_url::BaseUrl,
};

/// A BookMore API in memory, on a clock of its own. A clone is the same one.
///
/// A company that was not set has used nothing of 100 000 tokens in 30 days. A
/// request that does not match the API fails with a `Config` error that names
/// the difference, and is listed in [`requests`](Self::requests) as well.
///
/// ```
/// use std::time::Duration;
/// use bookmore_sdk::{GetAiChatUsage, testing::{Answer, Failure, FakeBookMore, UsageMembers}};
///
/// let fake = FakeBookMore::new();
/// let client = fake.client();
/// fake.set(None, [
///     Answer::from(Failure::status(503).retry_after(7)),
///     UsageMembers::new().share(0.5).into(),
/// ]);
/// let usage = fake.run(client.get_ai_chat_usage(&GetAiChatUsage::default()))?;
/// assert_eq!(usage.tokens_used, 50_000);
/// // The client has waited for as long as the server asked; no time has passed for you.
/// assert_eq!(fake.elapsed(), Duration::from_secs(7));
/// assert_eq!(fake.requests()[0].status, Some(503));
/// # Ok::<_, bookmore_sdk::Error>(())
/// ```
#[derive(Clone)]
pub struct FakeBookMore(Arc<Fake>);

struct Fake {
    clock: VirtualTransport,
    options: FakeOptions,
    base: BaseUrl,
    state: Mutex<State>,
}

struct State {
    companies: Companies,
    /// The requests, by number.
    log: BTreeMap<usize, FakeRequest>,
    /// How many requests were forgotten.
    forgotten: usize,
}

impl Default for FakeBookMore {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeBookMore {
    /// An API at `https://api.bookmore.com` that accepts any token and API key.
    ///
    /// ```
    /// # use bookmore_sdk::testing::FakeBookMore;
    /// let fake = FakeBookMore::new();
    /// ```
    pub fn new() -> Self {
        Self::with(FakeOptions::default())
    }

    /// An API with these options.
    ///
    /// ```
    /// # use bookmore_sdk::testing::FakeOptions;
    /// # use bookmore_sdk::testing::FakeBookMore;
    /// let fake = FakeBookMore::with(FakeOptions::new().bearer_token("the only one"));
    /// ```
    ///
    /// # Panics
    /// If an option is invalid.
    #[track_caller]
    pub fn with(options: FakeOptions) -> Self {
        let base = BaseUrl::parse(&options.base_url).unwrap_or_else(|error| panic!("{error}"));
        let own = number_of(&options.company_id);
        Self(Arc::new(Fake {
            clock: VirtualTransport::new(),
            options,
            base,
            state: Mutex::new(State {
                companies: Companies::new(own),
                log: BTreeMap::new(),
                forgotten: 0,
            }),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0.state)
    }

    /// A client of this API, with a token that is accepted.
    ///
    /// ```
    /// # use bookmore_sdk::testing::FakeBookMore;
    /// let fake = FakeBookMore::new();
    /// let client = fake.client();
    /// ```
    pub fn client(&self) -> Client<Self> {
        let client = self.client_builder().build(self.clone());
        client.unwrap_or_else(|error| panic!("{error}"))
    }

    /// A builder of such a client, for other options: `fake.client_builder().max_retries(0).build(fake.clone())`.
    ///
    /// ```
    /// # use bookmore_sdk::testing::FakeBookMore;
    /// let fake = FakeBookMore::new();
    /// let client = fake.client_builder().max_retries(0).build(fake.clone())?;
    /// # Ok::<_, bookmore_sdk::Error>(())
    /// ```
    pub fn client_builder(&self) -> ClientBuilder {
        let token = self.0.options.bearer_token.as_deref();
        Client::builder()
            .base_url(self.base_url())
            .allow_insecure_http(true)
            .bearer_token(token.unwrap_or("fake-token"))
    }

    /// The base URL of the API.
    ///
    /// ```
    /// # use bookmore_sdk::testing::FakeBookMore;
    /// assert_eq!(FakeBookMore::new().base_url(), "https://api.bookmore.com");
    /// ```
    pub fn base_url(&self) -> &str {
        self.0.base.as_str()
    }

    /// The logged-in user's company.
    ///
    /// ```
    /// # use bookmore_sdk::testing::FakeBookMore;
    /// assert_eq!(FakeBookMore::new().company_id(), "3fa85f64-5717-4562-b3fc-2c963f66afa6");
    /// ```
    pub fn company_id(&self) -> String {
        dashed(self.lock().companies.own)
    }

    /// All requests since the last [`reset`](Self::reset), oldest first.
    ///
    /// ```
    /// # use bookmore_sdk::GetAiChatUsage;
    /// # use bookmore_sdk::testing::FakeBookMore;
    /// let fake = FakeBookMore::new();
    /// let client = fake.client();
    /// fake.run(client.get_ai_chat_usage(&GetAiChatUsage::default()))?;
    /// assert_eq!(fake.requests()[0].status, Some(200));
    /// # Ok::<_, bookmore_sdk::Error>(())
    /// ```
    pub fn requests(&self) -> Vec<FakeRequest> {
        let sent = self.0.clock.requests();
        let state = self.lock();
        let log = sent.iter().enumerate().skip(state.forgotten);
        log.map(|(number, sent)| {
            let logged = state.log.get(&number).cloned();
            let mut request = logged.unwrap_or_else(|| FakeRequest::of(sent));
            request.cancelled_at = sent.cancelled_at;
            request
        })
        .collect()
    }

    /// Sets what requests for a company get from now on; `None` is the logged-in
    /// user's company.
    ///
    /// - A usage, or a few of its members; the others stay as they are:
    ///   `UsageMembers::new().token_limit(50_000)` changes only the limit. The
    ///   tokens count as used just now.
    /// - A failure: `Failure::status(403)`, `Failure::network()`. The usage does
    ///   not change.
    /// - A list of these: one for each request, and the last for all others.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{Failure, UsageMembers};
    /// # use bookmore_sdk::testing::FakeBookMore;
    /// let fake = FakeBookMore::new();
    /// fake.set(None, UsageMembers::new().share(0.83));
    /// fake.set(Some("9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c"), Failure::status(403));
    /// ```
    ///
    /// # Panics
    /// If the members contradict each other or are impossible.
    #[track_caller]
    pub fn set(&self, company_id: Option<&str>, answers: impl Into<Answers>) {
        let now = self.unix_now();
        self.lock().companies.set(company_id, answers.into(), now);
    }

    /// Records that the company uses tokens now. They drop out of its window
    /// after `window_days`.
    ///
    /// ```
    /// # use bookmore_sdk::testing::FakeBookMore;
    /// let fake = FakeBookMore::new();
    /// fake.record(None, 20_000);
    /// ```
    ///
    /// # Panics
    /// If the company id is not a Guid, or `tokens` is negative.
    #[track_caller]
    pub fn record(&self, company_id: Option<&str>, tokens: i64) {
        let now = self.unix_now();
        self.lock().companies.record(company_id, tokens, now);
    }

    /// Advances the clock, for the server and its clients.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use bookmore_sdk::testing::FakeBookMore;
    /// let fake = FakeBookMore::new();
    /// fake.advance(Duration::from_secs(30 * 24 * 60 * 60));
    /// ```
    pub fn advance(&self, time: Duration) {
        self.0.clock.advance(time);
    }

    /// Forgets all companies and requests. The clock stays as it is.
    ///
    /// ```
    /// # use bookmore_sdk::testing::FakeBookMore;
    /// let fake = FakeBookMore::new();
    /// fake.record(None, 20_000);
    /// fake.reset();
    /// ```
    pub fn reset(&self) {
        let sent = self.0.clock.requests().len();
        let mut state = self.lock();
        state.companies.reset();
        state.log.clear();
        state.forgotten = sent;
    }

    /// Runs `future`, such as a call, to its end: see [`VirtualTransport::run`].
    ///
    /// ```
    /// # use bookmore_sdk::GetAiChatUsage;
    /// # use bookmore_sdk::testing::FakeBookMore;
    /// let fake = FakeBookMore::new();
    /// let client = fake.client();
    /// let usage = fake.run(client.get_ai_chat_usage(&GetAiChatUsage::default()))?;
    /// # Ok::<_, bookmore_sdk::Error>(())
    /// ```
    ///
    /// # Panics
    /// If it waits for something that the passing of time does not bring.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        self.0.clock.run(future)
    }

    /// How much time has passed.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use bookmore_sdk::testing::FakeBookMore;
    /// let fake = FakeBookMore::new();
    /// fake.advance(Duration::from_secs(5));
    /// assert_eq!(fake.elapsed(), Duration::from_secs(5));
    /// ```
    pub fn elapsed(&self) -> Duration {
        self.0.clock.elapsed()
    }

    /// The transport with its clock and its clients' random numbers.
    ///
    /// ```
    /// # use bookmore_sdk::testing::FakeBookMore;
    /// let fake = FakeBookMore::new();
    /// fake.clock().set_random(0.5);
    /// ```
    pub fn clock(&self) -> &VirtualTransport {
        &self.0.clock
    }

    fn answer(&self, number: usize, sent: &Sent) -> Reply {
        let Fake { options, base, .. } = &*self.0;
        let mut log = FakeRequest::of(sent);
        let now = self.unix_now();
        let mut state = self.lock();
        let asked = match asked(&sent.request, base) {
            Ok(asked) => asked,
            Err(difference) => {
                log.mismatch = Some(difference.clone());
                state.log.insert(number, log);
                return Reply::error(ConfigError::new(&[&difference]));
            }
        };
        log.tell(&asked);
        let own = state.companies.own;
        let written = company_of(&asked.company, own);
        let company = state.companies.of(written.unwrap_or_default());
        let failure = company.failure();
        let style = Style {
            host: options.host,
            format: asked.format,
        };
        let is_cut = failure.is_some_and(|failure| failure.is_cut());
        let refused = self.refusal(&sent.request, style, &asked.company, written);
        let reply = match refused.filter(|_| !is_cut) {
            Some(refused) => refused.into(),
            None => {
                let question = Question {
                    style,
                    company: written.unwrap_or_default(),
                    own,
                    amounts: company.amounts(now),
                    response_status: company.response_status.as_ref(),
                    base,
                };
                let reply = question.reply(failure);
                company.answered(now);
                reply
            }
        };
        let reply = reply.with_default_header("date", &http_date(since_1970(now)));
        log.status = reply.status_code();
        state.log.insert(number, log);
        reply
    }

    /// The refusal of a request whose company id or credentials are invalid.
    fn refusal(
        &self,
        request: &HttpRequest,
        style: Style,
        written: &str,
        company: Option<u128>,
    ) -> Option<HttpResponse> {
        let bad = company.is_none().then(|| style.binding_error(written));
        let options = &self.0.options;
        let header = request.header("authorization");
        let token = header.and_then(|value| value.strip_prefix("Bearer "));
        let key = request.header("x-api-key");
        let takes = |accepted: &Option<String>, given: &str| match accepted {
            None => !given.is_empty(),
            Some(accepted) => accepted.eq_ignore_ascii_case(given),
        };
        let takes_token = token.is_some_and(|token| match &options.bearer_token {
            None => !token.is_empty(),
            Some(accepted) => accepted == token,
        });
        if takes_token
            || key.is_some_and(|key| takes(&options.api_key, key))
            || request.header("cookie").is_some()
        {
            return bad;
        }
        let is_malformed = key.is_some_and(|key| guid_number(key).is_none());
        let refused = if is_malformed {
            style.malformed_key()
        } else {
            style.unauthorized(header.is_some())
        };
        match style.host {
            Host::Endpoints => Some(refused),
            _ => bad.or(Some(refused)),
        }
    }
}

impl fmt::Debug for FakeBookMore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeBookMore")
            .field("options", &self.0.options)
            .field("elapsed", &self.elapsed())
            .finish_non_exhaustive()
    }
}

impl Transport for FakeBookMore {
    fn send(
        &self,
        request: HttpRequest,
        on_headers: impl FnOnce(&HttpResponse) + MaybeSend + 'static,
    ) -> impl Future<Output = Result<HttpResponse, Error>> + MaybeSend + 'static {
        let fake = self.clone();
        let decide = move |number, sent: &Sent| fake.answer(number, sent);
        self.0.clock.exchange(request, on_headers, decide)
    }

    fn sleep(&self, ms: f64) -> impl Future<Output = ()> + MaybeSend + 'static {
        self.0.clock.sleep(ms)
    }

    fn now(&self) -> f64 {
        self.0.clock.now()
    }

    fn unix_now(&self) -> f64 {
        self.0.clock.unix_now()
    }

    fn random(&self) -> f64 {
        self.0.clock.random()
    }
}
