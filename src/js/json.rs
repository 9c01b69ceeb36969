//! Writes JSON. Passing one text to JavaScript takes a tenth of the code of
//! building an object property by property.

use crate::error::decimal;

/// The text written so far.
#[derive(Default)]
pub(super) struct Json(String);

impl Json {
    pub fn into_text(self) -> String {
        self.0
    }

    /// Starts an item of a list, or the top-level value.
    pub fn item(&mut self, bracket: char) {
        self.separate();
        self.0.push(bracket);
    }

    /// Starts a member.
    pub fn member(&mut self, name: &str, bracket: char) {
        self.name(name);
        self.0.push(bracket);
    }

    pub fn close(&mut self, bracket: char) {
        self.0.push(bracket);
    }

    pub fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        self.string(value);
    }

    /// Omitted if there is no value.
    pub fn optional(&mut self, name: &str, value: Option<&String>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    pub fn boolean(&mut self, name: &str, value: bool) {
        self.raw(name, if value { "true" } else { "false" });
    }

    pub fn integer(&mut self, name: &str, value: i64) {
        self.raw(name, if value < 0 { "-" } else { "" });
        self.0.push_str(&decimal(value.unsigned_abs()));
    }

    /// Whole milliseconds; omitted if infinite.
    pub fn milliseconds(&mut self, name: &str, value: f64) {
        if value.is_finite() {
            // Rounded up, so that no wait becomes shorter than requested.
            self.integer(name, value.ceil() as i64);
        }
    }

    fn raw(&mut self, name: &str, value: &str) {
        self.name(name);
        self.0.push_str(value);
    }

    fn name(&mut self, name: &str) {
        self.separate();
        self.string(name);
        self.0.push(':');
    }

    fn separate(&mut self) {
        if !matches!(self.0.as_bytes().last(), None | Some(b'{' | b'[' | b':')) {
            self.0.push(',');
        }
    }

    fn string(&mut self, text: &str) {
        self.0.push('"');
        let mut from = 0;
        for (at, byte) in text.bytes().enumerate() {
            if byte >= b' ' && byte != b'"' && byte != b'\\' {
                continue;
            }
            self.0.push_str(text.get(from..at).unwrap_or_default());
            from = at + 1;
            self.0.push('\\');
            if byte >= b' ' {
                self.0.push(byte as char);
                continue;
            }
            self.0.push_str(if byte < 16 { "u000" } else { "u001" });
            self.0
                .push(char::from_digit(u32::from(byte % 16), 16).unwrap_or('0'));
        }
        self.0.push_str(text.get(from..).unwrap_or_default());
        self.0.push('"');
    }
}
