//! A file of answers: written whole or not at all, and believed only when its checksum is right.
//!
//! Layout, numbers little-endian: 8 bytes of magic, u64 number of answers, then per answer the key (32 bytes), u64
//! length and the bytes; at the end the BLAKE3 hash of everything before it.

use std::io::Write as _;
use std::path::Path;

/// What an answer is found by.
pub(super) type Key = [u8; 32];

pub(super) const EXTENSION: &str = "answers";
const MAGIC: &[u8; 8] = b"SALIGN01";
const HASH: usize = 32;

/// The answers of one file.
#[derive(Debug, PartialEq)]
pub(super) struct Segment {
    pub(super) answers: Vec<(Key, Vec<u8>)>,
}

impl Segment {
    /// Reads a file; a damaged one is an error that says how.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
        Self::decode(&bytes)
    }

    /// Writes the file into `folder` under a name made from its keys, by way of a temporary name.
    pub(super) fn write(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut hasher = blake3::Hasher::new();
        self.answers.iter().for_each(|(key, _)| {
            hasher.update(key);
        });
        let name = format!("{}.{EXTENSION}", &hasher.finalize().to_hex()[..32]);
        let mut file = tempfile::Builder::new().prefix(".writing-").tempfile_in(folder)?;
        file.write_all(&self.encode())?;
        file.as_file().sync_all()?;
        file.persist(folder.join(name)).map_err(|error| error.error)?;
        Ok(())
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend((self.answers.len() as u64).to_le_bytes());
        for (key, answer) in &self.answers {
            bytes.extend(key);
            bytes.extend((answer.len() as u64).to_le_bytes());
            bytes.extend(answer);
        }
        let hash = blake3::hash(&bytes);
        bytes.extend(hash.as_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        let damaged = || format!("damaged ({} bytes, the checksum does not fit)", bytes.len());
        let (body, hash) = bytes.split_at_checked(bytes.len().saturating_sub(HASH)).ok_or_else(damaged)?;
        if blake3::hash(body).as_bytes() != hash {
            return Err(damaged());
        }
        let mut rest = body.strip_prefix(MAGIC).ok_or("of another version")?;
        let count = take_number(&mut rest).ok_or_else(damaged)?;
        let mut answers = Vec::new();
        for _ in 0..count {
            let key = take(&mut rest, 32).and_then(|key| Key::try_from(key).ok()).ok_or_else(damaged)?;
            let length = take_number(&mut rest).and_then(|length| usize::try_from(length).ok());
            let answer = length.and_then(|length| take(&mut rest, length)).ok_or_else(damaged)?;
            answers.push((key, answer.to_vec()));
        }
        Ok(Self { answers })
    }
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (part, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(part)
}

fn take_number(rest: &mut &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(take(rest, 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_and_any_change_is_noticed(
            answers in prop::collection::vec((any::<Key>(), prop::collection::vec(any::<u8>(), 0..40)), 0..6),
            place: prop::sample::Index, flip in 1_u8..,
        ) {
            let segment = Segment { answers };
            let mut bytes = segment.encode();
            prop_assert_eq!(Segment::decode(&bytes), Ok(segment));
            let at = place.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert!(Segment::decode(&bytes).is_err());
            prop_assert!(Segment::decode(&bytes[..at]).is_err());
        }
    }
}
