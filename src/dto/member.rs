//! Declares the members of a reply, each in one place: from an entry of
//! [`reply!`] come the struct and its serde form, the decoder (`wire::decode`),
//! the value for JavaScript (`js::command`) and the types of the npm package
//! (`pkg/build/reply.mjs`).

use super::ResponseStatus;

/// The type of a member in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Int64,
    Int32,
    Boolean,
    /// A Guid; the all-zero Guid counts as absent.
    Guid,
    #[allow(dead_code, reason = "no member of today's reply is one")]
    Text,
    ResponseStatus,
}

/// A member of the reply, with its name in camelCase.
pub(crate) struct Member {
    pub name: &'static str,
    pub kind: Kind,
    pub is_required: bool,
}

/// The decoded value of a member.
pub(crate) enum Value {
    Integer(i64),
    Boolean(bool),
    Text(String),
    ResponseStatus(Box<ResponseStatus>),
    /// Present, but it means absence.
    Nothing,
}

/// The value of a member, to be serialized.
#[cfg_attr(not(feature = "npm"), allow(dead_code))]
pub(crate) enum Shown<'a> {
    Integer(i64),
    Boolean(bool),
    Text(&'a str),
    ResponseStatus(&'a ResponseStatus),
}

/// The Rust type of a value, and back.
pub(crate) trait Held: Sized {
    fn held(value: Value) -> Option<Self>;
    #[cfg_attr(not(feature = "npm"), allow(dead_code))]
    fn shown(&self) -> Shown<'_>;
}

macro_rules! held {
    ($($type:ty: $value:pat => $held:expr, $field:ident => $shown:expr;)*) => {$(
        impl Held for $type {
            fn held(value: Value) -> Option<Self> {
                match value {
                    $value => Some($held),
                    _ => None,
                }
            }

            fn shown(&self) -> Shown<'_> {
                let $field = self;
                $shown
            }
        }
    )*};
}

held! {
    i64: Value::Integer(value) => value, field => Shown::Integer(*field);
    i32: Value::Integer(value) => value as i32, field => Shown::Integer((*field).into());
    bool: Value::Boolean(value) => value, field => Shown::Boolean(*field);
    String: Value::Text(value) => value, field => Shown::Text(field);
    Box<ResponseStatus>: Value::ResponseStatus(value) => value, field => Shown::ResponseStatus(field);
}

/// A field of the struct: required, or an `Option`.
pub(crate) trait Field: Sized {
    const IS_REQUIRED: bool;
    fn from_value(value: Option<Value>) -> Self;
    #[cfg_attr(not(feature = "npm"), allow(dead_code))]
    fn shown(&self) -> Option<Shown<'_>>;
}

impl<T: Held> Field for Option<T> {
    const IS_REQUIRED: bool = false;

    fn from_value(value: Option<Value>) -> Self {
        value.and_then(T::held)
    }

    fn shown(&self) -> Option<Shown<'_>> {
        self.as_ref().map(T::shown)
    }
}

macro_rules! required {
    ($($type:ty)*) => {$(
        impl Field for $type {
            const IS_REQUIRED: bool = true;

            fn from_value(value: Option<Value>) -> Self {
                value.and_then(Held::held).unwrap_or_default()
            }

            fn shown(&self) -> Option<Shown<'_>> {
                Some(Held::shown(self))
            }
        }
    )*};
}

required!(i64 i32 bool);

/// Declares the struct of a reply. Each field is followed by its name in JSON and
/// its [`Kind`].
macro_rules! reply {
    (
        $(#[$attribute:meta])*
        pub struct $name:ident {
            $($(#[$member:meta])* pub $field:ident: $type:ty = $json:literal, $kind:ident;)*
        }
    ) => {
        $(#[$attribute])*
        pub struct $name {
            $($(#[$member])* pub $field: $type,)*
        }

        impl $name {
            pub(crate) const MEMBERS: &[Member] = &[$(Member {
                name: $json,
                kind: Kind::$kind,
                is_required: <$type as Field>::IS_REQUIRED,
            },)*];

            /// From the values of [`MEMBERS`](Self::MEMBERS), in that order.
            pub(crate) fn from_values(values: impl IntoIterator<Item = Option<Value>>) -> Self {
                let mut values = values.into_iter();
                Self {
                    $($field: Field::from_value(values.next().flatten()),)*
                }
            }

            /// The values of [`MEMBERS`](Self::MEMBERS), in that order.
            #[cfg_attr(not(feature = "npm"), allow(dead_code))]
            pub(crate) fn values(&self) -> impl Iterator<Item = Option<Shown<'_>>> {
                [$(Field::shown(&self.$field),)*].into_iter()
            }
        }
    };
}
pub(crate) use reply;
