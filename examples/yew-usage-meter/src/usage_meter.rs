use bookmore_sdk::{
    AiChatUsageResponse, Client, GetAiChatUsage, client::WatchOptions, fetch::Fetch,
};
use web_sys::HtmlInputElement;
use yew::{platform::spawn_local, prelude::*};

use crate::{follow, sentence};

#[derive(PartialEq, Properties)]
pub struct UsageMeterProps {
    pub client: Client<Fetch>,
}

#[component]
pub fn UsageMeter(props: &UsageMeterProps) -> Html {
    let token = use_node_ref();
    let (usage, problem) = (use_state(|| None), use_state(|| None));
    // Created while rendering, because a token may be submitted before an effect runs.
    let handle = use_memo(props.client.clone(), |client| {
        let watch = client.watch(&GetAiChatUsage::default(), WatchOptions::new());
        let handle = watch.handle();
        handle.pause(true); // until there is a token
        let (usage, problem) = (usage.clone(), problem.clone());
        spawn_local(follow(watch, move |state| {
            usage.set(state.usage);
            problem.set(state.error);
        }));
        handle
    });
    use_effect_with(props.client.clone(), {
        let handle = handle.clone();
        move |_| move || handle.stop() // nothing else ends the loop
    });
    let submit = {
        let (client, token, problem) = (props.client.clone(), token.clone(), problem.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let field = token.cast::<HtmlInputElement>();
            let token = field.map(|field| field.value()).unwrap_or_default();
            match client.set_bearer_token(token) {
                Ok(()) => handle.pause(false),
                Err(error) => problem.set(Some(error)),
            }
        }
    };
    html! {
        <main>
            <h1>{ "AI assistant usage" }</h1>
            <form onsubmit={submit}>
                <label>{ "Bearer token " }<input ref={token} required=true /></label>
                { " " }<button>{ "Show" }</button>
            </form>
            { usage.as_ref().map(meter).unwrap_or_default() }
            { problem.as_ref().map(|error| html! { <p role="alert">{ error.to_string() }</p> }).unwrap_or_default() }
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
