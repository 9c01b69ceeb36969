//! A Yew page that shows how many AI-assistant tokens a company has used.

use bookmore_sdk::{AiChatUsageResponse, Client, Error, GetAiChatUsage, Transport};

#[cfg(target_arch = "wasm32")]
mod usage_meter;
#[cfg(target_arch = "wasm32")]
pub use usage_meter::{UsageMeter, UsageMeterProps};

/// The usage of the company that the token is for. The client is the page's, or
/// a fake one in a test.
///
/// # Errors
/// Whatever makes the call fail; its text is a sentence for a person.
pub async fn usage<T: Transport>(
    client: &Client<T>,
    token: String,
) -> Result<AiChatUsageResponse, Error> {
    client.set_bearer_token(token)?;
    client.get_ai_chat_usage(&GetAiChatUsage::default()).await
}

/// What the page says of it.
pub fn sentence(usage: &AiChatUsageResponse) -> String {
    format!(
        "{} of {} tokens used in {} days",
        usage.tokens_used, usage.token_limit, usage.window_days
    )
}
