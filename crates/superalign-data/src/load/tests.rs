//! What every kind of file gives, and what every kind of mistake is told.

use super::*;
use crate::item::Objective;
use std::path::PathBuf;
use tempfile::TempDir;

mod compressed;
mod errors;
mod real;
mod scores;

/// A folder with one file in it, which lives as long as this.
struct Written {
    folder: TempDir,
    path: PathBuf,
}

fn write(name: &str, bytes: impl AsRef<[u8]>) -> Written {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    Written { folder, path }
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)
}

fn tasks(name: &str, bytes: impl AsRef<[u8]>) -> Vec<Task> {
    match load(&write(name, bytes).path, None).unwrap().content {
        Content::Tasks(tasks) => tasks,
        Content::Preferences(_) => panic!("these are tasks"),
    }
}

fn preferences(name: &str, bytes: impl AsRef<[u8]>) -> Vec<Preference> {
    match load(&write(name, bytes).path, None).unwrap().content {
        Content::Preferences(preferences) => preferences,
        Content::Tasks(_) => panic!("these are preferences"),
    }
}

fn golds(tasks: &[Task]) -> Vec<usize> {
    tasks.iter().map(|task| task.gold).collect()
}

#[test]
fn every_sample_says_what_it_is() {
    let names = [
        "cosmosqa.csv",
        "sciq.json",
        "boolq.jsonl",
        "tasks.jsonl",
        "tasks.csv",
        "tasks.tsv",
        "tasks.parquet",
        "rewardbench.csv",
        "llmbar.json",
        "hh.jsonl",
        "preferences.jsonl",
    ];
    let said: Vec<String> = names
        .iter()
        .map(|name| format!("{name}\n  {}", load(sample(name), None).unwrap().describe().join("\n  ")))
        .collect();
    insta::assert_snapshot!(said.join("\n"), @"
    cosmosqa.csv
      3 tasks from a CSV file, read as CosmosQA.
      Columns: question from `question`; context from `context`; choices from `answer0`, `answer1`, `answer2`, `answer3`; right answer from `label`; id from `id`; rows with the same context form a group.
    sciq.json
      2 tasks from a JSON file, read as SciQ.
      Columns: question from `question`; context from `support`; right answer from `correct_answer`; wrong answers from `distractor1`, `distractor2`, `distractor3`; id from the number of the row; rows with the same context (without one, the same question) form a group.
    boolq.jsonl
      2 tasks from a JSONL file, read as BoolQ.
      Columns: question from `question`; context from `passage`; right answer from `answer`; source from `title`; id from the number of the row; rows with the same title form a group.
    tasks.jsonl
      3 tasks from a JSONL file, read as tasks.
      Columns: question from `question`; context from `context`; choices from `choices`; right answer from `label`; id from `id`; family from `family`; difficulty from `difficulty`; rows with the same context (without one, the same question) form a group.
    tasks.csv
      3 tasks from a CSV file, read as tasks.
      Columns: question from `question`; choices from `choices`; right answer from `label`; group from `group`; id from the number of the row.
    tasks.tsv
      2 tasks from a TSV file, read as tasks.
      Columns: question from `question`; choices from `choice0`, `choice1`, `choice2`; right answer from `label`; id from the number of the row; rows with the same question form a group.
    tasks.parquet
      3 tasks from a Parquet file, read as tasks.
      Columns: question from `question`; context from `context`; choices from `choices`; right answer from `label`; id from `id`; family from `family`; difficulty from `difficulty`; rows with the same context (without one, the same question) form a group.
    rewardbench.csv
      2 preferences from a CSV file, read as RewardBench.
      Columns: prompt from `prompt`; better response from `chosen`; worse response from `rejected`; family from `subset`; id from `id`; rows with the same prompt form a group; ignored: `chosen_model`, `rejected_model`.
    llmbar.json
      2 preferences from a JSON file, read as LLMBar.
      Columns: prompt from `input`; responses from `output_1`, `output_2`; better one from `label`; id from the number of the row; rows with the same prompt form a group.
    hh.jsonl
      2 preferences from a JSONL file, read as HH dialogues.
      Columns: better dialogue from `chosen`; worse dialogue from `rejected`; id from the number of the row; rows with the same first turn form a group.
    preferences.jsonl
      2 preferences from a JSONL file, read as preferences.
      Columns: prompt from `prompt`; better response from `chosen`; worse response from `rejected`; id from `id`; rows with the same prompt form a group.
    ");
}

#[test]
fn one_collection_in_five_containers_gives_the_same_tasks() {
    let from_jsonl = load(sample("tasks.jsonl"), None).unwrap();
    let from_parquet = load(sample("tasks.parquet"), None).unwrap();
    assert_eq!(from_jsonl.content, from_parquet.content);
    let text = std::fs::read_to_string(sample("tasks.jsonl")).unwrap();
    let array = format!("\u{feff} [\n{}\n]\n", text.trim().replace('\n', ",\n"));
    let csv = "id,question,context,choices,label,family,difficulty\r\n\
               t1,What is 17 + 25?,,\"[\"\"32\"\",\"\"42\"\",\"\"43\"\"]\",B,arithmetic,2\r\n\
               t2,Who is the smallest?,Ada is taller than Bo. Bo is taller than Cy.,\
               \"[\"\"Ada\"\",\"\"Bo\"\",\"\"Cy\"\"]\",2,order,1\r\n\
               t3,Who is the tallest?,Ada is taller than Bo. Bo is taller than Cy.,\
               \"[\"\"Ada\"\",\"\"Bo\"\"]\",Ada,order,1\r\n";
    let tsv = "id\tquestion\tcontext\tchoice0\tchoice1\tchoice2\tlabel\tfamily\tdifficulty\n\
               t1\tWhat is 17 + 25?\t\t32\t42\t43\tb\tarithmetic\t2\n\
               t2\tWho is the smallest?\tAda is taller than Bo. Bo is taller than Cy.\tAda\tBo\tCy\t2\torder\t1\n\
               t3\tWho is the tallest?\tAda is taller than Bo. Bo is taller than Cy.\tAda\tBo\t\t0\torder\t1\n";
    let marked = format!("\u{feff}{csv}");
    let semicolons = tsv.replace('\t', ";");
    for (name, text) in [
        ("a.json", array.as_str()),
        ("a.csv", csv),
        ("marked.csv", &marked),
        ("a.tsv", tsv),
        ("semicolons.csv", &semicolons),
        ("no-extension", tsv),
        ("array.jsonl", &array),
    ] {
        assert_eq!(Content::Tasks(tasks(name, text)), from_jsonl.content, "{name}");
    }
}

#[test]
fn the_digest_is_over_the_bytes() {
    let path = sample("tasks.jsonl");
    let expected = blake3::hash(&std::fs::read(&path).unwrap()).to_hex().to_string();
    assert_eq!(load(path, None).unwrap().digest, expected);
}

#[test]
fn texts_in_quotes_hold_line_ends_and_errors_still_know_their_line() {
    let text = "question,choice0,choice1,label\n\"one\nof two\nlines, \"\"here\"\"\",a,b,0\r\n\nnext,a,b,9\n";
    let error = load(&write("a.csv", text).path, None).unwrap_err();
    assert!(matches!(&error, DataError::Cell { place, .. } if place.at == crate::At::Line(6)), "{error}");
    let error = load(&write("a.csv", text.replace('\n', "\r\n")).path, None).unwrap_err();
    assert!(matches!(&error, DataError::Cell { place, .. } if place.at == crate::At::Line(6)), "{error}");
    // Far into the file, behind many chunks.
    let many = format!(
        "question,choice0,choice1,label\r\n{}\r\n\r\n{}",
        "q,a,b,0\r\n\r\n".repeat(50_000),
        "q,a,b,7\r\n"
    );
    let error = load(&write("a.csv", many).path, None).unwrap_err();
    assert!(
        matches!(&error, DataError::Cell { place, .. } if place.at == crate::At::Line(100_004)),
        "{error}"
    );
    let tasks = tasks("a.csv", text.replace('9', "1"));
    assert_eq!(tasks[0].question, "one\nof two\nlines, \"here\"");
}

#[test]
fn a_label_is_a_position_a_letter_or_a_text() {
    let row = |choices: &str, label: &str| {
        format!("{{\"question\": \"q\", \"choices\": {choices}, \"label\": {label}}}\n")
    };
    let text: String = [
        row(r#"["x", "y", "z"]"#, "1"),
        row(r#"["x", "y", "z"]"#, "1.0"),
        row(r#"["x", "y", "z"]"#, "\"1\""),
        row(r#"["x", "y", "z"]"#, "\"B\""),
        row(r#"["x", "y", "z"]"#, "\" b \""),
        row(r#"["x", "y", "z"]"#, "\"y\""),
        // A number in JSON is a position whatever the choices say; a text may be the text of a choice.
        row("[2, 1, 0]", "1"),
        row(r#"["7", "8"]"#, "\"8\""),
        row(r#"{"text": ["x", "y"], "label": ["1", "2"]}"#, "\"2\""),
    ]
    .concat();
    assert_eq!(golds(&tasks("a.jsonl", text)), [1; 9]);
}

#[test]
fn a_label_that_can_be_read_in_two_ways_is_refused() {
    let text = "question,choice0,choice1,choice2,label\nq,2,1,0,2\n";
    let error = load(&write("a.csv", text).path, None).unwrap_err().to_string();
    assert!(error.contains("can be read in one way"), "{error}");
    // The two readings agree.
    assert_eq!(golds(&tasks("a.csv", "question,choice0,choice1,label\nq,0,1,1\n")), [1]);
}

#[test]
fn published_collections_skip_and_count_what_is_flawed() {
    let text = "id,context,question,answer0,answer1,answer2,answer3,label\n\
                1,c,q,a,b,c,d,-1\n2,c,q,a,a,c,d,0\n3,c,,a,b,c,d,0\n4,c,q,a,b,c,d,2\n5,c,q,a,b,c,d,\n";
    let loaded = load(&write("cosmos.csv", text).path, None).unwrap();
    insta::assert_snapshot!(loaded.describe().join("\n"), @"
    1 task from a CSV file, read as CosmosQA.
    Columns: question from `question`; context from `context`; choices from `answer0`, `answer1`, `answer2`, `answer3`; right answer from `label`; id from `id`; rows with the same context form a group.
    Skipped 2 rows with no label, the first at line 2.
    Skipped 1 row with two equal choices, the first at line 3.
    Skipped 1 row with an empty text, the first at line 4.
    ");
    let Content::Tasks(tasks) = loaded.content else { panic!("these are tasks") };
    assert_eq!((tasks.len(), tasks[0].id.as_str(), tasks[0].gold), (1, "4", 2));
}

#[test]
fn positions_that_seem_to_count_from_one_are_pointed_out() {
    let mut text = "question,choice0,choice1,choice2,label\n".to_owned();
    (0..20).for_each(|i| text.push_str(&format!("q{i},x,y,z,{}\n", 1 + i % 2)));
    let loaded = load(&write("a.csv", &text).path, None).unwrap();
    assert_eq!(loaded.notes.len(), 1);
    assert!(loaded.notes[0].contains("subtract 1"));
}

#[test]
fn groups_follow_the_source_unless_a_column_says_otherwise() {
    let tasks = tasks(
        "a.jsonl",
        r#"{"question": "a", "context": "one  source\n", "choices": ["x", "y"], "label": 0}
           {"question": "b", "context": " one source", "choices": ["x", "y"], "label": 0}
           {"question": "b", "context": "another source", "choices": ["x", "y"], "label": 0}
           {"question": "b", "context": "one source", "group": "mine", "choices": ["x", "y"], "label": 0}
           {"question": "c", "choices": ["x", "y"], "label": 0}
           {"question": "c", "choices": ["z", "y"], "label": 0}"#,
    );
    let groups: Vec<&str> = tasks.iter().map(|task| task.group.as_str()).collect();
    assert!(
        groups[0] == groups[1] && groups[0] != groups[2] && groups[4] == groups[5] && groups[4] != groups[0]
    );
    assert_eq!(groups[3], "mine");
    assert_eq!(tasks[4].id, "row-5");
}

#[test]
fn tags_come_from_their_columns() {
    let all = tasks(
        "a.csv",
        "question,choice0,choice1,label,subject,difficulty,objective,conflict\nq,x,y,0,law,3,conformity,yes\nq,x,y,0,,,,\n",
    );
    assert_eq!(
        (all[0].tags.family.as_str(), all[0].tags.difficulty, all[0].tags.conflict),
        ("law", Some(3), true)
    );
    assert_eq!(
        (all[0].tags.objective, all[1].tags.objective),
        (Objective::Conformity, Objective::Competence)
    );
    assert_eq!((all[1].tags.difficulty, all[1].tags.conflict), (None, false));
}

#[test]
fn dialogues_are_cut_where_they_part() {
    let pairs = preferences(
        "a.jsonl",
        r#"{"chosen": "\n\nHuman: é?\n\nAssistant: è\n\nHuman: and?\n\nAssistant: yes", "rejected": "\n\nHuman: é?\n\nAssistant: è\n\nHuman: and?\n\nAssistant: yet"}
           {"chosen": "\n\nHuman: é?\n\nAssistant: ê", "rejected": "\n\nHuman: é?\n\nAssistant: è"}
           {"chosen": "\n\nHuman: é?\n\nAssistant: ", "rejected": "\n\nHuman: é?\n\nAssistant: è"}
           {"chosen": "\n\nHuman: a?\n\nAssistant: x", "rejected": "\n\nHuman: b?\n\nAssistant: x"}
           {"chosen": "\n\nHuman: a?\n\nAssistant: x", "rejected": "\n\nHuman: a?\n\nAssistant: x"}"#,
    );
    assert_eq!(pairs.len(), 2);
    assert_eq!(pairs[0].prompt, "Human: é?\n\nAssistant: è\n\nHuman: and?\n\nAssistant:");
    assert_eq!((pairs[0].chosen.as_str(), pairs[0].rejected.as_str()), ("yes", "yet"));
    assert_eq!((pairs[1].chosen.as_str(), pairs[1].rejected.as_str()), ("ê", "è"));
    assert_eq!(pairs[0].group, pairs[1].group, "both begin with the same turn");
    assert_eq!(pairs[0].tags.objective, Objective::Conformity);
}

#[test]
fn messages_beside_a_prompt_give_their_last_turn() {
    let pairs = preferences(
        "a.jsonl",
        r#"{"prompt": "Hi", "chosen": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}], "rejected": [{"role": "assistant", "content": "No"}]}
           {"prompt": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}], "chosen": "Hello", "rejected": "No"}"#,
    );
    assert_eq!((pairs[0].prompt.as_str(), pairs[0].chosen.as_str()), ("Hi", "Hello"));
    assert_eq!(pairs[1].prompt, "System: Be kind.\n\nHuman: Hi\n\nAssistant:");
}

#[test]
fn characters_across_the_ends_of_chunks_are_whole() {
    // More than a chunk of three-byte characters, at three offsets.
    for offset in 0..3 {
        let context = format!("{}{}", "x".repeat(offset), "€".repeat(700_000));
        let text = format!(
            "{{\"context\":\"{context}\",\"question\":\"q\",\"choices\":[\"x\",\"y\"],\"label\":0}}\n"
        );
        assert_eq!(tasks("a.jsonl", &text)[0].context, context);
    }
}

#[test]
fn a_named_format_is_used_and_checked() {
    let written = write("a.jsonl", r#"{"chosen": "Assistant: a", "rejected": "Assistant: b"}"#);
    assert_eq!(load(&written.path, None).unwrap().format, Format::Hh);
    let loaded = load(&written.path, Some(Format::Preferences)).unwrap();
    let Content::Preferences(pairs) = loaded.content else { panic!("these are preferences") };
    assert_eq!(pairs[0].chosen, "Assistant: a");
    assert!(matches!(load(&written.path, Some(Format::SciQ)), Err(DataError::Columns { .. })));
    for format in Format::ALL {
        assert_eq!(format.name().parse::<Format>().unwrap(), format);
    }
}

#[test]
fn no_bytes_make_it_panic() {
    use superalign_core::Seed;
    use superalign_core::rand::Rng as _;
    // Every sample with bytes changed or cut off, some hundred times: an item or an error, no panic.
    let mut rng = Seed::new(1).rng();
    for entry in std::fs::read_dir(sample("")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        for _ in 0..60 {
            let mut spoiled = bytes.clone();
            for _ in 0..1 + rng.next_u64() % 4 {
                let at = (rng.next_u64() % spoiled.len() as u64) as usize;
                match rng.next_u64() % 3 {
                    0 => spoiled[at] = rng.next_u64() as u8,
                    1 => spoiled[at] = b"[]{},\"\n\\:0"[(rng.next_u64() % 10) as usize],
                    _ => spoiled.truncate(at.max(1)),
                }
            }
            let _ = load(&write(&name, &spoiled).path, None);
        }
    }
}
