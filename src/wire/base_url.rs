use std::net::{Ipv4Addr, Ipv6Addr};

use crate::error::{ConfigError, decimal, text};

/// The base URL of the API: `scheme://host[:port][/path]`, without a trailing
/// slash, with scheme and host in lower case and without a default port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    text: String,
    origin_length: usize,
}

impl BaseUrl {
    /// # Errors
    /// Text that is not an absolute http(s) URL, or a URL with a part that a base
    /// cannot have: user and password (fetch refuses them), query, fragment.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let (scheme, rest) = ["https://", "http://"]
            .iter()
            .find_map(|scheme| {
                let (start, rest) = text.split_at_checked(scheme.len())?;
                start
                    .eq_ignore_ascii_case(scheme)
                    .then_some((*scheme, rest))
            })
            .ok_or_else(|| {
                ConfigError::new(&["The base URL must start with https:// or http://."])
            })?;
        let forbidden = |byte: u8| matches!(byte, 0..=b' ' | 0x7F.. | b'?' | b'#' | b'\\' | b'<' | b'>' | b'^' | b'|');
        if rest.bytes().any(forbidden) {
            return Err(ConfigError::new(&[
                "The base URL must not have a query, a fragment or unencoded characters.",
            ]));
        }
        let host_length = rest
            .bytes()
            .position(|byte| byte == b'/')
            .unwrap_or(rest.len());
        let (host, path) = rest.split_at_checked(host_length).unwrap_or((rest, ""));
        if host.bytes().any(|byte| byte == b'@') {
            return Err(ConfigError::new(&[
                "The base URL must not have a user name or a password.",
            ]));
        }
        let default_port = if scheme.len() == 8 { 443 } else { 80 };
        let (host, port) = host_and_port(host).ok_or_else(|| {
            ConfigError::new(&[
                "The base URL names no host, or one or a port that no URL can have.",
            ])
        })?;
        if has_broken_escape(path) {
            return Err(ConfigError::new(&[
                "The base URL has a percent sign without two hexadecimal digits; write %25 for the sign itself.",
            ]));
        }
        let mut path = path;
        while let Some(shorter) = path.strip_suffix('/') {
            path = shorter;
        }
        let mut text = text![scheme, &host];
        if let Some(port) = port.filter(|port| *port != default_port) {
            text.push(':');
            text.push_str(&decimal(port.into()));
        }
        let origin_length = text.len();
        text.push_str(path);
        Ok(Self {
            text,
            origin_length,
        })
    }

    /// From text that is already in this form: the npm package normalizes it with
    /// the platform's own `URL`.
    #[cfg(feature = "npm")]
    pub fn checked(text: String, origin_length: usize) -> Self {
        Self {
            text,
            origin_length,
        }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        self.text.get(..self.origin_length).unwrap_or("")
    }

    /// Whether the origin is potentially trustworthy (W3C): https or loopback.
    pub fn keeps_secrets(&self) -> bool {
        let Some(rest) = self.origin().strip_prefix("http://") else {
            return true;
        };
        let host = match rest.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => rest,
        };
        let is_ipv4 = |host: &str| {
            let mut parts = host.split('.');
            parts.clone().count() == 4 && parts.all(|part| part.parse::<u8>().is_ok())
        };
        host == "localhost"
            || host
                .strip_suffix(".localhost")
                .is_some_and(|name| !name.is_empty())
            || host == "[::1]"
            || (host.starts_with("127.") && is_ipv4(host))
    }

    /// Whether `url`, as the platform serializes URLs, has the same origin as
    /// this base.
    pub fn is_origin_of(&self, url: &str) -> bool {
        let rest = url.strip_prefix(self.origin());
        rest.is_some_and(|rest| matches!(rest.as_bytes().first(), None | Some(b'/' | b'?' | b'#')))
    }
}

/// Host and port as the platform serializes them; `None` if they are not valid
/// in a URL.
fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let end = match text.rsplit_once(']') {
        Some((address, _)) => address.len() + 1,
        None => text
            .bytes()
            .position(|byte| byte == b':')
            .unwrap_or(text.len()),
    };
    let (host, port) = text.split_at_checked(end)?;
    let port = match port.strip_prefix(':') {
        // `parse` would accept a sign.
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => match digits {
            "" => None,
            digits => Some(digits.parse().ok()?),
        },
        None if port.is_empty() => None,
        _ => return None,
    };
    if let Some(address) = host.strip_prefix('[') {
        let address: Ipv6Addr = address.strip_suffix(']')?.parse().ok()?;
        return Some((text!["[", &address.to_string(), "]"], port));
    }
    let host = host.to_ascii_lowercase();
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte);
    let last = host.strip_suffix('.').unwrap_or(&host).rsplit('.').next()?;
    // A host that ends in a number is an IPv4 address (WHATWG URL).
    let is_address = last.bytes().all(|byte| byte.is_ascii_digit());
    let is_host = !host.is_empty() && host.bytes().all(is_letter);
    (is_host && (!is_address || host.parse::<Ipv4Addr>().is_ok())).then_some((host, port))
}

/// Whether a percent sign is not followed by two hex digits.
fn has_broken_escape(path: &str) -> bool {
    let mut parts = path.split('%');
    parts.next();
    parts.any(|after| {
        let digits = after.bytes().take(2).filter(u8::is_ascii_hexdigit);
        digits.count() < 2
    })
}

/// `url` without query and fragment, which may hold secrets or the URL of the
/// original request.
pub(crate) fn without_query(url: &str) -> &str {
    let end = url.bytes().position(|byte| byte == b'?' || byte == b'#');
    end.and_then(|end| url.get(..end)).unwrap_or(url)
}

/// The same without a user name and a password, too.
pub(crate) fn without_secrets(url: &str) -> String {
    let url = without_query(url);
    let bytes = url.as_bytes();
    // Before a host there is no single slash.
    let slash = bytes.iter().position(|byte| *byte == b'/').unwrap_or(0);
    if bytes.get(slash + 1) != Some(&b'/') {
        return url.to_owned();
    }
    let host = slash + 2;
    let after = bytes.get(host..).unwrap_or_default();
    let authority = after.split(|byte| *byte == b'/').next().unwrap_or_default();
    let user = authority.iter().rposition(|byte| *byte == b'@');
    let from = user.map_or(host, |at| host + at + 1);
    text![
        url.get(..host).unwrap_or_default(),
        url.get(from..).unwrap_or_default()
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_secrets_has_neither_user_nor_query() {
        for (url, bare) in [
            ("https://u:p@ss@a.example/x?t=1#f", "https://a.example/x"),
            ("//u:p@a.example", "//a.example"),
            ("https://a.example/u@x/y", "https://a.example/u@x/y"),
            ("/u@x?y", "/u@x"),
            ("/a//u@x", "/a//u@x"),
            ("mailto:u@x", "mailto:u@x"),
            ("", ""),
        ] {
            assert_eq!(without_secrets(url), bare);
        }
    }

    fn refusal(text: &str) -> String {
        BaseUrl::parse(text).unwrap_err().to_string()
    }

    /// The npm package is tested with the same cases, in
    /// `tests/package/failures.test.mjs`.
    #[test]
    fn the_platform_and_this_agree_on_what_a_base_is() {
        #[derive(serde::Deserialize)]
        struct Cases {
            good: Vec<(String, String)>,
            bad: Vec<String>,
        }
        let text = include_str!("../../tests/fixtures/base-urls.json");
        let Cases { good, bad } = serde_json::from_str(text).unwrap();
        for (text, base) in good {
            let parsed = BaseUrl::parse(&text).unwrap();
            assert_eq!(parsed.as_str(), base);
            assert!(base.starts_with(parsed.origin()));
        }
        for text in bad {
            assert!(BaseUrl::parse(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn secrets_are_kept_by_https_and_by_this_machine() {
        for (text, keeps) in [
            ("https://api.bookmore.com", true),
            ("http://localhost:8080", true),
            ("http://app.localhost", true),
            ("http://127.0.0.1:8080/base", true),
            ("http://127.1.2.3", true),
            ("http://[::1]:8080", true),
            ("http://[::1]", true),
            ("http://api.bookmore.com", false),
            ("http://.localhost", false),
            ("http://localhost.example", false),
            ("http://127.0.0.1.example", false),
            ("http://[::2]", false),
            ("http://notlocalhost", false),
        ] {
            let base_url = BaseUrl::parse(text).unwrap();
            assert_eq!(base_url.keeps_secrets(), keeps, "{text}");
        }
    }

    #[test]
    fn what_is_no_base_is_refused_with_a_sentence() {
        for text in [
            "",
            "ftp://x",
            "api.bookmore.com",
            "/api",
            "https:/x",
            "httpss://x",
            "ä",
        ] {
            assert_eq!(
                refusal(text),
                "The base URL must start with https:// or http://."
            );
        }
        for text in [
            "https://",
            "https:///path",
            "http://:80",
            "http://x:65536",
            "http://1.2.3.256",
        ] {
            assert_eq!(
                refusal(text),
                "The base URL names no host, or one or a port that no URL can have."
            );
        }
        assert!(refusal("https://x/%zz").starts_with("The base URL has a percent sign"));
        for text in [
            "https://x?q",
            "https://x#f",
            "https://x y",
            "https://x\n",
            "https://x\\y",
            "https://a<b",
            "https://ä",
        ] {
            assert!(
                refusal(text).starts_with("The base URL must not have a query"),
                "{text}"
            );
        }
        let refusal = refusal("https://user:secret@x");
        assert!(refusal.starts_with("The base URL must not have a user name"));
    }

    #[test]
    fn an_origin_ends_where_the_path_begins() {
        let base = BaseUrl::parse("https://api.bookmore.com/v1").unwrap();
        for own in [
            "https://api.bookmore.com",
            "https://api.bookmore.com/login?x=1",
        ] {
            assert!(base.is_origin_of(own), "{own}");
        }
        for other in [
            "http://api.bookmore.com/",
            "https://evil.example/",
            "https://api.bookmore.com.evil.example/",
            "https://api.bookmore.com:444/",
            "",
        ] {
            assert!(!base.is_origin_of(other), "{other}");
        }
    }
}
