//! `superalign tag`: words that runs are found by in the explorer.

use super::{Failure, say};
use crate::record::{Tag, read_tags, write_tags};
use clap::Args;
use std::io::Write;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  superalign tag runs/weak-to-strong-1a2b3c4d --add baseline --add paper
  superalign tag runs/noise-capacity-* --remove draft
  superalign tag runs/*                            shows the tags of every run

The tags of a run stand in its tags.txt, one a line. `superalign run --tag NAME` gives them at once.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct TagArgs {
    /// Folders of runs
    #[arg(value_name = "RUN", required = true)]
    folders: Vec<PathBuf>,
    /// Give the runs this tag; repeat it for several
    #[arg(long, value_name = "NAME")]
    add: Vec<Tag>,
    /// Take this tag from the runs; repeat it for several
    #[arg(long, value_name = "NAME")]
    remove: Vec<Tag>,
}

pub(super) fn tag(args: &TagArgs, out: &mut dyn Write) -> Result<(), Failure> {
    // All are looked at before any is changed.
    for folder in &args.folders {
        if !folder.join("manifest.json").is_file() {
            return Err(Failure::Usage(format!(
                "{}: no manifest.json; expected the folder of a run, such as runs/noise-capacity-1a2b3c4d",
                folder.display()
            )));
        }
        read_tags(folder).map_err(Failure::usage)?;
    }
    if let Some(both) = args.add.iter().find(|tag| args.remove.contains(tag)) {
        return Err(Failure::Usage(format!(
            "the tag `{both}` is to be added and removed; expected one of the two"
        )));
    }
    for folder in &args.folders {
        let tags = change(folder, &args.add, &args.remove)?;
        let list = if tags.is_empty() { "no tags".to_owned() } else { tags.join(", ") };
        say(out, format!("{}: {list}", folder.display()));
    }
    Ok(())
}

/// Adds tags to a run and takes others away; those that it has then.
pub(super) fn change(folder: &Path, add: &[Tag], remove: &[Tag]) -> Result<Vec<String>, Failure> {
    let before = read_tags(folder).map_err(Failure::usage)?;
    let mut tags = before.clone();
    tags.extend(add.iter().cloned());
    tags.retain(|tag| !remove.contains(tag));
    if tags != before {
        write_tags(folder, &tags).map_err(Failure::failed)?;
    }
    Ok(tags.iter().map(ToString::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::super::folder::Folder;
    use super::*;

    fn go(folder: &Folder, runs: &[&str], add: &[&str], remove: &[&str]) -> Result<String, String> {
        let tags = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
        let folders = runs.iter().map(|run| folder.path(run)).collect();
        let mut out = Vec::new();
        match tag(&TagArgs { folders, add: tags(add), remove: tags(remove) }, &mut out) {
            Ok(()) => Ok(folder.hide(&String::from_utf8(out).unwrap())),
            Err(Failure::Usage(text) | Failure::Failed(text)) => Err(folder.hide(&text)),
            Err(other) => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn tags_are_added_removed_and_shown() {
        let folder = Folder::new();
        for run in ["a", "b"] {
            std::fs::create_dir(folder.path(run)).unwrap();
            folder.write(&format!("{run}/manifest.json"), "{}");
        }
        assert_eq!(go(&folder, &["a", "b"], &["paper"], &[]).unwrap(), "a: paper\nb: paper\n");
        assert_eq!(go(&folder, &["b"], &["draft", "paper"], &[]).unwrap(), "b: draft, paper\n");
        assert_eq!(go(&folder, &["a", "b"], &[], &["paper", "none"]).unwrap(), "a: no tags\nb: draft\n");
        assert_eq!(go(&folder, &["a", "b"], &[], &[]).unwrap(), "a: no tags\nb: draft\n");
        assert!(!folder.path("a/tags.txt").exists());
    }

    #[test]
    fn a_mistake_changes_nothing() {
        let folder = Folder::new();
        std::fs::create_dir(folder.path("a")).unwrap();
        folder.write("a/manifest.json", "{}");
        let none = go(&folder, &["a", "none"], &["x"], &[]).unwrap_err();
        assert!(none.starts_with("none: no manifest.json; expected the folder of a run"), "{none}");
        let both = go(&folder, &["a"], &["x", "y"], &["y"]).unwrap_err();
        assert!(both.contains("`y` is to be added and removed"), "{both}");
        assert!(!folder.path("a/tags.txt").exists());
        folder.write("a/tags.txt", "a,b\n");
        assert!(go(&folder, &["a"], &["x"], &[]).unwrap_err().contains("a/tags.txt:1"));
    }
}
