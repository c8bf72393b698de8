//! Every kind of mistake, as its author sees it.

use super::{Design, Overrides, Profile, Spec, SpecError};
use std::path::Path;

const GOOD: &str = r#"name = "noise"
question = "How much noise can a model learn by heart?"
paradigm = "noise-capacity"
seeds = 2

[data]
train = 800

[learner]
inverse-penalty = 0.01

[grid]
ratio = [0.5, 0.0]

[profile.full]
seeds = [5, 6, 7]
data.train = 4000
"#;

fn parse(text: &str, profile: Profile) -> Result<Spec, SpecError> {
    Spec::parse(Path::new("experiments/noise.toml"), text.to_owned(), profile, &Overrides::default())
}

fn mistake(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "the good spec lacks {from}");
    parse(&GOOD.replacen(from, to, 1), Profile::Quick).unwrap_err().to_string()
}

#[test]
fn a_profile_lies_over_the_rest() {
    let (quick, full) = (parse(GOOD, Profile::Quick).unwrap(), parse(GOOD, Profile::Full).unwrap());
    assert_eq!((quick.seeds, full.seeds), (vec![0, 1], vec![5, 6, 7]));
    let (Design::NoiseCapacity(q), Design::NoiseCapacity(f)) = (quick.design, full.design) else {
        panic!("another design");
    };
    assert_eq!((q.train, f.train, f.test), (800, 4000, 1000));
    assert_eq!(q.ratio, [0.0, 0.5]);
    assert_eq!(full.learner.inverse_penalty, 0.01);
}

#[test]
fn the_command_line_lies_over_the_profile_and_silences_the_expectations() {
    let text = format!("{GOOD}\n[expect]\ncells = 4\n");
    let path = Path::new("noise.toml");
    let plain = Spec::parse(path, text.clone(), Profile::Quick, &Overrides::default()).unwrap();
    assert_eq!(plain.expect.cells, Some(4));
    let overrides = Overrides { seeds: Some(1), ..Overrides::default() };
    let other = Spec::parse(path, text, Profile::Quick, &overrides).unwrap();
    assert_eq!((other.seeds, other.expect.cells), (vec![0], None));
}

#[test]
fn mistakes_name_place_and_remedy() {
    insta::assert_snapshot!("unknown_key", mistake("inverse-penalty", "inverse-pentaly"));
    insta::assert_snapshot!("unknown_top_key", mistake("seeds = 2", "sedes = 2"));
    insta::assert_snapshot!("unknown_key_in_a_profile", mistake("data.train = 4000", "data.trian = 4000"));
    insta::assert_snapshot!("unknown_profile", mistake("[profile.full]", "[profile.fast]"));
    insta::assert_snapshot!("out_of_range", mistake("0.01", "-1.5"));
    insta::assert_snapshot!("ratio_out_of_range", mistake("[0.5, 0.0]", "[0.5, 1.2]"));
    insta::assert_snapshot!("ratio_twice", mistake("[0.5, 0.0]", "[0.5, 0.5]"));
    insta::assert_snapshot!("unknown_name", mistake("noise-capacity", "noise-capcity"));
    insta::assert_snapshot!("wrong_type", mistake("train = 800", "train = \"800\""));
    insta::assert_snapshot!(
        "missing_key",
        mistake("question = \"How much noise can a model learn by heart?\"\n", "")
    );
    insta::assert_snapshot!("not_toml", mistake("[learner]", "[learner"));
    insta::assert_snapshot!("bad_name", mistake("\"noise\"", "\"Noise run\""));
    insta::assert_snapshot!("another_designs_key", mistake("train = 800", "student = 800"));
    insta::assert_snapshot!("missing_file", {
        Spec::read(Path::new("no/such.toml"), Profile::Quick, &Overrides::default()).unwrap_err().to_string()
    });
}

#[test]
fn mistakes_in_a_grid_name_what_there_is() {
    let weak = |line: &str| {
        let text = format!("name = \"weak\"\nquestion = \"?\"\nparadigm = \"weak-to-strong\"\n{line}\n");
        parse(&text, Profile::Quick).unwrap_err().to_string()
    };
    insta::assert_snapshot!("unknown_loss", weak("grid.loss = [\"xent\", \"log-conf\"]"));
    insta::assert_snapshot!("a_teacher_without_labels", weak("data.teacher = 0"));
    insta::assert_snapshot!("shares_without_the_whole", mistake("ratio = [0.5, 0.0]", "share = [0.25, 0.5]"));
}

#[test]
fn mistakes_in_evaluation_and_reward_bench_name_place_and_remedy() {
    let refused = |paradigm: &str, rest: &str| {
        let text = format!("name = \"e\"\nquestion = \"?\"\nparadigm = \"{paradigm}\"\n{rest}\n");
        parse(&text, Profile::Quick).unwrap_err().to_string()
    };
    insta::assert_snapshot!("evaluation_known", refused("evaluation", "data.known = 2"));
    insta::assert_snapshot!("evaluation_error", refused("evaluation", "grid.error = [0.1, 0.7]"));
    insta::assert_snapshot!("evaluation_loss", refused("evaluation", "grid.loss = \"crossentropy\""));
    insta::assert_snapshot!("evaluation_key", refused("evaluation", "data.peers = 100"));
    insta::assert_snapshot!("reward_bench_scorer", refused("reward-bench", "grid.scorer = [\"likelyhood\"]"));
    insta::assert_snapshot!("reward_bench_size", refused("reward-bench", "data.per-subset = 1"));
}

#[test]
fn the_shipped_specs_are_good() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "toml") {
            let spec =
                Spec::read(&path, Profile::Quick, &Overrides::default()).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(path.file_stem().unwrap().to_str(), Some(spec.name.as_str()));
            names.push(spec.name);
        }
    }
    for name in ["evaluation", "noise-capacity", "reward-bench", "signal-diversity", "weak-to-strong"] {
        assert!(names.iter().any(|n| n == name), "{name} is missing");
    }
}
