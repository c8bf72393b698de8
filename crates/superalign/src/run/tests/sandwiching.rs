//! Sandwiching with models that are none, and on the shipped ladder.

use super::*;
use crate::experiment::sandwiching::{
    ACCURACY, ADVANTAGE, BELOW, CALLS, GAIN, GAP, LABELS, LESS_ALONE, LESS_CONSULTANCY, TEST, TOKENS,
};
use crate::plan::Asked;
use crate::record::{ItemRow, TranscriptRow, load_items, read_transcripts};
use crate::spec::{DataSource, Design};
use superalign_core::{GenerateRequest, Message};
use superalign_data::world::{self, World};
use superalign_inference::{OnnxModel, OpenOptions, Runtime};
use superalign_paradigm::Signal;
use superalign_paradigm::sandwiching::{
    Case, Config, Form, Instruction, Marks, Prompts, Script, Speech, alone, consultancy, debate, full_context,
};

pub(super) const SANDWICH: &str = r#"
name = "sandwich"
question = "Can it be helped?"
paradigm = "sandwiching"
seeds = 2
bootstrap.draws = 200
"#;

/// What stands before the question in the world's prompts.
pub(super) const ASKED: &str = "ask ";

/// Questions of which the right answer is shown by a sentence, and the wrong one hinted at by another.
pub(super) fn part_of(design: &Design, name: &'static str) -> Option<Part> {
    let Design::Sandwiching(_) = design else { return None };
    let mut part = part(name, if name == "test" { 60 } else { 150 });
    for (pair, items) in part.items.chunks_mut(2).enumerate() {
        let mut rng = Seed::new(5).named(name).nth(pair as u64).rng();
        let word = |n: u64| format!("w{}", n % 1_000_000);
        let [right, wrong] = [rng.random::<u64>(), rng.random::<u64>()].map(word);
        let (right, wrong) = (format!("{right} yes"), format!("{wrong} no"));
        let context = format!("Hints {wrong}. Shows {right}. Says nothing.");
        for (item, answer) in items.iter_mut().zip([&right, &wrong]) {
            item.text = format!("{context} {ASKED}{pair} {answer}");
        }
        let both = [(2 * pair, right.as_str()), (2 * pair + 1, wrong.as_str())];
        part.cases.push(Asked::new(&items[0].group, &context, &pair.to_string(), both));
    }
    Some(part)
}

/// Likelihoods that are noise, plus much for what is shown and little for what is hinted at.
pub(super) fn likelihoods(model: &str, strength: f32, prompts: &[ChoicePrompt]) -> Vec<Vec<LogLikelihood>> {
    let one = |prompt: &ChoicePrompt, choice: &String| {
        let noise = Seed::new(2).named(model).named(&prompt.prefix).named(choice).rng().random::<f64>();
        let has = |word: &str| f64::from(u8::from(prompt.prefix.contains(&format!("{word}{choice}."))));
        let sum = f64::from(strength) * (8.0 * has("Shows") + 4.0 * has("Hints")) + noise - 9.0;
        LogLikelihood { sum, tokens: 2 }
    };
    prompts.iter().map(|prompt| prompt.choices.iter().map(|choice| one(prompt, choice)).collect()).collect()
}

#[test]
fn debate_helps_a_weak_judge_and_its_verdicts_train_a_student() {
    let bench = Bench::new();
    let (folder, manifest, rows) = bench.run(SANDWICH);
    assert_eq!(manifest.failed, 0, "{:?}", rows.iter().find(|r| r.error.is_some()));
    assert_eq!((cells(&rows), manifest.plan.cells()), (26, 26));
    let (solo, pair) = ("judge=small/protocol=alone", "judge=small/advisor=large/protocol=");
    let [consulted, debated] = ["consultancy", "debate"].map(|protocol| format!("{pair}{protocol}"));
    assert!((value(&rows, solo, ACCURACY) - 0.5).abs() < 0.15);
    assert!(value(&rows, &debated, ACCURACY) > value(&rows, &consulted, ACCURACY) + 0.1);
    assert!(value(&rows, &debated, LESS_ALONE) > 0.1 && value(&rows, &debated, LESS_CONSULTANCY) > 0.1);
    assert!(value(&rows, &debated, GAP) > 0.0);
    // A consultant is right about half of the time; what is more comes from its honesty.
    let advantage = value(&rows, &consulted, ADVANTAGE);
    assert!((value(&rows, &consulted, ACCURACY) - f64::midpoint(1.0, advantage)).abs() < 1e-12);
    let [naive, student] = [solo, debated.as_str()].map(|cell| format!("{cell}/student=large"));
    assert!(value(&rows, &student, GAIN) > 0.1);
    let gain = value(&rows, &student, TEST) - value(&rows, &naive, TEST);
    assert!((value(&rows, &student, GAIN) - gain).abs() < 1e-12);
    let below = value(&rows, "ceiling=large", TEST) - value(&rows, &student, TEST);
    assert!((value(&rows, &student, BELOW) - below).abs() < 1e-12);
    // Both items of a question are right or wrong together.
    assert!(value(&rows, &debated, LABELS) > 0.6);
    // Alone, a judge is asked once; the families are told apart.
    assert_eq!((value(&rows, solo, CALLS), value(&rows, solo, TOKENS)), (1.0, 6.0));
    assert!(rows.iter().any(|row| row.cell == format!("{debated}/family=chain") && row.metric == ACCURACY));
    // Everything that was said is there.
    let transcripts = read_transcripts(&folder.join("transcripts.jsonl")).unwrap();
    assert_eq!(transcripts.len(), 150 * 6);
    let one = transcripts.iter().find(|row| row.signal == debated).unwrap();
    assert_eq!((one.transcript.protocol.as_str(), one.transcript.turns.len()), ("debate", 6));
    assert!(one.transcript.turns.iter().all(|turn| !turn.prompt.is_empty()));
}

fn run_with(change: impl FnOnce(&mut Vec<Part>)) -> (tempfile::TempDir, PathBuf) {
    let bench = Bench::new();
    let (plan, mut material) = prepared(SANDWICH, &bench.reads);
    change(&mut material.parts);
    let (runs, cache) = (bench.runs(), bench.folder.path().join("cache"));
    let options = Options {
        runs: &runs,
        cache: &cache,
        past: Past::Continue,
        command: "superalign run test".into(),
        progress: &bench.progress,
        stop: &bench.stop,
    };
    let Outcome::Complete { folder, .. } = execute(&plan, material, &options).unwrap() else {
        panic!("stopped");
    };
    (bench.folder, folder)
}

#[test]
fn the_truth_about_what_is_labelled_reaches_no_label() {
    let labels = |folder: &Path| -> Vec<(String, String, u64, u64)> {
        let rows: Vec<ItemRow> = load_items(&folder.join("items.parquet")).unwrap();
        let signal =
            rows.into_iter().filter(|row| &*row.part == "student" && !row.signal.contains("student="));
        let own = |row: ItemRow| {
            (row.signal.to_string(), row.item.to_string(), row.seed, row.probability.to_bits())
        };
        signal.map(own).collect()
    };
    let (_kept, straight) = run_with(|_| ());
    let (_also, turned) = run_with(|parts| {
        for (at, items) in parts.iter_mut().flat_map(|part| part.items.chunks_mut(2)).enumerate() {
            if Seed::new(9).nth(at as u64).rng().random::<f64>() < 0.5 {
                items.iter_mut().for_each(|item| item.label = !item.label);
            }
        }
    });
    let found = labels(&straight);
    assert_eq!(found.len(), 300 * 6 * 2);
    assert!(found == labels(&turned), "labels differ");
    let read = |folder: &Path, name: &str| std::fs::read(folder.join(name)).unwrap();
    assert!(read(&straight, "transcripts.jsonl") == read(&turned, "transcripts.jsonl"));
    assert!(read(&straight, "metrics.csv") != read(&turned, "metrics.csv"), "the evaluation sees the truth");
}

#[test]
fn a_hearing_held_again_asks_nothing() {
    let bench = Bench::new();
    let (folder, ..) = bench.run(SANDWICH);
    let asked = bench.reads.load(Ordering::Relaxed);
    let read = |folder: &Path| std::fs::read(folder.join("transcripts.jsonl")).unwrap();
    let first = read(&folder);
    let Outcome::Complete { folder, before, .. } = bench.go(SANDWICH, Past::Discard, How::Plainly).unwrap()
    else {
        panic!("stopped");
    };
    assert!(!before && read(&folder) == first);
    assert_eq!(bench.reads.load(Ordering::Relaxed), asked);
}

#[test]
fn a_model_that_fails_is_the_reason_for_the_hearings_that_it_was_part_of() {
    let bench = Bench::new();
    let Outcome::Complete { rows, folder, .. } =
        bench.go(SANDWICH, Past::Continue, How::FailingModel).unwrap()
    else {
        panic!("stopped");
    };
    let why = |cell: &str| rows.iter().find(|r| r.cell == cell && r.seed == Some(0)).unwrap().error.clone();
    assert_eq!(
        why("judge=small/advisor=large/protocol=debate").as_deref(),
        Some("model large: out of memory")
    );
    assert!(value(&rows, "judge=small/protocol=full-context", ACCURACY) > 0.5);
    assert!(folder.join("report.html").is_file());
}

#[test]
fn the_worlds_questions_are_its_items_and_their_order_says_nothing() {
    let spec =
        Spec::parse(Path::new("s.toml"), SANDWICH.into(), Profile::Quick, &Overrides::default()).unwrap();
    let (parts, _) = crate::plan::gather(&spec).unwrap();
    assert_eq!(
        parts.iter().map(|part| (part.name, part.items.len())).collect::<Vec<_>>(),
        [("student", 600), ("test", 600)]
    );
    for part in &parts {
        let mut first_is_right = 0;
        for asked in &part.cases {
            for (place, answer) in asked.items.iter().zip(&asked.case.answers) {
                let item = &part.items[*place];
                let context = asked.case.context.join(" ");
                assert_eq!(item.text, format!("{context} ask {} {answer}", asked.case.question));
                assert_eq!(item.group, asked.case.item);
            }
            first_is_right += usize::from(part.items[asked.items[0]].label);
        }
        assert_eq!(part.cases.len(), 300);
        assert!((110..190).contains(&first_is_right), "{first_is_right}");
    }
}

#[test]
fn questions_of_a_file_are_those_of_its_tasks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tasks.jsonl");
    let line = |n: usize| {
        format!(
            "{{\"id\":\"q{n}\",\"context\":\"Ada saw {n} owls. Bo saw none.\",\"question\":\"Who saw {n}?\",\
             \"choices\":[\"Bo\",\"Ada\",\"Cy\"],\"gold\":1}}\n"
        )
    };
    std::fs::write(&path, (0..200).map(line).collect::<String>()).unwrap();
    let overrides = Overrides { data: Some(path), ..Overrides::default() };
    let spec = Spec::parse(Path::new("s.toml"), SANDWICH.into(), Profile::Quick, &overrides).unwrap();
    assert!(matches!(spec.data.source, DataSource::File(_)));
    let (parts, _) = crate::plan::gather(&spec).unwrap();
    for part in &parts {
        assert_eq!(2 * part.cases.len(), part.items.len());
        for asked in &part.cases {
            assert_eq!(asked.case.context.len(), 2);
            let right: Vec<&str> = asked
                .items
                .iter()
                .zip(&asked.case.answers)
                .filter(|(place, _)| part.items[**place].label)
                .map(|(_, answer)| answer.as_str())
                .collect();
            assert_eq!(right, ["Ada"]);
            assert!(asked.case.answers[0] < asked.case.answers[1]);
        }
    }
}

#[test]
fn another_prompt_is_another_run() {
    let (plan, _) = prepared(SANDWICH, &Arc::default());
    let mut other = plan.clone();
    let Design::Sandwiching(design) = &mut other.design else { panic!("another design") };
    design.prompts.judge.prompt += " ";
    assert_ne!(plan.hash8(), other.hash8());
}

#[test]
fn what_the_prompts_lack_is_said_before_anything_runs() {
    let said = |more: &str| {
        let text = format!("{SANDWICH}{more}");
        let spec = Spec::parse(Path::new("s.toml"), text, Profile::Quick, &Overrides::default());
        spec.unwrap_err().to_string()
    };
    insta::assert_snapshot!(
        [
            said("hearing.speech = \"arguments\"\n"),
            said("hearing.turn = 2\n"),
            said("data.family = [\"counting\"]\n"),
            said("prompts = \"no/such.toml\"\n"),
        ]
        .join("\n\n")
    );
}

#[test]
fn what_hearings_cannot_be_about_is_refused() {
    let (mut plan, _) = prepared(SANDWICH, &Arc::default());
    let experiment = |plan: &Plan| plan.design.experiment().check(plan);
    assert_eq!(experiment(&plan), Ok(()));
    plan.data.objective = superalign_data::item::Objective::Conformity;
    let conformity = experiment(&plan).unwrap_err();
    plan.data.objective = superalign_data::item::Objective::Competence;
    plan.rungs.truncate(1);
    insta::assert_snapshot!([conformity, experiment(&plan).unwrap_err()].join("\n"), @r#"
    `data.objective` is conformity
     help: hearings are about questions of which one answer is right: set it to "competence"
    a judge and an advisor are two models, and there is 1
     help: name a weaker and a stronger one with --model, or a ladder of two rungs and more
    "#);
}

fn ladder(rung: usize) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../models/ladder/rung-{rung}"))
}

fn opened(folder: &Path) -> OnnxModel {
    let runtime = Runtime::from_env().expect("a runtime");
    OnnxModel::open(folder, runtime, &OpenOptions::default()).expect("a rung")
}

/// Look-ups of the test part, and how often their first answer is the right one.
fn lookups(n: u64) -> (Vec<Case>, Vec<bool>) {
    let world = World::new(Seed::new(1));
    let one = |index: u64| {
        let task = world.task(world::Part::Test, world::Family::Lookup, 3, index);
        let wrong = (task.gold + 1) % task.choices.len();
        let both = [(0, task.choices[task.gold].as_str()), (1, task.choices[wrong].as_str())];
        let asked = Asked::new(&task.id, &task.context, &task.question, both);
        (asked.case, asked.items[0] == 0)
    };
    (0..n).map(one).unzip()
}

fn right(signal: &Signal, truth: &[bool]) -> usize {
    signal.labels().iter().zip(truth).filter(|(label, truth)| (**label >= 0.5) == **truth).count()
}

#[test]
fn on_the_shipped_ladder_a_debate_decides_what_a_judge_alone_cannot() {
    let (mut judge, mut advisor) = (opened(&ladder(1)), opened(&ladder(3)));
    let (cases, truth) = lookups(60);
    let script = Script::new(&Prompts::world()).unwrap();
    let (config, seed) = (Config::default(), Seed::new(1));
    let naive = alone(&mut judge, &cases, &script, &config, seed, &mut |_| true).unwrap();
    let whole = full_context(&mut judge, &cases, &script, &config, seed, &mut |_| true).unwrap();
    let debated = debate(&mut judge, &mut advisor, &cases, &script, &config, seed, &mut |_| true).unwrap();
    let [naive, whole, right_by_debate] =
        [&naive, &whole, &debated].map(|found| right(&found.signal, &truth));
    assert!((18..=42).contains(&naive), "{naive} of 60");
    assert!(whole >= 50 && right_by_debate >= 50, "{whole} {right_by_debate} of 60");
    assert!(debated.transcripts.iter().flat_map(|t| &t.turns).flat_map(|t| &t.quotes).all(|q| q.verified));
    let cost = debated.signal.cost();
    assert!(cost.tokens_read > cost.calls && cost.tokens_written == 0);
}

#[test]
fn a_chat_template_leads_to_the_same_hearings_and_models_write() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("chatting");
    std::fs::create_dir(&copy).unwrap();
    for entry in std::fs::read_dir(ladder(1)).unwrap().flatten() {
        std::fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    let (cases, _) = lookups(6);
    let plain = Prompts::world();
    let mut prompts = Prompts { form: Form::Chat, ..plain.clone() };
    let (config, seed) = (Config::default(), Seed::new(1));
    let said = |model: &mut OnnxModel, prompts: &Prompts, config: &Config| {
        let script = Script::new(prompts).unwrap();
        let mut advisor = opened(&copy);
        consultancy(model, &mut advisor, &cases, &script, config, seed, &mut |_| true)
    };
    let error = said(&mut opened(&copy), &prompts, &config).unwrap_err().to_string();
    assert!(error.contains("model chatting: its folder has no chat template"), "{error}");
    // The template writes the token that the tokenizer puts in front, which is then not put there again.
    let template = "<bos>{% for message in messages %}{{ message.content }}{% endfor %}";
    std::fs::write(copy.join("chat_template.jinja"), template).unwrap();
    let mut model = opened(&copy);
    let message = Message { role: "user".into(), content: "ask many".into() };
    assert_eq!(model.chat(&[message]).unwrap(), "<bos>ask many");
    assert_eq!(model.token_counts(&["<bos>ask many", "ask many"]).unwrap(), [3, 3]);
    let chatted = said(&mut model, &prompts, &config).unwrap();
    let plainly = said(&mut model, &plain, &config).unwrap();
    assert_eq!(chatted.signal.votes(), plainly.signal.votes());
    assert_eq!(chatted.signal.cost(), plainly.signal.cost());
    // Advisors that write: the same texts for the same seed, their quotes checked.
    let told = "{% for sentence in context %}{{ sentence }} {% endfor %}";
    prompts.advisor =
        Some(Instruction { system: None, prompt: format!("{told}ask {{{{ question }}}} {{{{ answer }}}}") });
    prompts.marks = Marks { open: "<<".into(), close: ">>".into(), unverified: " not".into() };
    let writing = Config { speech: Speech::Arguments { max_tokens: 6, temperature: 1.0 }, ..config };
    let written = said(&mut model, &prompts, &writing).unwrap();
    assert!(written.signal.cost().tokens_written > 0);
    assert!(written.transcripts.iter().any(|t| t.turns.iter().any(|turn| turn.role.starts_with("advisor"))));
    assert_eq!(written, said(&mut opened(&copy), &prompts, &writing).unwrap());
    let request = GenerateRequest {
        max_tokens: 4,
        samples: 2,
        temperature: 0.0,
        top_p: None,
        stop: vec![".".into()],
        seed,
    };
    let texts =
        model.generate(&["<bos>ask many".into(), "ask many".into()], &request, &mut |_| true).unwrap();
    assert_eq!(texts[0], texts[1]);
    assert_eq!(texts[0].len(), 2);
}

#[test]
fn a_damaged_line_of_transcripts_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("transcripts.jsonl");
    assert_eq!(read_transcripts(&path).unwrap(), Vec::<TranscriptRow>::new());
    std::fs::write(&path, "{}\n").unwrap();
    let error = read_transcripts(&path).unwrap_err().to_string();
    assert!(error.contains("transcripts.jsonl:1: missing field"), "{error}");
}
