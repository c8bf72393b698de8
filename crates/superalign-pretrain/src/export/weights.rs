//! Finds every tensor's bytes in a safetensors file without reading them.
//!
//! The format is eight bytes of header length, a JSON header, then raw little-endian data: exactly what an ONNX
//! *external data* reference can point into.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::error::ExportError;
use super::proto::Element;

/// Headers longer than this are refused, as the safetensors library does.
const LONGEST_HEADER: u64 = 100_000_000;

/// A safetensors file, known by its header.
pub(super) struct Weights {
    path: PathBuf,
    /// File name, to which the graphs refer.
    pub(super) location: String,
    /// Where the data begin, in bytes from the start of the file.
    data_start: usize,
    metadata: Metadata,
}

/// Where one tensor is, in bytes from the start of the file.
pub(super) struct Placed {
    pub(super) element: Element,
    pub(super) offset: usize,
    pub(super) length: usize,
}

impl Weights {
    /// Reads the header of `folder`/`name`, and checks that the file is as long as the header says.
    pub(super) fn open(folder: &Path, name: &str) -> Result<Self, ExportError> {
        let path = folder.join(name);
        let io = |source| ExportError::unread(&path, source);
        let bad = |reason: String| ExportError::Weights { path: path.clone(), reason };
        let mut file = File::open(&path).map_err(io)?;
        let file_length = file.metadata().map_err(io)?.len();
        let mut prefix = [0; 8];
        file.read_exact(&mut prefix).map_err(|_| bad(format!("{file_length} bytes, expected at least 8")))?;
        let header_length = u64::from_le_bytes(prefix);
        if header_length > LONGEST_HEADER.min(file_length - 8) {
            return Err(bad(format!("header of {header_length} bytes in a file of {file_length}")));
        }
        let mut header = Vec::new();
        file.take(header_length).read_to_end(&mut header).map_err(io)?;
        let metadata: Metadata = serde_json::from_slice(&header)
            .map_err(|error| bad(format!("the header is no JSON object of tensors ({error})")))?;
        let data_start = 8 + header.len();
        let expected = (data_start + metadata.data_len()) as u64;
        if file_length != expected {
            return Err(bad(format!("{file_length} bytes, expected {expected}")));
        }
        Ok(Self { location: name.to_owned(), data_start, metadata, path })
    }

    /// Finds tensor `name`, which should have shape `expected`.
    pub(super) fn place(&self, name: &str, expected: &[usize]) -> Result<Placed, ExportError> {
        let path = || self.path.clone();
        let info = self.metadata.info(name).ok_or_else(|| ExportError::Missing {
            path: path(),
            name: name.to_owned(),
            expected: expected.to_vec(),
        })?;
        if info.shape != expected {
            return Err(ExportError::Shape {
                path: path(),
                name: name.to_owned(),
                found: info.shape.clone(),
                expected: expected.to_vec(),
            });
        }
        let element = match info.dtype {
            Dtype::F16 => Element::F16,
            Dtype::F32 => Element::F32,
            other => {
                let found = format!("{other:?}");
                return Err(ExportError::Element { path: path(), name: name.to_owned(), found });
            }
        };
        let (start, end) = info.data_offsets;
        Ok(Placed { element, offset: self.data_start + start, length: end - start })
    }
}
