//! The wait that a server asks for.

use crate::transport::header_in;

const DAY_MS: f64 = 86_400_000.0;

/// The wait that the server asks for, in milliseconds after the reply.
/// `received_at` is the client's wall clock in milliseconds since 1970. A
/// malformed header counts as absent.
#[inline(never)] // smaller, see Cargo.toml
pub(crate) fn asked_wait(headers: &[(String, String)], received_at: f64) -> Option<f64> {
    let header = |name: &str| header_in(headers, name).map(str::as_bytes);
    let number_in = |name| longest(header(name)?);
    // The clocks may disagree, so a date is relative to the server's own clock.
    let now = header("date")
        .and_then(|value| date(value, received_at))
        .unwrap_or(received_at);
    let until = |at: f64| if at > now { at - now } else { 0.0 };
    let exhausted = |remaining, reset| {
        let reset = number_in(reset).filter(|_| number_in(remaining) == Some(0.0))? * 1e3;
        // Some servers send seconds since 1970.
        Some(if reset > 1e12 { until(reset) } else { reset })
    };
    number_in("retry-after-ms")
        .or_else(|| Some(number_in("retry-after")? * 1e3))
        .or_else(|| Some(until(date(header("retry-after")?, now)?)))
        .or_else(|| Some(rate_limit(header("ratelimit")?)? * 1e3))
        .or_else(|| exhausted("ratelimit-remaining", "ratelimit-reset"))
        .or_else(|| exhausted("x-ratelimit-remaining", "x-ratelimit-reset"))
}

/// The seconds until the last exhausted limit resets: `"default";r=0;t=30`, or
/// in earlier drafts `limit=100, remaining=0, reset=30`.
#[inline(never)] // smaller, see Cargo.toml
fn rate_limit(value: &[u8]) -> Option<f64> {
    let (mut remaining, mut reset, mut wait) = (None, None, None);
    let mut quoted = false;
    for piece in value.split(|&byte| {
        quoted ^= byte == b'"';
        !quoted && matches!(byte, b';' | b',')
    }) {
        let piece = piece.trim_ascii_start();
        let (name, digits) = split_once(piece, b'=').unwrap_or((piece, b""));
        let field = match name {
            b"r" | b"remaining" => &mut remaining,
            b"t" | b"reset" => &mut reset,
            _ => {
                // The next limit's name.
                if name.starts_with(b"\"") {
                    (remaining, reset) = (None, None);
                }
                continue;
            }
        };
        *field = Some(number(digits)?);
        if let (Some(left), Some(seconds)) = (remaining, reset) {
            if left == 0.0 && wait.is_none_or(|wait| seconds > wait) {
                wait = Some(seconds);
            }
            (remaining, reset) = (None, None);
        }
    }
    wait
}

/// The greatest number of a list: headers with the same name arrive joined by
/// commas.
fn longest(value: &[u8]) -> Option<f64> {
    let mut longest = 0.0;
    for part in value.split(|&byte| byte == b',') {
        longest = number(part.trim_ascii())?.max(longest);
    }
    Some(longest)
}

/// `30` or `0.5`, and nothing else.
fn number(value: &[u8]) -> Option<f64> {
    if let [] | [b'.', ..] | [.., b'.'] = value {
        return None;
    }
    // The scale is 0 until there is a decimal point.
    let (mut number, mut scale) = (0.0, 0.0);
    for &byte in value {
        match byte {
            b'0'..=b'9' if scale < 1e6 => {
                number = number * 10.0 + f64::from(byte - b'0');
                scale *= 10.0;
            }
            b'0'..=b'9' => {}
            b'.' if scale == 0.0 => scale = 1.0,
            _ => return None,
        }
    }
    if scale > 0.0 {
        number /= scale;
    }
    // With more digits, even in seconds, the result would be no valid `Date`.
    Some(number.min(1e12))
}

/// The formats of an HTTP-date (RFC 9110, 5.6.7) after the weekday, each with
/// what to add to its year. Lower-case letters are fields, `e` is a digit or a
/// space, and the rest is literal. Their lengths differ.
const FORMS: [(&[u8], i32); 3] = [
    (b"dd bbb yyyy hh:mm:ss GMT", 0),
    (b"dd-bbb-yy hh:mm:ss GMT", 2000),
    (b"bbb ed hh:mm:ss yyyy", 0),
];

/// An HTTP-date in milliseconds since 1970. A year of two digits is at most 50
/// years after `near`.
fn date(value: &[u8], near: f64) -> Option<f64> {
    // The weekday is redundant, and some servers get it wrong.
    let (_, value) = split_once(value, b' ')?;
    let (form, century) = FORMS.iter().find(|(form, _)| form.len() == value.len())?;
    let (mut year, mut month, mut day) = (0, 0, 0);
    let (mut hour, mut minute, mut second) = (0, 0, 0);
    for (&part, &byte) in form.iter().zip(value) {
        let field = match part {
            b'b' => {
                month = month << 8 | i32::from(byte);
                continue;
            }
            b'e' if byte == b' ' => continue,
            b'd' | b'e' => &mut day,
            b'y' => &mut year,
            b'h' => &mut hour,
            b'm' => &mut minute,
            b's' => &mut second,
            _ if byte == part => continue,
            _ => return None,
        };
        if !byte.is_ascii_digit() {
            return None;
        }
        *field = *field * 10 + i32::from(byte - b'0');
    }
    // Years start in March here, so that a leap day is the last day of its year.
    let names = b"JanFebMarAprMayJunJulAugSepOctNovDec".as_chunks().0;
    let month = (0..)
        .zip(names)
        .find(|&(_, &[a, b, c])| i32::from_be_bytes([0, a, b, c]) == month)?
        .0;
    let months = (year + century) * 12 + month - 2;
    let first = first_day(months);
    let exists = (1..=first_day(months + 1) - first).contains(&day);
    // 60 is a leap second.
    if !exists || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let days = first + day - 1 - first_day(1970 * 12 - 2);
    let seconds = (hour * 60 + minute) * 60 + second;
    let at = f64::from(days) * DAY_MS + f64::from(seconds) * 1e3;
    let century_ms = 36_525.0 * DAY_MS;
    let too_late = *century > 0 && at > near + century_ms / 2.0;
    Some(if too_late { at - century_ms } else { at })
}

/// The day on which a month starts; both are counted from March of the year 0.
fn first_day(months: i32) -> i32 {
    let (year, month) = (months / 12, months % 12);
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5
}

fn split_once(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let index = text.iter().position(|&byte| byte == separator)?;
    Some((text.get(..index)?, text.get(index + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT.
    const THEN: f64 = 784_111_777_000.0;

    fn wait(headers: &[(&str, &str)]) -> Option<f64> {
        let headers: Vec<_> = headers
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        asked_wait(&headers, THEN)
    }

    #[test]
    fn every_form_is_read() {
        for (name, value, expected) in [
            ("retry-after-ms", "1500", 1500.0),
            ("retry-after-ms", "0.5", 0.5),
            ("retry-after", "0", 0.0),
            ("retry-after", "007", 7000.0),
            ("retry-after", "3600", 3_600_000.0),
            ("retry-after", "1.25", 1250.0),
            ("retry-after", "1000000000000", 1e15),
            ("retry-after", "31536000000000", 1e15),
            ("retry-after", "0.3", 300.0),
            ("retry-after", "5, 5", 5000.0),
            ("retry-after", "1,5", 5000.0),
            ("retry-after", "5,120 , 7", 120_000.0),
            ("retry-after-ms", "1500, 700", 1500.0),
            ("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT", 30_000.0),
            ("retry-after", "Sunday, 06-Nov-94 08:50:07 GMT", 30_000.0),
            ("retry-after", "Sun Nov  6 08:50:07 1994", 30_000.0),
            ("retry-after", "Mon, 06 Nov 1994 08:50:07 GMT", 30_000.0),
            ("retry-after", "Wed Nov 16 08:49:37 1994", 864_000_000.0),
            ("retry-after", "Sun, 06 Nov 1994 08:49:60 GMT", 23_000.0),
            ("retry-after", "Sun, 06 Nov 1994 08:49:36 GMT", 0.0),
            ("retry-after", "Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
            ("retry-after", "Mon, 01 Jan 0001 00:00:00 GMT", 0.0),
            ("retry-after", "Mon, 01 Jan 0000 00:00:00 GMT", 0.0),
            ("ratelimit", r#""default";r=0;t=30"#, 30_000.0),
            ("ratelimit", r#""default"; t=30; r=0"#, 30_000.0),
            ("ratelimit", "default;r=0;pk=:cj0x:;t=30", 30_000.0),
            ("ratelimit", r#""a;r=1,t=1";r=0;t=30"#, 30_000.0),
            ("ratelimit", r#""s";r=0;t=1, "h";r=0;t=30"#, 30_000.0),
            ("ratelimit", r#""h";r=0;t=30,"s";r=9;t=1"#, 30_000.0),
            ("ratelimit", r#""s";r=9;t=1, "h";r=0;t=30"#, 30_000.0),
            ("ratelimit", "limit=100, remaining=0, reset=30", 30_000.0),
            ("ratelimit", "reset=30,remaining=0,limit=100", 30_000.0),
        ] {
            assert_eq!(wait(&[(name, value)]), Some(expected), "{name}: {value}");
        }
        for (reset, value, expected) in [
            ("ratelimit-reset", "30", 30_000.0),
            ("x-ratelimit-reset", "30", 30_000.0),
            ("x-ratelimit-reset", "1000000000", 1e12),
            ("x-ratelimit-reset", "1784111777", 1e12),
        ] {
            let remaining = reset.replace("reset", "remaining");
            let headers = [(reset, value), (&*remaining, "0")];
            assert_eq!(wait(&headers), Some(expected), "{reset}: {value}");
        }
    }

    #[test]
    fn a_number_may_have_any_length() {
        let nines = "9".repeat(400);
        assert_eq!(wait(&[("retry-after", &nines)]), Some(1e15));
        let parts = ["1.", &nines].concat();
        assert_eq!(wait(&[("retry-after", &parts)]), Some(1_999.999));
    }

    #[test]
    fn the_malformed_is_absent() {
        let next = [
            ("ratelimit", r#""default";r=0;t=soon"#),
            ("ratelimit-remaining", "0"),
            ("ratelimit-reset", "1m30s"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "30"),
        ];
        for value in [
            "",
            " ",
            "-1",
            "+1",
            "-0",
            ".5",
            "5.",
            ".",
            "1.2.3",
            "5,",
            "5, soon",
            "1e99",
            "1e3",
            "0x10",
            "NaN",
            "Infinity",
            "soon",
            "30s",
            "30 s",
            "١",
            "Sun, 06 Nov 1994 08:50:07",
            "Sun, 06 Nov 1994 08:50:07 GMT+1",
            "Sun, 06 Nov 1994 08:50:07 UTC",
            "Sun, 06 Nov 1994 8:50:07 GMT",
            "Sun, 6 Nov 1994 08:50:07 GMT",
            "Sun, 06 Nov 94 08:50:07 GMT",
            "Sun, 06 Nov 1994 08:50:7a GMT",
            "Sun, 06 Nov 1994 -8:50:07 GMT",
            "06 Nov 1994 08:50:07 GMT",
            "Sun,  06 Nov 1994 08:50:07 GMT",
            "Sun, 06 November 1994 08:50:07 GMT",
            "Sun, 06 ovD 1994 08:50:07 GMT",
            "Sun, 06 Nov 1994",
            "1994-11-06T08:50:07Z",
            "Sun, 00 Nov 1994 08:50:07 GMT",
            "Sun, 31 Nov 1994 08:50:07 GMT",
            "Thu, 31 Feb 2030 08:50:07 GMT",
            "Thu, 29 Feb 2030 08:50:07 GMT",
            "Thu, 29 Feb 2100 08:50:07 GMT",
            "Thu, 32 Jan 2030 08:50:07 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 25:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:00 GMT",
            "Sun, 06 Nov 1994 08:50:61 GMT",
            "Sunday, 06-Nov-1994 08:50:07 GMT",
            "Sun Nov 6 08:50:07 1994",
            "Sun Nov  6 08:50:07 1994 GMT",
        ] {
            assert_eq!(wait(&[("retry-after", value)]), None, "{value}");
            let mut headers = next.to_vec();
            headers.extend([("retry-after-ms", value), ("retry-after", value)]);
            assert_eq!(wait(&headers), Some(30_000.0), "{value}");
            headers.push(("date", value));
            assert_eq!(wait(&headers), Some(30_000.0), "{value}");
        }
        for value in [
            "",
            "30",
            "r=0",
            "t=30",
            r#""default";r=0"#,
            r#""default";r=0;t=-30"#,
            r#""default";r=0;t=30s"#,
            r#""default";r=0;t="30""#,
            r#""default";r=-0;t=30"#,
            r#""default";r;t=30"#,
            r#""default;r=0;t=30"#,
            r#""a";r=0;t=30, "b";r=0;t=soon"#,
            "limit=100, remaining=0, reset=soon",
            "limit=100, remaining=, reset=30",
            "limit=100, remaining=0, reset=30 seconds",
        ] {
            assert_eq!(wait(&[("ratelimit", value)]), None, "{value}");
        }
    }

    #[test]
    fn limits_count_when_exhausted() {
        for value in [
            r#""default";r=1;t=30"#,
            r#""a";r=0, "b";t=30;r=5"#,
            r#""a";t=30, "b";r=0"#,
            "limit=100, remaining=1, reset=30",
        ] {
            assert_eq!(wait(&[("ratelimit", value)]), None, "{value}");
        }
        for prefix in ["ratelimit-", "x-ratelimit-"] {
            let [remaining, reset] = ["remaining", "reset"].map(|name| [prefix, name].concat());
            assert_eq!(wait(&[(&reset, "30")]), None);
            assert_eq!(wait(&[(&remaining, "0")]), None);
            assert_eq!(wait(&[(&reset, "30"), (&remaining, "1")]), None);
            assert_eq!(wait(&[(&reset, "30"), (&remaining, "none")]), None);
        }
        let mixed = [("ratelimit-remaining", "0"), ("x-ratelimit-reset", "30")];
        assert_eq!(wait(&mixed), None);
    }

    #[test]
    fn the_first_source_wins() {
        let mut headers = vec![
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "5"),
            ("ratelimit-remaining", "0"),
            ("ratelimit-reset", "4"),
            ("ratelimit", r#""default";r=0;t=3"#),
            ("retry-after", "2"),
            ("retry-after-ms", "1000"),
        ];
        for (left, expected) in [(7, 1e3), (6, 2e3), (5, 3e3), (4, 4e3), (2, 5e3)] {
            headers.truncate(left);
            assert_eq!(wait(&headers), Some(expected), "{headers:?}");
        }
        assert_eq!(wait(&[]), None);
        // A date that is over is an answer too.
        headers.push(("retry-after", "Thu, 01 Jan 1970 00:00:00 GMT"));
        assert_eq!(wait(&headers), Some(0.0));
    }

    #[test]
    fn dates_count_from_the_server_s_clock() {
        let asked = ("retry-after", "Tue, 29 Feb 2028 00:01:00 GMT");
        for date in [
            "Tue, 29 Feb 2028 00:00:30 GMT",
            "Tuesday, 29-Feb-28 00:00:30 GMT",
            "Tue Feb 29 00:00:30 2028",
        ] {
            assert_eq!(wait(&[asked, ("date", date)]), Some(30_000.0), "{date}");
        }
        let reset = [
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1835395260"),
            ("date", "Tue, 29 Feb 2028 00:00:30 GMT"),
        ];
        assert_eq!(wait(&reset), Some(30_000.0));
        let date = ("date", "Wed, 01 Mar 2028 00:00:00 GMT");
        assert_eq!(wait(&[asked, date]), Some(0.0));
        // What is no date does not depend on one.
        assert_eq!(wait(&[("retry-after", "7"), date]), Some(7000.0));
    }

    #[test]
    fn short_years_are_near() {
        let year = 365.25 * DAY_MS;
        let at = |value: &str| date(value.as_bytes(), THEN).map(|at| (at / year) as i32 + 1970);
        for (value, expected) in [
            ("Tuesday, 01-Nov-44 00:00:00 GMT", 2044),
            ("Tuesday, 01-Dec-44 00:00:00 GMT", 1944),
            ("Tuesday, 29-Feb-00 00:00:00 GMT", 2000),
            ("Tuesday, 01-Dec-69 00:00:00 GMT", 1969),
            ("Tuesday, 01-Dec-99 00:00:00 GMT", 1999),
        ] {
            // Rounded towards 1970.
            let got = at(value).unwrap();
            assert!(got == expected || got == expected + 1, "{value}: {got}");
        }
    }

    #[cfg(not(target_arch = "wasm32"))]
    mod properties {
        use super::*;
        use proptest::prelude::*;

        const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
        const DAYS: [&str; 7] = [
            "Thursday",
            "Friday",
            "Saturday",
            "Sunday",
            "Monday",
            "Tuesday",
            "Wednesday",
        ];

        /// The three forms, by counting months.
        fn written(seconds: u64) -> [String; 3] {
            let (days, rest) = (seconds / 86_400, seconds % 86_400);
            let clock = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
            let weekday = DAYS[(days % 7) as usize];
            let (cycles, days) = (days / 146_097, days % 146_097);
            let (mut year, mut month, mut day) = (1970 + 400 * cycles as usize, 0, days + 1);
            loop {
                let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
                let february = if leap { 29 } else { 28 };
                let length = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month];
                if day <= length {
                    break;
                }
                day -= length;
                month += 1;
                (year, month) = (year + month / 12, month % 12);
            }
            let (month, short) = (&MONTHS[month * 3..month * 3 + 3], &weekday[..3]);
            [
                format!("{short}, {day:02} {month} {year:04} {clock} GMT"),
                format!("{weekday}, {day:02}-{month}-{:02} {clock} GMT", year % 100),
                format!("{short} {month} {day:2} {clock} {year:04}"),
            ]
        }

        #[test]
        fn the_writer_is_right() {
            let expected = [
                "Sun, 06 Nov 1994 08:49:37 GMT",
                "Sunday, 06-Nov-94 08:49:37 GMT",
                "Sun Nov  6 08:49:37 1994",
            ];
            assert_eq!(written(784_111_777), expected);
        }

        /// Pieces of what is read, so that the texts get far.
        fn text() -> impl Strategy<Value = String> {
            let piece = prop_oneof![
                proptest::sample::select(vec![
                    "Sun",
                    "Sunday",
                    ", ",
                    " ",
                    "-",
                    ":",
                    "06",
                    "31",
                    "Nov",
                    "Feb",
                    "1994",
                    "94",
                    "08:49:37",
                    " GMT",
                    "0",
                    "9",
                    ".",
                    "r=",
                    "t=",
                    ";",
                    ",",
                    "\"",
                    "reset=",
                    "remaining=",
                    "=",
                    "Su",
                    "é",
                ])
                .prop_map(str::to_owned),
                any::<char>().prop_map(String::from),
                any::<u32>().prop_map(|number| number.to_string()),
            ];
            proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
        }

        proptest! {
            #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

            #[test]
            fn long_years_read_back(seconds in 0..253_402_300_800u64) {
                let at = seconds as f64 * 1e3;
                let [imf, _, asctime] = written(seconds);
                for value in [imf, asctime] {
                    prop_assert_eq!(date(value.as_bytes(), 0.0), Some(at), "{}", value);
                }
            }

            #[test]
            fn short_years_read_back(seconds in 0..4_102_444_800u64, years in -49.0..49.0) {
                let at = seconds as f64 * 1e3;
                let [_, value, _] = written(seconds);
                let near = at + years * 365.25 * DAY_MS;
                prop_assert_eq!(date(value.as_bytes(), near), Some(at), "{}", value);
            }

            #[test]
            fn any_text_gives_a_possible_wait(
                value in text(),
                date in text(),
                received_at in any::<f64>(),
            ) {
                for name in [
                    "retry-after",
                    "retry-after-ms",
                    "ratelimit",
                    "ratelimit-reset",
                    "x-ratelimit-reset",
                ] {
                    let headers = [
                        (name, &*value),
                        ("date", &*date),
                        ("ratelimit-remaining", "0"),
                        ("x-ratelimit-remaining", "0"),
                    ]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()));
                    if let Some(wait) = asked_wait(&headers, received_at) {
                        prop_assert!(wait >= 0.0, "{} from {:?}", wait, headers);
                    }
                }
            }
        }
    }
}
