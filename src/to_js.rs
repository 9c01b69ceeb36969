use serde::Serialize;
use serde_wasm_bindgen::{Error, Serializer};
use wasm_bindgen::JsValue;

use crate::dto::AiChatUsageResponse;

impl AiChatUsageResponse {
    /// The usage as the plain JavaScript object that the npm package gives, for
    /// scripts beside a Rust web app, such as a chart. Only on wasm32.
    ///
    /// ```ignore
    /// draw_chart(&usage.to_js()?); // a function of your JavaScript
    /// ```
    ///
    /// # Errors
    /// A counter beyond 2^53 − 1 on either side, which a JavaScript number
    /// cannot hold exactly.
    pub fn to_js(&self) -> Result<JsValue, Error> {
        self.serialize(&Serializer::json_compatible())
    }
}
