//! Access to arbitrary JavaScript values, which may throw at any time.

use js_sys::{Array, Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

#[wasm_bindgen]
extern "C" {
    // js-sys binds it without `catch`, so a mock's exception would unwind through
    // Rust.
    #[wasm_bindgen(catch, js_namespace = Array, js_name = from)]
    fn array_from(iterable: &JsValue) -> Result<Array, JsValue>;
}

/// The property of any value, unless it is undefined or null.
pub(crate) fn get(value: &JsValue, name: &str) -> Option<JsValue> {
    let found = Reflect::get(value, &name.into()).ok()?;
    (!found.is_undefined() && !found.is_null()).then_some(found)
}

/// Whether the property of any value is truthy.
pub(crate) fn is_true(value: &JsValue, name: &str) -> bool {
    get(value, name).is_some_and(|found| found.is_truthy())
}

/// Whether any value has a method of this name.
pub(crate) fn has_method(value: &JsValue, name: &str) -> bool {
    get(value, name).is_some_and(|found| found.is_function())
}

/// Like [`get`], but runs only the platform's getters, never the caller's.
pub(crate) fn member(value: &JsValue, name: &str) -> Option<JsValue> {
    member_at(value, &name.into())
}

/// The same for a key that may be a symbol.
pub(crate) fn member_at(value: &JsValue, key: &JsValue) -> Option<JsValue> {
    let mut of: JsValue = value.clone();
    while of.is_object() || of.is_function() {
        let object: Object = of.unchecked_into();
        if let Some(mut own) = own_property(&object, key) {
            own.is_platforms |= is_of_dom_exception(&object);
            return own
                .read(value)
                .filter(|found| !found.is_undefined() && !found.is_null());
        }
        of = Reflect::get_prototype_of(&object).ok()?.into();
    }
    None
}

/// An own property of an object.
pub(crate) struct Property {
    descriptor: JsValue,
    getter: Option<Function>,
    /// Whether the getter belongs to the platform.
    is_platforms: bool,
}

pub(crate) fn own_property(object: &Object, key: &JsValue) -> Option<Property> {
    let descriptor = Reflect::get_own_property_descriptor(object, key).ok()?;
    if descriptor.is_undefined() {
        return None;
    }
    let getter = get(&descriptor, "get").and_then(|getter| getter.dyn_into().ok());
    // In V8 and Firefox an error's stack is behind a getter.
    let is_stack = key == "stack";
    Some(Property {
        is_platforms: is_stack && getter.as_ref().is_some_and(is_native),
        descriptor,
        getter,
    })
}

impl Property {
    /// Its value for `owner`; `None` if only a getter of the caller's has it.
    pub fn read(&self, owner: &JsValue) -> Option<JsValue> {
        match &self.getter {
            None => Reflect::get(&self.descriptor, &"value".into()).ok(),
            Some(getter) if self.is_platforms => getter.call0(owner).ok(),
            Some(_) => None,
        }
    }
}

/// Whether a function is native. A bound function looks native as well.
fn is_native(function: &Function) -> bool {
    let source = || {
        let prototype = get(&get(&js_sys::global(), "Function")?, "prototype")?;
        let to_string: Function = get(&prototype, "toString")?.dyn_into().ok()?;
        to_string.call0(function).ok()?.as_string()
    };
    let name = own_property(function, &"name".into()).and_then(|name| name.read(function));
    let name = name.and_then(|name| name.as_string()).unwrap_or_default();
    !name.starts_with("bound ")
        && source().is_some_and(|source| {
            let body = source.split_once('{').map(|(_, body)| body);
            body.is_some_and(|body| body.trim_matches([' ', '\n', '}']) == "[native code]")
        })
}

/// Whether it is the prototype of a DOMException, of any realm. In Node.js its
/// getters are not native functions.
pub(crate) fn is_of_dom_exception(object: &Object) -> bool {
    let tag = js_sys::Symbol::to_string_tag();
    let own = Reflect::get_own_property_descriptor(object, &tag);
    own.is_ok_and(|own| get(&own, "value").is_some_and(|value| value == "DOMException"))
}

/// Calls a method and catches. web-sys binds some without `catch`, so a locked
/// stream or a mock would unwind through Rust.
pub(crate) fn invoke(object: &JsValue, method: &str) -> Result<JsValue, JsValue> {
    invoke_with(object, method, &[])
}

pub(crate) fn invoke_with(
    object: &JsValue,
    method: &str,
    arguments: &[&JsValue],
) -> Result<JsValue, JsValue> {
    let method: Function = Reflect::get(object, &method.into())?.dyn_into()?;
    method.apply(object, &arguments.iter().copied().collect())
}

pub(crate) fn set(object: &Object, name: &str, value: &JsValue) -> Result<(), JsValue> {
    Reflect::set(object, &name.into(), value).map(drop)
}

/// The items of any iterable; none for other values.
pub(crate) fn items(iterable: &JsValue) -> Array {
    array_from(iterable).unwrap_or_default()
}

/// The kind of a value in a word or two: `undefined`, `null`, `object`.
pub(crate) fn type_of(value: &JsValue) -> String {
    if value.is_null() {
        return "null".to_owned();
    }
    value.js_typeof().as_string().unwrap_or_default()
}

/// Cancels a stream or a reader, which may have failed already.
pub(crate) fn let_go(stream: &JsValue) {
    if let Ok(cancelled) = invoke(stream, "cancel") {
        ignore(&cancelled);
    }
}

/// Ignores the outcome of a promise.
pub(crate) fn ignore(promise: &JsValue) {
    let over = JsFuture::from(Promise::resolve(promise));
    spawn_local(async move {
        let _ = over.await;
    });
}
