//! Redacts secrets in text that the SDK did not write: a server, a proxy or a
//! platform may quote the request. The SDK's own messages contain none.

use std::sync::Arc;

use crate::{
    dto::{ResponseStatus, StringMap},
    error::{Cause, Error, NetworkError},
    wire::guid,
};

/// Replaces a secret.
const REDACTED: &str = "[REDACTED]";
/// A shorter secret is not looked for: it may well be an ordinary word.
const SHORTEST: usize = 8;
/// So many characters of a secret's beginning are as good as all of it, which may be
/// cut off. It also bounds the time that a text takes whose every part begins like a
/// secret.
const ENOUGH: usize = 64;

/// A token or a key, and the forms in which it may be quoted.
#[derive(Debug, PartialEq)]
pub(crate) struct Secret {
    text: String,
    /// Empty if the secret is too short to be looked for.
    forms: Vec<Form>,
}

#[derive(Debug, PartialEq)]
struct Form {
    text: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Plain,
    /// Its digits: a server reads them in either case, with dashes or without
    /// (contract, "Values" 3).
    Guid,
    /// Also that of URLs.
    Base64,
}

impl Secret {
    pub fn new(text: String) -> Self {
        let mut forms = Vec::new();
        if text.len() >= SHORTEST {
            let form = if guid::number(&text).is_some() {
                Form {
                    text: text.chars().filter(char::is_ascii_hexdigit).collect(),
                    kind: Kind::Guid,
                }
            } else {
                Form {
                    text: text.clone(),
                    kind: Kind::Plain,
                }
            };
            forms.push(form);
            for before in 0..3 {
                forms.push(Form {
                    text: base64_after(before, &text),
                    kind: Kind::Base64,
                });
            }
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
        if !self.0.iter().any(|own| Arc::ptr_eq(own, secret)) {
            self.0.push(Arc::clone(secret));
        }
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
                // Text may be redacted again, and a secret be a part of this.
                let is_redacted = rest.starts_with(REDACTED.as_bytes());
                at += if is_redacted { REDACTED.len() } else { 1 };
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

/// How many bytes of `text` are the secret in this form, or the beginning of it; 0
/// where it does not begin with it.
fn length_of(form: &Form, text: &[u8]) -> usize {
    let secret = form.text.as_bytes();
    // The secret may contain what looks like an escape.
    if text.first() == secret.first() && text.starts_with(secret) {
        return secret.len();
    }
    let mut rest = text;
    for (place, &byte) in secret.iter().enumerate() {
        if form.kind == Kind::Guid
            && place > 0
            && let Some(after) = after(rest, &|other| other == b'-')
        {
            rest = after;
        }
        let is_it = |other: u8| match form.kind {
            // In a query a plus sign stands for a space.
            Kind::Plain => other == byte || (byte, other) == (b'+', b' '),
            Kind::Guid => other.eq_ignore_ascii_case(&byte),
            Kind::Base64 => other == byte || matches!((byte, other), (b'+', b'-') | (b'/', b'_')),
        };
        match after(rest, &is_it) {
            Some(after) => rest = after,
            None if place < ENOUGH => return 0,
            None => break,
        }
    }
    text.len() - rest.len()
}

/// What follows a character, which may be escaped as in URLs, also twice, in JSON
/// or in HTML.
fn after<'a>(text: &'a [u8], is_it: &dyn Fn(u8) -> bool) -> Option<&'a [u8]> {
    let is = |high: &u8, low: &u8| hex(*high, *low).is_some_and(is_it);
    match text {
        [b'%', high, low, rest @ ..]
        | [b'%', b'2', b'5', high, low, rest @ ..]
        | [b'\\', b'u', b'0', b'0', high, low, rest @ ..]
        | [b'&', b'#', b'x', high, low, b';', rest @ ..]
            if is(high, low) =>
        {
            Some(rest)
        }
        [b'\\', b'/', rest @ ..] if is_it(b'/') => Some(rest),
        [first, rest @ ..] if is_it(*first) => Some(rest),
        _ => None,
    }
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// The digits that `text` has in the base64 of a longer one, in which so many
/// bytes stand `before` it, and any behind it; without those that it has in part.
fn base64_after(before: usize, text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut written = String::new();
    let (mut bits, mut count) = (0, 0);
    // The first digit that is whole begins here.
    let mut skipped = (6 - before * 8 % 6) % 6;
    for byte in text.bytes() {
        bits = bits << 8 | u32::from(byte);
        count += 8 - skipped;
        skipped = 0;
        while count >= 6 {
            count -= 6;
            let digit = (bits >> count & 63) as usize;
            written.push(char::from(*DIGITS.get(digit).unwrap_or(&b'A')));
        }
        bits &= 63;
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
            "s3cret%252B%252f%253Dtoken",
            "s3cret /=token",
            r"s3cret+\/=token",
            r"s3cret\u002B/\u003dtoken",
            "s3cret&#x2B;/&#x3d;token",
            "%73%33cret+/=token",
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

    /// Digits that are partly of what stands beside it remain.
    #[test]
    fn a_secret_is_found_in_the_base64_of_a_longer_text() {
        for (text, base64, left) in [
            ("s3cret+/=token", "czNjcmV0Ky89dG9rZW4=", "[REDACTED]4="),
            (
                "Bearer …",
                "QmVhcmVyIHMzY3JldCsvPXRva2Vu",
                "QmVhcmVyIH[REDACTED]",
            ),
            ("a:…", "YTpzM2NyZXQrLz10b2tlbg==", "YTp[REDACTED]g=="),
            ("…:", "czNjcmV0Ky89dG9rZW46", "[REDACTED]46"),
            ("user:…", "dXNlcjpzM2NyZXQrLz10b2tlbg", "dXNlcjp[REDACTED]g"),
        ] {
            assert_eq!(redacted(&["s3cret+/=token"], base64), left, "{text}");
        }
    }

    #[test]
    fn a_guid_is_found_however_it_is_written() {
        for key in [
            "0f8fad5b-d9cb-469f-a165-70867728950e",
            "0F8FAD5BD9CB469FA16570867728950E",
            "{0F8FAD5B-D9CB-469F-A165-70867728950E}",
        ] {
            for form in [
                "0f8fad5b-d9cb-469f-a165-70867728950e",
                "0f8fad5bd9cb469fa16570867728950e",
                "0F8FAD5B-D9CB-469F-A165-70867728950E",
                "0f8fad5b%2Dd9cb%2d469f%2Da165%2D70867728950e",
            ] {
                assert_eq!(redacted(&[key], &format!("({form})")), "([REDACTED])");
            }
            let other = "0f8fad5b-d9cb-469f-a165-70867728950f";
            assert_eq!(redacted(&[key], other), other);
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
        for form in ["Pz8-Pn5-Pz8_Pz8_", "Pz8+Pn5+Pz8/Pz8/"] {
            assert_eq!(redacted(&["??>>~~??????"], form), REDACTED);
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
    fn the_beginning_of_a_long_secret_is_enough() {
        let secret = "0123456789abcdef".repeat(8);
        let (cut, rest) = secret.split_at(ENOUGH);
        assert_eq!(redacted(&[&secret], &format!("{cut}…")), "[REDACTED]…");
        assert_eq!(redacted(&[&secret], &cut[1..]), &cut[1..]);
        assert_eq!(redacted(&[&secret], rest), REDACTED);
        assert_eq!(redacted(&[&secret], &rest[1..]), &rest[1..]);
    }

    /// It takes hours where each place is compared with the whole secret.
    #[test]
    fn a_text_whose_every_part_begins_like_a_secret_takes_no_time() {
        let secret = "a".repeat(100_000) + "b";
        let text = "a".repeat(1_000_000);
        assert_eq!(redacted(&[&secret], &text), REDACTED.repeat(10));
    }

    #[test]
    fn what_is_redacted_stays_as_it_is() {
        let once = redacted(&["REDACTED"], "not REDACTED, [REDACTED]");
        assert_eq!(once, "not [REDACTED], [REDACTED]");
        assert_eq!(redacted(&["REDACTED"], &once), once);
    }

    #[test]
    fn a_short_secret_is_a_word() {
        assert_eq!(redacted(&["company"], "the company"), "the company");
    }

    #[test]
    fn base64_is_that_of_rfc_4648_without_what_is_there_in_part() {
        for (before, text, written) in [
            (0, "f", "Z"),
            (0, "fo", "Zm"),
            (0, "foo", "Zm9v"),
            (0, "foobar", "Zm9vYmFy"),
            // "Afoobar" is QWZvb2Jhcg, "Abfoobar" QWJmb29iYXI.
            (1, "foobar", "Zvb2Jhc"),
            (2, "foobar", "mb29iYX"),
        ] {
            assert_eq!(base64_after(before, text), written);
        }
    }
}
