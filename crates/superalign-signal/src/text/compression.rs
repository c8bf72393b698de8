//! How much shorter texts become when compressed together.

use super::deflate::zlib_size;
use crate::SignalError;

/// Bytes before and after compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compressed {
    /// Of the joined texts in UTF-8.
    pub original: usize,
    /// Of the zlib stream, its six bytes of header and checksum included.
    pub compressed: usize,
}

impl Compressed {
    /// original / compressed: the higher, the more the texts repeat; below 1 for a few short texts.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.original as f64 / self.compressed as f64
    }
}

/// Compression ratio: how many times shorter the texts, joined by `separator`, become as one zlib stream.
///
/// Shaib et al. 2024, with zlib in place of gzip (12 bytes less). `level` is that of zlib, 4 to 9 (its lazy levels); the
/// usual choice is 6, and one space as the separator. The size is that of zlib 1.2 and 1.3 to the byte, as Python's
/// `zlib.compress` has it, on every processor. What repeats more than 32 KiB apart is not seen, so the order of texts
/// matters a little. It comes without an interval, since a text drawn twice compresses to nothing and leaving out
/// each in turn would cost as many compressions.
///
/// # Errors
/// Not a byte in all, or 2^32 and more; a level outside 4 to 9.
///
/// ```
/// use superalign_signal::text::compression;
/// let alike = compression(&["the same words again"; 50], " ", 6)?;
/// assert_eq!(alike.original, 50 * 20 + 49);
/// assert!(alike.ratio() > 20.0);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn compression<T: AsRef<str>>(
    texts: &[T],
    separator: &str,
    level: u8,
) -> Result<Compressed, SignalError> {
    if !(4..=9).contains(&level) {
        return Err(SignalError::setting("level", f64::from(level), "4 to 9"));
    }
    let mut bytes = Vec::new();
    for (place, text) in texts.iter().enumerate() {
        if place > 0 {
            bytes.extend_from_slice(separator.as_bytes());
        }
        bytes.extend_from_slice(text.as_ref().as_bytes());
    }
    if bytes.is_empty() {
        return Err(SignalError::TooFew { what: "bytes of text", found: 0, expected: 1 });
    }
    if u32::try_from(bytes.len()).is_err() {
        let found = bytes.len();
        return Err(SignalError::Shape { what: "bytes of text", found, expected: u32::MAX as usize });
    }
    Ok(Compressed { original: bytes.len(), compressed: zlib_size(&bytes, level) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_joined_and_what_repeats_is_short() {
        let lines: Vec<String> = (0..500_u64).map(|i| format!("line {}", i * i * 7919 % 100_003)).collect();
        let joined = lines.join("\n");
        let parts = compression(&lines, "\n", 6).unwrap();
        assert_eq!(parts, compression(&[&joined], "", 6).unwrap());
        assert_eq!(parts.original, joined.len());
        let twice = compression(&[&joined, &joined], "\n", 6).unwrap();
        assert!(twice.ratio() > 1.8 * parts.ratio(), "{twice:?} {parts:?}");
    }

    #[test]
    fn nothing_to_compress_is_an_error() {
        let error = compression(&[""], " ", 6).unwrap_err().to_string();
        assert_eq!(error, "0 bytes of text: expected at least 1");
        for level in [3, 10] {
            let error = compression(&["a"], " ", level).unwrap_err().to_string();
            assert_eq!(error, format!("level = {level}: expected 4 to 9"));
        }
    }
}
