//! A Yew page that shows how many AI-assistant tokens a company has used.
//!
//! ```sh
//! cargo build --release --target wasm32-unknown-unknown
//! wasm-bindgen --target web --no-typescript --out-dir dist target/wasm32-unknown-unknown/release/yew-usage-meter.wasm
//! node ../../tests/server/server.mjs   # and open /examples/yew-usage-meter/ with the token good-token
//! ```

use bookmore_sdk::{AiChatUsageResponse, Client, Error, GetAiChatUsage, fetch::Fetch};
use web_sys::HtmlInputElement;
use yew::{platform::spawn_local, prelude::*};

/// The usage of the company that the token is for. Where another server than
/// the API's serves the page, leave `base_url` out.
async fn usage(token: String) -> Result<AiChatUsageResponse, Error> {
    let client = Client::builder()
        .base_url(gloo_utils::window().origin())
        .bearer_token(token)
        .build(Fetch::new())?;
    client.get_ai_chat_usage(&GetAiChatUsage::default()).await
}

#[component]
fn UsageMeter() -> Html {
    let token = use_node_ref();
    let answer = use_state(|| None);
    let ask = {
        let (token, answer) = (token.clone(), answer.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let token = token.cast::<HtmlInputElement>().map(|field| field.value());
            let answer = answer.clone();
            spawn_local(async move { answer.set(Some(usage(token.unwrap_or_default()).await)) });
        }
    };
    html! {
        <main>
            <h1>{ "AI assistant usage" }</h1>
            <form onsubmit={ask}>
                <label>{ "Bearer token " }<input ref={token} required=true /></label>
                { " " }<button>{ "Show" }</button>
            </form>
            { match &*answer {
                None => html! {}, // a node, if an empty one: the form stays where Yew looks for it
                Some(Ok(usage)) => meter(usage),
                Some(Err(error)) => html! { <p role="alert">{ error.to_string() }</p> },
            } }
        </main>
    }
}

fn meter(usage: &AiChatUsageResponse) -> Html {
    let sentence = format!(
        "{} of {} tokens used in {} days",
        usage.tokens_used, usage.token_limit, usage.window_days
    );
    html! {
        <p>
            <progress aria-label="Tokens used" max={usage.token_limit.to_string()} value={usage.tokens_used.to_string()} />
            <br />
            { sentence }
        </p>
    }
}

fn main() {
    yew::Renderer::<UsageMeter>::new().render();
}
