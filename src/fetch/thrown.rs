use std::{error::Error as StdError, fmt, sync::Arc};

use js_sys::{Array, Object, Reflect};
use send_wrapper::SendWrapper;
use wasm_bindgen::prelude::*;

use super::javascript::{items, member, member_at, own_property, type_of};
use crate::{
    engine::Redactor,
    error::{Error, FetchError, NetworkError},
    network::is_network,
};

/// What JavaScript threw, as the `source()` of an [`Error`]. Shows its message,
/// and that of its `cause` as its own source.
///
/// Where the thrown value quotes a token or the API key, or is too large to be
/// looked at, only its message is here, without the secrets.
///
/// A token provider that calls JavaScript gives what that throws as a
/// `Thrown`:
///
/// ```ignore
/// builder.token_provider(|_| async {
///     let token = JsFuture::from(sign_in()).await.map_err(Thrown::from)?;
///     Ok::<_, Thrown>(token.as_string())
/// })
/// ```
pub struct Thrown {
    value: Option<SendWrapper<JsValue>>,
    message: String,
    cause: Option<Box<Thrown>>,
}

/// So many causes of causes are shown.
const DEEPEST: usize = 8;

impl Thrown {
    /// The value itself.
    ///
    /// ```ignore
    /// let thrown = error.source().and_then(|source| source.downcast_ref::<Thrown>());
    /// web_sys::console::log_1(thrown.and_then(Thrown::value).unwrap_or(&JsValue::UNDEFINED));
    /// ```
    ///
    /// # Panics
    /// On another thread than the one that threw it.
    pub fn value(&self) -> Option<&JsValue> {
        self.value.as_deref()
    }

    fn of(value: &JsValue, depth: usize) -> Self {
        let cause = member(value, "cause").filter(|_| depth < DEEPEST);
        Self {
            value: Some(SendWrapper::new(value.clone())),
            message: message(value),
            cause: cause.map(|cause| Box::new(Self::of(&cause, depth + 1))),
        }
    }

    /// Without the value, if it may quote a secret.
    fn examined(value: &JsValue, redactor: &Redactor) -> Self {
        let mut thrown = Self::of(value, 0);
        if !Examination::new(redactor).is_clean(value) {
            let mut link = Some(&mut thrown);
            while let Some(own) = link {
                own.value = None;
                redactor.redact(&mut own.message);
                link = own.cause.as_deref_mut();
            }
        }
        thrown
    }
}

impl From<JsValue> for Thrown {
    fn from(value: JsValue) -> Self {
        Self::of(&value, 0)
    }
}

impl fmt::Display for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thrown")
            .field("message", &self.message)
            .field("cause", &self.cause)
            .finish_non_exhaustive()
    }
}

impl StdError for Thrown {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

/// What was thrown says of itself, with its name where that tells something.
fn message(value: &JsValue) -> String {
    if let Some(words) = value.as_string() {
        return words;
    }
    let text = |name: &str| member(value, name).and_then(|text| text.as_string());
    let own = text("message").filter(|words| !words.is_empty());
    own.or_else(|| text("name"))
        .unwrap_or_else(|| ["a value of type ", &type_of(value)].concat())
}

/// What `fetch` threw, before there was a reply. `endpoint`: what it was asked
/// for.
pub(super) fn refusal(thrown: &JsValue, endpoint: &str, redactor: &Redactor) -> Error {
    let is_control_flow = member(thrown, "then").is_some_and(|then| then.is_function())
        || member(thrown, "digest").is_some_and(|digest| digest.is_string())
        || member(thrown, "$$typeof").is_some();
    let cause = Arc::new(if is_control_flow {
        Thrown::of(thrown, 0)
    } else {
        Thrown::examined(thrown, redactor)
    });
    let words = words(thrown);
    if !is_control_flow && is_the_networks(thrown) {
        return NetworkError::no_reply(endpoint, words)
            .caused_by(cause)
            .into();
    }
    let mut error = FetchError::new(words);
    error.cause = Some(cause);
    error.is_control_flow = is_control_flow;
    error.into()
}

/// What reading a body threw: always a reply that broke off.
pub(super) fn broken(thrown: &JsValue, redactor: &Redactor) -> NetworkError {
    let cause = Thrown::examined(thrown, redactor);
    NetworkError::broke_off(words(thrown)).caused_by(Arc::new(cause))
}

fn is_the_networks(thrown: &JsValue) -> bool {
    let cause = member(thrown, "cause").unwrap_or_default();
    is_network(
        &text(thrown, "name"),
        &text(thrown, "message"),
        [&text(thrown, "code"), &text(&cause, "code")],
    )
}

/// A member that is a text; empty where it is none.
fn text(of: &JsValue, name: &str) -> String {
    let found = member(of, name).and_then(|found| found.as_string());
    found.unwrap_or_default()
}

/// What was thrown, which can be anything, says of itself, and what its cause
/// says: `: fetch failed: UND_ERR_SOCKET: other side closed`.
fn words(thrown: &JsValue) -> String {
    let own = member(thrown, "message").unwrap_or_else(|| thrown.clone());
    // Node says only "fetch failed"; the reason is the cause.
    let cause = member(thrown, "cause").unwrap_or_default();
    let (code, mut reason) = (text(&cause, "code"), text(&cause, "message"));
    if !code.is_empty() && reason.contains(&code) {
        reason.clear();
    }
    let mut words = String::new();
    for told in [own.as_string().unwrap_or_default(), code, reason] {
        // The sentence has a full stop of its own.
        let told = told.trim().trim_end_matches('.');
        if !told.is_empty() {
            words.push_str(": ");
            words.push_str(told);
        }
    }
    words
}

/// How many objects, and how many characters, are looked at.
const MOST_NODES: u32 = 1_000;
const MOST_CHARACTERS: u32 = 100_000;

/// A look at all that a value holds. The caller's getters do not run.
struct Examination<'a> {
    redactor: &'a Redactor,
    seen: js_sys::Set,
    characters: u32,
}

impl<'a> Examination<'a> {
    fn new(redactor: &'a Redactor) -> Self {
        Self {
            redactor,
            seen: js_sys::Set::new(&JsValue::UNDEFINED),
            characters: 0,
        }
    }

    /// Whether all of `value` could be looked at, and none of it quotes a
    /// secret.
    fn is_clean(&mut self, value: &JsValue) -> bool {
        if let Some(text) = value.dyn_ref::<js_sys::JsString>() {
            self.characters = self.characters.saturating_add(text.length());
            if self.characters > MOST_CHARACTERS {
                return false;
            }
            let text = String::from(text);
            let mut clean = text.clone();
            self.redactor.redact(&mut clean);
            return clean == text;
        }
        if !value.is_object() && !value.is_function() || self.seen.has(value) {
            return true;
        }
        self.seen.add(value);
        self.seen.size() <= MOST_NODES
            && Self::is_known(value)
            && self.has_clean_properties(value)
            && self.has_clean_contents(value)
    }

    /// Whether an object keeps nothing where it cannot be seen.
    fn is_known(value: &JsValue) -> bool {
        if value.is_function() || Array::is_array(value) || is_error(value) || holds_entries(value)
        {
            return true;
        }
        let Ok(prototype) = Reflect::get_prototype_of(value) else {
            return false;
        };
        // A plain object, of this realm or another one.
        prototype.is_null()
            || Reflect::get_prototype_of(&prototype).is_ok_and(|above| above.is_null())
    }

    fn has_clean_properties(&mut self, value: &JsValue) -> bool {
        let Ok(keys) = Reflect::own_keys(value) else {
            return false;
        };
        let object: &Object = value.unchecked_ref();
        keys.iter().all(|key| {
            // Every function has a prototype that names it.
            if value.is_function() && key == "prototype" {
                return true;
            }
            let key_is_clean = !key.is_string() || self.is_clean(&key);
            let own = own_property(object, &key).and_then(|own| own.read(value));
            key_is_clean && own.is_some_and(|own| self.is_clean(&own))
        })
    }

    /// What an error inherits, and what a Map or Headers hold, is no property
    /// of theirs.
    fn has_clean_contents(&mut self, value: &JsValue) -> bool {
        if is_error(value) {
            return ["name", "message", "stack"]
                .into_iter()
                .filter_map(|name| member(value, name))
                .all(|text| self.is_clean(&text));
        }
        !holds_entries(value) || items(value).iter().all(|entry| self.is_clean(&entry))
    }
}

/// Whether it inherits from the Error of any realm, as a DOMException does, too.
fn is_error(value: &JsValue) -> bool {
    let mut of = value.clone();
    while of.is_object() || of.is_function() {
        let object: Object = of.unchecked_into();
        let own = |name: &str| own_property(&object, &name.into());
        let name = own("name").and_then(|name| name.read(&object));
        if name.is_some_and(|name| name == "Error") && own("toString").is_some() {
            return true;
        }
        match Reflect::get_prototype_of(&object) {
            Ok(above) => of = above.into(),
            Err(_) => return false,
        }
    }
    false
}

/// A Map, or Headers.
fn holds_entries(value: &JsValue) -> bool {
    let tag = member_at(value, &js_sys::Symbol::to_string_tag().into());
    tag.is_some_and(|tag| tag == "Map" || tag == "Headers")
}
