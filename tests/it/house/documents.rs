//! What the documents say is so.

use crate::support::{read, root};
use std::collections::BTreeSet;
use std::process::Command;

/// The documents that a newcomer is sent to.
const DOCUMENTS: [&str; 5] =
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "web/README.md"];

#[test]
fn documents_name_only_verbs_that_exist() {
    let verbs = verbs();
    for name in DOCUMENTS {
        for verb in words_after(&read(name), "cargo xtask ") {
            assert!(verbs.contains(&verb), "{name}: `cargo xtask {verb}` is not a verb; there are {verbs:?}");
        }
    }
}

#[test]
fn readme_and_ci_run_the_same_test_command() {
    assert!(read("README.md").contains("cargo xtask experiment"));
    assert!(read("README.md").contains("cargo xtask test"));
    assert!(read(".ci/run").lines().any(|line| line.trim() == "cargo xtask test"));
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut faults = Vec::new();
    for name in DOCUMENTS {
        let folder = root().join(name).parent().expect("a document lies in a folder").to_owned();
        for target in read(name).split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            if !target.is_empty() && !target.contains("://") && !folder.join(target).exists() {
                faults.push(format!("{name}: nothing at {target}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn readme_lists_every_crate() {
    let readme = read("README.md");
    for package in super::workspace::packages() {
        if package.folder.starts_with("crates") {
            assert!(
                readme.contains(&format!("(crates/{0})", package.name)),
                "README.md does not link {}",
                package.name
            );
        }
    }
}

/// The verbs, as clap prints them.
fn verbs() -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let help =
        Command::new(cargo).args(["xtask", "--help"]).current_dir(root()).output().expect("cargo starts");
    assert!(help.status.success(), "{}", String::from_utf8_lossy(&help.stderr));
    let text = String::from_utf8(help.stdout).expect("help is UTF-8");
    let commands = text.lines().skip_while(|line| *line != "Commands:").skip(1);
    let words =
        commands.take_while(|line| !line.is_empty()).filter_map(|line| line.split_whitespace().next());
    words.map(str::to_owned).collect()
}

fn words_after(text: &str, mark: &str) -> Vec<String> {
    let part = |letter: &char| letter.is_ascii_lowercase() || *letter == '-';
    let word = |rest: &str| rest.chars().take_while(part).collect::<String>();
    text.split(mark).skip(1).map(word).filter(|word| !word.is_empty() && !word.starts_with('-')).collect()
}
