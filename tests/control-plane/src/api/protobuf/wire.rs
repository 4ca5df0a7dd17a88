//! Reads a message tag by tag, and says what is wrong with it as Go's generated decoders do.

use std::borrow::Cow;

const END: &str = "unexpected EOF";
const NEGATIVE: &str = "proto: negative length found during unmarshaling";

/// What is left of a message.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    /// What Go calls the message.
    of: &'a str,
}

/// What comes next in a message.
#[derive(Clone, Copy)]
pub(super) struct Tag<'a> {
    pub(super) number: u64,
    wire: u64,
    /// The message from this tag on.
    from: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(of: &'a str, bytes: &'a [u8]) -> Self {
        Self { rest: bytes, of }
    }

    /// The next tag; nothing at the end.
    pub(super) fn next(&mut self) -> Result<Option<Tag<'a>>, String> {
        let Some(tag) = self.next_of_entry()? else {
            return Ok(None);
        };
        let Tag { number, wire, .. } = tag;
        if wire == 4 {
            return Err(format!(
                "proto: {}: wiretype end group for non-group",
                self.of
            ));
        }
        // Go's number has 32 bits.
        let number = (number & 0xffff_ffff) as u32;
        if number.cast_signed() <= 0 {
            let (of, number) = (self.of, number.cast_signed());
            return Err(format!(
                "proto: {of}: illegal tag {number} (wire type {wire})"
            ));
        }
        Ok(Some(tag))
    }

    /// The next tag of an entry of a map, of which Go looks at the number alone.
    pub(super) fn next_of_entry(&mut self) -> Result<Option<Tag<'a>>, String> {
        let from = self.rest;
        if from.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        Ok(Some(Tag {
            number: tag >> 3,
            wire: tag & 7,
            from,
        }))
    }

    pub(super) fn number(&mut self, tag: Tag<'_>, field: &str) -> Result<u64, String> {
        tag.is(0, field)?;
        self.varint()
    }

    /// Several numbers, one behind the other.
    pub(super) fn packed(&mut self, tag: Tag<'_>, field: &str) -> Result<Vec<u64>, String> {
        let mut within = Reader::new(self.of, self.bytes(tag, field)?);
        let mut numbers = Vec::new();
        while !within.rest.is_empty() {
            numbers.push(within.varint()?);
        }
        Ok(numbers)
    }

    pub(super) fn float(&mut self, tag: Tag<'_>, field: &str) -> Result<f64, String> {
        tag.is(1, field)?;
        let (taken, rest) = self.rest.split_first_chunk().ok_or(END)?;
        self.rest = rest;
        Ok(f64::from_le_bytes(*taken))
    }

    pub(super) fn bytes(&mut self, tag: Tag<'_>, field: &str) -> Result<&'a [u8], String> {
        tag.is(2, field)?;
        self.bytes_of_entry()
    }

    /// What has a length before it.
    pub(super) fn bytes_of_entry(&mut self) -> Result<&'a [u8], String> {
        let length = self.varint()?;
        self.take(length)
    }

    pub(super) fn text(&mut self, tag: Tag<'_>, field: &str) -> Result<String, String> {
        self.bytes(tag, field).map(text)
    }

    /// Goes past what nobody knows.
    pub(super) fn skip(&mut self, tag: Tag<'a>) -> Result<(), String> {
        self.rest = tag.from;
        let mut depth = 0_usize;
        while !self.rest.is_empty() {
            match self.varint()? & 7 {
                0 => {
                    self.varint()?;
                }
                1 => {
                    self.take(8)?;
                }
                2 => {
                    self.bytes_of_entry()?;
                }
                3 => depth += 1,
                4 => {
                    depth = depth
                        .checked_sub(1)
                        .ok_or("proto: unexpected end of group")?;
                }
                5 => {
                    self.take(4)?;
                }
                wire => return Err(format!("proto: illegal wireType {wire}")),
            }
            if depth == 0 {
                return Ok(());
            }
        }
        Err(END.to_owned())
    }

    fn varint(&mut self) -> Result<u64, String> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or(END)?;
            self.rest = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err("proto: integer overflow".to_owned())
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], String> {
        // Go adds it to where it is in the message, in 64 bits with a sign.
        if length > i64::MAX.cast_unsigned() - u64::from(u32::MAX) {
            return Err(NEGATIVE.to_owned());
        }
        let length = usize::try_from(length).map_err(|_| END)?;
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(END)?;
        self.rest = rest;
        Ok(taken)
    }
}

impl Tag<'_> {
    /// Whether it is one of several values that stand together.
    pub(super) fn is_packed(self) -> bool {
        self.wire == 2
    }

    fn is(self, wire: u64, field: &str) -> Result<(), String> {
        let got = self.wire;
        if got == wire {
            return Ok(());
        }
        Err(format!("proto: wrong wireType = {got} for field {field}"))
    }
}

/// Text as Go takes it, which may be no UTF-8: each byte that is none is shown as U+FFFD, as in Go's JSON.
pub(super) fn text(bytes: &[u8]) -> String {
    bytes
        .utf8_chunks()
        .flat_map(|chunk| {
            let shown = "\u{fffd}".repeat(chunk.invalid().len());
            [Cow::Borrowed(chunk.valid()), Cow::Owned(shown)]
        })
        .collect()
}
