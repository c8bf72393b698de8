//! A static site: the page with runs baked in, for any file host and any subfolder.

use super::{ExploreError, FILES, Index, Runs, has_page};
use std::path::{Path, PathBuf};

/// What an export holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Number of runs.
    pub runs: usize,
    /// Number of files.
    pub files: usize,
    /// Number of their bytes.
    pub bytes: u64,
}

/// Writes the page and the runs to a new folder, which is whole or absent.
///
/// # Errors
/// The page is not built, the folder is there already, or the file system refuses.
pub fn export(page: &Path, runs: &Runs, into: &Path) -> Result<Exported, ExploreError> {
    has_page(page)?;
    if into.exists() {
        return Err(ExploreError::Exists { path: into.to_owned() });
    }
    let parent = match into.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(parent).map_err(ExploreError::io("make", parent))?;
    let folder = tempfile::Builder::new()
        .prefix(".superalign-")
        .tempdir_in(parent)
        .map_err(ExploreError::io("write to", parent))?;
    let mut exported = Exported { runs: 0, files: 0, bytes: 0 };
    copy_all(page, folder.path(), &mut exported)?;
    let data = folder.path().join("data");
    make(&data)?;
    for run in runs.folders() {
        let Some(name) = run.file_name() else { continue };
        make(&data.join(name))?;
        for file in FILES {
            if run.join(file).is_file() {
                copy(&run.join(file), &data.join(name).join(file), &mut exported)?;
            }
        }
        exported.runs += 1;
    }
    let path = data.join("runs.json");
    let json = Index::read(runs, false).json();
    std::fs::write(&path, &json).map_err(ExploreError::io("write", &path))?;
    exported.files += 1;
    exported.bytes += json.len() as u64;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // A temporary folder is private; a site is not.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))
            .map_err(ExploreError::io("write", folder.path()))?;
    }
    let whole: PathBuf = folder.keep();
    std::fs::rename(&whole, into).map_err(ExploreError::io("write", into))?;
    Ok(exported)
}

fn make(folder: &Path) -> Result<(), ExploreError> {
    std::fs::create_dir_all(folder).map_err(ExploreError::io("make", folder))
}

fn copy(from: &Path, to: &Path, exported: &mut Exported) -> Result<(), ExploreError> {
    exported.bytes += std::fs::copy(from, to).map_err(ExploreError::io("copy", from))?;
    exported.files += 1;
    Ok(())
}

fn copy_all(from: &Path, to: &Path, exported: &mut Exported) -> Result<(), ExploreError> {
    let entries = std::fs::read_dir(from).map_err(ExploreError::io("read", from))?;
    for entry in entries {
        let path = entry.map_err(ExploreError::io("read", from))?.path();
        let Some(name) = path.file_name() else { continue };
        let target = to.join(name);
        if path.is_dir() {
            // Data that lie beside the page are those of another export.
            if name != "data" {
                make(&target)?;
                copy_all(&path, &target, exported)?;
            }
        } else {
            copy(&path, &target, exported)?;
        }
    }
    Ok(())
}
