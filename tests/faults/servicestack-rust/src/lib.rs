//! The operation as ServiceStack's code generator writes it (`npx get-dtos rust`).

use serde::{Deserialize, Serialize};
use servicestack::{IRequest, IReturn, JsonServiceClient, ResponseStatus};

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct GetAiChatUsage {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_id: Option<String>,
}

impl IRequest for GetAiChatUsage {
    const NAME: &'static str = "GetAiChatUsage";
    const VERB: &'static str = servicestack::HTTP_GET;
}
impl IReturn for GetAiChatUsage {
    type Response = AiChatUsageResponse;
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct AiChatUsageResponse {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_id: Option<String>,
    pub tokens_used: i64,
    pub token_limit: i32,
    pub tokens_remaining: i64,
    pub is_within_budget: bool,
    pub window_days: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_status: Option<ResponseStatus>,
}

pub async fn usage(
    mut client: JsonServiceClient,
    token: &str,
    api_key: &str,
    company_id: Option<String>,
) -> servicestack::Result<AiChatUsageResponse> {
    client.set_bearer_token(token);
    client.set_header("x-api-key", api_key);
    client.send(&GetAiChatUsage { company_id }).await
}
