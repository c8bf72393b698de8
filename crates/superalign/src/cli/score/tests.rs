//! The command against a small reward model, a cross-encoder and the smallest rung of the ladder.

use super::*;
use crate::cli::folder::{Folder, reward_model};
use clap::Parser;
use serde_json::{Value, json};
use superalign_data::columns::{Cells, read};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: ScoreArgs,
}

fn models(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).to_string_lossy().into_owned()
}

fn rung() -> String {
    models("../models/ladder/rung-0")
}

fn cross() -> String {
    models("superalign-inference/tests/golden/cross")
}

/// What the command prints, or says when it fails.
fn run(arguments: &[&str]) -> Result<String, String> {
    let line = Line::try_parse_from([&["score", "--runtime", "tract"], arguments].concat())
        .map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    match score(&line.args, &mut out) {
        Ok(()) => Ok(String::from_utf8(out).unwrap()),
        Err(Failure::Usage(said) | Failure::Failed(said)) => Err(said),
        Err(other) => panic!("{other:?}"),
    }
}

fn lines(arguments: &[&str]) -> Vec<Value> {
    let text = run(&[arguments, &["--json"]].concat()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn golden() -> Value {
    let path = models("superalign-inference/tests/golden/heads.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn near(found: &Value, expected: &Value) -> bool {
    let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
    (found - expected).abs() <= 5e-5 * expected.abs().max(1.0)
}

#[test]
fn a_reward_model_scores_answers_texts_and_conversations() {
    let folder = Folder::new();
    let model = reward_model(&folder);
    let golden = golden();
    let mut input = String::new();
    for (n, chat) in golden["reward"]["chats"].as_array().unwrap().iter().enumerate() {
        let (prompt, response) = (&chat["prompt"], &chat["response"]);
        let row = match n % 2 {
            0 => json!({ "id": n, "prompt": prompt, "response": response }),
            _ => json!({ "id": n, "messages": [
                { "role": "user", "content": prompt }, { "role": "assistant", "content": response },
            ]}),
        };
        input += &format!("{row}\n");
    }
    for text in golden["reward"]["texts"].as_array().unwrap() {
        input += &format!("{}\n", json!({ "text": text["text"] }));
    }
    let expected: Vec<&Value> =
        ["chats", "texts"].iter().flat_map(|name| golden["reward"][name].as_array().unwrap()).collect();
    let file = folder.write("in.jsonl", input);
    let found = lines(&[&file, "--model", &model]);
    assert_eq!(found.len(), expected.len());
    for (at, (line, expected)) in found.iter().zip(&expected).enumerate() {
        assert!(near(&line["score"], &expected["score"]), "{line} {expected}");
        assert_eq!(line["row"], at + 1);
        let score = line["score"].as_f64().unwrap();
        assert!((line["probability"].as_f64().unwrap() - 1.0 / (1.0 + (-score).exp())).abs() < 1e-5);
    }
    assert_eq!((&found[2]["id"], found[7].get("id")), (&json!(2), None));
    // The three kinds of file hold the same numbers, and nothing else is left beside them.
    for name in ["out.csv", "out.parquet", "out.jsonl"] {
        let out = folder.path(name).display().to_string();
        let said = run(&[&file, "--model", &model, "-o", &out]).unwrap();
        assert!(
            folder.hide(&said).ends_with(&format!(" in {name}\n")) && said.starts_with("10 rows by "),
            "{said}"
        );
        let columns = read(&out).unwrap();
        assert_eq!(columns.rows, expected.len());
        let score = columns.columns.iter().find(|column| column.name == "score").unwrap();
        let Cells::Numbers(scores) = &score.cells else { panic!("numbers") };
        let same = scores.iter().zip(&found).all(|(a, b)| *a == b["score"].as_f64().unwrap());
        assert!(same, "{name}");
    }
    let left = std::fs::read_dir(folder.path("")).unwrap().count();
    assert_eq!(left, 5, "the model, the input and three outputs");
    let object =
        run(&[&file, "--model", &model, "--json", "-o", &folder.path("out.csv").display().to_string()]);
    let object: Value = serde_json::from_str(&object.unwrap()).unwrap();
    assert_eq!((&object["rows"], &object["truncated"]), (&json!(10), &json!(0)));
    // As one text, the template is not used.
    let joined = lines(&[
        &folder.write("one.csv", "prompt,response\nask,say 3\n"),
        "--model",
        &model,
        "--as",
        "text",
        "--join",
        " ",
    ]);
    let text = lines(&[&folder.write("one.txt", "ask say 3\n"), "--model", &model]);
    assert_eq!(joined[0]["score"], text[0]["score"]);
}

#[test]
fn a_cross_encoder_scores_pairs() {
    let folder = Folder::new();
    let golden = golden();
    let cases = golden["cross"].as_array().unwrap();
    let pair = |names: [&str; 2]| {
        let rows = cases.iter().map(|case| format!("{},{}\n", case["first"], case["second"]));
        format!("{},{}\n{}", names[0], names[1], rows.collect::<String>())
    };
    let found = lines(&[&folder.write("a.csv", pair(["text", "text_pair"])), "--model", &cross()]);
    for (line, case) in found.iter().zip(cases) {
        for (at, label) in ["other", "same"].iter().enumerate() {
            assert!(near(&line[format!("score.{label}")], &case["scores"][at]), "{line}");
            assert!(near(&line[format!("probability.{label}")], &case["probabilities"][at]), "{line}");
        }
        let same = case["scores"][1].as_f64() > case["scores"][0].as_f64();
        assert_eq!(line["label"], if same { "same" } else { "other" });
    }
    let answers = folder.write("b.csv", pair(["prompt", "response"]));
    assert_eq!(lines(&[&answers, "--model", &cross(), "--as", "pair"]), found);
    let csv = run(&[&answers, "--model", &cross()]).unwrap();
    assert!(
        csv.starts_with("row,score.other,score.same,probability.other,probability.same,label\n1,"),
        "{csv}"
    );
    assert_eq!(csv.lines().count(), 1 + cases.len());
}

#[test]
fn a_language_model_scores_choices_responses_and_verdicts() {
    let folder = Folder::new();
    let choices = folder.write(
        "choices.jsonl",
        "{\"prompt\": \"ask biba has\", \"choices\": [\" many\", \" tilu is zivi\"]}\n{\"prompt\": \"say\", \"choices\": [\" 3\"]}\n",
    );
    let found = lines(&[&choices, "--model", &rung()]);
    let places: Vec<(u64, u64)> =
        found.iter().map(|line| (line["row"].as_u64().unwrap(), line["choice"].as_u64().unwrap())).collect();
    assert_eq!(places, [(1, 1), (1, 2), (2, 1)]);
    assert_eq!((&found[0]["tokens"], &found[1]["tokens"]), (&json!(1), &json!(3)));
    let sum = |line: &Value| line["log_likelihood"].as_f64().unwrap();
    assert!(found.iter().all(|line| sum(line) < 0.0));
    assert!((found[1]["log_likelihood_per_token"].as_f64().unwrap() - sum(&found[1]) / 3.0).abs() < 1e-12);
    // A response is a choice of one; what joins it to the prompt can be given or written.
    let responses = folder.write("responses.csv", "prompt,response\nask biba has,tilu is zivi\n");
    let one = lines(&[&responses, "--model", &rung(), "--join", " "]);
    assert!((sum(&one[0]) - sum(&found[1])).abs() < 1e-4 && one[0].get("choice").is_none());
    let verdict = lines(&[&responses, "--model", &rung(), "--join", " ", "--verdict", "right,wrong"]);
    let turned = lines(&[
        &folder.write("texts.txt", "ask biba has tilu is zivi\n"),
        "--model",
        &rung(),
        "--verdict",
        "wrong,right",
    ]);
    let (p, q) = (verdict[0]["probability"].as_f64().unwrap(), turned[0]["probability"].as_f64().unwrap());
    assert!((p + q - 1.0).abs() < 1e-6 && p > 0.0 && q > 0.0, "{p} {q}");
    assert!((verdict[0]["log_odds"].as_f64().unwrap() - (p / q).ln()).abs() < 1e-5);
}

#[test]
fn blocks_change_nothing() {
    let folder = Folder::new();
    let words = ["ask", "biba", "has", "many", "tilu"];
    let text = |n: usize| format!("{} {}\n", words[n % 5], words[n / 5 % 5]);
    let rows = ROWS + 3;
    let all = folder.write("all.txt", (0..rows).map(text).collect::<String>());
    let model = reward_model(&folder);
    let found = lines(&[&all, "--model", &model]);
    assert_eq!((found.len(), &found[rows - 1]["row"]), (rows, &json!(rows)));
    // Row 0 comes again in the second block.
    let again = (ROWS..rows).find(|n| text(*n) == text(n % 25)).unwrap();
    assert!(near(&found[again]["score"], &found[again % 25]["score"]));
}

#[test]
fn what_cannot_be_scored_is_told() {
    let folder = Folder::new();
    let model = reward_model(&folder);
    let write = |name: &str, text: &str| folder.write(name, text);
    let (rung, cross) = (rung(), cross());
    let good = write("good.csv", "text\nask\n");
    let said = |arguments: &[&str]| {
        let said = folder.hide(&run(arguments).unwrap_err());
        said.replace(&rung, "RUNG").replace(&cross, "CROSS")
    };
    let out = folder.path("out.csv").display().to_string();
    let all = [
        said(&[&write("empty.csv", "text\nask\n\"\"\n"), "--model", &model, "-o", &out]),
        said(&[&write("no.csv", "word\nask\n"), "--model", &model]),
        said(&[&write("none.csv", "text\n"), "--model", &model]),
        said(&[&write("half.jsonl", "{\"prompt\": \"ask\"}\n"), "--model", &model]),
        said(&[&write("pair.jsonl", "{\"text\": \"ask\", \"text_pair\": \"\"}\n"), "--model", &model]),
        said(&[
            &write("chat.jsonl", "{\"messages\": [{\"role\": \"user\", \"content\": \"it\"}]}\n"),
            "--model",
            &cross,
        ]),
        said(&[&good, "--model", &rung]),
        said(&[&write("a.jsonl", "{\"prompt\": \"ask\", \"choices\": [\"\"]}\n"), "--model", &rung]),
        said(&[
            &write("b.jsonl", "{\"prompt\": \"ask\", \"choices\": [\" a\"]}\n{\"prompt\": \"ask\"}\n"),
            "--model",
            &rung,
        ]),
        said(&[&write("c.jsonl", "{\"prompt\": \"ask\", \"response\": \" \"}\n"), "--model", &rung]),
        said(&[&good, "--model", &rung, "--verdict", "right"]),
        said(&[&good, "--model", &cross, "--verdict", "right,wrong"]),
        said(&[&good, "--model", &rung, "--as", "pair"]),
        said(&[&good, "--model", &model, "-o", &folder.path("out.txt").display().to_string()]),
        said(&[&good, "--model", &model, "-o", &folder.path("none/out.csv").display().to_string()]),
        said(&[&write("broken.jsonl", "{\"text\": \"ask\"}\n{\"text\": \n"), "--model", &model, "-o", &out]),
        said(&[&folder.path("absent.csv").display().to_string(), "--model", &model]),
    ];
    insta::assert_snapshot!(all.join("\n"));
    assert!(!Path::new(&out).exists());
    let mut hidden = std::fs::read_dir(folder.path("")).unwrap().flatten();
    assert!(hidden.all(|entry| !entry.file_name().to_string_lossy().starts_with(".superalign")));
}
