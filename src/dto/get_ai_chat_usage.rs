use serde::{Deserialize, Serialize};

/// Get the AI assistant token usage and limit for a company.
///
/// Returns how many AI assistant tokens the company has consumed in the
/// current rolling window, the configured limit and whether the company is
/// still within budget.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAiChatUsage {
    /// The company id, a Guid: dashed, undashed or `{dashed-in-braces}`, in any
    /// case. Defaults to the logged-in user's company when omitted, and for the
    /// all-zero Guid.
    #[serde(alias = "CompanyId", skip_serializing_if = "Option::is_none")]
    pub company_id: Option<String>,
}

impl GetAiChatUsage {
    /// The usage of one company.
    ///
    /// ```
    /// # use bookmore_sdk::GetAiChatUsage;
    /// GetAiChatUsage::for_company("9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c");
    /// ```
    pub fn for_company(company_id: impl Into<String>) -> Self {
        Self {
            company_id: Some(company_id.into()),
        }
    }
}

/// The usage of one company.
#[cfg(feature = "uuid")]
impl From<uuid::Uuid> for GetAiChatUsage {
    fn from(company: uuid::Uuid) -> Self {
        Self::for_company(company.to_string())
    }
}
