//! A token or a key, in each form in which others may quote it.

use crate::wire::guid;

/// A shorter secret is not looked for: it may well be an ordinary word.
const SHORTEST: usize = 8;
/// A match of this many characters counts as the whole secret, because the quotation
/// may be cut off. It also bounds the time that a text takes whose every part begins like a
/// secret.
pub(super) const ENOUGH: usize = 64;

/// A token or a key, and the forms in which it may be quoted.
#[derive(Debug, PartialEq)]
pub(crate) struct Secret {
    text: String,
    /// Empty if the secret is too short to be looked for.
    pub(super) forms: Vec<Form>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Form {
    text: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Plain,
    /// Its digits: a server reads them in either case, with dashes or without
    /// (contract, "Values" 3).
    Guid,
    /// Also that of URLs.
    Base64,
}

impl Kind {
    /// The bytes that may stand for this byte of a secret, apart from escapes.
    fn spellings(self, byte: u8) -> [u8; 2] {
        match (self, byte) {
            // In a query a plus sign stands for a space.
            (Self::Plain, b'+') => [byte, b' '],
            (Self::Guid, _) => [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()],
            (Self::Base64, b'+') => [byte, b'-'],
            (Self::Base64, b'/') => [byte, b'_'],
            _ => [byte, byte],
        }
    }
}

impl Secret {
    pub fn new(text: String) -> Self {
        let mut forms = Vec::new();
        if text.len() >= SHORTEST {
            let form = if guid::number(&text).is_some() {
                Form {
                    text: text.chars().filter(char::is_ascii_hexdigit).collect(),
                    kind: Kind::Guid,
                }
            } else {
                Form {
                    text: text.clone(),
                    kind: Kind::Plain,
                }
            };
            forms.push(form);
            for before in 0..3 {
                forms.push(Form {
                    text: base64_after(before, &text),
                    kind: Kind::Base64,
                });
            }
        }
        Self { text, forms }
    }

    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Form {
    /// The bytes with which it may begin, apart from escapes.
    pub fn first_bytes(&self) -> [u8; 2] {
        let first = self.text.bytes().next().unwrap_or_default();
        self.kind.spellings(first)
    }

    /// How many bytes of `text` are the secret in this form, or the beginning of it;
    /// 0 where it does not begin with it.
    pub fn length_in(&self, text: &[u8]) -> usize {
        let secret = self.text.as_bytes();
        // The secret may contain what looks like an escape.
        if text.starts_with(secret) {
            return secret.len();
        }
        let mut rest = text;
        for (place, &byte) in secret.iter().enumerate() {
            if self.kind == Kind::Guid
                && place > 0
                && let Some(after) = after(rest, [b'-', b'-'])
            {
                rest = after;
            }
            match after(rest, self.kind.spellings(byte)) {
                Some(after) => rest = after,
                None if place < ENOUGH => return 0,
                None => break,
            }
        }
        text.len() - rest.len()
    }
}

/// Whether an escaped character may begin with it.
pub(super) fn is_escape(byte: u8) -> bool {
    matches!(byte, b'%' | b'\\' | b'&')
}

/// What follows one of the characters, which may be escaped as in URLs, also twice,
/// in JSON or in HTML.
fn after(text: &[u8], wanted: [u8; 2]) -> Option<&[u8]> {
    if let [b'&', reference @ ..] = text
        && let Some((byte, rest)) = referenced(reference)
        && wanted.contains(&byte)
    {
        return Some(rest);
    }
    let is =
        |high: &u8, low: &u8| number(&[*high, *low], 16).is_some_and(|byte| wanted.contains(&byte));
    match text {
        [b'%', high, low, rest @ ..]
        | [b'%', b'2', b'5', high, low, rest @ ..]
        | [b'\\', b'u', b'0', b'0', high, low, rest @ ..]
            if is(high, low) =>
        {
            Some(rest)
        }
        [b'\\', byte @ (b'"' | b'\\' | b'/'), rest @ ..] if wanted.contains(byte) => Some(rest),
        [first, rest @ ..] if wanted.contains(first) => Some(rest),
        _ => None,
    }
}

/// The character of a character reference of HTML, and what follows it.
fn referenced(reference: &[u8]) -> Option<(u8, &[u8])> {
    let length = reference.iter().take(8).position(|byte| *byte == b';')?;
    let (name, rest) = reference.split_at_checked(length)?;
    let byte = match name {
        b"amp" => b'&',
        b"quot" => b'"',
        b"apos" => b'\'',
        b"lt" => b'<',
        b"gt" => b'>',
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16)?,
        [b'#', digits @ ..] => number(digits, 10)?,
        _ => return None,
    };
    Some((byte, rest.get(1..)?))
}

fn number(digits: &[u8], radix: u8) -> Option<u8> {
    digits.iter().try_fold(0u8, |number, digit| {
        let digit = char::from(*digit).to_digit(radix.into())?;
        number.checked_mul(radix)?.checked_add(digit as u8)
    })
}

/// The digits that `text` has in the base64 of a longer one, in which so many
/// bytes stand `before` it, and any behind it; without those that it has in part.
fn base64_after(before: usize, text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut written = String::new();
    let (mut bits, mut count) = (0, 0);
    // The first digit that is whole begins here.
    let mut skipped = (6 - before * 8 % 6) % 6;
    for byte in text.bytes() {
        bits = bits << 8 | u32::from(byte);
        count += 8 - skipped;
        skipped = 0;
        while count >= 6 {
            count -= 6;
            let digit = (bits >> count & 63) as usize;
            written.push(char::from(*DIGITS.get(digit).unwrap_or(&b'A')));
        }
        bits &= 63;
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648_without_what_is_there_in_part() {
        for (before, text, written) in [
            (0, "f", "Z"),
            (0, "fo", "Zm"),
            (0, "foo", "Zm9v"),
            (0, "foobar", "Zm9vYmFy"),
            // "Afoobar" is QWZvb2Jhcg, "Abfoobar" QWJmb29iYXI.
            (1, "foobar", "Zvb2Jhc"),
            (2, "foobar", "mb29iYX"),
        ] {
            assert_eq!(base64_after(before, text), written);
        }
    }
}
