//! The page in a browser: `wasm-pack test --headless --chrome`.
#![cfg(target_arch = "wasm32")]

use bookmore_sdk::{Client, fetch::Fetch};
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{
    Element, HtmlFormElement, HtmlInputElement, InputEvent, InputEventInit,
    wasm_bindgen::{JsCast, UnwrapThrowExt},
};
use yew_usage_meter::{UsageMeter, UsageMeterProps};

wasm_bindgen_test_configure!(run_in_browser);

/// Replaces the API.
const ANSWER: &str = r#"
    const isKnown = init.headers.Authorization === "Bearer good-token";
    const usage = { tokensUsed: 1234, tokenLimit: 100000, tokensRemaining: 98766, isWithinBudget: true, windowDays: 30 };
    return isKnown ? Response.json(usage) : new Response("", { status: 401 });
"#;

fn page() -> Element {
    let document = web_sys::window().unwrap_throw().document();
    document.unwrap_throw().document_element().unwrap_throw()
}

/// What the page shows for a token.
async fn shown(token: &str, element: &str) -> String {
    let find = |selector: &str| page().query_selector(selector).unwrap_throw();
    let field: HtmlInputElement = find("input").unwrap_throw().unchecked_into();
    field.set_value(token);
    let init = InputEventInit::new();
    init.set_bubbles(true);
    let typed = InputEvent::new_with_event_init_dict("input", &init).unwrap_throw();
    field.dispatch_event(&typed).unwrap_throw();
    let form: HtmlFormElement = find("form").unwrap_throw().unchecked_into();
    form.request_submit().unwrap_throw();
    for _ in 0..1_500 {
        if let Some(found) = find(element) {
            return found.text_content().unwrap_or_default().trim().to_owned();
        }
        TimeoutFuture::new(10).await;
    }
    panic!(
        "no {element} after fifteen seconds: {}",
        page().inner_html()
    );
}

#[wasm_bindgen_test]
async fn shows_the_usage_and_the_sentence_of_an_error() {
    let fetch = js_sys::Function::new_with_args("url, init", ANSWER);
    let fetch = Fetch::new().with_function(fetch);
    let client = Client::builder().build(fetch).unwrap_throw();
    // Beside what the tests show.
    let body = page().query_selector("body").unwrap_throw().unwrap_throw();
    body.insert_adjacent_html("beforeend", "<div id=app></div>")
        .unwrap_throw();
    let app = page().query_selector("#app").unwrap_throw().unwrap_throw();
    yew::Renderer::<UsageMeter>::with_root_and_props(app, UsageMeterProps { client }).render();
    TimeoutFuture::new(0).await;
    assert_eq!(
        shown("good-token", "p:has(progress)").await,
        "1234 of 100000 tokens used in 30 days"
    );
    assert_eq!(
        shown("bad-token", "[role=alert]").await,
        "The server refused the request (401) without saying why. Pass a valid bearer token or API key."
    );
}
