//! Replies that were not recorded: what the contract allows or forbids, and
//! whatever a broken server may send.
#![cfg(not(target_arch = "wasm32"))]

use bookmore_sdk::{
    AiChatUsageResponse, Client, Error, GetAiChatUsage, HttpResponse,
    error::DecodeError,
    testing::{Reply, VirtualTransport},
};
use proptest::prelude::*;

const USAGE: &str = r#"{"CompanyId":"3fa85f64-5717-4562-b3fc-2c963f66afa6","TokensUsed":1234,"TokenLimit":100000,"TokensRemaining":98766,"IsWithinBudget":true,"WindowDays":30}"#;

fn ask(status: u16, content_type: &str, body: &[u8]) -> Result<AiChatUsageResponse, Error> {
    let reply = HttpResponse::new(status, content_type, body);
    let transport = VirtualTransport::new().respond_with(move |_| Reply::from(reply.clone()));
    let client = Client::builder().build(transport.clone())?;
    transport.run(client.get_ai_chat_usage(&GetAiChatUsage::default()))
}

fn decode(body: impl AsRef<[u8]>) -> Result<AiChatUsageResponse, Error> {
    ask(200, "application/json", body.as_ref())
}

fn fault(body: impl AsRef<[u8]>) -> DecodeError {
    match decode(body.as_ref()) {
        Err(Error::Decode(error)) => *error,
        other => panic!("{:?} for {}", other, String::from_utf8_lossy(body.as_ref())),
    }
}

fn expected() -> AiChatUsageResponse {
    decode(USAGE).unwrap()
}

#[test]
fn names_are_read_in_both_cases_even_mixed() {
    let camel = USAGE
        .replace("\"C", "\"c")
        .replace("\"T", "\"t")
        .replace("\"I", "\"i")
        .replace("\"W", "\"w");
    assert_eq!(decode(&camel).unwrap(), expected());
    assert_eq!(
        decode(USAGE.replace("TokensUsed", "tokensUsed")).unwrap(),
        expected()
    );
    assert_eq!(
        decode(USAGE.replace("TokensUsed", "\\u0054okensUsed")).unwrap(),
        expected()
    );
    assert_eq!(
        fault(USAGE.replace("TokensUsed", "TOKENSUSED")).path,
        "tokensUsed"
    );
    assert_eq!(
        fault(USAGE.replace("TokensUsed", "tokens_used")).path,
        "tokensUsed"
    );
}

#[test]
fn unknown_members_of_any_kind_are_ignored() {
    let more = r#"{"A":null,"B":[1,-2.5e+3,{"c":[]},"\u00e4\"",true],"TokensUsedTwice":{},"#;
    assert_eq!(decode(USAGE.replacen('{', more, 1)).unwrap(), expected());
}

#[test]
fn frames_of_json_lines_are_one_object() {
    for (before, after) in [
        ("", "\n"),
        ("", "\r\n"),
        ("\n\n", "\r\n\n"),
        ("\u{FEFF}", ""),
        ("\u{FEFF}\r\n ", "\t"),
    ] {
        let body = [before, USAGE, after].concat();
        assert_eq!(
            ask(200, "text/jsonl", body.as_bytes()).unwrap(),
            expected(),
            "{body:?}"
        );
    }
    let rows = [USAGE, "\n", USAGE, "\n"].concat();
    assert_eq!(
        fault(rows).to_string(),
        "The reply cannot be read as a usage: a second object follows; exactly one was expected (at byte 153)."
    );
}

#[test]
fn integers_are_exact_over_the_whole_range() {
    for number in [0, -1, i64::MAX, i64::MIN, 9_007_199_254_740_993] {
        let usage = decode(USAGE.replace("1234", &number.to_string())).unwrap();
        assert_eq!(usage.tokens_used, number);
    }
    for (number, days) in [("2147483647", i32::MAX), ("-2147483648", i32::MIN)] {
        let usage = decode(USAGE.replace(":30", &[":", number].concat())).unwrap();
        assert_eq!(usage.window_days, days);
    }
    assert_eq!(decode(USAGE.replace("1234", "-0")).unwrap().tokens_used, 0);
}

#[test]
fn invalid_numbers_are_errors_with_path_and_offset() {
    let at = USAGE.find("1234").unwrap();
    for number in [
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999999",
    ] {
        let error = fault(USAGE.replace("1234", number));
        assert_eq!((error.path.as_str(), error.offset), ("tokensUsed", at));
        assert!(
            error.to_string().contains("does not fit in 64 bits"),
            "{error}"
        );
    }
    for value in ["1.5", "1.0", "1e3", "\"1234\"", "true", "[]", "{}"] {
        let error = fault(USAGE.replace("1234", value));
        assert_eq!(
            (error.path.as_str(), error.offset),
            ("tokensUsed", at),
            "{value}"
        );
        assert!(
            error.to_string().contains("an integer was expected"),
            "{error}"
        );
    }
    for number in ["2147483648", "-2147483649"] {
        let error = fault(USAGE.replace("100000", number));
        assert_eq!(error.path, "tokenLimit");
        assert!(
            error.to_string().contains("does not fit in 32 bits"),
            "{error}"
        );
    }
    assert_eq!(fault(USAGE.replace("true", "1")).path, "isWithinBudget");
    for number in ["01", "1.", ".5", "+1", "1e", "--1", "0x10", "NaN"] {
        fault(USAGE.replace("1234", number));
    }
}

#[test]
fn required_members_may_not_be_missing_null_or_repeated() {
    for (member, path) in [
        ("\"TokensUsed\":1234,", "tokensUsed"),
        ("\"TokenLimit\":100000,", "tokenLimit"),
        ("\"TokensRemaining\":98766,", "tokensRemaining"),
        ("\"IsWithinBudget\":true,", "isWithinBudget"),
        (",\"WindowDays\":30", "windowDays"),
    ] {
        let error = fault(USAGE.replace(member, ""));
        assert_eq!(error.path, path);
        assert!(
            error.to_string().contains("the member is missing"),
            "{error}"
        );
    }
    assert_eq!(fault(USAGE.replace("1234", "null")).path, "tokensUsed");
    for twice in ["\"tokensUsed\":1,", "\"TokensUsed\":1,"] {
        let error = fault(USAGE.replacen('{', &["{", twice].concat(), 1));
        assert_eq!(error.path, "tokensUsed");
        assert!(
            error.to_string().contains("the member stands twice"),
            "{error}"
        );
    }
}

#[test]
fn a_company_may_be_absent_and_must_be_a_guid() {
    let company = "\"3fa85f64-5717-4562-b3fc-2c963f66afa6\"";
    for none in [
        "null",
        "\"00000000-0000-0000-0000-000000000000\"",
        "\"00000000000000000000000000000000\"",
    ] {
        assert_eq!(
            decode(USAGE.replace(company, none)).unwrap().company_id,
            None
        );
    }
    let undashed = "3FA85F6457174562B3FC2C963F66AFA6";
    let usage = decode(USAGE.replace(company, &["\"", undashed, "\""].concat())).unwrap();
    assert_eq!(usage.company_id.as_deref(), Some(undashed));
    for wrong in ["\"\"", "\"abc\"", "5"] {
        assert_eq!(fault(USAGE.replace(company, wrong)).path, "companyId");
    }
}

#[test]
fn strings_may_be_escaped_in_every_way() {
    for (written, read) in [
        (
            r#"\u00C4ngsgatan \uD83C\uDFE2 \u0022\u0026\u0027"#,
            "Ängsgatan 🏢 \"&'",
        ),
        (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
        ("Ängsgatan 🏢", "Ängsgatan 🏢"),
        (r#"\uD83C"#, "\u{FFFD}"),
        (r#"\uDFE2x"#, "\u{FFFD}x"),
        (r#"\uD83C\uD83C\uDFE2"#, "\u{FFFD}🏢"),
        (r#"\uD83C\n"#, "\u{FFFD}\n"),
        (r#"\u0000"#, "\0"),
    ] {
        let status = [r#","ResponseStatus":{"Message":""#, written, r#""}}"#].concat();
        let usage = decode(USAGE.replace('}', &status)).unwrap();
        let status = usage.response_status.unwrap();
        assert_eq!(status.message.as_deref(), Some(read), "{written}");
    }
    for wrong in [r#"\x"#, r#"\u12"#, r#"\u12G4"#, "\n", "\u{1}", r#"\"#] {
        let status = [r#","ResponseStatus":{"Message":""#, wrong, r#""}}"#].concat();
        fault(USAGE.replace('}', &status));
    }
}

#[test]
fn an_error_deep_inside_has_its_path() {
    let status =
        r#","ResponseStatus":{"Errors":[{"FieldName":"a","Meta":{"K":"v"}},{"Meta":{"Kä":5}}]}}"#;
    let body = USAGE.replace('}', status);
    let error = fault(&body);
    assert_eq!(error.path, "responseStatus.errors[1].meta.Kä");
    assert_eq!(error.offset, body.rfind('5').unwrap());
}

#[test]
fn truncation_at_any_byte_is_distinguished_from_malformed_json() {
    for end in 0..USAGE.len() {
        let error = fault(&USAGE[..end]);
        assert!(error.truncated, "{end}: {error}");
        assert_eq!(error.offset, end);
    }
    for garbage in ["x", "}", ",", "[]", "\0", "null"] {
        let error = fault([USAGE, garbage].concat());
        assert!(!error.truncated);
        assert_eq!(error.offset, USAGE.len());
    }
}

#[test]
fn anything_but_an_object_in_utf_8_is_an_error() {
    for body in [
        "[]",
        "plain words",
        "null",
        "5",
        "\"text\"",
        "<html>",
        "{'a':1}",
        "{,}",
        "[{}]",
    ] {
        assert!(!fault(body).truncated, "{body}");
    }
    let error = fault([USAGE.as_bytes(), b"\xFF"].concat());
    assert_eq!(
        error.to_string(),
        "The reply cannot be read as a usage: the text is not UTF-8 (at byte 152)."
    );
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| {
        let deep = ["{\"x\":", &"[".repeat(depth), &"]".repeat(depth), ","].concat();
        USAGE.replacen('{', &deep, 1)
    };
    assert_eq!(decode(nested(63)).unwrap(), expected());
    assert!(
        fault(nested(64))
            .to_string()
            .contains("nested deeper than 64 levels")
    );
    fault(nested(100_000));
}

#[test]
fn an_error_code_is_a_failure_whatever_else_there_is() {
    for body in [
        r#"{"ResponseStatus":{"ErrorCode":"X","Message":"no"}}"#,
        r#"{"TokensUsed":"many","responseStatus":{"errorCode":"X","message":"no"}}"#,
        r#"{"responseStatus":{"errorCode":"X","message":"no"},"tokensUsed":"#,
    ] {
        let error = decode(body).unwrap_err();
        assert_eq!(
            error.to_string(),
            "The server refused the request (200 X): no."
        );
        assert_eq!((error.code(), error.status()), ("api_error", Some(200)));
    }
    for body in [
        r#"{"ErrorCode":""}"#,
        r#"{"ErrorCode":null,"Message":"hourly"}"#,
        "null",
    ] {
        let status = [",\"ResponseStatus\":", body, "}"].concat();
        assert_eq!(
            decode(USAGE.replace('}', &status)).unwrap().tokens_used,
            1234
        );
    }
}

/// Numbers, texts and broken JSON as servers might write them.
fn mutated() -> impl Strategy<Value = String> {
    let full = r#"{"CompanyId":"3fa85f64-5717-4562-b3fc-2c963f66afa6","TokensUsed":1234,"tokenLimit":100000,"TokensRemaining":-98766,"isWithinBudget":false,"WindowDays":30,"Unknown":[1.5e3,{"a":null}],"ResponseStatus":{"Message":"\u00C4 \uD83C\uDFE2","Errors":[{"FieldName":"CompanyId","meta":{"A":"b"}}],"Meta":{"Region":"eu"}}}"#;
    let pieces = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u",
        "\\uD83C",
        "0",
        "-",
        "1",
        "9",
        ".",
        "e",
        "E+",
        "null",
        "true",
        "false",
        " ",
        "\n",
        "a",
        "ä",
        "\u{1}",
        "tokensUsed",
        "\"TokensUsed\":5,",
        "99999999999999999999",
        "",
    ]);
    let edits = prop::collection::vec((0..full.len(), 0..6_usize, pieces), 0..4);
    edits.prop_map(move |edits| {
        let mut text = full.to_owned();
        for (at, length, piece) in edits {
            let start = text.floor_char_boundary(at.min(text.len()));
            let end = text.floor_char_boundary((start + length).min(text.len()));
            text.replace_range(start..end.max(start), piece);
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// `serde_json` and the derived `Deserialize` are the oracle, except where we
    /// deliberately accept or refuse something else.
    #[test]
    fn the_decoder_agrees_with_serde_json(body in mutated()) {
        let ours = decode(&body);
        let oracle = serde_json::from_str::<AiChatUsageResponse>(&body);
        let failed = matches!(&ours, Err(Error::Api(_)));
        match (&ours, &oracle) {
            (Ok(ours), Ok(oracle)) => prop_assert_eq!(ours, oracle),
            (Err(_), Err(_)) => {}
            (Ok(ours), Err(error)) => {
                let error = error.to_string();
                // serde_json reads -0 as a float, and refuses lone surrogates and null in maps.
                let on_purpose = error.contains("surrogate") || error.contains("lone") || error.contains("-0")
                    || error.contains("unexpected end of hex escape") || error.contains("invalid type: null");
                prop_assert!(on_purpose, "{:?} although {} in {}", ours, error, body);
            }
            (Err(ours), Ok(_)) => {
                // Only our decoder refuses a company that is not a Guid, and an error code.
                let on_purpose = failed || ours.to_string().contains("a Guid was expected");
                prop_assert!(on_purpose, "{} in {}", ours, body);
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..64), status in 0_u16..700) {
        let _ = ask(status, "application/json", &body);
        let _ = ask(status, "text/plain", &body);
    }
}
