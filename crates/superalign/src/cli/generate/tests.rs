//! The command against the smallest rung of the ladder, and what it says of wrong input.

use super::*;
use clap::Parser;
use std::collections::BTreeMap;
use tempfile::TempDir;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    args: GenerateArgs,
}

fn rung() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/ladder/rung-0").to_string_lossy().into_owned()
}

/// What the command prints, or says when it fails.
fn run(arguments: &[&str]) -> Result<String, String> {
    let rung = rung();
    let usual = ["generate", "--model", &rung, "--runtime", "tract"];
    let all = usual.iter().chain(arguments);
    let command = Command::try_parse_from(all).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    match generate(&command.args, &mut out) {
        Ok(()) => Ok(String::from_utf8(out).expect("text")),
        Err(Failure::Usage(said) | Failure::Failed(said)) => Err(said),
        Err(other) => panic!("{other:?}"),
    }
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_string_lossy().into_owned()
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("written");
        path
    }

    /// What a failing command says, without the folder's name.
    fn said(&self, arguments: &[&str]) -> String {
        let said = run(arguments).expect_err("refused");
        said.replace(&self.0.path().to_string_lossy().into_owned(), "DIR").replace(&rung(), "RUNG")
    }
}

fn lines(text: &str) -> Vec<BTreeMap<String, serde_json::Value>> {
    text.lines().map(|line| serde_json::from_str(line).expect("an object")).collect()
}

#[test]
fn one_prompt_is_answered_with_text() {
    let text = run(&["--prompt", "ask many", "--max-tokens", "6"]).expect("a text");
    assert_eq!(text.lines().count(), 1);
    let json = run(&["--prompt", "ask many", "--max-tokens", "6", "--json"]).expect("a line");
    let line = &lines(&json)[0];
    assert_eq!(text.trim_end_matches('\n'), line["completion"]);
    assert_eq!((line["prompt"].as_str(), line["tokens"].as_u64()), (Some("ask many"), Some(6)));
    assert_eq!((line["finish"].as_str(), line["prompt_tokens"].as_u64()), (Some("length"), Some(3)));
    let two = run(&["--prompt", "ask many", "--prompt", "say", "--max-tokens", "6"]).expect("texts");
    assert!(two.starts_with(&format!("> ask many\n{text}\n> say\n")), "{two}");
}

#[test]
fn a_file_is_answered_line_by_line_and_the_same_again() {
    let folder = Folder::new();
    let input = folder
        .file("in.jsonl", b"{\"id\": 7, \"prompt\": \"ask biba\"}\n\n{\"prompt\": \"say\", \"else\": 1}\r\n");
    let output = folder.path("out.jsonl");
    let ask = |more: &[&str]| {
        let usual = [input.as_str(), "--n", "3", "--temperature", "1", "--max-tokens", "8"];
        run(&[&usual, more].concat()).expect("completions")
    };
    let said = ask(&["-o", &output]);
    assert!(said.starts_with("6 completions of rung-0, "), "{said}");
    let written = std::fs::read_to_string(&output).expect("the output");
    assert!(!Path::new(&format!("{output}.part")).exists());
    let found = lines(&written);
    assert_eq!(found.len(), 6);
    assert_eq!(found[2]["id"], 7);
    assert!(!found[3].contains_key("id"));
    let samples: Vec<_> = found.iter().filter_map(|line| line["sample"].as_u64()).collect();
    assert_eq!(samples, [0, 1, 2, 0, 1, 2]);
    assert_eq!(ask(&["--json"]), written, "the same lines printed");
    assert_ne!(ask(&["--json", "--seed", "1"]), written);
    let object = lines(&ask(&["-o", &output, "--json"]));
    assert_eq!((object.len(), object[0]["completions"].as_u64()), (1, Some(6)));
}

#[test]
fn conversations_go_through_the_template_of_the_folder() {
    let folder = Folder::new();
    for entry in std::fs::read_dir(rung()).expect("the rung").flatten() {
        std::fs::copy(entry.path(), folder.0.path().join(entry.file_name())).expect("copied");
    }
    let template = "{{ bos_token }}{% for m in messages %}{{ m.role[0] }} {{ m.content }} {% endfor %}ask";
    folder.file("chat_template.jinja", template.as_bytes());
    let input = folder.file(
        "in.jsonl",
        br#"{"messages": [{"role": "user", "content": "biba"}]}
{"messages": [{"role": "system", "content": "say"}, {"role": "user", "content": "tilu"}]}
{"prompt": "vipi"}"#,
    );
    let model = folder.path("");
    let chat = ["--model", &model, &input, "--chat", "--system", "be", "--json", "--max-tokens", "2"];
    let arguments: Vec<&str> = ["generate", "--runtime", "tract"].iter().chain(&chat).copied().collect();
    let command = Command::try_parse_from(arguments).expect("arguments");
    let mut out = Vec::new();
    generate(&command.args, &mut out).expect("completions");
    let found = lines(&String::from_utf8(out).expect("text"));
    let prompts: Vec<_> = found.iter().filter_map(|line| line["prompt"].as_str()).collect();
    assert_eq!(prompts, ["<bos>s be u biba ask", "<bos>s say u tilu ask", "<bos>s be u vipi ask"]);
    assert_eq!(found[0]["prompt_tokens"], 6, "the first special token is not added again");
    assert!(found[0].contains_key("messages") && !found[2].contains_key("messages"));
}

#[test]
fn what_cannot_be_answered_is_told() {
    let folder = Folder::new();
    let bad = |bytes: &[u8]| folder.said(&[&folder.file("in.jsonl", bytes)]);
    let said = [
        bad(b""),
        bad(b"{\"prompt\": \"ask\"}\nask\n"),
        bad(b"{\"text\": \"ask\"}\n"),
        bad(b"{\"prompt\": [3]}\n"),
        bad(b"{\"prompt\": \"a\", \"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}\n"),
        bad(b"{\"prompt\": \"as\xff\"}\n"),
        bad(b"{\"messages\": []}\n"),
        bad(b"{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}\n"),
        folder.said(&[&folder.path("none.jsonl")]),
        folder.said(&["--prompt", "ask", "--n", "2"]),
        folder.said(&["--prompt", "ask", "--top-p", "1.5"]),
        folder.said(&["--prompt", "ask", "--max-tokens", "0"]),
        folder.said(&["--prompt", "ask", "--chat"]),
        folder.said(&["--prompt", "ask", "-o", &folder.path("none/out.jsonl")]),
    ];
    insta::assert_snapshot!(said.join("\n"));
    let empty = folder.file("in.jsonl", b"{\"prompt\": \"ask\"}\n{\"prompt\": \"\"}\n");
    // The tokenizer puts a token in front even of nothing.
    assert_eq!(lines(&run(&[&empty, "--json", "--max-tokens", "2"]).expect("completions")).len(), 2);
}

#[test]
fn a_date_is_checked() {
    assert_eq!(date("2024-02-29").map(|now| (now.year, now.month, now.day)), Ok((2024, 2, 29)));
    for wrong in
        ["2023-02-29", "2024-13-01", "2024-00-01", "2024-01-00", "2024-1", "today", "0-1-1", "2024-01-01-01"]
    {
        assert!(date(wrong).is_err(), "{wrong}");
    }
}
