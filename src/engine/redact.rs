//! Redacts secrets in text that the SDK did not write: a server, a proxy or a
//! platform may quote the request. The SDK's own messages contain none.

use std::sync::Arc;

use super::secret::{Secret, is_escape};
use crate::{
    dto::{ResponseStatus, StringMap},
    error::{Cause, Error, NetworkError},
};

/// Replaces a secret.
const REDACTED: &str = "[REDACTED]";

/// Redacts the secrets of a call.
#[derive(Default)]
pub(crate) struct Redactor {
    secrets: Vec<Arc<Secret>>,
    /// The bytes with which one of their forms may begin, apart from escapes.
    first_bytes: Vec<u8>,
}

impl Redactor {
    pub fn add(&mut self, secret: &Arc<Secret>) {
        if self.secrets.iter().any(|own| Arc::ptr_eq(own, secret)) {
            return;
        }
        for form in &secret.forms {
            for byte in form.first_bytes() {
                // Many forms begin alike, and each byte of each header is looked up.
                if !self.first_bytes.contains(&byte) {
                    self.first_bytes.push(byte);
                }
            }
        }
        self.secrets.push(Arc::clone(secret));
    }

    /// Redacts `text`; returns whether it contained a secret.
    pub fn redact(&self, text: &mut String) -> bool {
        let (mut clean, mut kept, mut at) = (String::new(), 0, 0);
        while at < text.len() {
            let rest = text.as_bytes().get(at..).unwrap_or_default();
            if !rest.first().is_some_and(|byte| self.may_begin(*byte)) {
                at += 1;
                continue;
            }
            // The longest match, because one secret may be a prefix of another.
            let mut length = 0;
            for secret in &self.secrets {
                for form in &secret.forms {
                    length = length.max(form.length_in(rest));
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

    /// Whether a secret, or what replaced one, may begin with this byte. Most bytes
    /// are skipped so; every header of every reply is searched.
    fn may_begin(&self, byte: u8) -> bool {
        self.first_bytes.contains(&byte)
            || is_escape(byte)
            || REDACTED.as_bytes().first() == Some(&byte)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::secret::ENOUGH,
        error::{FetchError, TokenProviderError},
    };

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
            "s3cret&#x2B;/&#X3d;token",
            "s3cret&#43;/&#061;&#116;oken",
            "%73%33cret+/=token",
        ] {
            assert_eq!(
                redacted(&[secret], &format!("ä {form}, {form}.")),
                "ä [REDACTED], [REDACTED]."
            );
        }
        for other in [
            "s3cret+/=toke",
            "S3cret+/=token",
            "s3cret%2B%2Ftoken",
            r"s3cret\//=token",
            "",
        ] {
            assert_eq!(redacted(&[secret], other), other);
        }
    }

    #[test]
    fn a_secret_is_found_where_its_quotes_are_escaped() {
        let secret = r#""a&b'<c>\d""#;
        for form in [
            r#""a&b'<c>\d""#,
            r#"\"a&b'<c>\\d\""#,
            r"&quot;a&amp;b&apos;&lt;c&gt;\d&quot;",
            r"&#34;a&#38;b&#039;&#60;c&#62;&#92;d&#34;",
        ] {
            assert_eq!(redacted(&[secret], &format!("<{form}>")), "<[REDACTED]>");
        }
        for other in [
            r"&quot;a&amp;b&apos;&lt;c&lt;\d&quot;",
            r"&#34a&#38;b&#039;&#60;c&#62;&#92;d&#34;",
            r"&#290;a&#38;b&#039;&#60;c&#62;&#92;d&#34;",
            "&",
            "&;",
        ] {
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
                let after_dash = redacted(&[key], &format!("key%2D{form}"));
                assert_eq!(after_dash, "key%2D[REDACTED]");
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
            let words = format!("refused: {header}");
            let cause = Arc::new(Refused(header.to_owned()));
            let thrown = |is_control_flow| {
                Error::from(FetchError {
                    words: words.clone(),
                    cause: Some(cause.clone()),
                    is_control_flow,
                })
            };
            let provider = TokenProviderError::new(words.clone()).caused_by(cause.clone());
            let network = NetworkError::new(words.clone()).caused_by(cause.clone());
            for mut error in [provider.into(), network.into(), thrown(false), thrown(true)] {
                redactor.redact_error(&mut error);
                assert!(!error.to_string().contains("s3cret"), "{error}");
                let (kept, is_control_flow) = match &error {
                    Error::TokenProvider(error) => (&error.cause, false),
                    Error::Network(error) => (&error.cause, false),
                    Error::Fetch(error) => (&error.cause, error.is_control_flow),
                    _ => panic!("{error}"),
                };
                assert_eq!(kept.is_some(), is_kept || is_control_flow, "{error:?}");
            }
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
}
