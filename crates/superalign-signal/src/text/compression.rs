//! How much shorter texts become when compressed together.

use crate::SignalError;
use flate2::{Compression, write::ZlibEncoder};
use std::io::Write as _;

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
/// Shaib et al. 2024, with zlib in place of gzip (12 bytes less). `level` is that of zlib, 0 to 9; the usual
/// choice is 6, and one space as the separator. The compressor is miniz_oxide, whose sizes
/// differ from those of zlib's own by some percent: compare only ratios of one compressor. What repeats more than
/// 32 KiB apart is not seen, so the order of texts matters a little. It comes without an interval, since a text drawn
/// twice compresses to nothing and leaving out each in turn would cost as many compressions.
///
/// # Errors
/// Not a byte in all; a level above 9.
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
    level: u32,
) -> Result<Compressed, SignalError> {
    if level > 9 {
        return Err(SignalError::setting("level", f64::from(level), "0 to 9"));
    }
    let mut size = Size(0);
    let mut original = 0;
    let mut encoder = ZlibEncoder::new(&mut size, Compression::new(level));
    let mut write = |part: &str| {
        original += part.len();
        encoder.write_all(part.as_bytes()).unwrap_or_else(|_| unreachable!("counting bytes does not fail"));
    };
    for (place, text) in texts.iter().enumerate() {
        if place > 0 {
            write(separator);
        }
        write(text.as_ref());
    }
    encoder.finish().unwrap_or_else(|_| unreachable!("counting bytes does not fail"));
    if original == 0 {
        return Err(SignalError::TooFew { what: "bytes of text", found: 0, expected: 1 });
    }
    Ok(Compressed { original, compressed: size.0 })
}

/// Counts what is written.
struct Size(usize);

impl std::io::Write for Size {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
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
        // Stored as it is: a header of 2, 5 for the block, 4 of checksum.
        let stored = compression(&["abc"], " ", 0).unwrap();
        assert_eq!(stored, Compressed { original: 3, compressed: 14 });
    }

    #[test]
    fn nothing_to_compress_is_an_error() {
        let error = compression(&[""], " ", 6).unwrap_err().to_string();
        assert_eq!(error, "0 bytes of text: expected at least 1");
        assert_eq!(compression(&["a"], " ", 10).unwrap_err().to_string(), "level = 10: expected 0 to 9");
    }
}
