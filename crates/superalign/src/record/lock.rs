//! One process per run folder.

use super::RecordError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

/// Holds a run folder for this process; the operating system lets go when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the folder.
    ///
    /// # Errors
    /// Another process holds it ([`RecordError::Locked`]), or the lock file cannot be made.
    pub fn take(folder: &Path) -> Result<Self, RecordError> {
        let path = folder.join("lock");
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .map_err(RecordError::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let read = file.read_to_string(&mut holder).is_ok() && !holder.is_empty();
                let holder = if read { holder.trim().to_owned() } else { "unnamed".to_owned() };
                return Err(RecordError::Locked { path: folder.to_owned(), holder });
            }
            Err(TryLockError::Error(e)) => return Err(RecordError::io("lock", &path)(e)),
        }
        let named = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "process {}", std::process::id()));
        named.map_err(RecordError::io("write", &path))?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_refused_until_the_first_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path()).unwrap();
        let error = Lock::take(folder.path()).unwrap_err().to_string();
        assert!(error.contains("another process") && error.contains("wait until"), "{error}");
        drop(first);
        Lock::take(folder.path()).unwrap();
    }
}
