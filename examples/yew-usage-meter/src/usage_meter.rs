use bookmore_sdk::{AiChatUsageResponse, Client, fetch::Fetch};
use web_sys::HtmlInputElement;
use yew::{platform::spawn_local, prelude::*};

use crate::{sentence, usage};

#[derive(PartialEq, Properties)]
pub struct UsageMeterProps {
    pub client: Client<Fetch>,
}

#[component]
pub fn UsageMeter(props: &UsageMeterProps) -> Html {
    let token = use_node_ref();
    let answer = use_state(|| None);
    let ask = {
        let (client, token, answer) = (props.client.clone(), token.clone(), answer.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let field = token.cast::<HtmlInputElement>();
            let token = field.map(|field| field.value()).unwrap_or_default();
            let (client, answer) = (client.clone(), answer.clone());
            spawn_local(async move { answer.set(Some(usage(&client, token).await)) });
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
    html! {
        <p>
            <progress aria-label="Tokens used" max={usage.token_limit.to_string()} value={usage.tokens_used.to_string()} />
            <br />
            { sentence(usage) }
        </p>
    }
}
