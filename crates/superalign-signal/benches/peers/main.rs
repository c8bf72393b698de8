//! This crate's side of `compare.py`: times one task on the work that the script wrote, and prints the smallest time
//! and what was computed as JSON. Reading the work is not timed.

mod npy;

use ndarray::{Array2, ArrayView1};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;
use superalign_signal::agreement::{self, Coefficient, Level};
use superalign_signal::calibration::{Bins, Closed, Norm, top_label_reliability};
use superalign_signal::embedding::{Vendi, prdc, vendi_score};
use superalign_signal::label_noise::{JointOptions, confident_joint};
use superalign_signal::text::{Bleu, Boundary, Corpus, Ngrams, Tokenizer, distinct_n, self_bleu};
use superalign_signal::truth::{DawidSkene, dawid_skene};
use superalign_signal::{SignalError, Votes};

type Found = Result<Value, SignalError>;

#[expect(clippy::print_stdout, reason = "what compare.py reads")]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let [task, folder, repeats] = &arguments[..] else {
        // `cargo bench` runs every bench; this one needs the work that compare.py makes.
        println!("peers: run benches/peers/compare.py, which makes the work and calls this program");
        return;
    };
    let repeats: u32 = repeats.parse().expect("the number of repeats is a whole number");
    let work = prepare(task, Path::new(folder));
    let mut seconds = f64::INFINITY;
    let mut result = Value::Null;
    for _ in 0..repeats {
        let start = Instant::now();
        let found = work();
        seconds = seconds.min(start.elapsed().as_secs_f64());
        result = found.unwrap_or_else(|error| panic!("{task}: {error}"));
    }
    println!("{}", json!({"seconds": seconds, "result": result}));
}

/// Reads the work and returns what is timed. What the peer gets ready before its clock starts is ready here too; what
/// it computes from raw input, such as counting votes or splitting texts, is computed here from raw input as well.
fn prepare(task: &str, folder: &Path) -> Box<dyn Fn() -> Found> {
    let array = |name: &str| npy::read::<f64>(&folder.join(format!("{name}.npy")));
    match task {
        "vendi" | "vendi-default" => {
            let x = array("x");
            Box::new(move || Ok(json!({"vendi": vendi_score(x.view(), &Vendi::default())?})))
        }
        "krippendorff" => {
            let table = npy::read::<i8>(&folder.join("ratings.npy"));
            Box::new(move || {
                let votes = Votes::dense(table.view())?;
                Ok(json!({"alpha": agreement::value(&votes, Coefficient::Krippendorff(Level::Nominal))?}))
            })
        }
        "dawid-skene" => {
            let table = npy::read::<i8>(&folder.join("ratings.npy"));
            Box::new(move || {
                let found =
                    dawid_skene(&Votes::dense(table.view())?, None, &DawidSkene::maximum_likelihood())?;
                assert!(found.converged, "not converged: the comparison would be unfair");
                Ok(json!({"prior": found.class_prior}))
            })
        }
        "confident-joint" => {
            let (labels, probs) = labelled(folder, array("probs"));
            Box::new(move || {
                let joint = confident_joint(&labels, probs.view(), &JointOptions::default())?;
                Ok(json!({"off_diagonal": joint.sum() - joint.diag().sum()}))
            })
        }
        "ece" => {
            let (labels, probs) = labelled(folder, array("probs"));
            Box::new(move || {
                let bins = Bins::Width { count: 15, closed: Closed::Left };
                Ok(json!({"ece": top_label_reliability(&labels, probs.view(), bins)?.error(Norm::L1)}))
            })
        }
        "prdc" => {
            let (real, fake) = (array("real"), array("fake"));
            Box::new(move || {
                let found = prdc(real.view(), fake.view(), 5)?;
                let (precision, recall) = (found.precision, found.recall);
                let (density, coverage) = (found.density, found.coverage);
                let all = json!({
                    "precision": precision, "recall": recall, "density": density, "coverage": coverage
                });
                Ok(all)
            })
        }
        "distinct" => {
            let texts = texts(folder);
            Box::new(move || {
                let corpus = Corpus::new(&texts, Tokenizer::WhiteSpace)?;
                let ngrams = Ngrams::new(&corpus, 4, Boundary::Within)?;
                let share = |n| distinct_n(&ngrams, n);
                let (one, two, three, four) = (share(1)?, share(2)?, share(3)?, share(4)?);
                Ok(json!({"distinct_1": one, "distinct_2": two, "distinct_3": three, "distinct_4": four}))
            })
        }
        "self-bleu" | "self-bleu-nltk" => {
            let texts = texts(folder);
            Box::new(move || {
                let corpus = Corpus::new(&texts, Tokenizer::WhiteSpace)?;
                Ok(json!({"self_bleu": self_bleu(&corpus, &Bleu::new(4))?}))
            })
        }
        other => panic!("no task `{other}`: compare.py list names them"),
    }
}

fn labelled(folder: &Path, probs: Array2<f64>) -> (Vec<u32>, Array2<f64>) {
    let labels = npy::read::<i64>(&folder.join("labels.npy"));
    let column: ArrayView1<'_, i64> = labels.column(0);
    let labels =
        column.iter().map(|&label| u32::try_from(label).expect("labels are class numbers")).collect();
    (labels, probs)
}

fn texts(folder: &Path) -> Vec<String> {
    let path = folder.join("texts.txt");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().map(str::to_owned).collect()
}
