//! Self-enhancement with models that are none: their features tell right from wrong better than their verdicts do.

use super::*;
use crate::experiment::self_enhancement as names;
use crate::record::ItemRow;
use crate::spec::Design;

pub(super) const ENHANCE: &str = r#"
name = "enhance"
question = "Better by itself?"
paradigm = "self-enhancement"
seeds = 2
bootstrap.draws = 200
data.views = 2
self-enhancement.rounds = 2
"#;

/// The parts with the other views of the labelled items, which the world would give; as they are for other designs.
pub(super) fn in_views(design: &Design, mut parts: Vec<Part>) -> Vec<Part> {
    let Design::SelfEnhancement(design) = design else { return parts };
    if design.views > 1 {
        let mut view = parts[0].clone();
        view.name = "student-view-1";
        view.items.iter_mut().for_each(|item| item.text = format!("again {}", item.text));
        parts.insert(1, view);
    }
    parts
}

/// A whole run, on labels that may have been changed.
fn run_with(bench: &Bench, text: &str, change: impl Fn(&mut Part)) -> (PathBuf, Manifest, Vec<Row>) {
    let (plan, mut material) = prepared(text, &bench.reads);
    material.parts.iter_mut().for_each(change);
    let (runs, cache) = (bench.runs(), bench.folder.path().join("cache"));
    let options = Options {
        runs: &runs,
        cache: &cache,
        past: Past::Continue,
        command: "superalign run test".into(),
        progress: &bench.progress,
        stop: &bench.stop,
    };
    match execute(&plan, material, &options).unwrap() {
        Outcome::Complete { folder, manifest, rows, .. } => (folder, *manifest, rows),
        Outcome::Stopped { .. } => panic!("stopped"),
    }
}

#[test]
fn a_rung_whose_features_know_more_than_its_verdicts_betters_itself() {
    let bench = Bench::new();
    let (folder, manifest, rows) = bench.run(ENHANCE);
    assert_eq!(manifest.failed, 0, "{:?}", rows.iter().find(|r| r.error.is_some()));
    let rounds: std::collections::BTreeSet<_> = rows
        .iter()
        .filter_map(|r| Some((r.seed?, r.cell.as_str())))
        .filter(|(_, cell)| cell.contains("round=") || cell.contains("plain") || cell.contains("ceiling"))
        .collect();
    assert_eq!((rounds.len(), manifest.plan.cells()), (2 * (4 + 16 * 3), 2 * (4 + 16 * 3)));
    for variant in ["alone", "gated", "held-out", "critique", "pairs", "peer/with=small"] {
        let cell = format!("model=large/variant={variant}");
        let round = |n: usize, metric: &str| value(&rows, &format!("{cell}/round={n}"), metric);
        let gain = value(&rows, &cell, names::GAIN);
        assert!((gain - (round(2, names::TEST) - round(0, names::TEST))).abs() < 1e-12);
        let labels = value(&rows, &cell, names::LABEL_GAIN);
        assert!((labels - (round(2, names::LABELS) - round(0, names::LABELS))).abs() < 1e-12);
        if !variant.starts_with("peer") {
            assert!(round(1, names::TEST) > 0.9 && labels > 0.0, "{variant}: {gain} {labels}");
        }
        let left = value(&rows, "ceiling=large", names::TEST) - round(2, names::TEST);
        assert!((value(&rows, &cell, names::LEFT) - left).abs() < 1e-12);
        assert_eq!(round(0, names::LABEL_COLLAPSE), 0.0);
        assert!(round(2, names::LABEL_ECE) >= 0.0 && round(2, names::TEST_ECE) <= 1.0);
    }
    // Nothing collapses: stopping and going on are the same.
    let gated = "model=large/variant=gated";
    assert_eq!((value(&rows, gated, names::STOPPED), value(&rows, gated, names::STOP_HELPS)), (0.0, 0.0));
    // 240 of 300 groups of two: two views, two criticisms of each, or a peer's two views.
    assert_eq!(value(&rows, gated, names::CALLS), 2.0 * 480.0);
    assert_eq!(value(&rows, "model=large/variant=critique", names::CALLS), 4.0 * 480.0);
    assert_eq!(value(&rows, "model=large/variant=peer/with=small", names::CALLS), 4.0 * 480.0);
    // What is compared is there.
    assert!(
        rows.iter().any(|r| r.cell == "model=large/variant=exchange/with=small" && r.metric == "over-gated")
    );
    assert!(
        std::fs::read_to_string(folder.join("report.html")).unwrap().contains("Accuracy by round, large")
    );
}

/// Signal, item, seed, part and the bits of the probability.
type Said = (String, String, u64, String, u64);

/// The truth about the labelled items must not reach the labels: with any other truth they are the same.
#[test]
fn other_gold_labels_change_the_ceilings_and_nothing_that_a_rung_says() {
    let said = |change: &dyn Fn(&mut Part)| -> Vec<Said> {
        let bench = Bench::new();
        let (folder, ..) = run_with(&bench, ENHANCE, change);
        let rows = crate::record::load_items(&folder.join("items.parquet")).unwrap();
        let of = |row: &ItemRow| {
            let (signal, item, part) = (row.signal.to_string(), row.item.to_string(), row.part.to_string());
            (signal, item, row.seed, part, row.probability.to_bits())
        };
        rows.iter().map(of).collect()
    };
    let flipped = said(&|part| {
        // The same labels in every view.
        for item in &mut part.items {
            item.label = Seed::new(9).named(&item.id).rng().random::<f64>() < 0.5;
        }
    });
    let plain = said(&|_| ());
    let split = |all: &[Said]| -> [Vec<Said>; 2] {
        let (ceilings, others) = all.iter().cloned().partition(|row| row.0.starts_with("ceiling="));
        [ceilings, others]
    };
    let ([ceilings, own], [other_ceilings, others]) = (split(&plain), split(&flipped));
    assert!(own.len() > 10_000 && own == others);
    assert_ne!(ceilings, other_ceilings, "the ceilings are trained on the truth");
}

#[test]
fn verdicts_that_lean_to_one_side_collapse_and_the_rule_says_when() {
    // Whatever the item, what is asked ends in `yes`, which these models hold for right.
    let text = format!(
        "{ENHANCE}self-enhancement.ask = \"{{text}}, yes\"\nself-enhancement.share = 0.25\n\
         grid.variant = [\"alone\", \"gated\", \"greedy\"]\n"
    );
    let bench = Bench::new();
    let (_, manifest, rows) = bench.run(&text);
    assert_eq!(manifest.failed, 0, "{:?}", rows.iter().find(|r| r.error.is_some()));
    let greedy = "model=large/variant=greedy";
    let at = |metric: &str| value(&rows, greedy, metric);
    // The surest labels are of one class: no student, at once and for good.
    assert_eq!(
        (at(names::STOPPED), at(names::REASONS[1]), at(names::CHOSEN), at(names::WITHOUT_STUDENT)),
        (1.0, 1.0, 0.0, 1.0)
    );
    assert_eq!(at(names::GAIN), 0.0, "the path stays where it is");
    let found = report::findings(&manifest.plan, &rows);
    assert!(
        found.sentences.iter().any(|s| s.contains("The stop rule fired") && s.contains("large greedy (100%")),
        "{:?}",
        found.sentences
    );
}

#[test]
fn a_file_has_one_view_and_a_model_that_fails_fails_its_own_paths() {
    let bench = Bench::new();
    let (_, manifest, rows) = bench.run(&ENHANCE.replace("views = 2", "views = 1"));
    let found = report::findings(&manifest.plan, &rows);
    assert!(found.sentences.last().unwrap().starts_with("Each item has one view"));
    let bench = Bench::new();
    let Outcome::Complete { rows, manifest, .. } =
        bench.go(ENHANCE, Past::Continue, How::FailingModel).unwrap()
    else {
        panic!("stopped");
    };
    assert!(manifest.failed > 0);
    for cell in ["ceiling=large", "model=large/variant=gated", "model=small/variant=peer/with=large"] {
        let why = rows.iter().find(|r| r.cell == cell && r.seed == Some(0)).unwrap();
        assert_eq!(why.error.as_deref(), Some("model large: out of memory"), "{cell}");
    }
    assert!(value(&rows, "model=small/variant=gated/round=1", names::TEST) > 0.4);
}

#[test]
fn the_worlds_items_come_in_views_and_conformity_is_refused() {
    let spec =
        |text: &str| Spec::parse(Path::new("e.toml"), text.into(), Profile::Quick, &Overrides::default());
    let text = ENHANCE.replace("views = 2", "views = 3") + "data.student = 120\ndata.test = 100\n";
    let (parts, _) = crate::plan::gather(&spec(&text).unwrap()).unwrap();
    let shape: Vec<_> = parts.iter().map(|part| (part.name, part.items.len())).collect();
    assert_eq!(shape, [("student", 120), ("student-view-1", 120), ("student-view-2", 120), ("test", 100)]);
    for view in &parts[1..3] {
        let mut other = 0;
        for (a, b) in parts[0].items.iter().zip(&view.items) {
            assert_eq!((&a.id, &a.group, a.label), (&b.id, &b.group, b.label));
            assert_eq!(a.text.rsplit(' ').next(), b.text.rsplit(' ').next(), "the candidate stays");
            other += usize::from(a.text != b.text);
        }
        assert!(other > 110, "{other} of 120");
    }
    let questions = spec(&text).unwrap().design.experiment().questions(&parts);
    let shape: Vec<_> = questions.iter().map(|(name, prompts)| (*name, prompts.len())).collect();
    insta::assert_snapshot!(format!("{shape:?}\n{}", questions[questions.len() - 1].1[0].prefix));
    let mistakes = [
        spec(&format!("{ENHANCE}self-enhancement.ask = \"Is it right?\"\n")).unwrap_err().to_string(),
        spec(&format!("{ENHANCE}stop.rarer = 0.6\n")).unwrap_err().to_string(),
        spec(&format!("{ENHANCE}grid.variant = [\"lonely\"]\n")).unwrap_err().to_string(),
    ];
    let (plan, _) = prepared(&format!("{ENHANCE}data.objective = \"conformity\"\n"), &Arc::default());
    let refused = plan.design.experiment().check(&plan).unwrap_err();
    insta::assert_snapshot!("mistakes_of_self_enhancement", mistakes.join("\n") + "\n" + &refused);
}

#[test]
fn sentences_and_tables_say_what_the_numbers_say() {
    let bench = Bench::new();
    let (_, manifest, rows) = bench.run(ENHANCE);
    let found = report::findings(&manifest.plan, &rows);
    let mut all = found.sentences.join("\n");
    for table in &found.tables {
        all += &format!("\n\n{} ({} rows)\n{}", table.caption, table.rows.len(), table.header.join(" | "));
    }
    all += &format!("\n\n{} figures", found.figures.len());
    // Digits depend on the learner; the words do not.
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"[+-]?\d+(\.\d+)?", "#");
    settings.bind(|| insta::assert_snapshot!("said_enhance", all));
    for svg in found.figures.iter().map(|(svg, _)| svg) {
        assert!(svg.starts_with("<svg") && !svg.contains("NaN"), "{svg}");
    }
}
