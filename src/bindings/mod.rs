//! The crate as a JavaScript module, for teams that ship it with Rust code of
//! their own: `wasm-pack build` exports a class over the Rust client, with the
//! names, options and errors of the npm package.
//!
//! `declarations.d.ts` is generated from the npm package's declarations.

mod bearer_token;
mod call;
mod error;
mod event;
mod members;
mod options;
mod response;

use std::future::Future;

use js_sys::Promise;
use wasm_bindgen::prelude::*;

use crate::{
    client::{CallError, Client, WithResponse},
    fetch::{Fetch, is_branded},
};
use options::CallSettings;

#[wasm_bindgen(typescript_custom_section)]
const DECLARATIONS: &str = include_str!("declarations.d.ts");

/// Calls the BookMore API. One client is for one identity and can carry out any
/// number of calls, also at the same time.
#[wasm_bindgen]
pub struct BookMoreClient {
    client: Client<Fetch>,
}

#[wasm_bindgen]
impl BookMoreClient {
    /// @throws A {@link ConfigError} where an option cannot be used.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_optional_param_type = "ClientOptions")] options: JsValue,
    ) -> Result<Self, JsValue> {
        let settings = options::of_client(&options).map_err(error::thrown)?;
        let client = settings.builder.integers_of_javascript();
        Ok(Self {
            client: client.build(settings.fetch).map_err(error::thrown)?,
        })
    }

    /// Does nothing, because the module is loaded already. The npm package loads it
    /// here.
    pub async fn ready(&self) {}

    /// From now on sends this token, or what the function gives; null to send
    /// none. Requests that have been sent are not changed, later ones of the same
    /// call are. Unless it is the same identity, their replies are only given to
    /// those who wait for them already.
    ///
    /// @throws A {@link ConfigError} where it cannot be used.
    #[wasm_bindgen(js_name = setBearerToken)]
    pub fn set_bearer_token(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string | TokenProvider | null")] token: JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "SetBearerTokenOptions")] options: JsValue,
    ) -> Result<(), JsValue> {
        let source = options::of_token(&token, &options);
        let set = source.and_then(|source| self.client.set_bearer_token(source));
        set.map_err(error::thrown)
    }

    /// Get the AI assistant token usage and limit for a company.
    ///
    /// @param request Whose usage; the logged-in user's company when omitted.
    /// @throws A {@link BookMoreError}, or the reason of the signal.
    #[wasm_bindgen(
        js_name = getAiChatUsage,
        unchecked_return_type = "Promise<AiChatUsageResponse>"
    )]
    pub fn get_ai_chat_usage(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "GetAiChatUsage")] request: JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "RequestOptions")] options: JsValue,
    ) -> Promise {
        self.call(&request, &options, response::usage)
    }

    /// The same, with the reply's status and headers, and every attempt.
    ///
    /// @throws A {@link BookMoreError}, or the reason of the signal.
    #[wasm_bindgen(
        js_name = getAiChatUsageWithResponse,
        unchecked_return_type = "Promise<WithResponse>"
    )]
    pub fn get_ai_chat_usage_with_response(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "GetAiChatUsage")] request: JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "RequestOptions")] options: JsValue,
    ) -> Promise {
        self.call(&request, &options, response::with_response)
    }

    fn call(
        &self,
        request: &JsValue,
        options: &JsValue,
        shown: fn(&WithResponse) -> Result<JsValue, JsValue>,
    ) -> Promise {
        call::begin(match options::of_call(request, options) {
            Ok(settings) => Ok(self.answer(settings, shown)),
            Err(refused) => Err(error::thrown(refused)),
        })
    }

    /// The outcome of a call.
    fn answer(
        &self,
        settings: CallSettings,
        shown: fn(&WithResponse) -> Result<JsValue, JsValue>,
    ) -> impl Future<Output = Result<JsValue, JsValue>> + 'static {
        let client = self.client.clone();
        let can_send = client.transport().can_send();
        async move {
            let CallSettings {
                request,
                options,
                signal,
            } = settings;
            let leave = call::Leave::default();
            let call = async {
                if !can_send {
                    return Err(error::without_fetch());
                }
                let on_begin = |leaving| drop(leave.replace(Some(leaving)));
                let replied = client.call_until_left(&request, &options, on_begin).await;
                shown(&replied.map_err(|failed: CallError| error::of_call(&failed))?)
            };
            call::unless_aborted(signal, leave.clone(), call).await
        }
    }
}

/// Whether `value` is an error of a client, also of one of the npm package.
/// `switch (value.code)` then tells its members.
#[wasm_bindgen(js_name = isBookMoreError, unchecked_return_type = "value is AnyBookMoreError")]
pub fn is_book_more_error(
    #[wasm_bindgen(unchecked_param_type = "unknown")] value: &JsValue,
) -> bool {
    is_branded(value)
}
