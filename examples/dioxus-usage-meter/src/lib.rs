//! A Dioxus page that keeps showing how many AI-assistant tokens a company has used.

use bookmore_sdk::{AiChatUsageResponse, client::UsageState};
use futures_util::{Stream, StreamExt};

#[cfg(target_arch = "wasm32")]
mod usage_meter;
#[cfg(target_arch = "wasm32")]
pub use usage_meter::UsageMeter;

/// Shows each state until the watch is stopped. In a page it watches the page's
/// client, in a test a fake one.
pub async fn follow(
    mut states: impl Stream<Item = UsageState> + Unpin,
    mut show: impl FnMut(UsageState),
) {
    while let Some(state) = states.next().await {
        show(state);
    }
}

/// The page's sentence about a usage.
pub fn sentence(usage: &AiChatUsageResponse) -> String {
    format!(
        "{} of {} tokens used in {} days",
        usage.tokens_used, usage.token_limit, usage.window_days
    )
}
