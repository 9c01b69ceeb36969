//! Decodes the bytes of a reply into DTOs.
//!
//! One decoder serves JSON and JSON Lines: a reply of one object is the same
//! text in both, apart from surrounding white space (contract, "Negotiation" 4).

use super::{
    guid,
    json::{Reader, Result, lossy},
};
use crate::{
    dto::{
        AiChatUsageResponse, ResponseError, ResponseStatus, StringMap,
        member::{Kind, Value},
    },
    error::DecodeError,
};

/// The range of integers that the caller can represent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Integers {
    /// All of int64, as in Rust.
    #[default]
    Int64,
    /// −(2^53 − 1) to 2^53 − 1, the safe integers of JavaScript.
    #[cfg_attr(
        not(all(target_arch = "wasm32", any(feature = "npm", feature = "bindings"))),
        allow(dead_code)
    )]
    JavaScript,
}

/// Decodes the body of a successful reply.
///
/// Member names may be camelCase or PascalCase, because the case is a setting
/// of the server (contract, "Values" 1). Unknown members are skipped.
///
/// # Errors
/// Anything but exactly one complete usage.
pub(crate) fn usage(body: &[u8], integers: Integers) -> Result<AiChatUsageResponse> {
    let mut values = [const { None }; AiChatUsageResponse::MEMBERS.len()];
    let mut reader = Reader::new(body)?;
    reader.object(&mut |r, name| {
        for (member, slot) in AiChatUsageResponse::MEMBERS.iter().zip(&mut values) {
            if is(name, member.name) {
                return r.member(member.name, slot.is_some(), !member.is_required, &mut |r| {
                    *slot = Some(value(r, member.kind, integers)?);
                    Ok(())
                });
            }
        }
        r.skip()
    })?;
    match reader.peek() {
        None => {}
        Some(b'{') => return Err(reader.fault("a second object follows; exactly one was expected")),
        Some(_) => return Err(reader.fault("something follows the object")),
    }

    let end = reader.offset();
    for (member, slot) in AiChatUsageResponse::MEMBERS.iter().zip(&values) {
        if member.is_required && slot.is_none() {
            return Err(DecodeError::new(end, "the member is missing").within(member.name));
        }
    }
    Ok(AiChatUsageResponse::from_values(values))
}

/// What a body says about a failure.
#[derive(Default)]
pub(crate) struct Failure {
    pub response_status: Option<Box<ResponseStatus>>,
    /// A one-word error code: OAuth's `error` (RFC 6749), or the `code` of an
    /// error in another format.
    pub code: Option<String>,
    /// The `type` of problem details (RFC 9457).
    pub problem_type: Option<String>,
    /// The description: OAuth's `error_description`, the `detail` of problem
    /// details, a `message`, or the `msg` of Flask and FastAPI.
    pub words: Option<String>,
    /// A less specific description: the `title` of problem details, or an
    /// `error` of more than one word.
    pub title: Option<String>,
}

/// Reads what a body says about a failure. The body may be truncated, or not
/// JSON at all.
pub(crate) fn failure(body: &[u8]) -> Failure {
    let mut failure = Failure::default();
    let text = lossy(body);
    let mut reader = Reader::lenient(&text);
    // A stray letter or a guard may stand before an object; a page is none.
    if !matches!(reader.peek(), Some(b'[' | b'"' | b'<')) {
        reader.skip_to_object();
    }
    // A syntax error does not discard what was parsed before it.
    let _ = read_failure(&mut reader, &mut failure);
    failure
}

fn read_failure(reader: &mut Reader<'_>, failure: &mut Failure) -> Result<()> {
    match reader.peek() {
        Some(b'"') => keep(reader, &mut failure.words),
        Some(b'[') => reader.array(&mut |r, _| read_failure(r, failure)),
        Some(b'{') => reader.object(&mut |r, name| {
            let start = r.peek();
            if start == Some(b'{') && is(name, "responseStatus") {
                let mut read = StatusFields::default();
                let result = account(r, "stackTrace", &mut read);
                failure.response_status = Some(read.into());
                return result;
            }
            if start != Some(b'"') {
                return match name {
                    "error" | "errors" | "detail" | "message" => read_failure(r, failure),
                    _ => r.skip(),
                };
            }
            let slot = match name {
                "error" => {
                    let text = r.string()?;
                    let is_word = !text.bytes().any(|byte| byte.is_ascii_whitespace());
                    let slot = if is_word {
                        &mut failure.code
                    } else {
                        &mut failure.title
                    };
                    slot.get_or_insert(text);
                    return Ok(());
                }
                "code" => &mut failure.code,
                "type" => &mut failure.problem_type,
                "title" => &mut failure.title,
                "detail" | "error_description" | "msg" => &mut failure.words,
                _ if is(name, "message") => &mut failure.words,
                _ => return r.skip(),
            };
            keep(r, slot)
        }),
        _ => reader.skip(),
    }
}

/// Reads a string; the first one wins.
fn keep(reader: &mut Reader<'_>, slot: &mut Option<String>) -> Result<()> {
    let text = reader.string()?;
    slot.get_or_insert(text);
    Ok(())
}

/// Whether `TokensUsed` is `tokensUsed`: only the case of the first letter may
/// differ.
fn is(name: &str, member: &str) -> bool {
    match (name.as_bytes(), member.as_bytes()) {
        ([first, rest @ ..], [own_first, own_rest @ ..]) => {
            first.to_ascii_lowercase() == *own_first && rest == own_rest
        }
        _ => false,
    }
}

fn value(reader: &mut Reader<'_>, kind: Kind, integers: Integers) -> Result<Value> {
    let (least, most, problem) = match (kind, integers) {
        (Kind::Boolean, _) => return reader.boolean().map(Value::Boolean),
        (Kind::Text, _) => return reader.string().map(Value::Text),
        (Kind::Guid, _) => return company(reader),
        (Kind::ResponseStatus, _) => {
            let mut read = StatusFields::default();
            account(reader, "stackTrace", &mut read)?;
            return Ok(Value::ResponseStatus(read.into()));
        }
        (Kind::Int32, _) => (
            i32::MIN.into(),
            i32::MAX.into(),
            "the number does not fit in 32 bits",
        ),
        (Kind::Int64, Integers::Int64) => {
            (i64::MIN, i64::MAX, "the number does not fit in 64 bits")
        }
        (Kind::Int64, Integers::JavaScript) => (
            -9_007_199_254_740_991,
            9_007_199_254_740_991,
            "the number is beyond 2^53 - 1, a JavaScript number cannot hold it exactly",
        ),
    };
    let start = reader.offset();
    match reader.integer()? {
        Some(value) if (least..=most).contains(&value) => Ok(Value::Integer(value)),
        _ => Err(DecodeError::new(start, problem)),
    }
}

/// The zero Guid names no company (contract, "Values" 3).
fn company(reader: &mut Reader<'_>) -> Result<Value> {
    let start = reader.offset();
    let text = reader.string()?;
    match guid::number(&text) {
        Some(0) => Ok(Value::Nothing),
        Some(_) => Ok(Value::Text(text)),
        None => Err(DecodeError::new(start, "a Guid was expected")),
    }
}

/// Reads ResponseStatus and ResponseError, which have three members in common.
#[derive(Default)]
struct StatusFields {
    error_code: Option<String>,
    message: Option<String>,
    meta: Option<StringMap>,
    /// `stackTrace` of a ResponseStatus, `fieldName` of a ResponseError.
    detail: Option<String>,
    errors: Option<Vec<ResponseError>>,
}

/// Parses into `read`, which keeps the members parsed before a syntax error.
fn account(reader: &mut Reader<'_>, detail: &str, read: &mut StatusFields) -> Result<()> {
    reader.object(&mut |r, name| {
        for (member, slot) in [
            ("errorCode", &mut read.error_code),
            ("message", &mut read.message),
            (detail, &mut read.detail),
        ] {
            if is(name, member) {
                return r.member(member, slot.is_some(), true, &mut |r| {
                    *slot = Some(r.string()?);
                    Ok(())
                });
            }
        }
        if is(name, "meta") {
            return r.member("meta", read.meta.is_some(), true, &mut |r| {
                read.meta = Some(meta(r)?);
                Ok(())
            });
        }
        // Only a ResponseStatus has field errors.
        if detail == "stackTrace" && is(name, "errors") {
            return r.member("errors", read.errors.is_some(), true, &mut |r| {
                read.errors = Some(field_errors(r)?);
                Ok(())
            });
        }
        r.skip()
    })
}

impl StatusFields {
    fn into(self) -> Box<ResponseStatus> {
        Box::new(ResponseStatus {
            error_code: self.error_code,
            message: self.message,
            stack_trace: self.detail,
            errors: self.errors,
            meta: self.meta,
        })
    }
}

fn field_errors(reader: &mut Reader<'_>) -> Result<Vec<ResponseError>> {
    let mut errors = Vec::new();
    reader.array(&mut |r, index| {
        let mut read = StatusFields::default();
        account(r, "fieldName", &mut read).map_err(|error| error.at_index(index))?;
        errors.push(ResponseError {
            error_code: read.error_code,
            field_name: read.detail,
            message: read.message,
            meta: read.meta,
        });
        Ok(())
    })?;
    Ok(errors)
}

/// Meta keys are data and keep their case.
fn meta(reader: &mut Reader<'_>) -> Result<StringMap> {
    let mut meta = StringMap::default();
    reader.object(&mut |r, key| {
        // .NET maps can hold null; a map of strings cannot.
        if !r.null()? {
            let value = r.string().map_err(|error| error.within(key))?;
            meta.0.push((key.to_owned(), value));
        }
        Ok(())
    })?;
    Ok(meta)
}
