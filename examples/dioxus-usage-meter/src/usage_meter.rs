use bookmore_sdk::{Client, fetch::Fetch};
use dioxus::prelude::*;

use crate::{sentence, usage};

#[component]
pub fn UsageMeter(client: Client<Fetch>) -> Element {
    let mut token = use_signal(String::new);
    let mut answer = use_signal(|| None);
    let ask = move |event: FormEvent| {
        event.prevent_default();
        let client = client.clone();
        async move {
            let answered = usage(&client, token()).await;
            answer.set(Some(answered));
        }
    };
    rsx! {
        main {
            h1 { "AI assistant usage" }
            form { onsubmit: ask,
                label {
                    "Bearer token "
                    input { required: true, oninput: move |event| token.set(event.value()) }
                }
                " "
                button { "Show" }
            }
            match &*answer.read() {
                None => rsx! {},
                Some(Ok(usage)) => rsx! {
                    p {
                        progress { aria_label: "Tokens used", max: usage.token_limit, value: usage.tokens_used }
                        br {}
                        {sentence(usage)}
                    }
                },
                Some(Err(error)) => rsx! {
                    p { role: "alert", "{error}" }
                },
            }
        }
    }
}
