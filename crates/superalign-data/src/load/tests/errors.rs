//! Every kind of mistake, and the words for it.

use super::*;

/// What the loader says of a file, without the folder it lies in.
fn said(name: &str, bytes: impl AsRef<[u8]>) -> String {
    let written = write(name, bytes);
    let folder = format!("{}/", written.folder.path().display());
    let error = load(&written.path, None).expect_err("this file has a mistake");
    error.to_string().replace(&folder, "")
}

#[test]
fn files_that_are_not_there() {
    let written = write("boolq.jsonl", "x");
    let folder = written.folder.path();
    let say = |path: &Path| {
        let text = load(path, None).unwrap_err().to_string();
        text.replace(&format!("{}/", folder.display()), "").replace(&folder.display().to_string(), "DIR")
    };
    insta::assert_snapshot!(
        [
            say(&folder.join("bool.jsonl")),
            say(&folder.join("something-else.csv")),
            say(&folder.join("data/train.csv")),
            say(folder),
            say(tempfile::tempdir().unwrap().path()).split_once(": ").unwrap().1.to_owned(),
        ]
        .join("\n"),
        @""
    );
}

#[test]
fn files_of_another_kind() {
    insta::assert_snapshot!(
        [
            said("empty.csv", ""),
            said("blank.jsonl", " \n\n"),
            said("header.csv", "question,choices,label\n"),
            said("none.json", "[]"),
            said("packed.csv.gz", b"\x1f\x8b\x08\x00"),
            said("sheet.csv", b"PK\x03\x04zzzz"),
            said("wide.csv", b"\xff\xfeq\x00"),
            said("page.json", "<!DOCTYPE html><html>"),
            said("pointer.parquet", "version https://git-lfs.github.com/spec/v1\noid sha256:0"),
            said("table.json", "question,choices,label\n"),
            said("not.parquet", "question,choices,label\n"),
            said("cut.parquet", &std::fs::read(sample("tasks.parquet")).unwrap()[..800]),
        ]
        .join("\n"),
        @""
    );
}

#[test]
fn bytes_that_are_not_utf8() {
    insta::assert_snapshot!(
        [
            said("latin1.csv", b"question,choice0,choice1,label\nq,caf\xe9,x,0\n"),
            said("cut.jsonl", b"{\"question\": \"\xe2\x82"),
        ]
        .join("\n"),
        @""
    );
}

#[test]
fn broken_text() {
    let good = r#"{"question": "q", "choices": ["x", "y"], "label": 0}"#;
    insta::assert_snapshot!(
        [
            said("comma.jsonl", format!("{good}\n\n{{\"question\": \"q\",, }}\n")),
            said("cut.jsonl", format!("{good}\n{{\"question\": \"q")),
            said("pretty.jsonl", "{\n  \"question\": \"q\"\n}\n"),
            said("two.jsonl", format!("{good} {good}\n")),
            said("list.jsonl", format!("{good}\n[1, 2]\n")),
            said("nan.jsonl", "{\"question\": NaN}\n"),
            said("comma.json", format!("[\n{good}\n{good}\n]")),
            said("deep.json", format!("[\n{good},\n{{\"question\":\n  oops}}\n]")),
            said("cut.json", format!("[{good},")),
            said("open.json", format!("[{good}")),
            said("after.json", format!("[{good}]\n]")),
            said("numbers.json", "[1, 2]"),
            said("columns.csv", "question,choice0,choice1,label\nq,x,y,0\nwell, well,x,y,0\n"),
            said("quote.csv", "question,choice0,choice1,label\n\"q,x,y,0\nq,x,y,0\n"),
        ]
        .join("\n"),
        @""
    );
}

#[test]
fn wrong_columns() {
    insta::assert_snapshot!(
        [
            said("slip.csv", "id,context,question,answr0,answer1,answer2,answer3,label\n1,c,q,a,b,c,d,0\n"),
            said("case.csv", "Question,Choices,Label\nq,x,0\n"),
            said("half.jsonl", r#"{"question": "q", "choices": ["x", "y"]}"#),
            said("one-side.jsonl", r#"{"prompt": "q", "chosen": "x"}"#),
            said("nothing.csv", "a,b,c\n1,2,3\n"),
            said("no-header.csv", "Is it wet?,yes,no,0\n"),
            said("twice.csv", "question,choices,label,label\nq,x,0,0\n"),
            said("later.jsonl", "{\"question\": \"q\", \"choices\": [\"x\", \"y\"], \"label\": 0}\n{\"qestion\": \"q\", \"choices\": [\"x\", \"y\"], \"label\": 0}\n"),
        ]
        .join("\n"),
        @""
    );
    let sciq = load(sample("boolq.jsonl"), Some(Format::SciQ)).unwrap_err().to_string();
    insta::assert_snapshot!(sciq.rsplit('/').next().unwrap(), @"");
    insta::assert_snapshot!("cosmos-qa".parse::<Format>().unwrap_err(), @"");
}

#[test]
fn wrong_cells() {
    let row = |cells: &str| said("a.csv", format!("id,question,choices,label,difficulty\n{cells}\n"));
    let json = |fields: &str| said("a.jsonl", format!("{{\"question\": \"q\", {fields}}}\n"));
    insta::assert_snapshot!(
        [
            row("1,q,\"[\"\"x\"\",\"\"y\"\"]\",7,"),
            row("1,q,\"[\"\"x\"\",\"\"y\"\"]\",C,"),
            row("1,q,\"[\"\"Paris\"\",\"\"Rome\"\"]\",Pariss,"),
            row("1,q,\"[\"\"1\"\",\"\"0\"\"]\",1,"),
            row("1,q,\"[\"\"x\"\",\"\"x\"\"]\",0,"),
            row("1,q,\"['x','y']\",0,"),
            row("1,q,x|y,0,"),
            row("1,q,\"[\"\"x\"\"]\",0,"),
            row("1,,\"[\"\"x\"\",\"\"y\"\"]\",0,"),
            row("1,q,\"[\"\"x\"\",\"\"y\"\"]\",0,9"),
            row("1,q,\"[\"\"x\"\",\"\"y\"\"]\",0,\n2,q,\"[\"\"x\"\",\"\"y\"\"]\",0,\n1,q,\"[\"\"x\"\",\"\"y\"\"]\",0,"),
            said("gap.csv", "question,choice0,choice1,choice2,label\nq,x,,z,0\n"),
            json(r#""choices": 3, "label": 0"#),
            json(r#""choices": ["x", {}], "label": 0"#),
            json(r#""choices": ["x", "y"], "label": 0.5"#),
            json(r#""choices": ["x", "y"], "label": true"#),
            json(r#""choices": ["x", "y"], "label": 0, "objective": "truth""#),
            json(r#""passage": "p", "answer": "maybe""#),
            said("cosmos.csv", "context,question,answer0,answer1,answer2,answer3,label\nc,q,a,b,c,d,4\n"),
            said("llmbar.json", r#"[{"input": "i", "output_1": "a", "output_2": "b", "label": 0}]"#),
            said("same.jsonl", r#"{"prompt": "p", "chosen": "a", "rejected": "a"}"#),
            said("blank.jsonl", r#"{"prompt": "p", "chosen": " ", "rejected": "a"}"#),
            said("turns.jsonl", r#"{"chosen": [{"from": "me"}], "rejected": []}"#),
            said("all.jsonl", r#"{"question": "q", "choices": ["x", "y"], "label": -1}"#),
        ]
        .join("\n"),
        @""
    );
}
