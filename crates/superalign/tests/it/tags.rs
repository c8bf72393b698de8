//! Tags, given with a run and afterwards.

use crate::process::{names, repository, superalign};
use std::path::Path;

const SPEC: &str = r#"
name = "small"
title = "A small run"
question = "Is it there?"
paradigm = "weak-to-strong"
seeds = 1
bootstrap.draws = 100
[data]
world = 1
objective = "competence"
teacher = 60
student = 60
test = 60
[grid]
loss = ["xent"]
"#;

/// What a command says that ends with a complete run; an undefined summary or a failed expectation is no matter here.
fn run(folder: &Path, more: &[&str]) -> String {
    let rungs = [0, 1].map(|n| repository(&format!("models/ladder/rung-{n}")).display().to_string());
    let mut arguments = vec!["run", "small.toml", "--model", &rungs[0], "--model", &rungs[1]];
    arguments.extend(more);
    let mut command = superalign(folder, &arguments);
    let done = command.env("SUPERALIGN_HOME", folder.join("home")).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{said}");
    said
}

#[test]
fn tags_are_no_part_of_a_runs_name_and_can_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("small.toml"), SPEC).unwrap();
    run(folder.path(), &["--tag", "first"]);
    let runs = names(&folder.path().join("runs"));
    assert_eq!(runs.len(), 1, "{runs:?}");
    let tags = folder.path().join("runs").join(&runs[0]).join("tags.txt");
    assert_eq!(std::fs::read_to_string(&tags).unwrap(), "first\n");
    let again = run(folder.path(), &["--tag", "second", "--tag", "a b"]);
    assert!(again.contains("complete already"), "{again}");
    assert_eq!(names(&folder.path().join("runs")), runs);
    assert_eq!(std::fs::read_to_string(&tags).unwrap(), "a b\nfirst\nsecond\n");
    run(folder.path(), &["--fresh"]);
    assert_eq!(std::fs::read_to_string(&tags).unwrap(), "a b\nfirst\nsecond\n");
    let name = format!("runs/{}", runs[0]);
    let shown =
        superalign(folder.path(), &["tag", &name, "--remove", "first", "--add", "third"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&shown.stdout), format!("{name}: a b, second, third\n"));
    let refused = superalign(folder.path(), &["tag", &name, "--add", "a,b"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("expected 1 to 64 characters"));
}
