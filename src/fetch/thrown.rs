use std::{error::Error as StdError, fmt, sync::Arc};

use js_sys::{Array, JsString, Number, Object, Reflect, Symbol};
use send_wrapper::SendWrapper;
use wasm_bindgen::prelude::*;

use super::javascript::{is_of_dom_exception, member, member_at, own_property, type_of};
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

/// What a provider failed with: where JavaScript threw it, without what may
/// quote a secret.
pub(crate) fn examined(mut error: Error, redactor: &Redactor) -> Error {
    if let Error::TokenProvider(failed) = &mut error
        && let Some(cause) = &mut failed.cause
        && let Some(thrown) = cause.downcast_ref::<Thrown>()
        && let Some(value) = thrown.value()
    {
        *cause = Arc::new(Thrown::examined(value, redactor));
    }
    error
}

/// What was thrown says of itself, with its name where that tells something.
fn message(value: &JsValue) -> String {
    if let Some(words) = shortened(value) {
        return words;
    }
    let named = |name: &str| Some(text(value, name)).filter(|words| !words.is_empty());
    named("message")
        .or_else(|| named("name"))
        .unwrap_or_else(|| ["a value of type ", &type_of(value)].concat())
}

/// How many characters of a text are told.
const LONGEST_TEXT: u32 = 10_000;

/// A text of a bearable length, which does not end inside a word: that could be
/// a part of a secret. None for what is no text.
fn shortened(value: &JsValue) -> Option<String> {
    let text: &JsString = value.dyn_ref()?;
    if text.length() <= LONGEST_TEXT {
        return text.as_string();
    }
    let begun = String::from(text.slice(0, LONGEST_TEXT));
    let whole = begun.trim_end_matches(|letter: char| !letter.is_whitespace());
    Some([whole, "…"].concat())
}

/// What a framework throws for itself, which has to reach the caller as it came.
pub(crate) fn control_flow(thrown: &JsValue) -> Option<FetchError> {
    let is =
        |name: &str, test: fn(&JsValue) -> bool| member(thrown, name).is_some_and(|it| test(&it));
    // React's promises and elements, and the marked errors of Next.
    let is_flow = is("then", JsValue::is_function)
        || is("digest", JsValue::is_string)
        || is("$$typeof", |_| true)
        // Routers throw what is no error, and has no message: a Response of any
        // make, SvelteKit's redirect and error, React Router's data(),
        // TanStack's notFound().
        || !is("message", JsValue::is_string)
            && (is("json", JsValue::is_function)
                || is("status", Number::is_integer)
                || is("type", |kind| kind == "DataWithResponseInit")
                || is("isNotFound", |mark| mark == &true));
    is_flow.then(|| {
        let cause = Arc::new(Thrown::of(thrown, 0));
        let mut error = FetchError::new(words(thrown)).caused_by(cause);
        error.is_control_flow = true;
        error
    })
}

/// What `fetch` threw, before there was a reply. `endpoint`: what it was asked
/// for.
pub(super) fn refusal(thrown: &JsValue, endpoint: &str, redactor: &Redactor) -> Error {
    if let Some(flow) = control_flow(thrown) {
        return flow.into();
    }
    let cause = Arc::new(Thrown::examined(thrown, redactor));
    if is_the_networks(thrown) {
        return NetworkError::no_reply(endpoint, words(thrown))
            .caused_by(cause)
            .into();
    }
    FetchError::new(words(thrown)).caused_by(cause).into()
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
    let found = member(of, name).and_then(|found| shortened(&found));
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
    for told in [shortened(&own).unwrap_or_default(), code, reason] {
        // The sentence has a full stop of its own.
        let told = told.trim().trim_end_matches('.');
        if !told.is_empty() {
            words.push_str(": ");
            words.push_str(told);
        }
    }
    words
}

/// How many objects and members, and how many characters, are looked at.
const MOST_NODES: u32 = 1_000;
const MOST_CHARACTERS: u32 = 100_000;

/// A look at all that a value holds, as `pkg/src/causes.ts` takes it. The
/// caller's getters do not run.
struct Examination<'a> {
    redactor: &'a Redactor,
    seen: js_sys::Set,
    characters: u32,
    members: u32,
}

impl<'a> Examination<'a> {
    fn new(redactor: &'a Redactor) -> Self {
        Self {
            redactor,
            seen: js_sys::Set::new(&JsValue::UNDEFINED),
            characters: 0,
            members: 0,
        }
    }

    /// Whether all of `value` could be looked at, and none of it quotes a
    /// secret.
    fn is_clean(&mut self, value: &JsValue) -> bool {
        if let Some(symbol) = value.dyn_ref::<Symbol>() {
            return self.is_clean(&symbol.to_string());
        }
        if let Some(text) = value.dyn_ref::<JsString>() {
            self.characters = self.characters.saturating_add(text.length());
            if self.characters > MOST_CHARACTERS {
                return false;
            }
            return !self.redactor.redact(&mut String::from(text));
        }
        // What a function knows cannot be seen, and some are called to show a
        // value.
        if value.is_function() {
            return false;
        }
        if !value.is_object() || self.seen.has(value) {
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
        let Ok(prototype) = Reflect::get_prototype_of(value) else {
            return false;
        };
        // A plain object, of this realm or another one.
        let is_plain = || {
            prototype.is_null()
                || Reflect::get_prototype_of(&prototype).is_ok_and(|above| above.is_null())
        };
        Array::is_array(value)
            || is_plain()
            || (is_error(value) && has_plain_prototypes(value))
            || holds_entries(value)
    }

    /// Whether there is room for so many members more.
    fn may_look_at(&mut self, members: u32) -> bool {
        self.members = self.members.saturating_add(members);
        self.members <= MOST_NODES
    }

    fn has_clean_properties(&mut self, value: &JsValue) -> bool {
        // Before its keys are made a list of.
        let length = || Reflect::get(value, &"length".into()).ok()?.as_f64();
        if Array::is_array(value) && length().is_none_or(|length| length > MOST_NODES.into()) {
            return false;
        }
        let Ok(keys) = Reflect::own_keys(value) else {
            return false;
        };
        let object: &Object = value.unchecked_ref();
        self.may_look_at(keys.length())
            && keys.iter().all(|key| {
                let own = own_property(object, &key).and_then(|own| own.read(value));
                self.is_clean(&key) && own.is_some_and(|own| self.is_clean(&own))
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
        if !holds_entries(value) {
            return true;
        }
        let Ok(Some(mut entries)) = js_sys::try_iter(value) else {
            return false;
        };
        entries.all(|entry| self.may_look_at(1) && entry.is_ok_and(|entry| self.is_clean(&entry)))
    }
}

/// Whether an error's classes bring nothing that shows more than its own members
/// do: a getter, a `toJSON`, or what Node calls to inspect a value.
fn has_plain_prototypes(error: &JsValue) -> bool {
    const PLAIN: [&str; 5] = ["constructor", "name", "message", "toString", "stack"];
    let is_plain = |key: JsValue| match key.dyn_ref::<Symbol>() {
        // The fetch of Node.js 24 marks the classes of its errors with a getter that
        // returns true.
        Some(mark) => String::from(mark.to_string()).starts_with("Symbol(undici.error."),
        None => key.as_string().is_some_and(|key| PLAIN.contains(&&*key)),
    };
    let mut below = error.clone();
    loop {
        let Ok(of) = Reflect::get_prototype_of(&below) else {
            return false;
        };
        let is_last = || Reflect::get_prototype_of(&of).map(|above| above.is_null());
        if of.is_null() || is_last() == Ok(true) {
            return true;
        }
        let is_known = is_of_dom_exception(&of) || is_branded(&of);
        let keys = Reflect::own_keys(&of).unwrap_or_default();
        if !is_known && !keys.iter().all(is_plain) {
            return false;
        }
        below = of.into();
    }
}

/// By which the SDK, in whatever form, knows its errors.
pub(crate) const BRAND: &str = "bookmore-sdk.error";

/// Whether it is an error of the SDK's, or the prototype of one.
pub(crate) fn is_branded(value: &JsValue) -> bool {
    member_at(value, &Symbol::for_(BRAND)).is_some_and(|brand| brand == true)
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
