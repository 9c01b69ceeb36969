//! Tells network failures from failures of the function that sends, by what
//! platforms say about them. The npm package and the Rust client share these
//! lists.

/// What platforms say when no reply arrived, a line each: Chromium, Firefox,
/// WebKit, Node, React Native, Deno. The host may follow.
const WORDS: &str = "\
Failed to fetch
network error
NetworkError when attempting to fetch resource
Load failed
The Internet connection appears to be offline
The network connection was lost
A network error occurred
fetch failed
terminated
Network request failed
Network request timed out
error sending request
error sending request for url
error trying to connect";

/// Prefixes that mean a network failure in an error of any kind: workerd and
/// Electron throw plain errors. The last two are WebKit's, where a service worker
/// passes a request on and gets no reply.
const PLAIN_WORDS: &str = "\
Network connection lost
net::ERR_
FetchEvent.respondWith received an error
Response served by service worker is an error";

/// Prefixes of error codes of Node, undici, Bun and OpenSSL.
const CODES: &str = "\
ECONN
EAI_
EHOST
ENET
ENOTFOUND
ENOTCONN
ETIME
ESOCKET
EPIPE
EADDR
ESERVFAIL
EREFUSED
UND_ERR_
HPE_
CERT_
UNABLE_TO_GET_
UNABLE_TO_VERIFY_
SELF_SIGNED_
DEPTH_ZERO_SELF_SIGNED_
ERR_NETWORK
ERR_INTERNET
ERR_NAME_
ERR_CONN
ERR_SOCKET_C
ERR_STREAM_PREMATURE
ERR_TLS_
ERR_SSL_
ERR_HTTP2_
HOSTNAME_MISMATCH
FailedToOpenSocket
ConnectionRe
ConnectionClosed";

/// Complete error codes.
const WHOLE_CODES: &str = "EPROTO\nTimeout";

/// Whether an error is a network failure, by its name, message and code and its
/// cause's code; each is empty if absent.
pub(crate) fn is_network(name: &str, message: &str, codes: [&str; 2]) -> bool {
    // For example a dispatcher of another undici version, which will not go away.
    if codes.contains(&"UND_ERR_INVALID_ARG") {
        return false;
    }
    let message = message.trim_ascii();
    name == "NetworkError"
        || codes
            .into_iter()
            .any(|code| begins(code, CODES, false) || begins(code, WHOLE_CODES, true))
        || begins(message, PLAIN_WORDS, false)
        || (name == "TypeError" && begins(message, WORDS, true))
}

/// Whether `text` begins with a line of `list`. `whole`: at most a host or a
/// reason may follow.
#[inline(never)] // smaller, see Cargo.toml
fn begins(text: &str, list: &str, whole: bool) -> bool {
    list.as_bytes().split(|byte| *byte == b'\n').any(|known| {
        let rest = text.as_bytes().strip_prefix(known);
        rest.is_some_and(|rest| {
            !whole || matches!(rest, [] | [b'.'] | [b':', ..] | [b' ', b'(', ..])
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_CODES: [&str; 2] = ["", ""];

    #[test]
    fn what_platforms_say_of_the_network_is_known() {
        for message in [
            "Failed to fetch",
            "Failed to fetch (api.example)",
            "NetworkError when attempting to fetch resource.",
            "Load failed",
            "Load failed (api.example)",
            "The Internet connection appears to be offline.",
            " A network error occurred.",
            "fetch failed",
            "Network request failed",
            "Network request timed out",
            "error sending request for url (https://api.example/)",
            "error sending request for url (https://api.example/): client error (Connect): dns error",
        ] {
            assert!(is_network("TypeError", message, NO_CODES), "{message}");
            assert!(!is_network("Error", message, NO_CODES), "{message}");
        }
        for message in [
            "Network connection lost.",
            "net::ERR_INTERNET_DISCONNECTED",
            "FetchEvent.respondWith received an error: TypeError: Load failed",
            "Response served by service worker is an error",
        ] {
            assert!(is_network("Error", message, NO_CODES), "{message}");
        }
        assert!(is_network("NetworkError", "A wire was cut.", NO_CODES));
    }

    #[test]
    fn other_words_are_not_the_networks() {
        for message in [
            "",
            "x is not a function",
            "Failed to parse URL from x",
            "Failed to fetch dynamically imported module: https://app.example/a.js",
            "Failed to fetch the profile",
            "fetch failed validation",
            "terminated by policy",
            "Network error handler is missing",
            "The fetch failed",
        ] {
            assert!(!is_network("TypeError", message, NO_CODES), "{message}");
        }
    }

    #[test]
    fn system_codes_are_known() {
        for code in [
            "ECONNREFUSED",
            "ECONNABORTED",
            "EAI_AGAIN",
            "ENOTFOUND",
            "EHOSTUNREACH",
            "ENETDOWN",
            "ETIMEDOUT",
            "EPIPE",
            "EPROTO",
            "UND_ERR_SOCKET",
            "UND_ERR_CONNECT_TIMEOUT",
            "HPE_INVALID_CONSTANT",
            "CERT_HAS_EXPIRED",
            "ERR_NETWORK",
            "ERR_NAME_NOT_RESOLVED",
            "ERR_SSL_WRONG_VERSION_NUMBER",
            "ERR_TLS_CERT_ALTNAME_INVALID",
            "DEPTH_ZERO_SELF_SIGNED_CERT",
            "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
            "ConnectionRefused",
        ] {
            assert!(is_network("Error", "", [code, ""]), "{code}");
            assert!(is_network("Error", "", ["", code]), "{code}");
        }
        for code in [
            "",
            "E",
            "Error",
            "E2BIG",
            "E11000",
            "EACCES",
            "EINVAL",
            "ENOENT",
            "EMFILE",
            "EPROTOTYPE",
            "ERR_INVALID_ARG_TYPE",
            "ERR_INVALID_URL",
            "ERR_SOCKET_BAD_PORT",
            "ERR_STREAM_WRITE_AFTER_END",
            "UNABLE_TO_PARSE",
            "ABORT_ERR",
            "ConnectionStringMissing",
            "19",
        ] {
            assert!(!is_network("Error", "", [code, code]), "{code}");
        }
    }

    #[test]
    fn what_undici_refuses_of_its_caller_is_not_the_networks() {
        let codes = ["", "UND_ERR_INVALID_ARG"];
        assert!(!is_network("TypeError", "fetch failed", codes));
    }
}
