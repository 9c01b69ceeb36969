//! A JSON reader (RFC 8259) that is independent of the DTOs.
//!
//! `serde_json` in its place makes the npm package 11 kB larger (measured, in
//! brotli). A fuzz test compares the two.

use crate::error::DecodeError;

/// The deepest nesting that is accepted. A usage is four levels deep.
const MAX_DEPTH: u8 = 64;

/// `bytes` as text, with replacement characters for what is not UTF-8: an error
/// in another encoding loses some letters of its message, and nothing else.
pub(crate) fn lossy(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push('\u{FFFD}');
        }
    }
    text
}

pub(super) type Result<T> = std::result::Result<T, Box<DecodeError>>;

pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u8,
    /// Whether members of a wrong type are skipped, and strings may contain what
    /// JSON forbids.
    lenient: bool,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Result<Self> {
        let text = str::from_utf8(bytes).map_err(|error| match error.error_len() {
            // Truncated in the middle of a character.
            None => DecodeError::truncated(error.valid_up_to()),
            Some(_) => DecodeError::new(error.valid_up_to(), "the text is not UTF-8"),
        })?;
        Ok(Self {
            lenient: false,
            ..Self::lenient(text)
        })
    }

    /// Skips invalid members where it can.
    pub fn lenient(text: &'a str) -> Self {
        Self {
            at: if text.starts_with('\u{FEFF}') { 3 } else { 0 },
            text,
            depth: 0,
            lenient: true,
        }
    }

    /// Reads the value of the member `name` with `read`, unless it is `taken`,
    /// that is a duplicate. A lenient reader skips a value that is refused.
    pub fn member(
        &mut self,
        name: &str,
        taken: bool,
        nullable: bool,
        read: &mut dyn FnMut(&mut Self) -> Result<()>,
    ) -> Result<()> {
        if nullable && self.null()? {
            return Ok(());
        }
        let (at, depth) = (self.at, self.depth);
        let read = if taken {
            Err(self.fault("the member stands twice"))
        } else {
            read(self)
        };
        match read {
            Err(_) if self.lenient => {
                (self.at, self.depth) = (at, depth);
                self.skip()
            }
            read => read.map_err(|error| error.within(name)),
        }
    }

    /// Where the next value starts.
    pub fn offset(&mut self) -> usize {
        self.peek();
        self.at
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is not white space.
    pub fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.byte() {
            self.at += 1;
        }
        self.byte()
    }

    /// Steps over whatever stands before an object, unless that is the argument
    /// of a call: JSONP is the answer to another request.
    pub fn skip_to_object(&mut self) {
        while self.byte().is_some_and(|here| !matches!(here, b'{' | b'(')) {
            self.at += 1;
        }
    }

    /// An error at this position: `problem`, or that the text ends here.
    pub fn fault(&self, problem: &'static str) -> Box<DecodeError> {
        if self.at >= self.text.len() {
            DecodeError::truncated(self.at)
        } else {
            DecodeError::new(self.at, problem)
        }
    }

    /// Reads `{…}` and passes each member's name to `member`, which must read
    /// the value.
    pub fn object(&mut self, member: &mut dyn FnMut(&mut Self, &str) -> Result<()>) -> Result<()> {
        self.list(b'{', b'}', "an object was expected", &mut |reader, _| {
            if reader.peek() != Some(b'"') {
                return Err(reader.fault("a member's name was expected"));
            }
            let name = reader.string()?;
            if reader.peek() != Some(b':') {
                return Err(reader.fault("a colon was expected"));
            }
            reader.at += 1;
            member(reader, &name)
        })
    }

    /// Reads `[…]` and passes each item's index to `item`, which must read it.
    pub fn array(&mut self, item: &mut dyn FnMut(&mut Self, usize) -> Result<()>) -> Result<()> {
        self.list(b'[', b']', "a list was expected", item)
    }

    fn list(
        &mut self,
        open: u8,
        close: u8,
        expected: &'static str,
        item: &mut dyn FnMut(&mut Self, usize) -> Result<()>,
    ) -> Result<()> {
        if self.peek() != Some(open) {
            return Err(self.fault(expected));
        }
        if self.depth == MAX_DEPTH {
            return Err(self.fault("the text is nested deeper than 64 levels"));
        }
        self.depth += 1;
        self.at += 1;
        let mut index = 0;
        // Behind a comma an item follows, unless the reader is lenient.
        while self.peek() != Some(close) || (index > 0 && !self.lenient) {
            item(self, index)?;
            index += 1;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(byte) if byte == close => break,
                _ => return Err(self.fault("a comma or a closing bracket was expected")),
            }
        }
        self.at += 1;
        self.depth -= 1;
        Ok(())
    }

    /// Skips `null`, if it comes next.
    pub fn null(&mut self) -> Result<bool> {
        if self.peek() != Some(b'n') {
            return Ok(false);
        }
        self.literal("null")?;
        Ok(true)
    }

    pub fn boolean(&mut self) -> Result<bool> {
        match self.peek() {
            Some(b't') => self.literal("true").map(|()| true),
            Some(b'f') => self.literal("false").map(|()| false),
            _ => Err(self.fault("true or false was expected")),
        }
    }

    fn literal(&mut self, word: &'static str) -> Result<()> {
        let rest = self.text.get(self.at..).unwrap_or("");
        if rest.starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        if word.starts_with(rest) {
            return Err(DecodeError::truncated(self.text.len()));
        }
        Err(self.fault("a JSON value was expected"))
    }

    /// Reads an integer; `None` if it does not fit into an i64.
    pub fn integer(&mut self) -> Result<Option<i64>> {
        if !matches!(self.peek(), Some(b'-' | b'0'..=b'9')) {
            return Err(self.fault("an integer was expected"));
        }
        let start = self.at;
        if !self.number()? {
            self.at = start;
            return Err(self.fault("an integer was expected"));
        }
        // Accumulates negatively, because i64::MIN has no positive counterpart.
        let digits = self.text.as_bytes().get(start..self.at).unwrap_or(&[]);
        let negative = digits.first() == Some(&b'-');
        let mut value = Some(0_i64);
        for digit in digits.iter().skip(usize::from(negative)) {
            let shifted = value.and_then(|value| value.checked_mul(10));
            value = shifted.and_then(|value| value.checked_sub(i64::from(digit - b'0')));
        }
        Ok(if negative {
            value
        } else {
            value.and_then(i64::checked_neg)
        })
    }

    /// Skips a number; returns whether it is an integer, without fraction and
    /// exponent.
    fn number(&mut self) -> Result<bool> {
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        if self.byte() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        let mut whole = true;
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
            whole = false;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            self.digits()?;
            whole = false;
        }
        Ok(whole)
    }

    fn digits(&mut self) -> Result<()> {
        if !matches!(self.byte(), Some(b'0'..=b'9')) {
            return Err(self.fault("a digit was expected"));
        }
        while let Some(b'0'..=b'9') = self.byte() {
            self.at += 1;
        }
        Ok(())
    }

    /// Reads a string. A lone surrogate, which JSON can express and a Rust string
    /// cannot hold, becomes U+FFFD.
    pub fn string(&mut self) -> Result<String> {
        if self.peek() != Some(b'"') {
            return Err(self.fault("a string was expected"));
        }
        self.at += 1;
        let mut read = String::new();
        loop {
            let start = self.at;
            while !matches!(self.byte(), None | Some(b'"' | b'\\' | 0..=0x1F)) {
                self.at += 1;
            }
            read.push_str(self.text.get(start..self.at).unwrap_or(""));
            match self.byte() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    match self.escape() {
                        Ok(escaped) => read.push(escaped),
                        Err(_) if self.lenient => {}
                        Err(error) => return Err(error),
                    }
                }
                Some(control) if self.lenient => {
                    self.at += 1;
                    read.push(control.into());
                }
                _ => return Err(self.fault("a control character stands in a string")),
            }
        }
        self.at += 1;
        Ok(read)
    }

    /// Reads what follows a backslash.
    fn escape(&mut self) -> Result<char> {
        let simple = match self.byte() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\x08',
            Some(b'f') => '\x0C',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return Err(self.fault("a backslash is followed by a wrong character")),
        };
        self.at += 1;
        Ok(simple)
    }

    fn unicode_escape(&mut self) -> Result<char> {
        let unit = self.four_hex_digits()?;
        let mut code = unit;
        let rest = self.text.get(self.at..).unwrap_or("");
        if matches!(unit, 0xD800..=0xDBFF) && rest.starts_with("\\u") {
            let after_high = self.at;
            self.at += 2;
            let low = self.four_hex_digits()?;
            if matches!(low, 0xDC00..=0xDFFF) {
                code = 0x10000 + ((unit & 0x3FF) << 10 | low & 0x3FF);
            } else {
                self.at = after_high;
            }
        }
        Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn four_hex_digits(&mut self) -> Result<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.byte().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.fault("four hexadecimal digits were expected"));
            };
            unit = unit << 4 | digit;
            self.at += 1;
        }
        Ok(unit)
    }

    /// Skips any value, checking that it is well formed.
    pub fn skip(&mut self) -> Result<()> {
        match self.peek() {
            Some(b'{') => self.object(&mut |reader, _| reader.skip()),
            Some(b'[') => self.array(&mut |reader, _| reader.skip()),
            Some(b'"') => self.string().map(drop),
            Some(b't' | b'f') => self.boolean().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number().map(drop),
            _ => self.literal("null"),
        }
    }
}
