use bookmore_sdk::{Client, GetAiChatUsage, client::WatchOptions, fetch::Fetch};
use dioxus::prelude::*;

use crate::{follow, sentence};

#[component]
pub fn UsageMeter(client: Client<Fetch>) -> Element {
    let mut token = use_signal(String::new);
    let mut usage = use_signal(|| None);
    let mut problem = use_signal(|| None);
    // The component's tasks end with it, and so does the watch.
    let handle = use_hook(|| {
        let watch = client.watch(&GetAiChatUsage::default(), WatchOptions::new());
        let handle = watch.handle();
        handle.pause(true); // until there is a token
        spawn(follow(watch, move |state| {
            usage.set(state.usage);
            problem.set(state.error);
        }));
        handle
    });
    let submit = move |event: FormEvent| {
        event.prevent_default();
        match client.set_bearer_token(token()) {
            Ok(()) => handle.pause(false),
            Err(error) => problem.set(Some(error)),
        }
    };
    rsx! {
        main {
            h1 { "AI assistant usage" }
            form { onsubmit: submit,
                label {
                    "Bearer token "
                    input { required: true, oninput: move |event| token.set(event.value()) }
                }
                " "
                button { "Show" }
            }
            if let Some(usage) = &*usage.read() {
                p {
                    progress { aria_label: "Tokens used", max: usage.token_limit, value: usage.tokens_used }
                    br {}
                    {sentence(usage)}
                }
            }
            if let Some(error) = &*problem.read() {
                p { role: "alert", "{error}" }
            }
        }
    }
}
