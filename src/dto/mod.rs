//! The request and the reply of `GET /assistant/ai-chat/usage`, named as in the
//! API's documentation.
//!
//! They serialize to camelCase, and deserialize from camelCase and PascalCase,
//! because the case is a setting of the server.

mod get_ai_chat_usage;
pub(crate) mod member;
mod response_status;
mod string_map;
mod usage_response;

pub use get_ai_chat_usage::GetAiChatUsage;
pub use response_status::{ResponseError, ResponseStatus};
pub use string_map::StringMap;
pub use usage_response::AiChatUsageResponse;
