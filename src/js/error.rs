//! Failures as plain objects, of which the TypeScript face makes its errors.

use js_sys::Object;
use wasm_bindgen::JsValue;

use super::value::{field_errors, put, put_text};
use crate::error::{Cause, Error, Unexpected};

pub(super) fn to_js(error: &Error) -> JsValue {
    let failure = Object::new();
    let text = |name: &str, value: Option<&String>| put_text(&failure, name, value);
    put(&failure, "code", error.code());
    put(&failure, "message", error.message());
    if let Some(status) = error.status() {
        put(&failure, "status", f64::from(status));
    }
    match error {
        Error::Config(_) => {}
        Error::TokenProvider(error) => put(&failure, "cause", thrown(&error.cause)),
        Error::Network(error) => put(&failure, "cause", thrown(&error.cause)),
        Error::Api(error) => {
            text("requestId", error.request_id.as_ref());
            if let Some(status) = &error.response_status {
                text("errorCode", status.error_code.as_ref());
                if let Some(errors) = &status.errors {
                    put(&failure, "fieldErrors", field_errors(errors));
                }
            }
        }
        Error::UnexpectedResponse(error) => match &error.problem {
            Unexpected::NoUsage => {}
            Unexpected::ContentType(name) => text("contentType", Some(name)),
            Unexpected::Redirect { location } => text("location", location.as_ref()),
            Unexpected::OtherOrigin { url } => text("location", Some(url)),
            Unexpected::OtherCompany {
                requested,
                received,
            } => {
                text("requestedCompanyId", Some(requested));
                text("receivedCompanyId", Some(received));
            }
        },
        Error::Decode(error) => {
            text("path", Some(&error.path));
            put(&failure, "offset", error.offset as f64);
        }
    }
    failure.into()
}

fn thrown(cause: &Option<Cause>) -> JsValue {
    let thrown = cause.as_ref().and_then(|cause| cause.downcast_ref());
    thrown.cloned().unwrap_or_default()
}
