//! Redacts secrets in text that the SDK did not write: a server, a proxy or a
//! platform may quote the request. The SDK's own messages contain none.

use std::sync::Arc;

use crate::{
    dto::{ResponseStatus, StringMap},
    error::{Cause, Error, NetworkError, text},
};

/// Replaces a secret.
const REDACTED: &str = "[REDACTED]";
/// A shorter secret is not looked for: it may well be an ordinary word.
const SHORTEST: usize = 8;

/// A token or a key, and the forms in which it may be quoted.
#[derive(Debug, PartialEq)]
pub(crate) struct Secret {
    text: String,
    /// Empty if the secret is too short to be looked for.
    forms: Vec<String>,
}

impl Secret {
    pub fn new(text: String) -> Self {
        let mut forms = Vec::new();
        if text.len() >= SHORTEST {
            forms.push(text.clone());
            forms.push(base64(&text));
            forms.push(base64(&text!["Bearer ", &text]));
        }
        Self { text, forms }
    }

    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Redacts the secrets of a call.
#[derive(Default)]
pub(crate) struct Redactor(Vec<Arc<Secret>>);

impl Redactor {
    pub fn add(&mut self, secret: &Arc<Secret>) {
        self.0.push(Arc::clone(secret));
    }

    /// Redacts `text`; returns whether it contained a secret.
    pub fn redact(&self, text: &mut String) -> bool {
        let (mut clean, mut kept, mut at) = (String::new(), 0, 0);
        while at < text.len() {
            let rest = text.as_bytes().get(at..).unwrap_or_default();
            // The longest match, because one secret may be a prefix of another.
            let mut length = 0;
            for secret in &self.0 {
                for form in &secret.forms {
                    length = length.max(length_of(form, rest));
                }
            }
            if length == 0 {
                at += 1;
                continue;
            }
            clean.push_str(text.get(kept..at).unwrap_or_default());
            clean.push_str(REDACTED);
            at += length;
            kept = at;
        }
        let is_redacted = !clean.is_empty();
        if is_redacted {
            clean.push_str(text.get(kept..).unwrap_or_default());
            *text = clean;
        }
        is_redacted
    }

    /// Redacts all values and all map keys, except error codes.
    pub fn redact_status(&self, status: &mut ResponseStatus) {
        let texts = [&mut status.message, &mut status.stack_trace];
        for text in texts.into_iter().flatten() {
            self.redact(text);
        }
        self.redact_map(&mut status.meta);
        for error in status.errors.iter_mut().flatten() {
            let texts = [&mut error.field_name, &mut error.message];
            for text in texts.into_iter().flatten() {
                self.redact(text);
            }
            self.redact_map(&mut error.meta);
        }
    }

    fn redact_map(&self, map: &mut Option<StringMap>) {
        for (key, value) in map.iter_mut().flat_map(|map| &mut map.0) {
            self.redact(key);
            self.redact(value);
        }
    }

    /// Redacts what a transport or a provider said.
    pub fn redact_error(&self, error: &mut Error) {
        match error {
            Error::TokenProvider(error) => self.redact_words(&mut error.message, &mut error.cause),
            Error::Network(error) => self.redact_network(error),
            // Control flow reaches the caller unchanged.
            #[cfg(not(feature = "npm"))]
            Error::Fetch(error) if error.is_control_flow => {
                self.redact(&mut error.words);
            }
            Error::Fetch(error) => self.redact_words(&mut error.words, &mut error.cause),
            _ => {}
        }
    }

    pub fn redact_network(&self, error: &mut NetworkError) {
        self.redact_words(&mut error.words, &mut error.cause);
    }

    /// Keeps a cause only if neither it nor its sources contain a secret.
    fn redact_words(&self, words: &mut String, cause: &mut Option<Cause>) {
        self.redact(words);
        // JavaScript holds the cause, and has checked it.
        #[cfg(not(feature = "npm"))]
        {
            let mut link = cause
                .as_deref()
                .map(|cause| cause as &dyn std::error::Error);
            while let Some(shown) = link {
                if self.redact(&mut shown.to_string()) || self.redact(&mut format!("{shown:?}")) {
                    *cause = None;
                    return;
                }
                link = shown.source();
            }
        }
        #[cfg(feature = "npm")]
        let _ = cause;
    }
}

/// How many bytes of `text` are `secret`; 0 where it does not begin with it. Any
/// character may be percent-encoded, and base64 be that of URLs.
fn length_of(secret: &str, text: &[u8]) -> usize {
    // The secret may contain a percent sign itself.
    if text.starts_with(secret.as_bytes()) {
        return secret.len();
    }
    let mut rest = text;
    for &byte in secret.as_bytes() {
        rest = match rest {
            [b'%', high, low, after @ ..] if hex(*high, *low) == Some(byte) => after,
            [first, after @ ..]
                if *first == byte || matches!((byte, *first), (b'+', b'-') | (b'/', b'_')) =>
            {
                after
            }
            _ => return 0,
        };
    }
    text.len() - rest.len()
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// Without padding, which a quotation may or may not have.
fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut written = String::new();
    for bytes in text.as_bytes().chunks(3) {
        let mut bits = 0;
        for place in 0..3 {
            bits = bits << 8 | u32::from(bytes.get(place).copied().unwrap_or(0));
        }
        for place in 0..=bytes.len() {
            let digit = (bits >> (18 - 6 * place) & 63) as usize;
            written.push(char::from(*DIGITS.get(digit).unwrap_or(&b'A')));
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(secrets: &[&str], text: &str) -> String {
        let mut redactor = Redactor::default();
        for &secret in secrets {
            redactor.add(&Arc::new(Secret::new(secret.to_owned())));
        }
        let mut text = text.to_owned();
        redactor.redact(&mut text);
        text
    }

    #[test]
    fn a_secret_is_found_in_each_form() {
        let secret = "s3cret+/=token";
        for form in [
            "s3cret+/=token",
            "s3cret%2B%2F%3Dtoken",
            "s3cret%2b%2f=token",
            "%73%33cret+/=token",
            "czNjcmV0Ky89dG9rZW4",
            "QmVhcmVyIHMzY3JldCsvPXRva2Vu",
        ] {
            assert_eq!(
                redacted(&[secret], &format!("ä {form}, {form}.")),
                "ä [REDACTED], [REDACTED]."
            );
        }
        for other in ["s3cret+/=toke", "S3cret+/=token", "s3cret%2B%2Ftoken", ""] {
            assert_eq!(redacted(&[secret], other), other);
        }
    }

    #[test]
    #[cfg(not(feature = "npm"))]
    fn a_cause_that_shows_a_secret_in_any_form_is_left_out() {
        #[derive(Debug)]
        struct Refused(#[allow(dead_code, reason = "shown by Debug")] String);
        impl std::fmt::Display for Refused {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("refused")
            }
        }
        impl std::error::Error for Refused {}
        let mut redactor = Redactor::default();
        redactor.add(&Arc::new(Secret::new("s3cret-token".to_owned())));
        for (header, is_kept) in [("Bearer s3cret-token", false), ("Bearer", true)] {
            let mut error = NetworkError::new("x").caused_by(Arc::new(Refused(header.to_owned())));
            redactor.redact_network(&mut error);
            assert_eq!(error.cause.is_some(), is_kept, "{header}");
        }
    }

    #[test]
    fn base64_may_be_that_of_urls() {
        for form in [
            "Pz8-Pn5-Pz8_Pz8",
            "Pz8+Pn5+Pz8/Pz8",
            "QmVhcmVyID8_Pj5-fj8_Pz8_",
        ] {
            assert_eq!(redacted(&["??>>~~?????"], form), REDACTED);
        }
    }

    #[test]
    fn a_secret_may_have_a_percent_sign() {
        for form in ["key%with%25percent", "key%25with%2525percent"] {
            assert_eq!(redacted(&["key%with%25percent"], form), REDACTED);
        }
    }

    #[test]
    fn the_longest_is_found_first_and_nothing_twice() {
        assert_eq!(
            redacted(
                &["REDACTED", "longer-REDACTED-one"],
                "longer-REDACTED-one REDACTED"
            ),
            "[REDACTED] [REDACTED]"
        );
        assert_eq!(redacted(&["secret-1", "secret-12"], "secret-12"), REDACTED);
    }

    #[test]
    fn a_short_secret_is_a_word() {
        assert_eq!(redacted(&["company"], "the company"), "the company");
    }

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (text, written) in [
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text), written);
        }
    }
}
