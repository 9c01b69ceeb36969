//! Guids: parsed from three of the forms that .NET accepts, compared without
//! dashes and case.

/// The value of a dashed, undashed or `{braced}` Guid; `None` if the text is not
/// a Guid.
pub(crate) fn number(text: &str) -> Option<u128> {
    let braced = text.strip_prefix('{').and_then(|t| t.strip_suffix('}'));
    let bare = braced.unwrap_or(text);
    let (mut number, mut digits) = (0, 0);
    for (place, byte) in bare.bytes().enumerate() {
        if let Some(digit) = char::from(byte).to_digit(16) {
            number = number << 4 | u128::from(digit);
            digits += 1;
        } else if byte != b'-' || !matches!(place, 8 | 13 | 18 | 23) {
            return None;
        }
    }
    // All four dashes or none; .NET accepts braces around the dashed form only.
    let dashes = bare.len() - digits;
    let complete = digits == 32 && (dashes == 4 || (dashes == 0 && braced.is_none()));
    complete.then_some(number)
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
            assert_eq!(
                number(form).unwrap(),
                0x9f2c7b1a4d3e4f5a8b6c7d8e9f0a1b2c,
                "{form}"
            );
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
            assert_eq!(number(text), None, "{text}");
        }
    }
}
