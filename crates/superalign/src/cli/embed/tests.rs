//! The command against the smallest rung of the ladder, and what it says of wrong input.

use super::super::folder::Folder;
use super::*;
use clap::Parser;
use superalign_data::columns::{self, Cells};

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    args: EmbedArgs,
}

fn rung() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/ladder/rung-0").to_string_lossy().into_owned()
}

/// What the command prints, or says when it fails.
fn run(arguments: &[&str]) -> Result<String, String> {
    let rung = rung();
    let model: &[&str] = if arguments.contains(&"--model") { &[] } else { &["--model", &rung] };
    let all = ["embed", "--runtime", "tract"].iter().chain(model).chain(arguments);
    let command = Command::try_parse_from(all).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    match embed(&command.args, &mut out) {
        Ok(()) => Ok(String::from_utf8(out).expect("text")),
        Err(Failure::Usage(said) | Failure::Failed(said)) => Err(said),
        Err(other) => panic!("{other:?}"),
    }
}

/// The names in the folder, sorted.
fn names(folder: &Folder) -> Vec<String> {
    let entries = folder.path("").read_dir().expect("the folder").flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn values(path: &str, column: &str) -> Vec<f64> {
    let file = columns::read(path).expect("columns");
    match &file.get(column).expect("the column").cells {
        Cells::Lists { values, .. } => values.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_becomes_a_matrix_whatever_its_kind() {
    let folder = Folder::new();
    let lines = folder.write("a.txt", "ask many\nsay\nask biba zobi vipi\n");
    let table = folder.write("a.csv", "id,review,n\nx,ask many,1\ny,say,2\nz,ask biba zobi vipi,3\n");
    let npy = folder.path("a.npy").display().to_string();
    let parquet = folder.path("a.parquet").display().to_string();
    let said = run(&[&lines, "-o", &npy]).expect("vectors");
    assert!(said.contains("3 vectors of 40 numbers in "), "{said}");
    run(&[&table, "--text-column", "review", "-o", &parquet]).expect("vectors");
    assert_eq!(names(&folder), ["a.csv", "a.npy", "a.parquet", "a.txt"]);
    let matrix = values(&npy, "values");
    assert_eq!(matrix.len(), 3 * 40);
    assert_eq!(matrix, values(&parquet, "embedding"));
    let file = columns::read(&parquet).expect("columns");
    assert_eq!(file.names(), ["row", "id", "embedding"]);
    assert_eq!(file.get("row").expect("rows").cells, Cells::Numbers(vec![0.0, 1.0, 2.0]));
    assert_eq!(file.get("id").and_then(columns::Column::codes).expect("ids").names, ["x", "y", "z"]);
}

#[test]
fn the_object_says_what_the_vectors_are() {
    let folder = Folder::new();
    let lines = folder.write("a.txt", format!("ask many\nsay\n{}\n", "ask ".repeat(600)));
    let npy = folder.path("a.npy").display().to_string();
    let ask = |more: &[&str]| {
        let usual: &[&str] = &[&lines, "-o", &npy, "--json"];
        let object = run(&[usual, more].concat()).expect("an object");
        (serde_json::from_str::<serde_json::Value>(&object).expect("JSON"), values(&npy, "values"))
    };
    let (object, last) = ask(&[]);
    assert_eq!((object["rows"].as_u64(), object["width"].as_u64()), (Some(3), Some(40)));
    assert_eq!(
        (object["pooling"].as_str(), object["normalized"].as_str()),
        (Some("last-token"), Some("false"))
    );
    assert_eq!((object["truncated"].as_u64(), object["rows_found"].as_u64()), (Some(1), Some(0)));
    assert!(object["device"].as_str().is_some_and(|device| device.starts_with("cpu, ")), "{object}");
    assert_eq!(object["runtime"], "tract 0.23");
    let (object, unit) = ask(&["--normalize", "--layer", "1", "--pooling", "cls"]);
    assert_eq!((object["pooling"].as_str(), object["layer"].as_str()), (Some("cls"), Some("1")));
    for vector in unit.chunks(40) {
        assert!((vector.iter().map(|x| x * x).sum::<f64>() - 1.0).abs() < 1e-5);
    }
    assert_ne!(last, unit);
    let (_, end) =
        ask(&["--truncation", "keep-end", "--cores", "1", "--token-budget", "8", "--device", "cpu"]);
    assert!(last[..80].iter().zip(&end).all(|(a, b)| (a - b).abs() < 1e-4));
}

#[test]
fn a_folder_of_sentence_transformers_states_its_pooling() {
    let folder = Folder::new();
    for entry in std::fs::read_dir(rung()).expect("the rung").flatten() {
        std::fs::copy(entry.path(), folder.path("").join(entry.file_name())).expect("copied");
    }
    std::fs::create_dir(folder.path("1_Pooling")).expect("made");
    let lines = folder.write("a.txt", "ask many\n");
    let (model, npy) = (folder.path("").display().to_string(), folder.path("a.npy").display().to_string());
    let pooling = |config: &str| {
        folder.write("1_Pooling/config.json", config);
        let object = run(&[&lines, "--model", &model, "-o", &npy, "--json"])?;
        let object: serde_json::Value = serde_json::from_str(&object).expect("JSON");
        Ok::<_, String>(object["pooling"].as_str().expect("a name").to_owned())
    };
    assert_eq!(
        pooling(r#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#),
        Ok("cls".into())
    );
    assert_eq!(pooling(r#"{"pooling_mode": "mean", "include_prompt": true}"#), Ok("mean".into()));
    let said = pooling(r#"{"pooling_mode_max_tokens": true}"#).expect_err("unknown");
    assert!(
        said.contains(r#"it states the pooling "max_tokens", expected mean, cls or lasttoken"#),
        "{said}"
    );
}

#[test]
fn what_cannot_be_embedded_is_told_and_nothing_is_left() {
    let folder = Folder::new();
    let npy = folder.path("a.npy").display().to_string();
    let good = folder.write("good.txt", "ask many\nsay\n");
    let said = |name: &str, content: &[u8], more: &[&str]| {
        let input = folder.write(name, content);
        let usual: &[&str] = &[&input, "-o", &npy];
        let said = folder.hide(&run(&[usual, more].concat()).expect_err("refused"));
        std::fs::remove_file(input).expect("removed");
        let whole = Path::new(&rung()).canonicalize().expect("the rung").display().to_string();
        said.replace(&rung(), "RUNG").replace(&whole, "RUNG")
    };
    let long = "ask ".repeat(100_000);
    let all = [
        said("a.txt", b"ask many\n\nsay\n", &[]),
        said("a.txt", b"ask many\nsa\xff\n", &[]),
        said("a.csv", b"id,text\n1,ask\n2,\n", &[]),
        said("a.csv", b"id,words\n1,ask\n", &["--text-column", "word"]),
        said("a.csv", format!("text\nask\n{long}\n").as_bytes(), &["--truncation", "refuse"]),
        said("a.jsonl", b"{\"text\": \"ask\"}\n{\"text\": 3}\n{\"text\": [1]}\n", &[]),
        said("a.txt", b"ask\n", &["--layer", "9"]),
        said("a.txt", b"ask\n", &["--precision", "int8"]),
        said("a.txt", b"ask\n", &["--model", "nowhere"]),
        folder.hide(
            &run(&[&good, "-o", &folder.path("none/a.npy").display().to_string()]).expect_err("no folder"),
        ),
        folder.hide(&run(&[&good, "-o", &folder.path("a.csv").display().to_string()]).expect_err("no kind")),
        folder
            .hide(&run(&[&folder.path("none.txt").display().to_string(), "-o", &npy]).expect_err("no file")),
    ];
    insta::assert_snapshot!(all.join("\n"));
    let said = run(&[&good, "-o", &npy, "--device", "gpu"]).expect_err("no device");
    assert!(said.contains("expected auto, cpu, cuda (all cards) or cuda:N"), "{said}");
    if superalign_inference::cuda_cards().is_empty() {
        let said = run(&[&good, "-o", &npy, "--device", "cuda"]).expect_err("no card");
        assert!(said.starts_with("device cuda was asked for: no NVIDIA driver"), "{said}");
    }
    assert_eq!(names(&folder), ["good.txt"]);
}

/// A full disk, as Linux offers one for tests.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told_and_nothing_is_left() {
    let folder = Folder::new();
    let input = folder.write("a.txt", "ask many\n".repeat(3000));
    for (output, link) in
        [("a.npy", "a.npy.part"), ("a.parquet", "a.parquet.part"), ("a.parquet", "a.parquet.tmp")]
    {
        std::os::unix::fs::symlink("/dev/full", folder.path(link)).expect("a link");
        let said = run(&[&input, "-o", &folder.path(output).display().to_string()]).expect_err("full");
        let said = folder.hide(&said);
        assert!(
            said.starts_with(&format!("{link}: cannot be written: ")) && said.contains("space"),
            "{said}"
        );
        assert_eq!(names(&folder), ["a.txt"], "{link}");
    }
}
