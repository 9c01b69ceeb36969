use serde::{Deserialize, Serialize};

use super::{
    ResponseStatus,
    member::{Field, Kind, Member, Shown, Value, reply},
};

reply! {
    /// How many AI assistant tokens a company has consumed in the current
    /// rolling window, and its limit.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub struct AiChatUsageResponse {
        /// The company the usage applies to, as the server wrote it (a Guid,
        /// dashed or not). Absent if the server named none: it omitted the
        /// property or wrote the all-zero Guid.
        #[serde(alias = "CompanyId", skip_serializing_if = "Option::is_none")]
        pub company_id: Option<String> = "companyId", Guid;
        /// Tokens consumed within the current rolling window. Can exceed the
        /// limit.
        #[serde(alias = "TokensUsed")]
        pub tokens_used: i64 = "tokensUsed", Int64;
        /// The company's token limit for the window.
        #[serde(alias = "TokenLimit")]
        pub token_limit: i32 = "tokenLimit", Int32;
        /// Tokens remaining before the limit is reached (never negative).
        #[serde(alias = "TokensRemaining")]
        pub tokens_remaining: i64 = "tokensRemaining", Int64;
        /// True while the company is still below its token limit.
        #[serde(alias = "IsWithinBudget")]
        pub is_within_budget: bool = "isWithinBudget", Boolean;
        /// Length of the rolling usage window, in days.
        #[serde(alias = "WindowDays")]
        pub window_days: i32 = "windowDays", Int32;
        /// Usually absent on success; without an error code it may carry a
        /// message or meta data. A reply with an error code is an
        /// [`ApiError`](crate::error::ApiError) instead.
        #[serde(alias = "ResponseStatus", skip_serializing_if = "Option::is_none")]
        pub response_status: Option<Box<ResponseStatus>> = "responseStatus", ResponseStatus;
    }
}
