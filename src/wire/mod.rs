//! The wire format of the API: requests as URL and headers, replies as bytes.

pub(crate) mod base_url;
pub(crate) mod decode;
pub(crate) mod encode;
mod format;
pub(crate) mod guid;
pub(crate) mod header;
pub(crate) mod json;

pub use format::Format;
