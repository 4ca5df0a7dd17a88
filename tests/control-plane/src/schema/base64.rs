//! Bytes in JSON, as Go reads them: line ends between the digits do not count, nor do bits that are left over.

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    NO_PAD.with_decode_allow_trailing_bits(true),
);

pub(super) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes as the server writes them, or where the text is wrong.
pub(super) fn canonical(text: &str) -> Result<String, usize> {
    let mut bytes = text
        .bytes()
        .enumerate()
        .filter(|(_, byte)| !b"\r\n".contains(byte));
    let mut digits = Vec::with_capacity(text.len());
    while let Some((at, byte)) = bytes.next() {
        if byte.is_ascii_alphanumeric() || b"+/".contains(&byte) {
            digits.push(byte);
            continue;
        }
        match (byte, digits.len() % 4) {
            (b'=', 2) => match bytes.next() {
                Some((_, b'=')) => {}
                Some((at, _)) => return Err(at - 1),
                None => return Err(text.len()),
            },
            (b'=', 3) => {}
            _ => return Err(at),
        }
        return match bytes.next() {
            Some((at, _)) => Err(at),
            None => written(&digits, text),
        };
    }
    match digits.len() % 4 {
        0 => written(&digits, text),
        // Go counts back from the end by what is too little.
        left => Err(text.len() - left),
    }
}

fn written(digits: &[u8], text: &str) -> Result<String, usize> {
    let bytes = LENIENT.decode(digits).map_err(|_| text.len())?;
    Ok(STANDARD.encode(bytes))
}
