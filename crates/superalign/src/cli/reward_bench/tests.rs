//! The command as a whole: official numbers through files, every kind of mistake, and models of which the answer is
//! known.

use super::run::run_with;
use super::{Failure, RewardBenchCommand, score};
use crate::cli::folder::{Folder, reward_model};
use crate::progress::Progress;
use clap::Parser;
use ndarray::Array2;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use superalign_core::{ChoicePrompt, EmbedRequest, LogLikelihood, Model, ModelCard, ModelError, Seed};
use superalign_data::load::{Content, Format, load, load_benchmark};
use superalign_data::world::{Part, Subset, World};
use superalign_evaluation::reward_bench::SUBSETS;
use superalign_inference::{OnnxModel, OpenOptions, RuntimeChoice};

#[derive(Debug, Parser)]
struct Line {
    #[command(subcommand)]
    command: RewardBenchCommand,
}

/// What the command prints, or the message with which it ends.
fn said(arguments: &[&str]) -> Result<String, String> {
    let line = Line::try_parse_from(std::iter::once("reward-bench").chain(arguments.iter().copied()))
        .map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    let done = match &line.command {
        RewardBenchCommand::Score(args) => score::score(args, &mut out),
        RewardBenchCommand::Run(args) => {
            let mut open =
                |folder: &Path| -> Result<Box<dyn Model>, Failure> { Ok(Box::new(Fake::new(folder))) };
            run_with(args, &mut open, &Progress::silent(), &AtomicBool::new(false), &mut out)
        }
    };
    match done {
        Ok(()) => Ok(String::from_utf8(out).unwrap()),
        Err(Failure::Usage(message) | Failure::Failed(message)) => Err(message),
        Err(failure) => panic!("{failure:?}"),
    }
}

fn found(arguments: &[&str]) -> Value {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    let text = said(&arguments).unwrap_or_else(|message| panic!("{arguments:?}: {message}"));
    serde_json::from_str(&text).unwrap()
}

fn score_of(arguments: &[&str]) -> Result<String, String> {
    said(&[&["score"], arguments].concat())
}

/// A model that knows the world: good answers are likelier by the weight in its name, and its vectors say so, too.
struct Fake {
    card: ModelCard,
    weight: f64,
    good: std::collections::HashSet<String>,
}

impl Fake {
    fn new(folder: &Path) -> Self {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let world = World::new(Seed::new(1));
        let sets = [Part::Test, Part::Student].map(|part| world.preference_set(part, 40));
        let good = sets.iter().flatten().map(|one| format!("{} say {}", one.prompt, one.chosen)).collect();
        let card = ModelCard {
            name: name.clone(),
            digest: String::new(),
            layers: 1,
            width: 3,
            parameters: None,
            generates: true,
            runtime: "fake".to_owned(),
        };
        Self { card, weight: name.trim_start_matches("fake").parse().unwrap_or(0.0), good }
    }

    fn says(&self, text: &str) -> f64 {
        if self.good.contains(text) { self.weight } else { 0.0 }
    }
}

impl Model for Fake {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn embed(
        &mut self,
        texts: &[&str],
        _: EmbedRequest,
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Array2<f32>, ModelError> {
        let mut vectors = Array2::zeros((texts.len(), 3));
        for (text, mut row) in texts.iter().zip(vectors.rows_mut()) {
            row[0] = self.says(text) as f32;
            row[1] = text.len() as f32;
            row[2] = (text.len() % 7) as f32;
        }
        if done(texts.len()) { Ok(vectors) } else { Err(ModelError::Stopped) }
    }

    fn choice_log_likelihoods(
        &mut self,
        prompts: &[ChoicePrompt],
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<Vec<LogLikelihood>>, ModelError> {
        if !done(0) {
            return Err(ModelError::Stopped);
        }
        let one = |prefix: &str, choice: &String| {
            // After a whole text, the first verdict is the likelier the better the text.
            let verdict = if choice == " proper" { self.says(prefix) } else { 0.0 };
            let sum = self.says(&format!("{prefix}{choice}")) + verdict - 40.0;
            LogLikelihood { sum, tokens: choice.split_whitespace().count() }
        };
        let item = |prompt: &ChoicePrompt| prompt.choices.iter().map(|c| one(&prompt.prefix, c)).collect();
        Ok(prompts.iter().map(item).collect())
    }
}

/// A fixture of the neighbouring folder, or a word that it is not there.
#[expect(clippy::print_stdout, reason = "a check that did not run has to say so")]
fn fixture(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SUPERALIGN_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = root.join("fixtures/rewardbench").join(name);
    if !path.is_file() {
        println!("skipped: not found: {}", path.display());
        return None;
    }
    Some(path)
}

#[test]
fn every_row_of_the_leaderboards() {
    let Some(first) = fixture("leaderboard_v1.csv") else { return };
    let first = first.display().to_string();
    let all = said(&["score", &first]).unwrap();
    assert!(all.contains("172 of 172 overall scores are those in the file"), "{all}");
    assert!(all.contains("In 7 rows the prior sets have 0"));
    // Where a section is missing, the leaderboard has the mean of the others: that is a partial score.
    let partial = found(&["score", &first, "--partial"]);
    let models = partial["models"].as_array().unwrap();
    assert_eq!(models.len(), 187);
    assert_eq!(models.iter().filter(|model| model["partial"] == true).count(), 15);
    for model in models {
        let (value, published) = (&model["overall"]["value"], &model["published"]);
        assert!((value.as_f64().unwrap() - published.as_f64().unwrap()).abs() < 1.01e-4, "{model}");
    }
    let Some(second) = fixture("leaderboard_v2.csv") else { return };
    let all = said(&["score", &second.display().to_string()]).unwrap();
    assert!(all.contains("197 of 197 overall scores are those in the file"), "{all}");
}

#[test]
fn official_accuracies_by_subset() {
    let Some(path) = fixture("rb1_sections.json") else { return };
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let folder = Folder::new();
    for (model, numbers) in file["models"].as_object().unwrap() {
        // As the official programs write it: one object over several lines.
        let mut result = numbers["metrics"].clone();
        result["model"] = json!(model);
        result["model_type"] = json!("Seq. Classifier");
        let path = folder.write("result.json", serde_json::to_string_pretty(&result).unwrap());
        let found = found(&["score", &path]);
        let sums = &found["models"][0];
        assert_eq!(sums["model"], *model);
        for section in sums["sections"].as_array().unwrap() {
            let expected = numbers["expected_sections"][section["name"].as_str().unwrap()].as_f64().unwrap();
            assert!((section["value"].as_f64().unwrap() - expected).abs() < 1e-12, "{model}: {section}");
        }
        let expected = numbers["expected_mean_of_4"].as_f64().unwrap();
        assert!((sums["overall"]["value"].as_f64().unwrap() - expected).abs() < 1e-12, "{model}");
    }
}

#[test]
fn the_official_case_of_ties() {
    let Some(path) = fixture("rb2_ties_synthetic.json") else { return };
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let rows = file["rows"].as_array().unwrap();
    let column = |name: &str| rows.iter().map(|row| row[name].clone()).collect::<Vec<Value>>();
    let dump = json!({
        "model": "m", "model_type": "Seq. Classifier", "subset": vec!["Ties"; rows.len()], "id": column("id"),
        "scores": column("scores"), "num_correct": column("num_correct"),
    });
    let folder = Folder::new();
    let path = folder.write("m.json", serde_json::to_string_pretty(&dump).unwrap());
    let refused = found(&["score", &path]);
    assert!(refused["models"][0]["overall"]["error"].as_str().unwrap().contains("there is no Factuality"));
    let partial = found(&["score", &path, "--partial"]);
    let sums = &partial["models"][0];
    assert_eq!((&sums["partial"], &partial["benchmark"]), (&json!(true), &json!("RewardBench 2")));
    assert!((sums["overall"]["value"].as_f64().unwrap() - 0.626_611_596_447_832_2).abs() < 1e-14);
    assert!(sums["overall"]["lo"].as_f64().unwrap() < 0.6);
    assert_eq!(sums["ties"].as_array().unwrap().len(), 5);
}

/// A dump of version 1 in which every fifth item is a tie and every fourth of the others is wrong.
fn whole_dump() -> Vec<Value> {
    let mut rows = Vec::new();
    for subset in SUBSETS {
        for n in 0..subset.items {
            let (chosen, rejected) = match (n % 5, n % 4) {
                (0, _) => (1.0, 1.0),
                (_, 0) => (0.0, 1.5),
                _ => (2.0, -1.0),
            };
            rows.push(json!({
                "id": n, "subset": subset.name, "scores_chosen": chosen, "scores_rejected": rejected,
                "results": u8::from(chosen > rejected),
            }));
        }
    }
    rows
}

fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

#[test]
fn the_containers_hold_the_same_numbers() {
    let folder = Folder::new();
    let rows = whole_dump();
    let jsonl = folder.write("m.jsonl", lines(&rows));
    let column = |name: &str| rows.iter().map(|row| row[name].clone()).collect::<Vec<Value>>();
    let names = ["id", "subset", "scores_chosen", "scores_rejected", "results"];
    let columns: serde_json::Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), column(name).into())).collect();
    let object = folder.write("columns.json", serde_json::to_string_pretty(&columns).unwrap());
    let table: String = rows
        .iter()
        .map(|row| names.map(|name| row[name].to_string().trim_matches('"').to_owned()).join(",") + "\n")
        .collect();
    let csv = folder.write("m.csv", names.join(",") + "\n" + &table);
    let expected = found(&["score", &jsonl, "--draws", "50"]);
    let mut models: Vec<Value> = [object, csv]
        .iter()
        .map(|path| found(&["score", path, "--draws", "50"])["models"][0].clone())
        .collect();
    models.iter_mut().for_each(|model| model["model"] = json!("m"));
    models.iter().for_each(|model| assert_eq!(*model, expected["models"][0]));
    // A tie counts nothing by the one rule and one half by the other.
    let generative = found(&["score", &jsonl, "--draws", "0", "--judge", "generative"]);
    let overall = |found: &Value| found["models"][0]["overall"]["value"].as_f64().unwrap();
    assert!((overall(&generative) - overall(&expected) - 0.1).abs() < 0.01);
    let notes = generative["models"][0]["notes"].to_string();
    assert!(notes.contains("`results` is not what the scores say"), "{notes}");
    assert_eq!(expected["models"][0]["notes"], json!([]));
}

#[test]
fn a_partial_benchmark_is_said_aloud() {
    let folder = Folder::new();
    let rows: Vec<Value> = whole_dump()
        .into_iter()
        .filter(|row| row["subset"] != "hep-go" && !row["subset"].as_str().unwrap().starts_with("alpaca"))
        .filter(|row| row["subset"] != "mt-bench-hard" || row["id"] != 3)
        .collect();
    let path = folder.write("m.jsonl", lines(&rows));
    insta::assert_snapshot!(folder.hide(&said(&["score", &path, "--draws", "100"]).unwrap()));
    insta::assert_snapshot!(folder.hide(&said(&["score", &path, "--draws", "100", "--partial"]).unwrap()));
}

#[test]
fn two_files_of_one_model_with_prior_sets() {
    let folder = Folder::new();
    let core = folder.write("core.jsonl", lines(&whole_dump()));
    let priors: Vec<Value> = ["anthropic_helpful", "anthropic_hhh", "shp", "summarize", "anthropic_harmless"]
        .iter()
        .flat_map(|subset| (0..20).map(move |n| json!({ "subset": subset, "id": n, "results": n % 2 })))
        .collect();
    let priors = folder.write("priors.jsonl", lines(&priors));
    let found = found(&["score", &core, &priors, "--draws", "50"]);
    let sums = &found["models"][0];
    let sections: Vec<f64> =
        sums["sections"].as_array().unwrap().iter().map(|one| one["value"].as_f64().unwrap()).collect();
    assert_eq!((sections.len(), sections[4]), (5, 0.5));
    let expected = (2.0 * sections[..4].iter().sum::<f64>() + 0.5) / 9.0;
    assert!((sums["overall"]["value"].as_f64().unwrap() - expected).abs() < 1e-12);
    assert!(sums["notes"][0].as_str().unwrap().contains("20 items of anthropic_harmless"));
    // The same file twice has every id twice.
    assert!(score_of(&[&core, &core]).unwrap_err().ends_with("core.jsonl is named twice"));
    let copy = folder.write("copy.jsonl", lines(&whole_dump()[..9]));
    let twice = folder.hide(&score_of(&[&core, &copy]).unwrap_err());
    assert!(
        twice.starts_with("copy.jsonl, line 1, column `id`: found `0`, which core.jsonl has already"),
        "{twice}"
    );
}

#[test]
fn every_kind_of_mistake() {
    let folder = Folder::new();
    let mut all = String::new();
    for (name, text) in [
        ("nan.csv", "id,subset,score_chosen,score_rejected\n1,hep-go,1,0\n2,hep-go,nan,0\n"),
        ("half.jsonl", "{\"id\":1,\"subset\":\"hep-go\",\"score_chosen\":1.0,\"score_rejected\":null}\n"),
        ("nothing.jsonl", "{\"id\":1,\"subset\":\"hep-go\",\"text_chosen\":\"a\"}\n"),
        ("unknown.csv", "id,subset,results\n1,hep-go,1\n2,hep-goo,1\n"),
        ("foreign.csv", "id,subset,results\n1,apples,1\n2,pears,1\n"),
        ("twice.csv", "id,subset,results\n1,hep-go,1\n1,hep-cpp,1\n1,hep-go,0\n"),
        ("tie.csv", "id,subset,results\n1,hep-go,0.5\n"),
        ("range.csv", "id,subset,results\n1,hep-go,7\n"),
        ("ties.csv", "id,subset,scores,num_correct\ntied:0,Ties,\"[1, 2]\",2\n"),
        ("id.csv", "id,subset,scores,num_correct\n12,Ties,\"[1, 2]\",1\n"),
        ("results.csv", "id,subset,results\nref:0,Ties,1\n"),
        ("pair.csv", "id,subset,score_chosen,score_rejected\n1,Math,1,2\n"),
        ("four.jsonl", "{\"id\":1,\"subset\":\"hep-go\",\"scores\":[1,2,3,4]}\n"),
        ("lengths.json", "{\n\"subset\": [\"hep-go\", \"hep-go\"],\n\"results\": [1]\n}\n"),
        ("broken.json", "{\n\"subset\": [\"hep-go\"],\n\"scores_chosen\": [NaN]\n}\n"),
        ("other.csv", "name,value\na,1\n"),
    ] {
        let path = folder.write(name, text);
        all += &format!("{}\n", folder.hide(&score_of(&[&path]).unwrap_err()));
    }
    let path = folder.write("good.csv", "id,subset,results\n1,hep-go,1\n2,hep-go,0\n");
    all += &format!("{}\n", folder.hide(&score_of(&[&path, "--subset-column", "kind"]).unwrap_err()));
    let table = folder.write("table.toml", "[[section]]\nname = \"a\"\nweights = 2\nsubsets = []\n");
    all += &format!("{}\n", folder.hide(&score_of(&[&path, "--sections", &table]).unwrap_err()));
    all += &format!("{}\n", said(&["run", "--model", "fake1", "--scorer", "dpo"]).unwrap_err());
    all += &format!("{}\n", said(&["run", "--model", "fake1", "--verdicts", "yes"]).unwrap_err());
    insta::assert_snapshot!(all);
}

#[test]
fn the_version_is_that_of_the_benchmark() {
    let folder = Folder::new();
    let path = folder.write("math.csv", "subset,scores\nMath,\"[1, 0]\"\nMath,\"[0, 1]\"\nMath,\"[2, 1]\"\n");
    // Through the whole command line, where `--version` is also the flag that shows the program's own.
    let line = ["superalign", "reward-bench", "score", &path, "--version", "v1"];
    assert!(crate::cli::Cli::try_parse_from(line).is_ok());
    let refused = score_of(&[&path, "--version", "v1"]).unwrap_err();
    assert!(refused.contains("expected a subset of RewardBench 1"), "{refused}");
    assert!(score_of(&[&path]).unwrap().starts_with("RewardBench 2"));
}

#[test]
fn sections_of_ones_own() {
    let folder = Folder::new();
    let path =
        folder.write("mine.csv", "kind,results,prompt\na,1,x\na,0,y\na,1,x\nb,1,z\nb,0,u\nc,1,v\nc,0,w\n");
    let table = folder.write(
        "mine.toml",
        "[[section]]\nname = \"one\"\nweight = 3\nsubsets = [\"a\", { name = \"b\", weight = 30 }]\n\
         [[section]]\nname = \"two\"\nsubsets = [\"c\"]\n",
    );
    let found = found(&["score", &path, "--subset-column", "kind", "--sections", &table, "--draws", "0"]);
    let sums = &found["models"][0];
    let one = (2.0 + 15.0) / 33.0;
    assert!((sums["sections"][0]["value"].as_f64().unwrap() - one).abs() < 1e-12);
    assert!((sums["overall"]["value"].as_f64().unwrap() - (3.0 * one + 0.5) / 4.0).abs() < 1e-12);
    // Two of the items of `a` share a prompt.
    let methods: Vec<&str> =
        sums["subsets"].as_array().unwrap().iter().map(|row| row["interval"].as_str().unwrap()).collect();
    assert_eq!(methods, ["clustered", "Wilson", "Wilson"]);
}

#[test]
fn the_worlds_preferences_are_written_and_read_back() {
    let folder = Folder::new();
    let set = World::new(Seed::new(3)).preference_set(Part::Test, 8);
    for name in ["set.jsonl", "set.parquet"] {
        let path = folder.path(name);
        super::write_preferences(&path, &set).unwrap();
        let loaded = load(&path, None).unwrap();
        assert_eq!(loaded.format, Format::RewardBench);
        let Content::Preferences(read) = loaded.content else { panic!("these are preferences") };
        for (read, written) in read.iter().zip(&set) {
            let told = |one: &superalign_data::item::Preference| {
                (one.id.clone(), one.prompt.clone(), one.chosen.clone(), one.tags.family.clone())
            };
            assert_eq!(told(read), told(written));
        }
        let items = load_benchmark(&path).unwrap();
        assert_eq!(items.len(), 8 * Subset::ALL.len());
        assert_eq!(items[9].answers, [set[9].chosen.clone(), set[9].rejected.clone()]);
        // Whoever has no opinion has half of the credits by one rule, and none by the other.
        let arguments =
            ["run", "--model", "fake0", "--scorer", "likelihood", "--data", path.to_str().unwrap()];
        let sums = &found(&arguments)["models"][0];
        assert_eq!(sums["overall"]["value"], 0.0);
    }
}

#[test]
fn models_that_know_the_world_have_all_of_it_by_every_scorer() {
    let folder = Folder::new();
    let dump = folder.path("said.parquet").display().to_string();
    let scorers = "likelihood,likelihood-per-token,dpo,probe,verdict";
    let arguments = [
        "run",
        "--model",
        "fake20",
        "--model",
        "fake-20",
        "--reference",
        "fake5",
        "--scorer",
        scorers,
        "--per-subset",
        "20",
        "--draws",
        "50",
        "-o",
        &dump,
    ];
    let told = found(&arguments);
    let models = told["models"].as_array().unwrap();
    assert_eq!(models.len(), 10);
    for model in models {
        let name = model["model"].as_str().unwrap();
        // The second has it all upside down, but a probe can learn that.
        let expected = f64::from(u8::from(name.starts_with("fake20") || name.ends_with("probe")));
        assert_eq!(model["overall"]["value"], expected, "{name}");
    }
    // What was written is summed up to the same numbers, from Parquet and from JSONL.
    let again = found(&["score", &dump, "--draws", "50"]);
    assert_eq!(again["models"], told["models"]);
    let lines = folder.path("said.jsonl").display().to_string();
    let arguments: Vec<&str> =
        arguments.iter().map(|&one| if one == dump { lines.as_str() } else { one }).collect();
    said(&arguments).unwrap();
    assert_eq!(found(&["score", &lines, "--draws", "50"])["models"], told["models"]);
}

/// What the command prints with real models, on the runtime that is built in.
fn said_by_real(arguments: &[&str]) -> Result<String, String> {
    let line = Line::try_parse_from(["reward-bench", "run"].iter().chain(arguments)).unwrap();
    let RewardBenchCommand::Run(args) = &line.command else { panic!("it is run") };
    let mut open = |folder: &Path| -> Result<Box<dyn Model>, Failure> {
        let runtime = crate::cli::runtime::start(Some(RuntimeChoice::Tract))?;
        Ok(Box::new(OnnxModel::open(folder, runtime, &OpenOptions::default()).unwrap()))
    };
    let mut out = Vec::new();
    match run_with(args, &mut open, &Progress::silent(), &AtomicBool::new(false), &mut out) {
        Ok(()) => Ok(String::from_utf8(out).unwrap()),
        Err(Failure::Usage(message) | Failure::Failed(message)) => Err(message),
        Err(failure) => panic!("{failure:?}"),
    }
}

#[test]
fn a_reward_model_scores_answers_of_both_versions() {
    let folder = Folder::new();
    let model = reward_model(&folder);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../superalign-inference/tests/golden");
    let heads: Value =
        serde_json::from_str(&std::fs::read_to_string(golden.join("heads.json")).unwrap()).unwrap();
    let chats = heads["reward"]["chats"].as_array().unwrap();
    let expected = |prompt: &str, response: &str| {
        let found = chats.iter().find(|chat| chat["prompt"] == prompt && chat["response"] == response);
        found.unwrap()["score"].as_f64().unwrap()
    };
    let near =
        |found: &Value, wanted: f64| (found.as_f64().unwrap() - wanted).abs() < 5e-5 * wanted.abs().max(1.0);

    // Version 1: the second row's chosen answer has the lower score.
    let first = folder.write(
        "first.csv",
        "id,subset,prompt,chosen,rejected\n1,hep-go,biba has many tilu,right .,wrong .\n2,hep-go,vipi,3 4 5,do not\n",
    );
    let dump = folder.path("said.jsonl").display().to_string();
    let arguments =
        ["--model", &model, "--scorer", "reward", "--data", &first, "--partial", "--draws", "0", "--json"];
    let told: Value =
        serde_json::from_str(&said_by_real(&[&arguments[..], &["-o", &dump]].concat()).unwrap()).unwrap();
    assert_eq!(told["models"][0]["model"], "reward reward");
    assert_eq!(told["models"][0]["overall"]["value"], 0.5);
    let rows: Vec<Value> = std::fs::read_to_string(&dump)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for (row, prompt) in rows.iter().zip(["biba has many tilu", "vipi"]) {
        for side in ["chosen", "rejected"] {
            let wanted = expected(prompt, row[side].as_str().unwrap());
            assert!(near(&row[format!("score_{side}")], wanted), "{row} {wanted}");
        }
    }
    assert_eq!(found(&["score", &dump, "--partial", "--draws", "0"])["models"], told["models"]);

    // Version 2: the best of four, by the same scores.
    let second = folder.write(
        "second.jsonl",
        "{\"id\": \"1\", \"subset\": \"Math\", \"prompt\": \"vipi\", \"chosen\": [\"do not\"], \"rejected\": [\"3 4 5\", \"right .\", \"wrong .\"]}\n",
    );
    let arguments =
        ["--model", &model, "--scorer", "reward", "--data", &second, "--partial", "--draws", "0", "--json"];
    let told: Value = serde_json::from_str(&said_by_real(&arguments).unwrap()).unwrap();
    assert_eq!(
        (&told["benchmark"], &told["models"][0]["overall"]["value"]),
        (&json!("RewardBench 2"), &json!(1.0))
    );

    // A model without a head, one with several scores, and a label that is none of them.
    let cross = golden.join("cross").display().to_string();
    let rung = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/ladder/rung-0").display().to_string();
    let data = ["--scorer", "reward", "--data", &first, "--partial", "--draws", "0"];
    let said = |model: &str, more: &[&str]| said_by_real(&[&["--model", model], &data[..], more].concat());
    insta::assert_snapshot!(
        [
            said(&rung, &[]).unwrap_err(),
            said(&cross, &[]).unwrap_err(),
            said(&cross, &["--label", "good"]).unwrap_err(),
            said(&cross, &["--as", "chat", "--label", "same"]).unwrap_err(),
        ]
        .join("\n")
    );
    assert!(said(&cross, &["--as", "pair", "--label", "same"]).is_ok());
}

#[test]
fn stopping_is_no_error_and_writes_nothing() {
    let folder = Folder::new();
    let out = folder.path("said.jsonl").display().to_string();
    let line = Line::try_parse_from(["reward-bench", "run", "--model", "fake1", "-o", &out]).unwrap();
    let RewardBenchCommand::Run(args) = &line.command else { panic!("it is run") };
    let mut open = |folder: &Path| -> Result<Box<dyn Model>, Failure> { Ok(Box::new(Fake::new(folder))) };
    let stopped = run_with(args, &mut open, &Progress::silent(), &AtomicBool::new(true), &mut Vec::new());
    assert!(matches!(stopped, Err(Failure::Stopped)));
    assert!(!folder.path("said.jsonl").exists());
}
