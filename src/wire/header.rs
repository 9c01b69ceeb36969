//! What HTTP allows in header names and values (RFC 9110, section 5).

use crate::error::{ConfigError, text};

/// Names that the SDK sets itself, and one that would make ServiceStack treat
/// the request as a `POST`, which records usage.
const RESERVED: [&str; 4] = [
    "accept",
    "authorization",
    "x-api-key",
    "x-http-method-override",
];

/// # Errors
/// A value that HTTP forbids; `what` names it in the message.
pub(crate) fn check_value(what: &str, value: &str) -> Result<(), ConfigError> {
    // In UTF-8, bytes from 0xC4 on begin characters beyond U+00FF.
    let forbidden = |byte| (byte < b' ' && byte != b'\t') || byte == 0x7F || byte >= 0xC4;
    if value.bytes().any(forbidden) {
        return Err(ConfigError::new(&[
            what,
            " contains a character that an HTTP header cannot carry, such as a line break; remove it.",
        ]));
    }
    Ok(())
}

/// # Errors
/// A bearer token or API key that is empty, contains white space, or could not
/// arrive unchanged.
pub(crate) fn check_secret(what: &str, value: &str) -> Result<(), ConfigError> {
    check_value(what, value)?;
    if value.is_empty() {
        return Err(ConfigError::new(&[
            what,
            " is empty; leave it out to send none.",
        ]));
    }
    if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ConfigError::new(&[
            what,
            " must be visible ASCII without spaces; pass it bare, without the word Bearer.",
        ]));
    }
    Ok(())
}

/// # Errors
/// An extra header whose name or value HTTP forbids, or whose name the SDK sets
/// itself.
pub(crate) fn check_extra(name: &str, value: &str) -> Result<(), ConfigError> {
    let is_token = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
    };
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(ConfigError::new(&[
            "A header name must consist of letters, digits and hyphens.",
        ]));
    }
    if RESERVED.iter().any(|own| name.eq_ignore_ascii_case(own)) {
        return Err(ConfigError::new(&[
            "The header ",
            name,
            " cannot be set here; use the SDK's options.",
        ]));
    }
    check_value(&text!["The header ", name], value)
}

/// Lower-case names, each once with all its values, so that calls are equal no
/// matter how their headers are spelled.
pub(crate) fn in_one_form(headers: &[(String, String)]) -> Vec<(String, String)> {
    let mut all = Vec::<(String, String)>::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        match all.iter_mut().find(|(own, _)| *own == name) {
            Some((_, own)) => *own = [own, ", ", value].concat(),
            None => all.push((name, value.clone())),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_http_forbids_are_refused_without_being_quoted() {
        for value in ["a\nb", "a\r\nX: y", "\0", "\x7F", "a\u{100}", "🏢"] {
            let sentence = check_value("The API key", value).unwrap_err().to_string();
            assert_eq!(
                sentence,
                "The API key contains a character that an HTTP header cannot carry, such as a line break; remove it."
            );
        }
        assert!(check_value("The header x", "Ängsgatan\t1").is_ok());
    }

    #[test]
    fn a_secret_is_one_word() {
        assert!(check_secret("The bearer token", "a.b!.c~+/==").is_ok());
        assert_eq!(
            check_secret("The bearer token", "")
                .unwrap_err()
                .to_string(),
            "The bearer token is empty; leave it out to send none."
        );
        for value in ["Bearer x", " x", "x\t", "ä"] {
            let sentence = check_secret("The bearer token", value)
                .unwrap_err()
                .to_string();
            assert!(
                sentence.starts_with("The bearer token must be visible ASCII"),
                "{value}"
            );
        }
    }

    #[test]
    fn extra_headers_cannot_replace_the_sdks_own() {
        assert!(check_extra("X-Language", "sv").is_ok());
        for name in [
            "Accept",
            "AUTHORIZATION",
            "x-api-key",
            "X-HTTP-Method-Override",
        ] {
            assert!(
                check_extra(name, "x")
                    .unwrap_err()
                    .to_string()
                    .contains("cannot be set here")
            );
        }
        for name in ["", "a b", "a:", "ä"] {
            assert!(
                check_extra(name, "x")
                    .unwrap_err()
                    .to_string()
                    .starts_with("A header name")
            );
        }
    }
}
