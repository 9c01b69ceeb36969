use bookmore_sdk::{Client, GetAiChatUsage, client::WatchOptions, fetch::Fetch};
use leptos::{html::Input, prelude::*, task::spawn_local};

use crate::{follow, sentence};

#[component]
pub fn UsageMeter(client: Client<Fetch>) -> impl IntoView {
    let token = NodeRef::<Input>::new();
    let (usage, problem) = (RwSignal::new(None), RwSignal::new(None));
    let watch = client.watch(&GetAiChatUsage::default(), WatchOptions::new());
    let handle = watch.handle();
    handle.pause(true); // until there is a token
    // Nothing else ends the loop.
    on_cleanup({
        let handle = handle.clone();
        move || handle.stop()
    });
    spawn_local(follow(watch, move |state| {
        usage.set(state.usage);
        problem.set(state.error);
    }));
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let token = token.get().map(|field| field.value());
        match client.set_bearer_token(token.unwrap_or_default()) {
            Ok(()) => handle.pause(false),
            Err(error) => problem.set(Some(error)),
        }
    };
    view! {
        <main>
            <h1>"AI assistant usage"</h1>
            <form on:submit=submit>
                <label>"Bearer token " <input node_ref=token required /></label> " "
                <button>"Show"</button>
            </form>
            {move || usage.get().map(|usage| view! {
                <p>
                    <progress aria-label="Tokens used" max=usage.token_limit value=usage.tokens_used></progress>
                    <br />
                    {sentence(&usage)}
                </p>
            })}
            {move || problem.get().map(|error| view! { <p role="alert">{error.to_string()}</p> })}
        </main>
    }
}
