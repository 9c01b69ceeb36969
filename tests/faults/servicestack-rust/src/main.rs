//! Reads a call from each line, `{ url, token, apiKey, companyId }`, and answers with a line, `{ usage }` or `{ error }`.
//! A long is written as a string, so that JavaScript sees all of its digits.

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    use reqwest::redirect::Policy;
    use serde_json::{Value, json};
    use servicestack::JsonServiceClient;
    use servicestack_rust::usage;

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    // Its own defaults, except that redirects to other hosts fail: the recorded ones name the real host.
    let here = Policy::custom(|attempt| match attempt.url().host_str() {
        Some("127.0.0.1") => attempt.follow(),
        _ => attempt.error("elsewhere"),
    });
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(here)
        .build()
        .unwrap();
    for line in std::io::stdin().lines() {
        let asked: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let text = |name: &str| asked[name].as_str().map(str::to_owned);
        let client = JsonServiceClient::with_client(&text("url").unwrap(), http.clone());
        let (token, key) = (text("token").unwrap(), text("apiKey").unwrap());
        let answer = runtime.block_on(usage(client, &token, &key, text("companyId")));
        println!(
            "{}",
            match answer {
                Ok(usage) => {
                    let mut shown = serde_json::to_value(&usage).unwrap();
                    shown["tokensUsed"] = usage.tokens_used.to_string().into();
                    shown["tokensRemaining"] = usage.tokens_remaining.to_string().into();
                    json!({ "usage": shown })
                }
                Err(error) => json!({ "error": error.to_string() }),
            }
        );
    }
}

#[cfg(target_arch = "wasm32")]
fn main() {}
