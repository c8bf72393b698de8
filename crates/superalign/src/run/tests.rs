//! Whole runs with a model that is none: its features hold the label, as far as its strength goes.

use super::*;
use crate::plan::{DataPlan, RungPlan, code_version, open_rungs};
use crate::spec::{Overrides, Profile, Spec};
use ndarray::Array2;
use std::sync::atomic::AtomicUsize;
use superalign_core::{ChoicePrompt, EmbedRequest, LogLikelihood, ModelCard, ModelError, Seed, rand::RngExt};
use superalign_data::item::{BinaryItem, Tags};

/// A model whose features are noise, plus the label in the first column.
#[derive(Debug)]
struct Fake {
    card: ModelCard,
    strength: f32,
    fails: bool,
    reads: Arc<AtomicUsize>,
}

use std::sync::Arc;

mod diversity;
mod evaluation;
mod files;
mod sandwiching;
mod self_enhancement;
mod superalignment;

impl Fake {
    fn new(name: &str, width: usize, strength: f32, reads: &Arc<AtomicUsize>) -> Self {
        let card = ModelCard {
            name: name.into(),
            digest: format!("{name}-digest"),
            layers: 2,
            width,
            parameters: Some(1234),
            generates: true,
            runtime: "fake 1".into(),
        };
        Self { card, strength, fails: false, reads: Arc::clone(reads) }
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
        if self.fails {
            return Err(ModelError::Runtime {
                model: self.card.name.clone(),
                reason: "out of memory".into(),
            });
        }
        self.reads.fetch_add(texts.len(), Ordering::Relaxed);
        let mut features = Array2::zeros((texts.len(), self.card.width));
        for (mut row, text) in features.outer_iter_mut().zip(texts) {
            let mut rng = Seed::new(1).named(&self.card.name).named(text).rng();
            row.iter_mut().for_each(|x| *x = rng.random::<f32>() - 0.5);
            row[0] += if text.ends_with("yes") { self.strength } else { -self.strength };
        }
        if done(texts.len()) { Ok(features) } else { Err(ModelError::Stopped) }
    }

    fn choice_log_likelihoods(
        &mut self,
        prompts: &[ChoicePrompt],
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<Vec<LogLikelihood>>, ModelError> {
        let said = if prompts.iter().any(|prompt| prompt.prefix.contains(sandwiching::ASKED)) {
            if self.fails {
                return Err(self.lacks("out of memory"));
            }
            self.reads.fetch_add(prompts.len(), Ordering::Relaxed);
            sandwiching::likelihoods(&self.card.name, self.strength, prompts)
        } else {
            evaluation::likelihoods(&self.card.name, self.strength, prompts)
        };
        if done(prompts.len()) { Ok(said) } else { Err(ModelError::Stopped) }
    }

    fn token_counts(&self, texts: &[&str]) -> Result<Vec<usize>, ModelError> {
        Ok(texts.iter().map(|text| text.split_whitespace().count()).collect())
    }
}

fn part(name: &'static str, pairs: usize) -> Part {
    let items = (0..2 * pairs).map(|i| BinaryItem {
        id: format!("{name}-{i}"),
        group: format!("{name}-{}", i / 2),
        text: format!("{name} {i} {}", if i % 2 == 0 { "yes" } else { "no" }),
        label: i % 2 == 0,
        tags: Tags {
            family: if i % 4 < 2 { "chain" } else { "lookup" }.into(),
            difficulty: Some(1 + (i / 4 % 2) as u8),
            ..Tags::default()
        },
    });
    Part { name, role: "plays its part", items: items.collect(), prompts: Vec::new(), cases: Vec::new() }
}

const NOISE: &str = r#"
name = "noise"
question = "How much noise?"
paradigm = "noise-capacity"
seeds = 2
bootstrap.draws = 200
grid.ratio = [0.0, 0.3, 0.5, 1.0]
grid.noise = ["uniform", "class-conditional", "instance-dependent", "teacher-made"]
grid.student = ["probe", "trunk"]
learner.trunk = { rank = 4, steps = 60 }
"#;

const WEAK: &str = r#"
name = "weak"
question = "Can it be surpassed?"
paradigm = "weak-to-strong"
seeds = 2
bootstrap.draws = 200
"#;

/// As `WEAK`, with everything that can happen between labels and student.
const RECIPES: &str = r#"
name = "recipes"
question = "What helps?"
paradigm = "weak-to-strong"
seeds = 2
bootstrap.draws = 200
grid.loss = ["xent"]
grid.recipe = ["direct", "bootstrapped", "confidence-filter", "agreement-filter", "self-training", "zero-shot"]
"#;

const CALIBRATE: &str = r#"
name = "calibrate"
question = "Which gap gains most?"
paradigm = "gap-calibration"
seeds = 2
bootstrap.draws = 200
grid.share = [0.1, 0.2, 0.4, 0.6, 0.8]
"#;

const ANNEAL: &str = r#"
name = "anneal"
question = "In steps, or in one jump?"
paradigm = "gap-annealing"
seeds = 2
bootstrap.draws = 200
annealing = { rounds = 2, steps = 400 }
learner.trunk = { width = 16, learning-rate = 0.01 }
grid.policy = ["direct", "linear", "random"]
grid.plan = ["parallel", "alternating"]
grid.rank = [2, 4]
"#;

/// Every paradigm.
const ALL: [&str; 11] = [
    NOISE,
    WEAK,
    RECIPES,
    CALIBRATE,
    ANNEAL,
    diversity::DIVERSITY,
    evaluation::EVALUATION,
    evaluation::REWARD,
    sandwiching::SANDWICH,
    self_enhancement::ENHANCE,
    superalignment::TOGETHER,
];

fn prepared(text: &str, reads: &Arc<AtomicUsize>) -> (Plan, Material) {
    let path = Path::new("experiments/test.toml");
    // What several sources say is told from three rungs below the student on.
    let several =
        ["signal-diversity", "\"superalignment\""].iter().any(|name| text.contains(name)) || text == RECIPES;
    let rungs: &[&str] = if several { &["small", "middle", "other", "large"] } else { &["small", "large"] };
    let overrides = Overrides { models: rungs.iter().map(Into::into).collect(), ..Overrides::default() };
    let spec = Spec::parse(path, text.into(), Profile::Quick, &overrides).unwrap();
    // With 600 items a student of 40 features sees through the teacher's errors (0.84 ± 0.03 against
    // 0.65 ± 0.05, over draws of such features); with 120 it learns as many of its own (0.67 ± 0.05).
    let tasks = |name: &str| if name.starts_with("student") { 300 } else { 60 };
    let parts: Vec<Part> = spec
        .design
        .experiment()
        .parts()
        .iter()
        .map(|w| {
            let own = evaluation::part_of(&spec.design, w.name);
            let own = own.or_else(|| sandwiching::part_of(&spec.design, w.name));
            own.unwrap_or_else(|| part(w.name, tasks(w.name)))
        })
        .collect();
    let parts = self_enhancement::in_views(&spec.design, parts);
    let mut open = |path: &Path| -> Result<Box<dyn Model>, crate::plan::LadderError> {
        Ok(Box::new(match path.to_str() {
            Some("small") => Fake::new("small", 4, 0.15, reads),
            Some("middle") => Fake::new("middle", 6, 0.2, reads),
            Some("other") => Fake::new("other", 5, 0.2, reads),
            _ => Fake::new("large", 40, 0.6, reads),
        }))
    };
    let (models, rungs) = open_rungs(&spec.models, &mut open).unwrap();
    let plan = Plan::new(&spec, &parts, Vec::new(), &rungs);
    (plan, Material { parts, models, rungs })
}

/// The manifest of a run that was begun.
pub(crate) fn example() -> Manifest {
    Manifest {
        schema: Manifest::SCHEMA,
        status: Status::Started,
        failed: 0,
        unexpected: Vec::new(),
        plan: prepared(WEAK, &Arc::default()).0,
        command: "superalign run test".into(),
        host: Host::here(),
        started: 1,
        seconds: std::collections::BTreeMap::new(),
    }
}

/// A folder for runs and cache, and the options that use it.
struct Bench {
    folder: tempfile::TempDir,
    progress: Progress,
    stop: AtomicBool,
    reads: Arc<AtomicUsize>,
}

impl Bench {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            progress: Progress::silent(),
            stop: AtomicBool::new(false),
            reads: Arc::default(),
        }
    }

    fn runs(&self) -> PathBuf {
        self.folder.path().join("runs")
    }

    fn go(&self, text: &str, past: Past, how: How) -> Result<Outcome, RunError> {
        let (plan, mut material) = prepared(text, &self.reads);
        if how == How::FailingModel {
            let mut failing = Fake::new("large", 40, 0.6, &self.reads);
            failing.fails = true;
            material.models[1] = Box::new(failing);
        }
        let (runs, cache) = (self.runs(), self.folder.path().join("cache"));
        let options = Options {
            runs: &runs,
            cache: &cache,
            past,
            command: "superalign run test".into(),
            progress: &self.progress,
            stop: &self.stop,
        };
        if how == How::KeepingCells {
            carry_out(&plan, material, &options)
        } else {
            execute(&plan, material, &options)
        }
    }

    fn run(&self, text: &str) -> (PathBuf, Manifest, Vec<Row>) {
        match self.go(text, Past::Continue, How::Plainly).unwrap() {
            Outcome::Complete { folder, manifest, rows, .. } => (folder, *manifest, rows),
            Outcome::Stopped { .. } => panic!("stopped"),
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum How {
    Plainly,
    KeepingCells,
    FailingModel,
}

fn value(rows: &[Row], cell: &str, metric: &str) -> f64 {
    let row = rows.iter().find(|r| r.seed.is_none() && r.cell == cell && r.metric == metric);
    row.unwrap_or_else(|| panic!("no {cell} {metric}"))
        .value
        .unwrap_or_else(|| panic!("{cell} {metric} undefined"))
}

/// Cells of the grid, one for each seed.
fn cells(rows: &[Row]) -> usize {
    let cells: std::collections::BTreeSet<_> =
        rows.iter().filter_map(|r| Some((r.seed?, r.cell.as_str()))).collect();
    cells.len()
}

#[test]
fn noise_is_learnt_by_heart_by_the_wide_model_and_not_by_the_narrow_one() {
    let bench = Bench::new();
    let (folder, manifest, rows) = bench.run(NOISE);
    assert_eq!((manifest.failed, manifest.status), (0, Status::Complete));
    assert_eq!((cells(&rows), manifest.plan.cells()), (170, 170));
    for kind in ["uniform", "class-conditional", "instance-dependent", "teacher-made"] {
        let large = format!("model=large/student=probe/noise={kind}");
        assert!(value(&rows, &format!("{large}/ratio=0"), "test-accuracy") > 0.9);
        assert!(value(&rows, &format!("{large}/ratio=1"), "test-accuracy") < 0.1);
    }
    let capacity = |rung: &str| {
        value(&rows, &format!("model={rung}/student=probe/noise=uniform"), "noise-fitting-capacity")
    };
    assert!(capacity("large") > capacity("small") + 0.1, "{} {}", capacity("large"), capacity("small"));
    // At its own rate of error the reference's noise is its own labels, which it learns almost wholly.
    let (labels, own) =
        (value(&rows, "teacher", "label-accuracy"), "model=small/student=probe/noise=teacher-made/ratio=0.3");
    assert!((0.55..0.85).contains(&labels), "{labels}");
    assert!(value(&rows, own, "train-accuracy-noisy") > 0.8);
    for name in
        ["manifest.json", "journal.jsonl", "metrics.csv", "items.parquet", "texts.parquet", "report.html"]
    {
        assert!(folder.join(name).is_file(), "{name} is missing");
    }
    assert!(!folder.join("cells").exists());
}

#[test]
fn a_strong_student_surpasses_a_weak_teacher_and_a_missing_gap_is_a_reason() {
    let bench = Bench::new();
    let (_, manifest, rows) = bench.run(WEAK);
    assert_eq!(manifest.failed, 0, "{:?}", rows.iter().find(|r| r.error.is_some()));
    let cell = "teacher=small/student=large/loss=xent";
    assert!(value(&rows, cell, "gain") > 0.05);
    assert!(value(&rows, cell, "supervision-gap") > 0.1);
    assert!(value(&rows, cell, "pgr") > 0.2);
    let undefined =
        rows.iter().find(|r| r.cell == "teacher=large/student=large/loss=xent" && r.metric == "pgr");
    assert!(undefined.unwrap().error.is_some());
    assert!(rows.iter().any(|r| r.cell == "ceiling=large/family=chain/difficulty=1"));
    assert_eq!(cells(&rows), manifest.plan.cells());
}

#[test]
fn a_calibration_has_a_point_for_every_pair_and_says_what_follows_from_them() {
    let bench = Bench::new();
    let (folder, manifest, rows) = bench.run(CALIBRATE);
    assert_eq!((manifest.failed, cells(&rows)), (0, manifest.plan.cells()));
    for share in ["0.1", "0.8"] {
        let cell = format!("teacher=small/share={share}/student=large/loss=xent");
        assert!(value(&rows, &cell, "supervision-gap") > 0.1);
        let ends = value(&rows, "ceiling=large", "test-accuracy")
            - value(&rows, &format!("teacher=small/share={share}"), "test-accuracy");
        assert!((value(&rows, &cell, "supervision-gap") - ends).abs() < 1e-12);
    }
    let shapes = rows.iter().filter(|r| r.metric == "share-of-resamples-chosen").filter_map(|r| r.value);
    assert!((shapes.sum::<f64>() - 1.0).abs() < 1e-9);
    let optimum = rows.iter().find(|r| r.metric == "calibrated-gap").unwrap();
    assert!(
        optimum.value.is_some() != optimum.error.as_ref().is_some_and(|e| e.contains("no interior optimum"))
    );
    assert!(
        std::fs::read_to_string(folder.join("report.html"))
            .unwrap()
            .contains("Gain against the supervision gap")
    );
}

#[test]
fn paths_lead_from_the_supervisor_to_stronger_students() {
    let bench = Bench::new();
    let (folder, manifest, rows) = bench.run(ANNEAL);
    assert_eq!(manifest.failed, 0, "{:?}", rows.iter().find(|r| r.error.is_some()));
    assert_eq!(cells(&rows), manifest.plan.cells() + 2 * 2 * 5, "competence-only students beside the grid");
    let supervisor = value(&rows, "supervisor", "competence");
    for (policy, last) in [("direct", 1), ("linear", 2), ("random", 2)] {
        for plan in ["parallel", "alternating"] {
            let cell = format!("policy={policy}/plan={plan}/round={last}");
            if policy == "direct" {
                assert!(value(&rows, &cell, "competence") > supervisor + 0.05, "{cell}");
            }
            let joint = value(&rows, &cell, "competence") * value(&rows, &cell, "conformity");
            assert!((value(&rows, &cell, "joint-utility") - joint).abs() < 1e-12);
        }
    }
    assert!(value(&rows, "front=all", "hypervolume") > 0.0);
    let report = std::fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(report.contains("Where the paths end") && report.contains("large, rank"));
}

#[test]
fn a_rank_above_the_features_is_refused_before_anything_runs() {
    for (text, found) in [
        (ANNEAL.replace("[2, 4]", "[2, 5]"), "`rank` is out of range: 5"),
        (NOISE.replace("rank = 4", "rank = 5"), "`learner.trunk.rank` is out of range: 5"),
    ] {
        let (plan, _) = prepared(&text, &Arc::default());
        let why = plan.design.experiment().check(&plan).unwrap_err();
        assert!(why.contains(found) && why.contains("1 to 4, the number of features of small"), "{why}");
    }
}

/// Puts a run folder into the state in which a kill leaves it: the journal cut, nothing after it.
fn kill(whole: &Path, into: &Path, cut: usize) {
    std::fs::create_dir_all(into.join("cells")).unwrap();
    for entry in std::fs::read_dir(whole.join("cells")).unwrap().flatten() {
        std::fs::copy(entry.path(), into.join("cells").join(entry.file_name())).unwrap();
    }
    let journal = std::fs::read(whole.join("journal.jsonl")).unwrap();
    std::fs::write(into.join("journal.jsonl"), &journal[..cut.min(journal.len())]).unwrap();
    let mut manifest = Manifest::read(whole).unwrap().unwrap();
    manifest.status = Status::Started;
    manifest.write(into).unwrap();
}

#[test]
fn killed_at_any_moment_it_ends_with_the_same_bytes() {
    for text in ALL {
        let first = Bench::new();
        let Outcome::Complete { folder, .. } = first.go(text, Past::Continue, How::KeepingCells).unwrap()
        else {
            panic!("stopped");
        };
        let names = ["metrics.csv", "items.parquet", "texts.parquet"];
        let expected: Vec<Vec<u8>> = names.iter().map(|n| std::fs::read(folder.join(n)).unwrap()).collect();
        let length = std::fs::metadata(folder.join("journal.jsonl")).unwrap().len() as usize;
        for cut in [0, 1, length / 3, length / 2, length - 1, length] {
            let second = Bench::new();
            let into = second.runs().join(folder.file_name().unwrap());
            kill(&folder, &into, cut);
            if cut == length / 2 {
                // Torn item-level results count as not done.
                let cell = std::fs::read_dir(into.join("cells")).unwrap().flatten().next().unwrap().path();
                std::fs::write(cell, "torn").unwrap();
            }
            let (again, ..) = second.run(text);
            for (name, expected) in names.iter().zip(&expected) {
                assert!(
                    std::fs::read(again.join(name)).unwrap() == *expected,
                    "{name} differs, cut at {cut}"
                );
            }
        }
    }
}

#[test]
fn stopped_it_says_so_and_continues() {
    let bench = Bench::new();
    bench.stop.store(true, Ordering::Relaxed);
    match bench.go(WEAK, Past::Continue, How::Plainly).unwrap() {
        Outcome::Stopped { folder, done, .. } => {
            assert_eq!(done, 0);
            assert_eq!(Manifest::read(&folder).unwrap().unwrap().status, Status::Started);
            assert!(!folder.join("metrics.csv").exists());
        }
        Outcome::Complete { .. } => panic!("not stopped"),
    }
    bench.stop.store(false, Ordering::Relaxed);
    let (folder, ..) = bench.run(WEAK);
    let other = Bench::new();
    let (straight, ..) = other.run(WEAK);
    let read = |f: &Path| std::fs::read(f.join("metrics.csv")).unwrap();
    assert!(read(&folder) == read(&straight));
}

#[test]
fn what_is_complete_is_shown_and_not_computed_again() {
    let bench = Bench::new();
    let (_, _, rows) = bench.run(NOISE);
    let reads = bench.reads.load(Ordering::Relaxed);
    let Outcome::Complete { rows: again, before, .. } =
        bench.go(NOISE, Past::Continue, How::Plainly).unwrap()
    else {
        panic!("stopped");
    };
    assert!(before && again == rows);
    assert_eq!(bench.reads.load(Ordering::Relaxed), reads);
    let Outcome::Complete { rows: fresh, before, .. } = bench.go(NOISE, Past::Discard, How::Plainly).unwrap()
    else {
        panic!("stopped");
    };
    assert!(!before && fresh == rows);
    // The features of the fresh run come from the cache.
    assert_eq!(bench.reads.load(Ordering::Relaxed), reads);
}

#[test]
fn a_model_that_fails_fails_its_cells_and_no_others() {
    let bench = Bench::new();
    let Outcome::Complete { manifest, rows, folder, .. } =
        bench.go(WEAK, Past::Continue, How::FailingModel).unwrap()
    else {
        panic!("stopped");
    };
    assert!(manifest.failed > 0);
    let why = rows.iter().find(|r| r.cell == "ceiling=large" && r.seed == Some(1)).unwrap();
    assert_eq!(why.error.as_deref(), Some("model large: out of memory"));
    assert!(value(&rows, "ceiling=small", "test-accuracy") > 0.5);
    let page = std::fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(page.contains("out of memory") && page.contains("failed."));
}

#[test]
fn two_runs_in_one_folder_are_one_too_many() {
    let bench = Bench::new();
    let (plan, _) = prepared(NOISE, &bench.reads);
    let folder = bench.runs().join(plan.folder());
    std::fs::create_dir_all(&folder).unwrap();
    let _held = Lock::take(&folder).unwrap();
    let error = bench.go(NOISE, Past::Continue, How::Plainly).unwrap_err().to_string();
    assert!(error.contains("is being written by another process (process "), "{error}");
}

/// The values of an attribute, whatever its element.
fn attributes<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    page.split(&format!(" {name}=\"")).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// What makes a browser run code or load something else than the page. A namespace's name is no address.
fn fetched(page: &str) -> Vec<&'static str> {
    const SIGNS: [&str; 17] = [
        "<script", "<link", "<img", "<image", "<use", "<iframe", "<object", "<embed", "<base", "<audio",
        "<video", " src=", " srcset=", " onload=", "url(", "@import", "://",
    ];
    let page = page.replace(" xmlns=\"http://www.w3.org/2000/svg\"", "");
    SIGNS.into_iter().filter(|sign| page.contains(sign)).collect()
}

#[test]
fn what_would_be_fetched_is_found() {
    assert_eq!(
        fetched("<svg xmlns=\"http://www.w3.org/2000/svg\"/><meta http-equiv=\"x\">"),
        Vec::<&str>::new()
    );
    assert_eq!(fetched("<img src=\"https://a.b/c\">"), ["<img", " src=", "://"]);
    assert_eq!(fetched("<style>a { background: url(b.png) }</style>"), ["url("]);
}

#[test]
fn the_page_stands_alone() {
    let bench = Bench::new();
    for text in ALL {
        let (folder, mut manifest, rows) = bench.run(text);
        let page = std::fs::read_to_string(folder.join("report.html")).unwrap();
        assert_eq!(fetched(&page), Vec::<&str>::new());
        for link in attributes(&page, "href") {
            assert!(folder.join(link).is_file(), "the page links {link}, which the run has not written");
        }
        assert!(!page.contains("NaN") && !page.split(|c: char| !c.is_alphabetic()).any(|word| word == "inf"));
        let mut outline = String::new();
        for line in page.lines() {
            for tag in ["<h1>", "<h2>", "<li>", "<figcaption>", "<title>", "<caption>", "<summary>"] {
                if let Some(at) = line.find(tag) {
                    let end = line[at..].find("</").map_or(line.len(), |i| at + i);
                    outline += &format!("{}\n", &line[at..end]);
                }
            }
        }
        // Digits depend on the learner; the words do not.
        let mut settings = insta::Settings::clone_current();
        settings.add_filter(r"-?\+?\d+(\.\d+)?", "#");
        settings.bind(|| insta::assert_snapshot!(format!("outline_{}", manifest.plan.experiment), outline));
        // Derived from the folder alone, it comes out the same.
        assert_eq!(std::fs::read_to_string(rewrite_report(&folder).unwrap()).unwrap(), page);
        manifest.plan.title = "<b>".into();
        assert!(report::page(&manifest, &rows).contains("&lt;b&gt;"));
    }
}

#[test]
fn a_plan_is_shown_before_it_is_run() {
    let (plan, _) = prepared(WEAK, &Arc::default());
    let shown: Vec<String> = report::plan_tables(&plan).iter().map(report::terminal).collect();
    let shown = shown.join("\n").replace(&code_version(), "CODE").replace(&plan.hash8(), "HASH8");
    insta::assert_snapshot!(shown);
}

#[test]
fn the_name_of_a_run_changes_with_what_decides_its_numbers_and_with_nothing_else() {
    let (plan, _) = prepared(NOISE, &Arc::default());
    let hash = plan.hash8();
    let same = Plan { title: "other".into(), question: "other".into(), ..plan.clone() };
    assert_eq!(same.hash8(), hash);
    let mut others = Vec::new();
    others.push(Plan { seeds: vec![0], ..plan.clone() });
    others.push(Plan { code: "other".into(), ..plan.clone() });
    others.push(Plan { data: DataPlan { digest: "other".into(), ..plan.data.clone() }, ..plan.clone() });
    let mut rungs: Vec<RungPlan> = plan.rungs.clone();
    rungs[0].model.digest = "other".into();
    others.push(Plan { rungs, ..plan.clone() });
    assert!(others.iter().all(|p| p.hash8() != hash));
}
