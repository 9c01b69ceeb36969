use std::fmt;

use serde::{Deserialize, Serialize};

use super::StringMap;

/// ServiceStack's description of an error, part of every error body.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResponseStatus {
    /// The error code, for example `Unauthorized` or `SerializationException`.
    /// Without it the reply is a success.
    #[serde(alias = "ErrorCode", skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// The error message, possibly localized.
    #[serde(alias = "Message", skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The server's stack trace, in debug mode only. It quotes the request, so it
    /// does not belong in logs.
    #[serde(alias = "StackTrace", skip_serializing_if = "Option::is_none")]
    pub stack_trace: Option<String>,
    /// Errors of individual fields. Usually an empty list.
    #[serde(alias = "Errors", skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<ResponseError>>,
    /// Additional data. The keys keep the server's case.
    #[serde(alias = "Meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<StringMap>,
}

/// Omits the stack trace, because it quotes the request.
impl fmt::Debug for ResponseStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseStatus")
            .field("error_code", &self.error_code)
            .field("message", &self.message)
            .field("errors", &self.errors)
            .field("meta", &self.meta)
            .finish_non_exhaustive()
    }
}

/// The error of one field of the request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResponseError {
    /// The error code, for example `NotEqual`.
    #[serde(alias = "ErrorCode", skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// The field of the request, for example `CompanyId`.
    #[serde(alias = "FieldName", skip_serializing_if = "Option::is_none")]
    pub field_name: Option<String>,
    /// The error message.
    #[serde(alias = "Message", skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Additional data. The keys keep the server's case.
    #[serde(alias = "Meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<StringMap>,
}
