//! The exports behind the npm package: convert in, call the core, convert
//! out. The TypeScript face in `pkg/src` is their only caller.

mod error;
mod options;
mod value;

use std::{future::poll_fn, pin::pin, rc::Rc, task::Poll};

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use crate::{
    client::{CallOptions, Client},
    dto::GetAiChatUsage,
    error::Error,
    fetch::Fetch,
};

/// The client that a `BookMoreClient` holds.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Core(Rc<Client<Fetch>>);

#[wasm_bindgen]
impl Core {
    /// Fails with what `error::to_js` makes.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue) -> Result<Core, JsValue> {
        match options::client(options) {
            Ok(client) => Ok(Core(Rc::new(client))),
            Err(error) => Err(error::to_js(&error)),
        }
    }

    /// Gives `{ data, response }`, or fails with what `error::to_js` makes.
    /// When `cancelled` is settled first, the call is given up and gives
    /// undefined. The caller must settle it in the end: a promise that never
    /// settles keeps its listener for ever.
    #[wasm_bindgen(js_name = getAiChatUsage)]
    pub fn get_ai_chat_usage(
        &self,
        company_id: Option<String>,
        options: &JsValue,
        cancelled: Promise,
    ) -> Promise {
        let client = Rc::clone(&self.0);
        let request = GetAiChatUsage { company_id };
        let options = options::call(options);
        future_to_promise(async move {
            let call = call(&client, &request, &options);
            let mut call = pin!(call);
            let mut cancelled = pin!(JsFuture::from(cancelled));
            poll_fn(|context| match cancelled.as_mut().poll(context) {
                Poll::Ready(_) => Poll::Ready(Ok(JsValue::UNDEFINED)),
                Poll::Pending => call.as_mut().poll(context),
            })
            .await
            .map_err(|error| error::to_js(&error))
        })
    }
}

async fn call(
    client: &Client<Fetch>,
    request: &GetAiChatUsage,
    options: &CallOptions,
) -> Result<JsValue, Error> {
    let reply = client.get_ai_chat_usage_with(request, options).await?;
    Ok(value::with_response(reply))
}

// SAFETY: a wasm module without shared memory, such as this one, has one thread.
#[allow(unsafe_code)]
#[global_allocator]
static ALLOCATOR: lol_alloc::AssumeSingleThreaded<lol_alloc::FreeListAllocator> =
    unsafe { lol_alloc::AssumeSingleThreaded::new(lol_alloc::FreeListAllocator::new()) };
