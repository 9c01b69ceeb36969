use crate::error::{ConfigError, text};

/// Where the API lives: `scheme://host[:port][/path]`, without a slash at the
/// end; scheme and host in lower case, a default port unwritten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    text: String,
    origin_length: usize,
}

impl BaseUrl {
    /// # Errors
    /// A text that is no absolute http(s) URL, or that has parts which a base
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
        let default_port = if scheme.len() == 8 { ":443" } else { ":80" };
        let host = host.strip_suffix(default_port).unwrap_or(host);
        if host.is_empty() || host.starts_with(':') {
            return Err(ConfigError::new(&["The base URL names no host."]));
        }
        let mut path = path;
        while let Some(shorter) = path.strip_suffix('/') {
            path = shorter;
        }
        let mut text = text![scheme, host];
        text.make_ascii_lowercase();
        let origin_length = text.len();
        text.push_str(path);
        Ok(Self {
            text,
            origin_length,
        })
    }

    /// Of a text that has this form already: the npm package makes it with the
    /// platform's own `URL`.
    #[cfg_attr(not(feature = "npm"), allow(dead_code))]
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

    /// Whether nobody on the way can read along: https, or this machine.
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
            || host.ends_with(".localhost")
            || host == "[::1]"
            || (host.starts_with("127.") && is_ipv4(host))
    }

    /// Whether `url`, in the form in which the platform writes URLs, is of
    /// this base's origin.
    pub fn is_origin_of(&self, url: &str) -> bool {
        let rest = url.strip_prefix(self.origin());
        rest.is_some_and(|rest| matches!(rest.as_bytes().first(), None | Some(b'/' | b'?' | b'#')))
    }
}

/// `url` without query and fragment: they may hold secrets, or the whole URL
/// of a request.
pub(crate) fn without_query(url: &str) -> &str {
    let end = url.bytes().position(|byte| byte == b'?' || byte == b'#');
    end.and_then(|end| url.get(..end)).unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        BaseUrl::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_base_may_have_a_path_and_slashes_at_the_end() {
        for (text, base, origin) in [
            (
                "https://api.bookmore.com",
                "https://api.bookmore.com",
                "https://api.bookmore.com",
            ),
            (
                "https://Api.bookmore.com:443/",
                "https://api.bookmore.com",
                "https://api.bookmore.com",
            ),
            (
                "HTTP://localhost:8080/A/b//",
                "http://localhost:8080/A/b",
                "http://localhost:8080",
            ),
            ("http://[::1]:80", "http://[::1]", "http://[::1]"),
        ] {
            let parsed = BaseUrl::parse(text).unwrap();
            assert_eq!((parsed.as_str(), parsed.origin()), (base, origin));
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
            ("http://localhost.example", false),
            ("http://127.0.0.1.example", false),
            ("http://127.example.0.1", false),
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
        for text in ["https://", "https:///path", "http://:80"] {
            assert_eq!(refusal(text), "The base URL names no host.");
        }
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
