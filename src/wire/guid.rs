//! Guids: read in three of the forms that .NET reads, compared without dashes
//! and case.

/// The 32 hexadecimal digits of a dashed, undashed or `{braced}` Guid, in
/// lower case; `None` where the text is no Guid.
pub(crate) fn digits(text: &str) -> Option<String> {
    let braced = text.strip_prefix('{').and_then(|t| t.strip_suffix('}'));
    let bare = braced.unwrap_or(text);
    let mut digits = String::new();
    for (place, byte) in bare.bytes().enumerate() {
        if byte.is_ascii_hexdigit() {
            digits.push(char::from(byte.to_ascii_lowercase()));
        } else if byte != b'-' || !matches!(place, 8 | 13 | 18 | 23) {
            return None;
        }
    }
    // All four dashes or none; .NET knows braces around the dashed form only.
    let dashes = bare.len() - digits.len();
    let complete = digits.len() == 32 && (dashes == 4 || (dashes == 0 && braced.is_none()));
    complete.then_some(digits)
}

/// Contract, "Values" 3: zeros mean "no company given", the same as absent.
pub(crate) fn is_zero(digits: &str) -> bool {
    digits.bytes().all(|digit| digit == b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_accepted_form_names_the_same_company() {
        let undashed = "9f2c7b1a4d3e4f5a8b6c7d8e9f0a1b2c";
        for form in [
            undashed,
            "9F2C7B1A4D3E4F5A8B6C7D8E9F0A1B2C",
            "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c",
            "{9F2C7B1A-4d3e-4f5a-8b6c-7d8e9f0a1b2c}",
        ] {
            assert_eq!(digits(form).unwrap(), undashed, "{form}");
        }
    }

    #[test]
    fn what_is_no_guid_is_refused() {
        for text in [
            "",
            "abc",
            "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c0",
            "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2g",
            "9f2c7b1a4-d3e-4f5a-8b6c-7d8e9f0a1b2c",
            "-f2c7b1a4d3e4f5a8b6c7d8e9f0a1b2c",
            " 9f2c7b1a4d3e4f5a8b6c7d8e9f0a1b2c",
            "(9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c)",
            "{9f2c7b1a4d3e4f5a8b6c7d8e9f0a1b2c}",
            "{9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c",
            "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1bä",
        ] {
            assert_eq!(digits(text), None, "{text}");
        }
    }
}
