//! How servers write, by their configuration.

use std::fmt::Write as _;

use super::{companies::dashed, usage::Amounts};
use crate::{
    dto::{ResponseError, ResponseStatus, StringMap},
    wire::Format,
};

/// The configuration of the server, which shows in what it writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Host {
    /// PascalCase, dashed Guids, the empty Guid left out: the server that the
    /// API's docs describe.
    #[default]
    Classic,
    /// ServiceStack's default on .NET: camelCase, Guids without dashes, the empty
    /// Guid as zeros.
    CamelCase,
    /// ASP.NET endpoint routing: camelCase, dashed Guids, JSON that escapes
    /// everything but ASCII, and a 401 without a body, which comes before any
    /// other check.
    Endpoints,
}

pub(super) fn content_type(format: Format) -> &'static str {
    match format {
        Format::Json => "application/json; charset=utf-8",
        Format::Jsonl => "text/jsonl",
    }
}

/// Writes one object as a host does.
pub(super) struct Writer {
    host: Host,
    format: Format,
    text: String,
}

impl Writer {
    pub fn new(host: Host, format: Format) -> Self {
        let text = String::new();
        Self { host, format, text }
    }

    /// `company` is zero if the reply names none.
    pub fn usage(
        mut self,
        company: u128,
        amounts: Amounts,
        response_status: Option<&ResponseStatus>,
    ) -> String {
        self.open();
        match (company, self.host) {
            (0, Host::Classic) => {}
            (_, Host::CamelCase) => self.string_member("CompanyId", &format!("{company:032x}")),
            _ => self.string_member("CompanyId", &dashed(company)),
        }
        self.bare_member("TokensUsed", amounts.tokens_used);
        self.bare_member("TokenLimit", amounts.token_limit);
        self.bare_member("TokensRemaining", amounts.remaining());
        self.bare_member("IsWithinBudget", amounts.is_within());
        self.bare_member("WindowDays", amounts.window_days);
        if let Some(status) = response_status {
            self.status(status);
        }
        self.close()
    }

    /// The reply of a service that throws: a usage full of zeros, with the error.
    pub fn zero_filled(self, error: &ResponseStatus) -> String {
        let amounts = Amounts {
            tokens_used: 0,
            token_limit: 0,
            window_days: 0,
        };
        self.usage(0, amounts, Some(error))
    }

    /// The framework's reply to a request that fails before the service runs.
    pub fn status_only(mut self, error: &ResponseStatus) -> String {
        self.open();
        self.status(error);
        self.close()
    }

    fn open(&mut self) {
        self.text.push('{');
    }

    fn close(mut self) -> String {
        self.text.push('}');
        self.text
    }

    fn status(&mut self, status: &ResponseStatus) {
        self.name("ResponseStatus");
        self.open();
        self.text_member("ErrorCode", status.error_code.as_deref());
        self.text_member("Message", status.message.as_deref());
        self.text_member("StackTrace", status.stack_trace.as_deref());
        if let Some(errors) = &status.errors {
            self.name("Errors");
            self.text.push('[');
            for error in errors {
                self.comma();
                self.error(error);
            }
            self.text.push(']');
        }
        self.meta(status.meta.as_ref());
        self.text.push('}');
    }

    fn error(&mut self, error: &ResponseError) {
        self.open();
        self.text_member("ErrorCode", error.error_code.as_deref());
        self.text_member("FieldName", error.field_name.as_deref());
        self.text_member("Message", error.message.as_deref());
        self.meta(error.meta.as_ref());
        self.text.push('}');
    }

    /// The keys are data, so their case stays.
    fn meta(&mut self, meta: Option<&StringMap>) {
        let Some(StringMap(pairs)) = meta else { return };
        self.name("Meta");
        self.open();
        for (key, value) in pairs {
            self.comma();
            self.string(key);
            self.text.push(':');
            self.string(value);
        }
        self.text.push('}');
    }

    fn text_member(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.string_member(name, value);
        }
    }

    fn string_member(&mut self, name: &str, value: &str) {
        self.name(name);
        self.string(value);
    }

    fn bare_member(&mut self, name: &str, value: impl std::fmt::Display) {
        self.name(name);
        let _ = write!(self.text, "{value}");
    }

    /// Writes the comma between two items or members.
    fn comma(&mut self) {
        if !self.text.ends_with(['{', '[']) {
            self.text.push(',');
        }
    }

    fn name(&mut self, name: &str) {
        self.comma();
        self.text.push('"');
        match (self.host, name.split_at_checked(1)) {
            (Host::CamelCase | Host::Endpoints, Some((first, rest))) => {
                self.text.push_str(&first.to_ascii_lowercase());
                self.text.push_str(rest);
            }
            _ => self.text.push_str(name),
        }
        self.text.push_str("\":");
    }

    fn string(&mut self, value: &str) {
        // As System.Text.Json: `\u` escapes for quotes, for what HTML could misread, and for everything but ASCII.
        let escapes = self.host == Host::Endpoints && self.format == Format::Json;
        self.text.push('"');
        for letter in value.chars() {
            match letter {
                '"' if escapes => self.text.push_str("\\u0022"),
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                '\u{8}' => self.text.push_str("\\b"),
                '\u{c}' => self.text.push_str("\\f"),
                '\0'..' ' => {
                    let _ = write!(self.text, "\\u{:04x}", u32::from(letter));
                }
                '&' | '\'' | '<' | '>' | '+' | '`' | '\u{7f}'.. if escapes => {
                    for unit in letter.encode_utf16(&mut [0; 2]) {
                        let _ = write!(self.text, "\\u{unit:04X}");
                    }
                }
                other => self.text.push(other),
            }
        }
        self.text.push('"');
    }
}
