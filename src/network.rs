//! Tells the network's failures from those of whoever sends, by what platforms
//! say of them.

/// What a platform says where no reply came; whatever follows names the host.
const WORDS: [&str; 12] = [
    "failed to fetch",                                // Chromium
    "network error",                                  // Chromium, of a body
    "networkerror when attempting to fetch resource", // Firefox
    "load failed",                                    // WebKit
    "the internet connection appears to be offline",  // WebKit
    "the network connection was lost",                // WebKit
    "a network error occurred",                       // Bun
    "fetch failed",                                   // Node
    "terminated",                                     // Node, of a body
    "network request failed",                         // React Native
    "error sending request",                          // Deno
    "network connection lost",                        // workerd
];

/// Whether an error with this name and message is the network's.
pub(crate) fn is_network(name: &str, message: &str) -> bool {
    if name == "NetworkError" {
        return true;
    }
    let message = message.trim_ascii().to_ascii_lowercase();
    // workerd throws plain errors.
    (name == "TypeError" || message.starts_with("network connection lost"))
        && WORDS.iter().any(|known| message.starts_with(known))
}

/// Whether `code` is what Node, undici, Bun or OpenSSL give to a failure of the
/// network.
pub(crate) fn is_system_code(code: &str) -> bool {
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| code.starts_with(prefix));
    let is_upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    match code.strip_prefix("ERR_") {
        Some(rest) => ["NETWORK", "SOCKET", "TLS", "SSL", "HTTP2", "STREAM", "CONN"]
            .iter()
            .any(|kind| rest.starts_with(kind)),
        // ECONNRESET and its like: errno's names.
        None if code.len() > 1 && code.starts_with('E') => code.bytes().all(is_upper),
        None => {
            starts(&["UND_ERR_", "HPE_", "CERT_", "UNABLE_TO_", "Connection"])
                || code.contains("SELF_SIGNED")
                || ["HOSTNAME_MISMATCH", "FailedToOpenSocket", "Timeout"].contains(&code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_platforms_say_of_the_network_is_known() {
        for message in [
            "Failed to fetch",
            "Failed to fetch (api.example)",
            "NetworkError when attempting to fetch resource.",
            "Load failed",
            "fetch failed",
            "Network request failed",
            "error sending request for url (https://api.example/)",
        ] {
            assert!(is_network("TypeError", message), "{message}");
            assert!(!is_network("Error", message), "{message}");
        }
        assert!(is_network("Error", "Network connection lost."));
        assert!(is_network("NetworkError", "A wire was cut."));
        for message in ["", "x is not a function", "Failed to parse URL from x"] {
            assert!(!is_network("TypeError", message), "{message}");
        }
    }

    #[test]
    fn system_codes_are_known() {
        for code in [
            "ECONNREFUSED",
            "EAI_AGAIN",
            "UND_ERR_SOCKET",
            "ERR_NETWORK",
            "ERR_SSL_WRONG_VERSION_NUMBER",
            "DEPTH_ZERO_SELF_SIGNED_CERT",
            "ConnectionRefused",
        ] {
            assert!(is_system_code(code), "{code}");
        }
        for code in ["", "E", "Error", "ERR_INVALID_ARG_TYPE", "ABORT_ERR"] {
            assert!(!is_system_code(code), "{code}");
        }
    }
}
