//! A few lines of Rust for a web app: the usage of a company as a sentence.
//!
//! `cargo build --example usage --target wasm32-unknown-unknown`
#![cfg(target_arch = "wasm32")]

use bookmore_sdk::{Client, Error, GetAiChatUsage, fetch::Fetch};
use wasm_bindgen::prelude::*;

/// The usage of `company_id`, from the API at `base_url`.
#[wasm_bindgen]
pub async fn describe_usage(base_url: String, token: String, company_id: Option<String>) -> String {
    let usage = async {
        let client = Client::builder()
            .base_url(base_url)
            .bearer_token(token)
            .build(Fetch::new())?;
        client
            .get_ai_chat_usage(&GetAiChatUsage { company_id })
            .await
    };
    match usage.await {
        Ok(usage) => format!("{} of {} tokens used", usage.tokens_used, usage.token_limit),
        Err(Error::Api(error)) => format!("HTTP {}: {error}", error.status),
        Err(error) => error.to_string(),
    }
}
