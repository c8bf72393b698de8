//! What kind of file it is, and whether its bytes can be text at all. What is in it, the readers find out.

use crate::error::{DataError, Place, nearest};
use std::fs::File;
use std::io::{BufRead as _, BufReader, ErrorKind, Read};
use std::path::Path;

/// The kind of file: how records and columns are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Container {
    /// Comma- or semicolon-separated values with a header (RFC 4180: texts in double quotes may hold line ends).
    Csv,
    /// Tab-separated values with a header.
    Tsv,
    /// One JSON object a line.
    Jsonl,
    /// One JSON array of objects.
    Json,
    /// Apache Parquet, uncompressed, Snappy, gzip or Zstandard.
    Parquet,
    /// One array of numbers, as NumPy saves it.
    Npy,
}

impl Container {
    /// Its usual name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Tsv => "TSV",
            Self::Jsonl => "JSONL",
            Self::Json => "JSON",
            Self::Parquet => "Parquet",
            Self::Npy => "NPY",
        }
    }
}

/// What one pass over the bytes told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inspected {
    pub(crate) container: Container,
    pub(crate) digest: String,
    pub(crate) bytes: u64,
    /// What separates columns, where the container is a table.
    pub(crate) delimiter: u8,
}

/// The byte order mark that some programs put before UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Reads the whole file once: container, digest, and whether a text file is UTF-8.
pub(crate) fn inspect(path: &Path) -> Result<Inspected, DataError> {
    inspect_as(path, None)
}

/// [`inspect`] for a file of plain lines, whatever they look like.
pub(super) fn inspect_lines(path: &Path) -> Result<Inspected, DataError> {
    inspect_as(path, Some((Container::Csv, 0)))
}

fn inspect_as(path: &Path, known: Option<(Container, u8)>) -> Result<Inspected, DataError> {
    let meta = std::fs::metadata(path).map_err(|e| unreadable(path, &e))?;
    if meta.is_dir() {
        return Err(directory(path));
    }
    if !meta.is_file() {
        return Err(file(
            path,
            "a pipe or device",
            "a file that can be read twice",
            "save it to a file first",
        ));
    }
    inspect_read(path, File::open(path).map_err(|e| unreadable(path, &e))?, meta.len(), known)
}

/// [`inspect`] for bytes in memory; `path` stands for them in messages.
pub(crate) fn inspect_bytes(path: &Path, bytes: &[u8]) -> Result<Inspected, DataError> {
    inspect_read(path, bytes, bytes.len() as u64, None)
}

fn inspect_read(
    path: &Path,
    mut reader: impl Read,
    length: u64,
    mut known: Option<(Container, u8)>,
) -> Result<Inspected, DataError> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; usize::try_from(length).unwrap_or(usize::MAX).clamp(1 << 12, 1 << 20)];
    let mut text = Utf8::default();
    // Bytes at the end of a chunk that may begin a character.
    let mut held = 0;
    loop {
        let read = match reader.read(&mut buffer[held..]) {
            Ok(read) => read,
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(e) => return Err(unreadable(path, &e)),
        };
        hasher.update(&buffer[held..held + read]);
        let chunk = &buffer[..held + read];
        let kind = match known {
            Some((kind, _)) => kind,
            None => known.insert(recognise(path, chunk)?).0,
        };
        if !matches!(kind, Container::Parquet | Container::Npy) {
            held = text.check(path, chunk, read == 0)?;
            let end = chunk.len();
            buffer.copy_within(end - held..end, 0);
        }
        if read == 0 {
            break;
        }
    }
    let (container, delimiter) = known.unwrap_or((Container::Csv, b','));
    let (digest, bytes) = (hasher.finalize().to_hex().to_string(), hasher.count());
    Ok(Inspected { container, digest, bytes, delimiter })
}

/// Opens a text file behind its byte order mark.
pub(crate) fn open_text(path: &Path) -> Result<BufReader<File>, DataError> {
    let file = File::open(path).map_err(|e| unreadable(path, &e))?;
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let start = reader.fill_buf().map_err(|e| unreadable(path, &e))?;
    if start.starts_with(BOM) {
        reader.consume(BOM.len());
    }
    Ok(reader)
}

/// Text in memory behind its byte order mark.
pub(crate) fn text_of(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BOM).unwrap_or(bytes)
}

/// The error for a file that the system does not give us.
pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> DataError {
    if error.kind() != ErrorKind::NotFound {
        return file(
            path,
            &error.to_string(),
            "a file that can be read",
            "check its permissions and its disk",
        );
    }
    let name = path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let remedy = match listing(folder) {
        None => format!("there is no folder `{}`: check the path", folder.display()),
        Some(names) => match nearest(&name, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{}`?", path.with_file_name(near).display()),
            None => "check the path".to_owned(),
        },
    };
    file(path, "no such file", "a file", &remedy)
}

/// The error for numbers without names where records are needed.
pub(super) fn array_of_numbers(path: &Path) -> DataError {
    file(
        path,
        "a NumPy array",
        "tasks or preferences, as CSV, TSV, JSON, JSONL or Parquet",
        "measure it with `superalign measure`, or name another file",
    )
}

fn directory(path: &Path) -> DataError {
    const ENDINGS: [&str; 8] = [".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".npy", ".txt"];
    let mut names = listing(path).unwrap_or_default();
    names.retain(|name| ENDINGS.iter().any(|ending| name.to_lowercase().ends_with(ending)));
    let remedy = match names.first() {
        None => "name a file".to_owned(),
        Some(name) => format!("name a file in it, such as `{}`", path.join(name).display()),
    };
    file(path, "a folder", "a file", &remedy)
}

/// The names in a folder, sorted.
fn listing(folder: &Path) -> Option<Vec<String>> {
    let entries = std::fs::read_dir(folder).ok()?;
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Some(names)
}

fn file(path: &Path, found: &str, expected: &str, remedy: &str) -> DataError {
    DataError::File {
        path: path.to_path_buf(),
        found: found.to_owned(),
        expected: expected.to_owned(),
        remedy: remedy.to_owned(),
    }
}

/// The container by its first bytes and, between tables, by extension; and the delimiter of a table.
fn recognise(path: &Path, start: &[u8]) -> Result<(Container, u8), DataError> {
    let extension = path.extension().map_or(String::new(), |e| e.to_string_lossy().to_lowercase());
    if start.starts_with(b"PAR1") {
        return Ok((Container::Parquet, 0));
    }
    if start.starts_with(b"\x93NUMPY") {
        return Ok((Container::Npy, 0));
    }
    let text = start.strip_prefix(BOM).unwrap_or(start).trim_ascii_start();
    let foreign = |found, remedy| Err(file(path, found, "CSV, TSV, JSON, JSONL or Parquet", remedy));
    if text.is_empty() {
        return foreign("an empty file", "check that the file was written to its end");
    }
    if start.starts_with(&[0x1f, 0x8b]) {
        return foreign("a gzip archive", "unpack it with `gunzip`");
    }
    if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return foreign("a Zstandard archive", "unpack it with `unzstd`");
    }
    if start.starts_with(b"PK\x03\x04") {
        return foreign("a zip archive or a spreadsheet", "unpack it, or save the sheet as CSV in UTF-8");
    }
    if start.starts_with(b"ARROW1") {
        return foreign("an Arrow file", "save it as Parquet");
    }
    if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
        return foreign("text in UTF-16", "convert it with `iconv -f UTF-16 -t UTF-8`");
    }
    if text.starts_with(b"version https://git-lfs") {
        return foreign("a Git LFS pointer in place of the data", "fetch the data with `git lfs pull`");
    }
    if text.starts_with(b"<") {
        return foreign("a web page", "download the raw file, not the page that shows it");
    }
    if extension == "parquet" {
        return Err(file(
            path,
            "a file that does not begin with `PAR1`",
            "Parquet, as its extension says",
            "write it again as Parquet, or give it the extension of what it is (.csv, .tsv, .json, .jsonl)",
        ));
    }
    let table = matches!(extension.as_str(), "csv" | "tsv" | "tab");
    match text[0] {
        b'[' if !table => Ok((Container::Json, 0)),
        b'{' if !table => Ok((Container::Jsonl, 0)),
        _ if matches!(extension.as_str(), "json" | "jsonl" | "ndjson") => {
            let found = format!("text that begins with `{}`", row_start(text));
            let expected = "`{` (an object a line) or `[` (an array of objects), as its extension says";
            Err(file(path, &found, expected, "write it as JSON, or give it the extension of what it is"))
        }
        _ => {
            let header = text.split(|&b| b == b'\n').next().unwrap_or(text);
            let count = |delimiter: u8| header.iter().filter(|&&b| b == delimiter).count();
            if matches!(extension.as_str(), "tsv" | "tab") || count(b'\t') > count(b',').max(count(b';')) {
                Ok((Container::Tsv, b'\t'))
            } else if count(b';') > count(b',') {
                Ok((Container::Csv, b';'))
            } else {
                Ok((Container::Csv, b','))
            }
        }
    }
}

/// The first characters, for a message.
fn row_start(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().take(12).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Checks a stream of chunks for UTF-8 and knows where it stands.
struct Utf8 {
    line: u64,
    /// Bytes since the last line end.
    column: u64,
}

impl Default for Utf8 {
    fn default() -> Self {
        Self { line: 1, column: 0 }
    }
}

impl Utf8 {
    /// Checks a chunk and returns how many bytes at its end must be given again, before the next ones.
    fn check(&mut self, path: &Path, chunk: &[u8], last: bool) -> Result<usize, DataError> {
        match std::str::from_utf8(chunk) {
            Ok(_) => {
                self.advance(chunk);
                Ok(0)
            }
            Err(e) => {
                self.advance(&chunk[..e.valid_up_to()]);
                if e.error_len().is_none() && !last {
                    return Ok(chunk.len() - e.valid_up_to());
                }
                let place = Place::byte(path, self.line, self.column + 1);
                if e.error_len().is_none() {
                    return Err(DataError::Syntax {
                        place,
                        found: "the end of the file within a character".to_owned(),
                        expected: "text in UTF-8".to_owned(),
                        remedy: "check that the file was written to its end".to_owned(),
                    });
                }
                let byte = chunk[e.valid_up_to()];
                Err(DataError::Syntax {
                    place,
                    found: format!("the byte 0x{byte:02X}"),
                    expected: "text in UTF-8".to_owned(),
                    remedy: format!(
                        "save it as UTF-8 (if it is Latin-1, where that byte is `{}`: `iconv -f LATIN1 -t UTF-8`)",
                        char::from(byte)
                    ),
                })
            }
        }
    }

    fn advance(&mut self, valid: &[u8]) {
        self.line += valid.iter().filter(|&&b| b == b'\n').count() as u64;
        match valid.iter().rposition(|&b| b == b'\n') {
            Some(end) => self.column = (valid.len() - end - 1) as u64,
            None => self.column += valid.len() as u64,
        }
    }
}
