//! Rows of files in memory. That every metric has its golden value through a file, the tests of `superalign measure` see.

use crate::{FAMILIES, Input, Outcome, Row, asked, intervals, metrics, run};
use superalign_core::Seed;
use superalign_data::columns::read_bytes;
use superalign_data::signal::{Reading, Signal, of};

fn signal(text: &str) -> Signal {
    of(read_bytes("file.csv", text.into()).unwrap(), &Reading::default()).unwrap()
}

fn measured(signal: &Signal, reference: Option<&Signal>, names: &[&str], draws: usize) -> Vec<Row> {
    let input = Input::new(signal, reference, intervals(0, draws, 0.95).unwrap(), Seed::new(0));
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let chosen = asked(&names).and_then(|asked| asked.choose(&input)).unwrap();
    chosen.into_iter().flat_map(|(metric, settings)| run(metric, &settings, &input)).collect()
}

#[test]
fn a_second_file_of_labels_is_a_distribution() {
    let (mine, theirs) = (signal("label\na\na\nb\n"), signal("label\na\nb\nb\n"));
    let rows = measured(&mine, Some(&theirs), &["kl-to-reference"], 0);
    // 2/3 ln 2 + 1/3 ln 1/2.
    let Outcome::Value(found) = rows[0].found.outcome else { panic!("{:?}", rows[0].found) };
    assert!((found - 2.0_f64.ln() / 3.0).abs() < 1e-15, "{found}");
}

#[test]
fn what_a_file_does_not_hold_is_a_row_that_says_so() {
    let rows = measured(&signal("label\na\nb\n"), None, &["vendi"], 0);
    let Outcome::Undefined(why) = &rows[0].found.outcome else { panic!("{:?}", rows[0].found) };
    assert_eq!(why, "it needs embeddings; the file holds labels");
    assert_eq!(rows[0].json(0.95)["error"], why.as_str());
}

#[test]
fn no_draws_means_no_intervals_and_some_mean_the_same_value() {
    let rows: String =
        (0..40).map(|i| format!("{i},a,{}\n{i},b,{}\n", i % 2, i % 2 * (i % 3).min(1))).collect();
    let votes = signal(&format!("item,worker,label\n{rows}"));
    let value = |draws| measured(&votes, None, &["krippendorff-alpha"], draws)[0].json(0.95);
    assert_eq!(value(0)["value"], value(50)["value"]);
    assert!(value(0).get("lo").is_none() && value(50)["lo"].is_number());
    assert!(intervals(0, 0, 1.5).is_err() && intervals(0, 10, 0.0).is_err());
}

#[test]
fn names_are_unique_and_every_family_has_some() {
    let mut names: Vec<&str> = metrics().map(|metric| metric.name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    for family in FAMILIES {
        assert!(metrics().any(|metric| metric.family == *family), "{family}");
    }
}

#[test]
fn a_wrong_name_is_told_with_the_nearest() {
    let wrong = |name: &str| asked(&[name.to_owned()]).unwrap_err();
    assert_eq!(
        wrong("kripendorff-alpha"),
        "there is no metric `kripendorff-alpha`; did you mean `krippendorff-alpha`?"
    );
    assert!(wrong("vendi:order=2").starts_with("there is no option `order` of vendi"));
    assert!(wrong("vendi:q=two").contains("expected a number"));
}
