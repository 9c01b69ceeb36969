//! Reads what a `fetch` returns, or refuses it.

use gloo_net::http::Response;
use js_sys::{Array, Function, Object, Promise, Reflect, Symbol, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::{
    javascript::{get, has_method, invoke, is_true, items, type_of},
    timer::Sleep,
};
use crate::{
    error::{ConfigError, Error},
    transport::{Body, HttpResponse},
};

/// The reply without its body. Members that a mock may lack are read with care,
/// because their absence would throw.
///
/// # Errors
/// [`ConfigError`] for a value that is not a Response, or has no readable body.
pub(super) fn head(given: &JsValue) -> Result<HttpResponse, Error> {
    if !given.is_object() {
        let given = type_of(given);
        return Err(unusable(&match given.as_str() {
            "undefined" | "null" => given,
            other => ["something of type ", other].concat(),
        }));
    }
    let kind = get(given, "type");
    let is = |name: &str| kind.as_ref().is_some_and(|kind| kind == name);
    if is("error") {
        return Err(unusable("Response.error()"));
    }
    if is("opaque") {
        return Err(unusable("an opaque Response, as the mode no-cors does"));
    }
    let status = get(given, "status").and_then(|status| status.as_f64());
    // Only an opaque redirect has no status.
    let is_status =
        |status: f64| (1.0..1000.0).contains(&status) && f64::from(status as u16) == status;
    if !status.is_some_and(|status| is("opaqueredirect") || is_status(status)) {
        return Err(unusable("an object without a status"));
    }
    let response = Response::from(given.clone().unchecked_into::<web_sys::Response>());
    if is_true(given, "bodyUsed") {
        return Err(unusable("a Response that has been read already"));
    }
    // A null body has nothing to read.
    let body = Reflect::get(given, &"body".into()).unwrap_or_default();
    if is_true(&body, "locked") {
        return Err(unusable("a Response whose body is being read"));
    }
    let is_readable = has_method(&body, "getReader")
        || has_method(given, "arrayBuffer")
        || has_method(given, "text");
    if !body.is_null() && !is_readable {
        return Err(unusable(if body.is_undefined() {
            "an object with neither body nor arrayBuffer() nor text()"
        } else {
            "an object with neither a stream as its body nor arrayBuffer() nor text()"
        }));
    }
    // A given function may have followed a redirect nevertheless. One that goes
    // elsewhere on purpose, such as to a gateway, is the caller's choice.
    let url = get(given, "url").filter(|_| is_true(given, "redirected"));
    Ok(HttpResponse {
        received_at: js_sys::Date::now(),
        status: response.status(),
        url: url.and_then(|url| url.as_string()),
        headers: get(given, "headers").map_or_else(Vec::new, |headers| pairs(&headers)),
        body: Body::Whole(Vec::new()),
    })
}

fn unusable(given: &str) -> Error {
    let needed = "; return an unread Response, as fetch does, or an object like one with status, headers and a body.";
    ConfigError::new(&["The fetch function returned ", given, needed]).into()
}

/// The pairs of anything that iterates like `Headers`, or of the plain object of
/// a mock, names in lower case. Session cookies, which Node shows, are not the
/// caller's business.
fn pairs(headers: &JsValue) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let entries = if Reflect::has(headers, &Symbol::iterator()).unwrap_or(true) {
        items(headers)
    } else {
        Object::entries(headers.unchecked_ref())
    };
    for entry in entries.iter() {
        let entry = items(&entry);
        if let (Some(mut name), Some(value)) = (entry.get(0).as_string(), entry.get(1).as_string())
        {
            name.make_ascii_lowercase();
            if name != "set-cookie" {
                pairs.push((name, value));
            }
        }
    }
    pairs
}

/// After this many chunks in a row, timers get their turn: all may be empty and
/// available at once.
const PIECES_AT_ONCE: u32 = 1024;

/// Why a body could not be read to its end.
pub(super) enum Unread {
    /// It gives no bytes, as the body of a mock may.
    Unusable(Error),
    /// What reading it threw: the reply broke off.
    Thrown(JsValue),
}

impl From<JsValue> for Unread {
    fn from(thrown: JsValue) -> Self {
        Self::Thrown(thrown)
    }
}

/// Reads the body in chunks if the platform can, so that it never holds much more
/// than `most` bytes. `open` gets what must be cancelled if the body is not read
/// to its end.
pub(super) async fn read(
    response: &JsValue,
    most: usize,
    bytes: &mut Vec<u8>,
    open: &mut Option<JsValue>,
) -> Result<(), Unread> {
    *open = get(response, "body");
    let Some(stream) = open.clone().filter(|body| has_method(body, "getReader")) else {
        let body = Reflect::get(response, &"body".into());
        if body.is_ok_and(|body| body.is_null()) {
            return Ok(());
        }
        let method = if has_method(response, "arrayBuffer") {
            "arrayBuffer"
        } else {
            "text"
        };
        let content = JsFuture::from(Promise::resolve(&invoke(response, method)?)).await?;
        match content.as_string() {
            Some(text) => bytes.extend_from_slice(text.as_bytes()),
            None => append(bytes, &content)?,
        }
        *open = None;
        return Ok(());
    };
    let reader = invoke(&stream, "getReader").unwrap_or_default();
    if !has_method(&reader, "read") {
        return Err(Unread::Unusable(unusable("a body that cannot be read")));
    }
    // A locked stream can only be cancelled by its reader.
    *open = Some(reader.clone());
    for count in 1.. {
        if bytes.len() > most {
            break;
        }
        if count % PIECES_AT_ONCE == 0 {
            Sleep::start(0.0).await;
        }
        let piece = JsFuture::from(Promise::resolve(&invoke(&reader, "read")?)).await?;
        if is_true(&piece, "done") {
            *open = None;
            break;
        }
        append(bytes, &get(&piece, "value").unwrap_or_default())?;
    }
    Ok(())
}

/// Takes an ArrayBuffer of any realm or a view of one.
fn append(bytes: &mut Vec<u8>, content: &JsValue) -> Result<(), Unread> {
    match view(content) {
        Some(view) => bytes.extend_from_slice(&view.to_vec()),
        None => {
            return Err(Unread::Unusable(unusable(
                "a body that is not made of bytes",
            )));
        }
    }
    Ok(())
}

fn view(content: &JsValue) -> Option<Uint8Array> {
    let length = get(content, "byteLength")?.as_f64()?;
    // A detached ArrayBuffer has no length, and throws.
    if length == 0.0 {
        return Some(Uint8Array::new_with_length(0));
    }
    let buffer = get(content, "buffer").unwrap_or_else(|| content.clone());
    let offset = get(content, "byteOffset").unwrap_or_default();
    let given = Array::of3(&buffer, &offset, &length.into());
    // Not by its constructor, which is bound without `catch`.
    let class: Function = get(&js_sys::global(), "Uint8Array")?.dyn_into().ok()?;
    let view: Uint8Array = Reflect::construct(&class, &given).ok()?.unchecked_into();
    // A view of what is no buffer is a copy, and empty.
    (f64::from(view.length()) == length).then_some(view)
}
