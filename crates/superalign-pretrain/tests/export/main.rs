//! What `export` writes, on tract and (where a library is found) on ONNX Runtime, against a decoder in double
//! precision and the trainer's own forward pass.

use ort::environment::Environment;
use std::path::{Path, PathBuf};
use std::process::Command;
use superalign_core::Seed;
use superalign_pretrain::{Documents, Model, NORM_EPSILON, Workspace, export};
use tempfile::TempDir;

mod errors;
mod folder;
mod reference;
mod runtime;

use folder::{GROUPED, Parameters, SMALL, Shape};
use reference::Computed;
use runtime::{Array, Graph, Padded, empty_cache};

/// The largest difference between implementations that a number of order 1 to 10 may have.
const TOLERANCE: f64 = 1e-4;
/// Set in the process that tests ONNX Runtime, since a process can have only one runtime.
const LIBRARY: &str = "SUPERALIGN_TEST_ORT_LIBRARY";

#[test]
fn tract_computes_what_the_formulas_say() {
    ort::set_api(ort_tract::api());
    agree(&ort::init().build().unwrap());
}

#[test]
fn onnx_runtime_computes_what_the_formulas_say() {
    if let Some(library) = std::env::var_os(LIBRARY) {
        return agree(&ort::init_from(library).unwrap().with_telemetry(false).build().unwrap());
    }
    let Some(library) = find_onnx_runtime() else {
        eprintln!("skipped: not found: ONNX Runtime (set ORT_DYLIB_PATH, or `pip install onnxruntime`)");
        return;
    };
    let this = std::env::current_exe().unwrap();
    let arguments = ["--exact", "onnx_runtime_computes_what_the_formulas_say", "--nocapture"];
    let output = Command::new(this).args(arguments).env(LIBRARY, library).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// The library that the environment names, or else Python's.
fn find_onnx_runtime() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("ORT_DYLIB_PATH") {
        return Some(path.into());
    }
    let program = "import glob, importlib.util, os
spec = importlib.util.find_spec('onnxruntime')
root = os.path.dirname(spec.origin) if spec else ''
print(*[p for p in glob.glob(root + '/capi/*onnxruntime.*') if '.so' in p or '.dylib' in p or '.dll' in p])";
    let output = Command::new("python3").args(["-c", program]).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?.lines().next()?.trim().to_owned();
    (!path.is_empty()).then(|| path.into())
}

/// A folder with a random model and its graphs.
fn exported(shape: Shape) -> (TempDir, Parameters) {
    let folder = tempfile::tempdir().unwrap();
    let model = Parameters::random(shape, Seed::new(11));
    model.save(folder.path());
    export::export(folder.path()).unwrap();
    (folder, model)
}

/// All that a runtime must do.
fn agree(environment: &Environment) {
    for shape in [SMALL, GROUPED] {
        let (folder, model) = exported(shape);
        let mut whole = Graph::open(environment, &folder.path().join("model.onnx"));
        let mut cached = Graph::open(environment, &folder.path().join("model_with_past.onnx"));
        names_are_those_of_optimum(&whole, &cached, shape.layers);
        every_length(&mut whole, &model);
        padding(&mut whole, &model);
        steps(&mut cached, &model);
    }
}

fn names_are_those_of_optimum(whole: &Graph, cached: &Graph, layers: usize) {
    let caches = |stem: &str| -> Vec<String> {
        (0..layers).flat_map(|n| ["key", "value"].map(|half| format!("{stem}.{n}.{half}"))).collect()
    };
    let named = |first: &[&str], rest: &mut dyn Iterator<Item = String>| {
        first.iter().map(ToString::to_string).chain(rest).collect::<Vec<_>>()
    };
    let hidden = &mut (0..=layers).map(|n| format!("hidden_states.{n}"));
    let expected =
        (named(&["input_ids", "attention_mask"], &mut std::iter::empty()), named(&["logits"], hidden));
    assert_eq!(whole.names(), expected);
    let inputs =
        named(&["input_ids", "attention_mask", "position_ids"], &mut caches("past_key_values").into_iter());
    assert_eq!(cached.names(), (inputs, named(&["logits"], &mut caches("present").into_iter())));
}

/// One sequence at a time, from one token to more than a hundred.
fn every_length(graph: &mut Graph, model: &Parameters) {
    let tokens = model.tokens(0, 130);
    let expected = reference::forward(model, &tokens);
    for length in (1..=130).step_by(if cfg!(debug_assertions) { 43 } else { 1 }) {
        let batch = Padded { ids: vec![tokens[..length].to_vec()], mask: vec![vec![1; length]] };
        compare(&graph.run(&batch), &[(0, 0..length)], std::slice::from_ref(&expected));
    }
}

/// Sequences of several lengths in one batch, padded on the right and on the left.
fn padding(graph: &mut Graph, model: &Parameters) {
    let lengths = [9, 1, 33, 20];
    let longest = 33;
    let rows: Vec<Vec<i64>> =
        lengths.iter().enumerate().map(|(i, &n)| model.tokens(i as u64 + 1, n)).collect();
    let expected: Vec<Computed> = rows.iter().map(|row| reference::forward(model, row)).collect();
    for left in [false, true] {
        let pad = |row: &[i64], filler: i64| {
            let mut padded = row.to_vec();
            let fill = vec![filler; longest - row.len()];
            padded.splice(if left { 0..0 } else { row.len()..row.len() }, fill);
            padded
        };
        let batch = Padded {
            ids: rows.iter().map(|row| pad(row, 5)).collect(),
            mask: rows.iter().map(|row| pad(&vec![1; row.len()], 0)).collect(),
        };
        let outputs = graph.run(&batch);
        assert!(outputs.iter().all(|(_, array)| array.finite()), "padding gave NaN or infinity");
        let real: Vec<_> = lengths
            .iter()
            .enumerate()
            .map(|(i, &n)| (i, if left { longest - n..longest } else { 0..n }))
            .collect();
        compare(&outputs, &real, &expected);
    }
}

/// A left-padded prompt from an empty cache, a part of two tokens, then one token after another.
fn steps(graph: &mut Graph, model: &Parameters) {
    let shape = model.shape;
    let (padding, total) = ([0, 4], 19);
    let rows: Vec<Vec<i64>> =
        padding.iter().enumerate().map(|(i, p)| model.tokens(i as u64, total - p)).collect();
    let expected: Vec<Computed> = rows.iter().map(|row| reference::forward(model, row)).collect();
    let mut cache = empty_cache(shape.layers, [2, shape.key_value_heads, 0, shape.width / shape.heads]);
    let mut done = 0;
    for new in [6, 2].into_iter().chain([1; 11]) {
        let each = |of: &dyn Fn(usize, usize) -> i64, from: usize| -> Vec<Vec<i64>> {
            (0..2).map(|row| (from..done + new).map(|t| of(row, t)).collect()).collect()
        };
        let ids = each(&|row, t| t.checked_sub(padding[row]).map_or(0, |t| rows[row][t]), done);
        let positions = each(&|row, t| t.saturating_sub(padding[row]) as i64, done);
        let mask = each(&|row, t| i64::from(t >= padding[row]), 0);
        let logits = graph.step(&ids, &mask, &positions, &mut cache);
        assert_eq!(logits.shape, [2, new, shape.vocabulary]);
        assert!(logits.finite());
        for row in 0..2 {
            for t in padding[row].max(done)..done + new {
                let place = format!("sequence {row}, token {t}, cache of {done}");
                close(logits.row(&[row, t - done]), &expected[row].logits[t - padding[row]], &place);
            }
        }
        done += new;
    }
    assert_eq!(done, total);
}

/// Every output at the real tokens: `real` has the batch row and its columns for each of `expected`.
fn compare(outputs: &[(String, Array)], real: &[(usize, std::ops::Range<usize>)], expected: &[Computed]) {
    assert_eq!(outputs.len(), 1 + expected[0].hidden.len());
    for (name, array) in outputs {
        for ((row, columns), computed) in real.iter().zip(expected) {
            let right = match name.strip_prefix("hidden_states.") {
                Some(layer) => &computed.hidden[layer.parse::<usize>().unwrap()],
                None => &computed.logits,
            };
            for (t, column) in columns.clone().enumerate() {
                let place = format!("{name}, sequence {row}, token {t} of {}", columns.len());
                close(array.row(&[*row, column]), &right[t], &place);
            }
        }
    }
}

fn close(found: &[f32], right: &[f64], place: &str) {
    assert_eq!(found.len(), right.len(), "{place}");
    for (i, (&found, &right)) in found.iter().zip(right).enumerate() {
        let difference = (f64::from(found) - right).abs();
        assert!(difference <= TOLERANCE, "{place}, number {i}: {found}, expected {right}");
    }
}

#[test]
fn the_trainer_computes_what_the_formulas_say() {
    // The trainer has one epsilon for all its models.
    let small = Shape { norm_epsilon: NORM_EPSILON, ..SMALL };
    let parameters = Parameters::random(small, Seed::new(11));
    let shape = superalign_pretrain::Shape {
        vocabulary: SMALL.vocabulary,
        layers: SMALL.layers,
        width: SMALL.width,
        heads: SMALL.heads,
        feed_forward: SMALL.feed_forward,
        positions: 64,
    };
    let flat = shape.tensors().iter().flat_map(|t| parameters.vector(&t.name)).map(|x| x as f32).collect();
    let model = Model::<f32>::from_parameters(shape, flat).unwrap();
    let rows = [parameters.tokens(1, 17), parameters.tokens(2, 40)];
    let tokens: Vec<u32> = rows.concat().iter().map(|&t| t as u32).collect();
    let mut space = Workspace::new();
    model.forward(&Documents::new(&tokens, &[17, 57], &shape).unwrap(), &mut space);
    let mut start = 0;
    for (r, row) in rows.iter().enumerate() {
        let computed = reference::forward(&parameters, row);
        for t in 0..row.len() {
            let own = |values: &[f32], width: usize| values[(start + t) * width..][..width].to_vec();
            let place = format!("sequence {r}, token {t}");
            close(&own(space.logits(), SMALL.vocabulary), &computed.logits[t], &place);
            for (layer, hidden) in computed.hidden.iter().enumerate() {
                let place = format!("hidden state {layer}, {place}");
                close(&own(space.hidden(layer).unwrap(), SMALL.width), &hidden[t], &place);
            }
        }
        start += row.len();
    }
}

#[test]
fn graphs_are_small_repeatable_and_tied_to_their_weights() {
    let (folder, _) = exported(SMALL);
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let files = || [read("model.onnx"), read("model_with_past.onnx")];
    let first = files();
    assert!(first.iter().all(|bytes| bytes.len() < 30_000), "weights must not be in the graphs");
    export::check(folder.path()).unwrap();
    export::export(folder.path()).unwrap();
    assert_eq!(first, files());
    let left_over = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left_over, 4, "temporary files must be gone");

    // The same model in another precision: other bytes, so the old graphs do not belong to it.
    let other = Parameters::random(Shape { element: safetensors::Dtype::F32, ..SMALL }, Seed::new(11));
    other.save(folder.path());
    assert!(matches!(export::check(folder.path()), Err(export::ExportError::Stale { .. })));
}

/// The error of exporting `folder`, with the folder's own name left out.
fn refusal(folder: &Path) -> String {
    let error = export::export(folder).unwrap_err().to_string();
    error.replace(&folder.display().to_string(), "FOLDER")
}
