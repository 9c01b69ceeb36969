//! What the API says, in its own words: the request and the reply of
//! `GET /assistant/ai-chat/usage`, as the docs page of the API names them.
//!
//! They serialise in camelCase and deserialise from camelCase and PascalCase,
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
