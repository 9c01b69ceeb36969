//! Reads and validates the members of a caller's objects.

use js_sys::{Array, Object, Reflect};
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

use crate::{
    error::{ConfigError, Error},
    wire::header::in_one_form,
};

/// A caller's object.
pub(super) struct Members<'a> {
    /// Undefined if none was given.
    object: &'a JsValue,
}

impl<'a> Members<'a> {
    /// `what` it is, and the names that it may have.
    ///
    /// # Errors
    /// A value that is not an object, or has an unknown member, such as `baseURL`,
    /// which would silently have no effect.
    pub fn of(object: &'a JsValue, what: &str, known: &[&str]) -> Result<Self, Error> {
        if object.is_undefined() {
            return Ok(Self { object });
        }
        if !object.is_object() {
            return Err(refusal(&[what, " must be an object."]));
        }
        for name in Object::keys(object.unchecked_ref::<Object>()).iter() {
            let name = name.as_string().unwrap_or_default();
            if !known.contains(&name.as_str()) {
                let advice = match nearest(&name, known) {
                    Some(meant) => ["Did you mean ", meant, "?"].concat(),
                    None => {
                        let is = if known.len() > 1 { "are" } else { "is only" };
                        ["There ", is, " ", &known.join(", "), "."].concat()
                    }
                };
                return Err(refusal(&[what, " cannot have \"", &name, "\". ", &advice]));
            }
        }
        // An object of an application's class has at least one of the members. A
        // promise that nobody awaited, a Map or a Date has none, and would pass for
        // an empty object.
        let has_any = || {
            let mut names = known.iter();
            names.any(|name| Reflect::has(object, &(*name).into()).unwrap_or(false))
        };
        if !is_plain(object) && !has_any() {
            let one_of = if known.len() > 1 { "one of " } else { "" };
            let needed = [
                " must be a plain object, or one with ",
                one_of,
                &known.join(", "),
            ];
            return Err(refusal(&[
                what,
                &needed.concat(),
                "; await a promise first.",
            ]));
        }
        Ok(Self { object })
    }

    /// The raw member; `None` if it is undefined.
    ///
    /// # Errors
    /// A member whose getter throws.
    pub fn get(&self, name: &str) -> Result<Option<JsValue>, Error> {
        if self.object.is_undefined() {
            return Ok(None);
        }
        let value = Reflect::get(self.object, &name.into())
            .map_err(|_| refusal(&[name, " cannot be read: its getter throws."]))?;
        Ok((!value.is_undefined()).then_some(value))
    }

    /// # Errors
    /// A value other than what it `must_be`.
    pub fn read<T: DeserializeOwned>(&self, name: &str, must_be: &str) -> Result<Option<T>, Error> {
        let value = self.get(name)?;
        value.map(|value| decoded(value, name, must_be)).transpose()
    }

    pub fn boolean(&self, name: &str) -> Result<Option<bool>, Error> {
        self.read(name, "a boolean")
    }

    /// # Errors
    /// A value that is not a function.
    pub fn function(&self, name: &str) -> Result<Option<js_sys::Function>, Error> {
        let given = self.get(name)?.map(JsValue::dyn_into);
        let function = given.transpose();
        function.map_err(|_| refusal(&[name, " must be a function."]))
    }

    /// One of the given words.
    ///
    /// # Errors
    /// Any other value.
    pub fn word<'w>(&self, name: &str, words: &[&'w str]) -> Result<Option<&'w str>, Error> {
        let Some(value) = self.get(name)? else {
            return Ok(None);
        };
        let meant = words.iter().find(|word| value == **word);
        let word = meant
            .ok_or_else(|| refusal(&[name, " must be one of \"", &words.join("\", \""), "\"."]))?;
        Ok(Some(word))
    }

    /// # Errors
    /// A value that is not an integer from `least` to `most`.
    pub fn integer(&self, name: &str, least: u32, most: u32) -> Result<Option<u32>, Error> {
        integer_or(self.get(name)?, name, least, most, "")
    }

    /// The same, or null for no limit.
    ///
    /// # Errors
    /// Any other value.
    pub fn limit(&self, name: &str, least: u32, most: u32) -> Result<Option<Option<u32>>, Error> {
        let value = self.get(name)?;
        if value.as_ref().is_some_and(JsValue::is_null) {
            return Ok(Some(None));
        }
        let limit = integer_or(value, name, least, most, ", or null for no limit")?;
        Ok(limit.map(Some))
    }

    /// Headers: an object, or anything that iterates as pairs, such as Headers. Names
    /// that differ only in case are one header. An undefined value is left
    /// out, and null means no headers.
    ///
    /// # Errors
    /// Any other value.
    pub fn headers(&self, name: &str) -> Result<Vec<(String, String)>, Error> {
        let Some(given) = self.get(name)?.filter(|given| !given.is_null()) else {
            return Ok(Vec::new());
        };
        if !given.is_object() {
            return Err(refusal(&[name, " must be an object."]));
        }
        let pairs = match js_sys::try_iter(&given) {
            Ok(None)
                if !is_plain(&given)
                    && Object::keys(given.unchecked_ref::<Object>()).length() == 0 =>
            {
                Err(JsValue::UNDEFINED)
            }
            Ok(None) => Ok(Object::entries(given.unchecked_ref::<Object>())),
            Ok(Some(pairs)) => pairs.collect::<Result<Array, _>>(),
            Err(thrown) => Err(thrown),
        };
        let no_pairs = || {
            refusal(&[
                name,
                " must be an object, or iterate as pairs of a name and a value.",
            ])
        };
        let mut headers = Vec::new();
        for pair in pairs.map_err(|_| no_pairs())?.iter() {
            let pair = pair.dyn_into::<Array>().map_err(|_| no_pairs())?;
            let key = pair.get(0).as_string().filter(|_| pair.length() == 2);
            let key = key.ok_or_else(no_pairs)?.to_ascii_lowercase();
            let value = pair.get(1);
            if value.is_undefined() {
                continue;
            }
            if is_forbidden(&key) {
                let sentence = " is the platform's own and cannot be set.";
                return Err(refusal(&["The header ", &key, sentence]));
            }
            let value = value
                .as_string()
                .ok_or_else(|| refusal(&[name, "[\"", &key, "\"] must be a string."]))?;
            headers.push((key, value));
        }
        Ok(in_one_form(&headers))
    }
}

/// Whether fetch forbids a header (Fetch standard, "forbidden request-header"), or
/// it would turn the GET into another verb. `name` is in lower case.
fn is_forbidden(name: &str) -> bool {
    const FORBIDDEN: [&str; 25] = [
        "accept-charset",
        "accept-encoding",
        "access-control-request-headers",
        "access-control-request-method",
        "access-control-request-private-network",
        "connection",
        "content-length",
        "cookie",
        "cookie2",
        "date",
        "dnt",
        "expect",
        "host",
        "keep-alive",
        "origin",
        "referer",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "x-http-method",
        "x-method",
        "x-method-override",
    ];
    FORBIDDEN.contains(&name) || name.starts_with("proxy-") || name.starts_with("sec-")
}

fn decoded<T: DeserializeOwned>(value: JsValue, name: &str, must_be: &str) -> Result<T, Error> {
    let read = serde_wasm_bindgen::from_value(value);
    read.map_err(|_| refusal(&[name, " must be ", must_be, "."]))
}

fn integer_or(
    value: Option<JsValue>,
    name: &str,
    least: u32,
    most: u32,
    or: &str,
) -> Result<Option<u32>, Error> {
    let Some(value) = value else { return Ok(None) };
    let number = serde_wasm_bindgen::from_value(value).ok();
    let fitting = number.filter(|number| (least..=most).contains(number));
    fitting.map(Some).ok_or_else(|| {
        let must_be = format!(" must be an integer from {least} to {most}{or}.");
        refusal(&[name, &must_be])
    })
}

/// Whether it is a plain object, of any realm.
fn is_plain(object: &JsValue) -> bool {
    let parent = |of: &JsValue| Reflect::get_prototype_of(of).ok().map(JsValue::from);
    let prototype = parent(object).filter(|prototype| !prototype.is_null());
    prototype.is_none_or(|prototype| parent(&prototype).is_none_or(|of| of.is_null()))
}

pub(super) fn refusal(sentence: &[&str]) -> Error {
    ConfigError::new(sentence).into()
}

/// The name in `known` that was probably meant, ignoring case: one that contains
/// `name` or is nearly the same.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let given = name.to_ascii_lowercase();
    let far = |own: &str| strsim::levenshtein(&given, &own.to_ascii_lowercase());
    let is_meant = |own: &str| {
        (given.len() > 2 && own.to_ascii_lowercase().contains(&given))
            || far(own) <= (own.len() / 3).max(2)
    };
    let meant = known.iter().filter(|own| is_meant(own));
    meant.min_by_key(|own| far(own)).copied()
}
