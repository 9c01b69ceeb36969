//! The outcomes of replies that were not recorded, as sentences.
#![cfg(not(target_arch = "wasm32"))]

use bookmore_sdk::{
    AiChatUsageResponse, Client, Error, GetAiChatUsage, HttpResponse,
    client::CallOptions,
    error::NetworkError,
    testing::{Reply, VirtualTransport},
    transport::Body,
};

fn ask_about(reply: &HttpResponse, request: &GetAiChatUsage) -> Result<AiChatUsageResponse, Error> {
    let reply = reply.clone();
    let transport = VirtualTransport::new().respond_with(move |_| Reply::from(reply.clone()));
    let client = Client::builder().build(transport.clone())?;
    transport.run(client.get_ai_chat_usage(request))
}

fn ask(reply: &HttpResponse) -> Error {
    ask_about(reply, &GetAiChatUsage::default()).unwrap_err()
}

fn reply(status: u16, content_type: &str, body: &str) -> HttpResponse {
    HttpResponse::new(status, content_type, body.as_bytes())
}

const JSON: &str = "application/json; charset=utf-8";
const USAGE: &str = r#"{"companyId":"9f2c7b1a4d3e4f5a8b6c7d8e9f0a1b2c","tokensUsed":5,"tokenLimit":10,"tokensRemaining":5,"isWithinBudget":true,"windowDays":30}"#;

/// One byte that is not UTF-8, or that JSON forbids in a string, costs at most a
/// letter, and no code or field error.
#[test]
fn an_error_body_is_read_leniently() {
    let body = |message: &[u8]| {
        [
            br#"{"ResponseStatus":{"Message":""#,
            message,
            br#"","ErrorCode":"NotFound","Errors":[{"FieldName":"CompanyId"}]}}"#,
        ]
        .concat()
    };
    for (message, words) in [
        (&b"Soci\xE9t\xE9"[..], "Soci\u{FFFD}t\u{FFFD}"),
        (b"a\xFFb", "a\u{FFFD}b"),
        (b"a\xC3", "a\u{FFFD}"),
        (b"a\nb\tc", "a\nb\tc"),
        (b"it\\'s", "it's"),
        (b"a\\u00zz", "azz"),
        (b"a\\ud800b", "a\u{FFFD}b"),
    ] {
        for content_type in [JSON, "application/json; charset=windows-1252", ""] {
            let reply = HttpResponse::new(404, content_type, &body(message));
            let Error::Api(error) = ask(&reply) else {
                panic!("{words}");
            };
            assert_eq!(error.error_code.as_deref(), Some("NotFound"));
            assert_eq!(error.server_message.as_deref(), Some(words));
            assert_eq!(error.response_status.unwrap().errors.unwrap().len(), 1);
        }
    }
}

#[test]
fn a_usage_is_read_strictly() {
    let start = USAGE.strip_suffix('}').unwrap();
    for note in [&b"\xE9"[..], b"a\nb", b"it\\'s", b"a\\u00zz"] {
        let body = [start.as_bytes(), br#","note":""#, note, b"\"}"].concat();
        let error = ask(&HttpResponse::new(200, JSON, &body));
        assert_eq!(error.code(), "decode_error");
    }
}

#[test]
fn a_refusal_has_the_servers_reason() {
    for (status, content_type, body, sentence) in [
        (
            400,
            JSON,
            r#"{"ResponseStatus":{"ErrorCode":"X","Message":"Wrong."}}"#,
            "The server refused the request (400 X): Wrong.",
        ),
        (
            400,
            JSON,
            r#"{"responseStatus":{"errorCode":"X","message":"Stop!"}}"#,
            "The server refused the request (400 X): Stop!",
        ),
        (
            400,
            JSON,
            r#"{"ResponseStatus":{"ErrorCode":"X"}}"#,
            "The server refused the request (400 X) without saying why.",
        ),
        (
            400,
            JSON,
            r#"{"ResponseStatus":{"ErrorCode":"","Message":""}}"#,
            "The server refused the request (400) without saying why.",
        ),
        (
            404,
            JSON,
            r#"{"ResponseStatus":{"ErrorCode":"NotFound","Message":"No company"}}"#,
            "The server refused the request (404 NotFound): No company.",
        ),
        (
            404,
            "",
            "",
            "The server refused the request (404) without saying why. Check the base URL.",
        ),
        (
            404,
            "Text/Plain ; charset=utf-8",
            "404\n",
            "The server refused the request (404): 404. Check the base URL.",
        ),
        (
            403,
            "text/html",
            "<html>",
            "The server refused the request (403) with a page that may be a proxy's. Check what the credentials give access to.",
        ),
        (
            429,
            "text/plain",
            "slow down",
            "The server refused the request (429): slow down. Wait before asking again.",
        ),
        (
            401,
            "",
            "Unauthorized",
            "The server refused the request (401): Unauthorized. Pass a valid bearer token or API key.",
        ),
        (
            503,
            "text/plain",
            "",
            "The server refused the request (503) without saying why. Try again later.",
        ),
        (
            599,
            JSON,
            "[",
            "The server refused the request (599) without saying why.",
        ),
    ] {
        let error = ask(&reply(status, content_type, body));
        assert_eq!(error.to_string(), sentence, "{body}");
        assert_eq!(error.status(), Some(status));
    }
    let long = "x".repeat(201);
    let error = ask(&reply(400, "text/plain", &long)).to_string();
    assert_eq!(
        error,
        "The server refused the request (400) with a page that may be a proxy's."
    );
}

#[test]
fn messages_are_found_in_other_kinds_of_json() {
    for (status, body, code, words) in [
        // OAuth (RFC 6749)
        (
            401,
            r#"{"error":"invalid_token","error_description":"The token has expired."}"#,
            Some("invalid_token"),
            Some("The token has expired."),
        ),
        (
            400,
            r#"{"error":"invalid_request"}"#,
            Some("invalid_request"),
            None,
        ),
        // RFC 9457
        (
            403,
            r#"{"type":"https://errors.example/scope","title":"Forbidden","status":403,"detail":"Ask for ai:read."}"#,
            None,
            Some("Ask for ai:read."),
        ),
        (
            403,
            r#"{"title":"Forbidden","detail":""}"#,
            None,
            Some("Forbidden"),
        ),
        // Gateways and others
        (403, r#"{"message":"No access."}"#, None, Some("No access.")),
        (403, r#"{"Message":"No access."}"#, None, Some("No access.")),
        (
            403,
            r#"{"error":"No access for you"}"#,
            None,
            Some("No access for you"),
        ),
        (
            429,
            r#"{"error":{"code":"slow_down","message":"Not so fast.","param":null}}"#,
            Some("slow_down"),
            Some("Not so fast."),
        ),
        (
            400,
            r#"{"errors":[{"code":"A","message":"The first."},{"code":"B","message":"Another."}]}"#,
            Some("A"),
            Some("The first."),
        ),
        // Flask-JWT-Extended and FastAPI
        (
            422,
            r#"{"msg":"Signature verification failed"}"#,
            None,
            Some("Signature verification failed"),
        ),
        (
            422,
            r#"{"detail":[{"loc":["query","companyId"],"msg":"Field required","type":"missing"}]}"#,
            None,
            Some("Field required"),
        ),
        // NestJS
        (
            400,
            r#"{"message":["companyId must be a UUID"],"error":"Bad Request","statusCode":400}"#,
            None,
            Some("companyId must be a UUID"),
        ),
        (403, r#""No access.""#, None, Some("No access.")),
        (
            403,
            r#"[{"message":"No access."}]"#,
            None,
            Some("No access."),
        ),
        // Cut off
        (
            403,
            r#"{"detail":"No access.","instance":"/us"#,
            None,
            Some("No access."),
        ),
        (403, r#"{"fault":17}"#, None, None),
        (403, r#"{"message":{"en":"No"},"detail":7}"#, None, None),
        (403, "[]", None, None),
    ] {
        for content_type in [
            JSON,
            "application/problem+json",
            "text/plain",
            "text/html",
            "",
        ] {
            let error = ask(&reply(status, content_type, body));
            let Error::Api(api) = &error else {
                panic!("{body}: {error:?}")
            };
            assert_eq!(api.error_code.as_deref(), code, "{body}");
            assert_eq!(api.response_status, None, "{body}");
            let message = error.to_string();
            assert_eq!(api.server_message.as_deref(), words, "{body}");
            assert!(message.contains(words.unwrap_or("")), "{message}");
            assert!(message.contains(code.unwrap_or("")), "{message}");
            assert!(!message.contains("proxy"), "{message}");
        }
    }
    let gateway = r#"{"error":{"code":"insufficient_quota","message":"Used up."}}"#;
    assert!(!ask(&reply(429, JSON, gateway)).is_retryable());
}

#[test]
fn a_refusal_says_how_long_to_wait_if_the_server_does() {
    const NO_REASON: &str = "without saying why.";
    const QUOTA: &str = "The quota is used up; it has to be raised or renewed.";
    let quota = r#"{"error":{"code":"insufficient_quota","message":"Used up."}}"#;
    for (status, retry_after, body, end) in [
        (429, "7", "", "Wait 7 s before asking again."),
        (429, "0", "", "Wait before asking again."),
        (503, "3600", "", "Wait 3600 s before asking again."),
        (403, "7", "", "Check what the credentials give access to."),
        (501, "soon", "", NO_REASON),
        (429, "soon", quota, QUOTA),
        // The server knows when it is renewed.
        (429, "60", quota, "Wait 60 s before asking again."),
    ] {
        let mut refusal = reply(status, JSON, body);
        refusal
            .headers
            .push(("retry-after".to_owned(), retry_after.to_owned()));
        let message = ask(&refusal).to_string();
        assert!(message.ends_with(end), "{message}");
    }
    let mut refusal = reply(429, "", "");
    refusal
        .headers
        .push(("retry-after-ms".to_owned(), "1200".to_owned()));
    assert!(
        ask(&refusal)
            .to_string()
            .ends_with(" Wait 2 s before asking again.")
    );
}

#[test]
fn a_challenge_is_a_reason_if_it_has_parameters() {
    for (challenge, reason) in [
        (
            r#"Bearer error="invalid_token""#,
            r#": Bearer error="invalid_token"."#,
        ),
        ("Bearer", " without saying why."),
    ] {
        let mut unauthorized = reply(401, "", "");
        unauthorized.headers = vec![("www-authenticate".to_owned(), challenge.to_owned())];
        assert_eq!(
            ask(&unauthorized).to_string(),
            format!(
                "The server refused the request (401){reason} Pass a valid bearer token or API key."
            )
        );
    }
}

/// A refusal may come with a whole usage, and has its reason beside it. A reply at 200
/// fails by its `ResponseStatus` alone: what else it has is not this API's.
#[test]
fn a_usage_does_not_hide_a_failure() {
    let start = USAGE.strip_suffix('}').unwrap();
    for (status, more, sentence) in [
        (
            403,
            r#""message":"Out of office.""#,
            "(403): Out of office. Check what the credentials give access to.",
        ),
        (
            200,
            r#""ResponseStatus":{"ErrorCode":"X","Message":"Wrong."}"#,
            "(200 X): Wrong.",
        ),
        (
            200,
            r#""message":"Hello.","ResponseStatus":{"ErrorCode":"X"}"#,
            "(200 X) without saying why.",
        ),
    ] {
        let error = ask(&reply(status, JSON, &format!("{start},{more}}}")));
        assert_eq!(
            error.to_string(),
            format!("The server refused the request {sentence}")
        );
    }
}

#[test]
fn a_response_status_is_read_as_far_as_it_can_be() {
    let whole = r#"{"tokensUsed":"?","ResponseStatus":{"ErrorCode":"X","Message":"m","#;
    for rest in [
        r#""Errors":[null]}}"#,
        r#""Errors":{}}}"#,
        r#""Meta":{"a":5}}}"#,
        r#""ErrorCode":"Y"}}"#,
        r#""StackTrace":5}}"#,
        r#""StackTrace":"cut off"#,
        "",
        "\"",
        r#""Errors":[]}} and more"#,
    ] {
        for status in [200, 400] {
            let error = ask(&reply(status, JSON, &[whole, rest].concat()));
            let Error::Api(error) = error else {
                panic!("{error}")
            };
            let read = error.response_status.unwrap();
            assert_eq!(read.error_code.as_deref(), Some("X"), "{rest}");
            assert_eq!(read.message.as_deref(), Some("m"), "{rest}");
        }
    }
    let mut bytes = [whole, r#""Errors":[]}}"#].concat().into_bytes();
    bytes.push(0xFF);
    let mut broken = reply(400, JSON, "");
    for body in [
        Body::Whole(bytes.clone()),
        Body::TooLong(bytes.clone()),
        Body::Broken(bytes, NetworkError::new("gone")),
    ] {
        broken.body = body;
        assert_eq!(
            ask(&broken).to_string(),
            "The server refused the request (400 X): m."
        );
    }
}

#[test]
fn other_statuses_and_types_are_unexpected() {
    for status in [100, 201, 202, 203, 204, 205, 206, 299, 304] {
        let error = ask(&reply(status, JSON, USAGE));
        assert_eq!(
            (error.code(), error.status()),
            ("unexpected_response", Some(status))
        );
    }
    for status in [0, 300, 301, 302, 303, 307, 308, 399] {
        let mut redirect = reply(status, JSON, USAGE);
        redirect
            .headers
            .push(("location".to_owned(), "/login?token=secret#x".to_owned()));
        assert_eq!(
            ask(&redirect).to_string(),
            "The server redirected to /login instead of answering, perhaps to a login page. Check the base URL and the credentials."
        );
    }
    for content_type in [
        "text/html",
        "text/plain; x=json",
        "text/javascript",
        "application/xml",
    ] {
        assert_eq!(
            ask(&reply(200, content_type, USAGE)).code(),
            "unexpected_response"
        );
    }
    for content_type in [
        "",
        " ",
        "text/jsonl",
        "Application/JSON",
        "application/x-ndjson",
    ] {
        let usage = ask_about(&reply(200, content_type, USAGE), &GetAiChatUsage::default());
        assert_eq!(usage.unwrap().tokens_used, 5, "{content_type}");
    }
    let mut elsewhere = reply(200, JSON, USAGE);
    elsewhere.url = Some("https://evil.example/x?secret".to_owned());
    assert_eq!(
        ask(&elsewhere).to_string(),
        "The reply came from https://evil.example/x, which is not the base URL's origin. Check the base URL."
    );
}

#[test]
fn the_company_must_be_the_requested_one() {
    let usage = reply(200, JSON, USAGE);
    for same in [
        "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c",
        "{9F2C7B1A-4D3E-4F5A-8B6C-7D8E9F0A1B2C}",
        "00000000-0000-0000-0000-000000000000",
    ] {
        assert!(
            ask_about(&usage, &GetAiChatUsage::for_company(same)).is_ok(),
            "{same}"
        );
    }
    let other = GetAiChatUsage::for_company("3fa85f64-5717-4562-b3fc-2c963f66afa6");
    let error = ask_about(&usage, &other).unwrap_err();
    assert_eq!(error.code(), "company_mismatch");
    assert_eq!(
        error.to_string(),
        "The server answered for company 9f2c7b1a4d3e4f5a8b6c7d8e9f0a1b2c although company 3fa85f64-5717-4562-b3fc-2c963f66afa6 was asked for. Check that the credentials give access to it."
    );
}

#[test]
fn a_company_may_be_given_as_a_uuid() {
    let company = uuid::Uuid::from_u128(0x9f2c7b1a_4d3e_4f5a_8b6c_7d8e9f0a1b2c);
    let request = GetAiChatUsage::from(company);
    let dashed = "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c";
    assert_eq!(request, GetAiChatUsage::for_company(dashed));
    assert!(ask_about(&reply(200, JSON, USAGE), &request).is_ok());
}

#[test]
fn the_first_request_id_is_kept() {
    let mut failed = reply(500, JSON, "");
    for name in [
        "traceparent",
        "x-correlation-id",
        "request-id",
        "x-request-id",
    ] {
        failed.headers.push((name.to_owned(), name.to_owned()));
        let Error::Api(error) = ask(&failed) else {
            panic!()
        };
        assert_eq!(error.request_id.as_deref(), Some(name));
    }
}

#[test]
fn invalid_values_are_refused_by_the_builder_or_the_call() {
    let refusal = |builder: bookmore_sdk::ClientBuilder| {
        let error = builder.build(VirtualTransport::new()).unwrap_err();
        assert_eq!((error.code(), error.status()), ("config_error", None));
        error.to_string()
    };
    assert_eq!(
        refusal(Client::builder().api_key("a b")),
        "The API key must be visible ASCII without spaces; pass it bare, without the word Bearer."
    );
    assert_eq!(
        refusal(Client::builder().bearer_token("a\nb")),
        "The bearer token contains a character that an HTTP header cannot carry, such as a line break; remove it."
    );
    assert_eq!(
        refusal(Client::builder().base_url("ftp://x")),
        "The base URL must start with https:// or http://."
    );
    assert_eq!(
        refusal(Client::builder().header("Accept", "text/html")),
        "The header Accept cannot be set here; use the SDK's options."
    );
    let options = CallOptions::new().header("X-A", "\0");
    let transport = VirtualTransport::new();
    let client = Client::builder().build(transport.clone()).unwrap();
    let request = GetAiChatUsage::default();
    let call = client.get_ai_chat_usage_with(&request, &options);
    assert_eq!(
        transport.run(call).unwrap_err().error.code(),
        "config_error"
    );
    assert!(transport.requests().is_empty());
}

#[test]
fn an_error_in_another_encoding_loses_only_letters() {
    // windows-1252, declared or not, and an undefined byte.
    for (content_type, message) in [
        (
            "application/json; charset=windows-1252",
            &b"S\xF6k efter f\xF6retaget"[..],
        ),
        (JSON, b"S\xF6k efter f\xF6retaget"),
        (JSON, b"S\xFFk efter f\xFFretaget"),
    ] {
        let mut body = br#"{"ResponseStatus":{"ErrorCode":"NotFound","Message":""#.to_vec();
        body.extend(message);
        body.extend(br#"","Errors":[{"ErrorCode":"X","FieldName":"CompanyId","Message":"No"}]}}"#);
        let Error::Api(error) = ask(&HttpResponse::new(404, content_type, &body)) else {
            panic!("no ApiError")
        };
        assert_eq!(error.error_code.as_deref(), Some("NotFound"));
        assert_eq!(
            error.server_message.as_deref(),
            Some("S\u{FFFD}k efter f\u{FFFD}retaget")
        );
        let status = error.response_status.unwrap();
        let field = &status.errors.unwrap()[0];
        assert_eq!(field.field_name.as_deref(), Some("CompanyId"));
    }
    // A usage stays strict.
    let mut body = USAGE.as_bytes().to_vec();
    body.insert(2, 0xF6);
    let error = ask(&HttpResponse::new(200, JSON, &body));
    assert_eq!(error.code(), "decode_error");
}

#[test]
fn a_status_has_its_own_advice() {
    for (status, words) in [
        (
            304,
            "The server answered with 304; only a 200 carries a usage",
        ),
        (407, "A proxy on the way wants credentials"),
        (421, "check the base URL"),
        (426, "another protocol"),
        (451, "legal reasons"),
        (511, "The network wants a login"),
    ] {
        let sentence = ask(&reply(status, "text/html", "<p>")).to_string();
        assert!(sentence.contains(words), "{status}: {sentence}");
    }
    let mut moved = reply(301, "text/html", "");
    let to = "https://eu.bookmore.example/v2/assistant/ai-chat/usage?CompanyId=x";
    moved.headers.push(("Location".to_owned(), to.to_owned()));
    assert_eq!(
        ask(&moved).to_string(),
        "The server redirected to https://eu.bookmore.example/v2/assistant/ai-chat/usage, which is the same operation elsewhere. Set the base URL to https://eu.bookmore.example/v2."
    );
    // A base URL has no user name, and a relative one is none.
    for (to, end) in [
        (
            "https://u:p@eu.bookmore.example/v2/assistant/ai-chat/usage",
            "/usage, which is the same operation elsewhere. Set the base URL to https://eu.bookmore.example/v2.",
        ),
        (
            "/v2/assistant/ai-chat/usage",
            "elsewhere. Set the path of the base URL to /v2.",
        ),
        (
            "/assistant/ai-chat/usage",
            "if it is right, the server may want a cookie first.",
        ),
    ] {
        moved.headers.pop();
        moved.headers.push(("Location".to_owned(), to.to_owned()));
        let sentence = ask(&moved).to_string();
        assert!(sentence.ends_with(end), "{sentence}");
        assert!(!sentence.contains("u:p"), "{sentence}");
    }
}
