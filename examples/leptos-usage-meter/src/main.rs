//! Built by these commands in this folder, or by Trunk:
//!
//! ```sh
//! cargo build --release --target wasm32-unknown-unknown
//! wasm-bindgen --target web --no-typescript --out-dir dist ../../target/examples/wasm32-unknown-unknown/release/leptos-usage-meter.wasm
//! node ../../tests/server/server.mjs   # and open /examples/leptos-usage-meter/ with the token good-token
//! ```

#[cfg(target_arch = "wasm32")]
fn main() {
    use bookmore_sdk::{Client, fetch::Fetch};
    use leptos_usage_meter::UsageMeter;

    // The page's own origin; leave it out to use the API's default base URL.
    let origin = web_sys::window().and_then(|window| window.location().origin().ok());
    let client = Client::builder()
        .base_url(origin.expect("a page has an origin"))
        .build(Fetch::new())
        .expect("an origin is a base URL");
    leptos::mount::mount_to_body(move || {
        use leptos::prelude::*;
        view! { <UsageMeter client=client.clone() /> }
    });
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    println!("This app runs in a browser: build it for wasm32-unknown-unknown.");
}
