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
        @"
    bool.jsonl: found no such file, expected a file; did you mean `boolq.jsonl`?
    something-else.csv: found no such file, expected a file; check the path
    data/train.csv: found no such file, expected a file; there is no folder `data`: check the path
    DIR: found a folder, expected a file; name a file in it, such as `boolq.jsonl`
    found a folder, expected a file; name a file
    "
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
        @"
    empty.csv: found an empty file, expected CSV, TSV, JSON, JSONL or Parquet; check that the file was written to its end
    blank.jsonl: found an empty file, expected CSV, TSV, JSON, JSONL or Parquet; check that the file was written to its end
    header.csv: found a CSV file without rows, expected at least one row; check that the file was written to its end
    none.json: found a JSON file without rows, expected at least one row; check that the file was written to its end
    packed.csv.gz: found a gzip archive, expected CSV, TSV, JSON, JSONL or Parquet; unpack it with `gunzip`
    sheet.csv: found a zip archive or a spreadsheet, expected CSV, TSV, JSON, JSONL or Parquet; unpack it, or save the sheet as CSV in UTF-8
    wide.csv: found text in UTF-16, expected CSV, TSV, JSON, JSONL or Parquet; convert it with `iconv -f UTF-16 -t UTF-8`
    page.json: found a web page, expected CSV, TSV, JSON, JSONL or Parquet; download the raw file, not the page that shows it
    pointer.parquet: found a Git LFS pointer in place of the data, expected CSV, TSV, JSON, JSONL or Parquet; fetch the data with `git lfs pull`
    table.json: found text that begins with `question,cho`, expected `{` (an object a line) or `[` (an array of objects), as its extension says; write it as JSON, or give it the extension of what it is
    not.parquet: found a file that does not begin with `PAR1`, expected Parquet, as its extension says; write it again as Parquet, or give it the extension of what it is (.csv, .tsv, .json, .jsonl)
    cut.parquet: found Parquet that cannot be read (Parquet error: Invalid Parquet file. Corrupt footer), expected a whole Parquet file, uncompressed, Snappy, gzip or Zstandard; check that it was written or downloaded to its end
    "
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
        @"
    latin1.csv, line 2, byte 6: found the byte 0xE9, expected text in UTF-8; save it as UTF-8 (if it is Latin-1, where that byte is `é`: `iconv -f LATIN1 -t UTF-8`)
    cut.jsonl, line 1, byte 15: found the end of the file within a character, expected text in UTF-8; check that the file was written to its end
    "
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
        @r#"
    comma.jsonl, line 3, byte 18: found broken JSON (key must be a string), expected a whole JSON object; correct this line
    cut.jsonl, line 2, byte 15: found broken JSON (EOF while parsing a string), expected a whole JSON object; write each object on one line, or put the objects in one array, between `[` and `]`
    pretty.jsonl, line 1, byte 1: found broken JSON (EOF while parsing an object), expected a whole JSON object; write each object on one line, or put the objects in one array, between `[` and `]`
    two.jsonl, line 1, byte 54: found broken JSON (trailing characters), expected a whole JSON object; write one object a line, with nothing between or after them
    list.jsonl, line 2: found a list of 2, expected an object, such as {"question": ...}; write every record as an object with named values
    nan.jsonl, line 1, byte 14: found broken JSON (expected value), expected a whole JSON object; correct this line
    comma.json, line 3, byte 1: found `{`, expected `,` or `]` after an object; correct this place
    deep.json, line 4, byte 3: found broken JSON (expected value), expected an array of JSON objects; correct this place
    cut.json, line 1, byte 55: found the end of the file, expected an object; check that it was written to its end
    open.json, line 1, byte 54: found the end of the file, expected `]`; check that it was written to its end
    after.json, line 2, byte 1: found text after the closing `]`, expected the end of the file; remove it
    numbers.json, line 1: found `1`, expected an object, such as {"question": ...}; write every record as an object with named values
    columns.csv, line 3: found 5 columns, expected 4, as in the header; put texts that hold the separator or a line end between double quotes, and double the quotes inside them
    quote.csv, line 2: found 1 column, expected 4, as in the header; fill in what is missing, or close the quotes of a text that runs on into the next lines
    "#
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
            said("no-header.csv", "Is it wet?,yes,no,0\nIs it dry?,yes,no,1\n"),
            said("twice.csv", "question,choices,label,label\nq,x,0,0\n"),
            said("later.jsonl", "{\"question\": \"q\", \"choices\": [\"x\", \"y\"], \"label\": 0}\n{\"qestion\": \"q\", \"choices\": [\"x\", \"y\"], \"label\": 0}\n"),
        ]
        .join("\n"),
        @"
    slip.csv: found the columns `id`, `context`, `question`, `answr0`, `answer1`, `answer2`, `answer3`, `label`, expected also `answer0` for the format `cosmosqa`; a slip? Rename `answr0` to `answer0`
    case.csv: found the columns `Question`, `Choices`, `Label`, expected also `question`, `choices`, `label` for the format `tasks`; a slip? Rename `Question` to `question`, `Choices` to `choices`, `Label` to `label`
    half.jsonl: found the columns `choices`, `question`, expected also `label` for the format `tasks`; add `label`, or name the format that the file has
    one-side.jsonl: found the columns `chosen`, `prompt`, expected also `rejected` for the format `preferences`; add `rejected`, or name the format that the file has
    nothing.csv: found the columns `a`, `b`, `c`, expected `question`, `choices` and `label` (tasks), or `chosen` and `rejected` (preferences); rename the columns; if the file has no header line, write one
    no-header.csv: found the columns `Is it wet?`, `yes`, `no`, `0`, expected `question`, `choices` and `label` (tasks), or `chosen` and `rejected` (preferences); rename the columns; if the file has no header line, write one
    twice.csv: found the columns `question`, `choices`, `label`, `label`, expected `label` once; rename or remove one of the two columns
    later.jsonl, line 2, column `question`: found no such key, only `choices`, `label`, `qestion`, expected a value; did you mean `qestion`?
    "
    );
    let sciq = load(sample("boolq.jsonl"), Some(Format::SciQ)).unwrap_err().to_string();
    insta::assert_snapshot!(sciq.rsplit('/').next().unwrap(), @"boolq.jsonl: found the columns `answer`, `passage`, `question`, `title`, expected also `correct_answer`, `distractor1`, `distractor2`, `distractor3` for the format `sciq`; add `correct_answer`, `distractor1`, `distractor2`, `distractor3`, or name the format that the file has");
    insta::assert_snapshot!("cosmos-qa".parse::<Format>().unwrap_err(), @"found the format `cosmos-qa`, expected one of `cosmosqa`, `sciq`, `llmbar`, `rewardbench`, `tasks`, `boolq`, `hh`, `preferences`; did you mean `cosmosqa`?");
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
        @r#"
    a.csv, line 2, column `label`: found `7`, expected a position from 0 to 1, a letter from A to B, or the text of a choice; correct it; positions count from 0
    a.csv, line 2, column `label`: found `C`, expected a position from 0 to 1, a letter from A to B, or the text of a choice; correct it; positions count from 0
    a.csv, line 2, column `label`: found `Pariss`, expected a position from 0 to 1, a letter from A to B, or the text of a choice; did you mean `Paris`?
    a.csv, line 2, column `label`: found `1`, expected a label that can be read in one way; it is the text of one choice and the position or letter of another: write the text, and call no choice by a number or letter, or use JSON, where a number is always a position
    a.csv, line 2, column `choices`: found `x` as choice 0 and as choice 1, expected choices that differ; change or remove one of them
    a.csv, line 2, column `choices`: found `['x','y']`, expected a JSON list, such as ["red", "blue"]; this looks like a list as Python prints it: write it with `json.dumps`
    a.csv, line 2, column `choices`: found `x|y`, expected a JSON list, such as ["red", "blue"]; write a JSON list, or one column per choice: `choice0`, `choice1`, ...
    a.csv, line 2, column `choices`: found 1 of them, expected at least two choices with text; fill in the choices or remove the row
    a.csv, line 2, column `question`: found nothing, expected a text; fill it in or remove the row
    a.csv, line 2, column `difficulty`: found `9`, expected a whole number from 1 to 6; sort the difficulties into six levels, or leave the column out
    a.csv, line 4, column `id`: found `1`, which line 2 has already, expected an id of its own for every row; rename one of them, remove the repeated row, or leave the column out
    gap.csv, line 2, column `choice1`: found nothing, but a choice in `choice2`, expected choices without a gap; move the later choices up
    a.jsonl, line 1, column `choices`: found `3`, expected a list of texts; write a list, or one column per choice: `choice0`, `choice1`, ...
    a.jsonl, line 1, column `choices`: found an object, expected a text; write one text into this column
    a.jsonl, line 1, column `label`: found `0.5`, expected a position from 0 to 1; correct it; positions count from 0
    a.jsonl, line 1, column `label`: found `true`, expected a position from 0 to 1; correct it; positions count from 0
    a.jsonl, line 1, column `objective`: found `truth`, expected `competence` or `conformity`; correct it, or leave the column out
    a.jsonl, line 1, column `answer`: found `maybe`, expected true or false (or yes, no, 1, 0); correct it
    cosmos.csv, line 2, column `label`: found `4`, expected a position from 0 to 3; correct it; positions count from 0
    llmbar.json, line 1, column `label`: found `0`, expected 1 or 2, the better output; correct it
    same.jsonl, line 1, column `rejected`: found `a`, which the chosen one says too, expected another response; remove the row: it says nothing about which is better
    blank.jsonl, line 1, column `chosen`: found nothing, expected a text; fill it in or remove the row
    turns.jsonl, line 1, column `chosen`: found an object, expected messages with `role` (user, assistant or system) and `content` (a text); write the messages so, or the dialogue as one text
    all.jsonl: found no usable row (1 row with no label, the first at line 1), expected at least one; load another file
    "#
    );
}
