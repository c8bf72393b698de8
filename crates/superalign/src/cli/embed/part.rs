//! Vectors on their way into a file: rows behind room for a header, which is written when all are there.
//!
//! Until then the room holds what the rows depend on, so that the same command can go on with them, and no other reader
//! takes them for a whole file.

use super::super::Failure;
use ndarray::ArrayView2;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// Bytes before the rows; NPY wants a multiple of 64.
const ROOM: usize = 128;

/// What stands in the room until the file is whole.
const MARK: &[u8; 32] = b"superalign embed, unfinished 1\n\0";

/// An unfinished file.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    file: BufWriter<File>,
    width: usize,
    rows: usize,
}

impl Part {
    /// The part of `whole`: the one that is there, where it was made for the same `key`, else a new one.
    pub(super) fn open(whole: &Path, key: &[u8; 32], width: usize) -> Result<Self, Failure> {
        let path = beside(whole, ".part");
        let opened = || {
            let mut file =
                OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
            let mut room = [0; ROOM];
            room[..32].copy_from_slice(MARK);
            room[32..64].copy_from_slice(key);
            room[64..72].copy_from_slice(&(width as u64).to_le_bytes());
            let mut found = [0; ROOM];
            let same = file.read_exact(&mut found).is_ok() && found == room;
            let rows = if same { (usize_of(file.metadata()?.len()) - ROOM) / (4 * width) } else { 0 };
            if !same {
                file.set_len(0).or_else(|error| if is_regular(&file) { Err(error) } else { Ok(()) })?;
                file.seek(SeekFrom::Start(0))?;
                file.write_all(&room)?;
            }
            Ok((file, rows))
        };
        match opened() {
            Ok((file, rows)) => {
                let mut part = Self { path, file: BufWriter::with_capacity(1 << 18, file), width, rows };
                part.cut(rows)?;
                Ok(part)
            }
            Err(error) => {
                let failure = unwritten(&path, &error);
                // What was made by this attempt holds nothing.
                if path.metadata().is_ok_and(|meta| meta.len() == 0) {
                    let _ = std::fs::remove_file(&path);
                }
                Err(failure)
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Rows that are there.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Keeps only so many rows; what is pushed follows them.
    pub(super) fn cut(&mut self, rows: usize) -> Result<(), Failure> {
        let end = (ROOM + rows * self.width * 4) as u64;
        let cut = self.file.flush().and_then(|()| {
            let file = self.file.get_mut();
            if is_regular(file) {
                file.set_len(end)?;
                file.seek(SeekFrom::Start(end))?;
            }
            Ok(())
        });
        cut.map_err(|error| unwritten(&self.path, &error))?;
        self.rows = rows;
        Ok(())
    }

    #[expect(clippy::needless_pass_by_value, reason = "array views are Copy, which the lint does not see")]
    pub(super) fn push(&mut self, vectors: ArrayView2<'_, f32>) -> Result<(), Failure> {
        let written = vectors.iter().try_for_each(|value| self.file.write_all(&value.to_le_bytes()));
        // A window is on the disk before the next one.
        written.and_then(|()| self.file.flush()).map_err(|error| unwritten(&self.path, &error))?;
        self.rows += vectors.nrows();
        Ok(())
    }

    /// Makes it a whole NPY file of that name.
    pub(super) fn finish(&mut self, whole: &Path) -> Result<(), Failure> {
        let room = header(self.rows, self.width);
        let done = self.file.seek(SeekFrom::Start(0)).and_then(|_| {
            self.file.write_all(&room)?;
            self.file.flush()?;
            self.file.get_ref().sync_all()?;
            std::fs::rename(&self.path, whole)
        });
        done.map_err(|error| unwritten(whole, &error))
    }

    /// The rows from the first, to be read.
    pub(super) fn reader(&self) -> Result<BufReader<File>, Failure> {
        let opened = File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(ROOM as u64))?;
            Ok(BufReader::with_capacity(1 << 18, file))
        });
        opened.map_err(|error| Failure::Failed(format!("{}: cannot be read: {error}", self.path.display())))
    }

    /// Keeps it for the next time, where there is a row in it; the number of rows.
    pub(super) fn keep(&mut self) -> Result<usize, Failure> {
        if self.rows == 0 {
            self.discard();
        } else {
            let kept = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
            kept.map_err(|error| unwritten(&self.path, &error))?;
        }
        Ok(self.rows)
    }

    /// Removes it.
    pub(super) fn discard(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The path with something behind its name.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

pub(super) fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Failed(format!("{}: cannot be written: {error}", path.display()))
}

/// The header of a matrix of 32-bit floats in row order, as NumPy's format 1.0 has it.
fn header(rows: usize, width: usize) -> [u8; ROOM] {
    let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {width}), }}");
    let mut room = [b' '; ROOM];
    room[..8].copy_from_slice(b"\x93NUMPY\x01\x00");
    room[8..10].copy_from_slice(&(ROOM as u16 - 10).to_le_bytes());
    // Two numbers of 20 digits fit.
    room[10..10 + text.len()].copy_from_slice(text.as_bytes());
    room[ROOM - 1] = b'\n';
    room
}

fn is_regular(file: &File) -> bool {
    file.metadata().is_ok_and(|meta| meta.is_file())
}

fn usize_of(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::arr2;

    #[test]
    fn rows_are_found_again_by_the_same_key_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let whole = folder.path().join("out.npy");
        let open = |key: u8| Part::open(&whole, &[key; 32], 2).expect("a part");
        let mut part = open(1);
        assert_eq!(part.rows(), 0);
        part.push(arr2(&[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).view()).expect("written");
        drop(part);
        // Something was cut off in the middle of a row.
        let path = beside(&whole, ".part");
        let length = path.metadata().expect("the part").len();
        OpenOptions::new().write(true).open(&path).expect("the part").set_len(length - 3).expect("cut");
        let mut part = open(1);
        assert_eq!(part.rows(), 2);
        part.cut(1).expect("cut");
        part.push(arr2(&[[7.0, 8.0]]).view()).expect("written");
        part.finish(&whole).expect("whole");
        assert!(!path.exists());
        let bytes = std::fs::read(&whole).expect("the file");
        assert!(bytes.starts_with(
            b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }"
        ));
        let values: Vec<f32> = bytes[ROOM..]
            .chunks_exact(4)
            .map(|four| f32::from_le_bytes(four.try_into().expect("four")))
            .collect();
        assert_eq!(values, [1.0, 2.0, 7.0, 8.0]);
        let mut part = open(1);
        part.push(arr2(&[[1.0, 2.0]]).view()).expect("written");
        drop(part);
        assert_eq!(open(2).rows(), 0, "another key begins anew");
        assert_eq!(open(1).rows(), 0, "and what was there is gone");
    }

    #[test]
    fn the_header_has_room_for_any_number() {
        assert_eq!(header(usize::MAX, usize::MAX)[ROOM - 1], b'\n');
    }
}
