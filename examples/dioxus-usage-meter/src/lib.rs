//! A Dioxus page that keeps showing how many AI-assistant tokens a company has used.

use bookmore_sdk::{AiChatUsageResponse, client::UsageState};
use futures_util::{Stream, StreamExt};

#[cfg(target_arch = "wasm32")]
mod usage_meter;
#[cfg(target_arch = "wasm32")]
pub use usage_meter::UsageMeter;

/// Shows each state of a usage, until the watch is stopped. It is one of the
/// page's client, or of a fake one in a test.
pub async fn follow(
    mut states: impl Stream<Item = UsageState> + Unpin,
    mut show: impl FnMut(UsageState),
) {
    while let Some(state) = states.next().await {
        show(state);
    }
}

/// What the page says of a usage.
pub fn sentence(usage: &AiChatUsageResponse) -> String {
    format!(
        "{} of {} tokens used in {} days",
        usage.tokens_used, usage.token_limit, usage.window_days
    )
}
