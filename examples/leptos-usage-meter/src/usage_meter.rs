use bookmore_sdk::{Client, fetch::Fetch};
use leptos::{html::Input, prelude::*};

use crate::{sentence, usage};

#[component]
pub fn UsageMeter(client: Client<Fetch>) -> impl IntoView {
    let token = NodeRef::<Input>::new();
    let ask = Action::new(move |token: &String| {
        let (client, token) = (client.clone(), token.clone());
        async move { usage(&client, token).await }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if let Some(field) = token.get() {
            ask.dispatch(field.value());
        }
    };
    view! {
        <main>
            <h1>"AI assistant usage"</h1>
            <form on:submit=submit>
                <label>"Bearer token " <input node_ref=token required /></label> " "
                <button>"Show"</button>
            </form>
            {move || ask.value().get().map(|answer| match answer {
                Ok(usage) => view! {
                    <p>
                        <progress aria-label="Tokens used" max=usage.token_limit value=usage.tokens_used></progress>
                        <br />
                        {sentence(&usage)}
                    </p>
                }.into_any(),
                Err(error) => view! { <p role="alert">{error.to_string()}</p> }.into_any(),
            })}
        </main>
    }
}
