//! Folders checked, and models fetched from a hub that this file plays: a few answers over a local socket.

use super::check::{CheckArgs, check};
use super::fetch::{FetchArgs, fetch_from};
use super::hub::{Offline, Settings};
use super::manifest::{FileDigest, Manifest};
use super::{Failure, size};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../superalign-inference/tests/golden").join(name)
}

/// How the hub answers requests for the bytes of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    /// As it should.
    Well,
    /// The first answer ends in the middle, and then there is none.
    Dies,
    /// With other bytes of the same number.
    Lies,
}

struct Served {
    files: BTreeMap<String, Vec<u8>>,
    mood: Mood,
    /// Path and range of each request.
    seen: Vec<String>,
}

/// A hub with one repository, `org/tiny`.
struct Hub {
    address: String,
    state: Arc<Mutex<Served>>,
    cache: tempfile::TempDir,
    folder: tempfile::TempDir,
}

impl Hub {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let files = files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect();
        let state = Arc::new(Mutex::new(Served { files, mood: Mood::Well, seen: Vec::new() }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = answer(stream, &shared);
            }
        });
        let temporary = || tempfile::tempdir().expect("a temporary folder");
        Self { address, state, cache: temporary(), folder: temporary() }
    }

    /// The encoder of the tests, laid out as for transformers.js.
    fn encoder() -> Self {
        let read = |name: &str| std::fs::read(golden("encoder").join(name)).expect("a golden file");
        let graph = read("model.onnx");
        Self::new(&[
            ("README.md", b"---\nlicense: mit\n---\n"),
            ("config.json", &read("config.json")),
            ("tokenizer.json", &read("tokenizer.json")),
            ("model.safetensors", b"not wanted"),
            ("onnx/model.onnx", &graph),
            ("onnx/model_q4.onnx", &graph),
        ])
    }

    fn mood(&self, mood: Mood) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).mood = mood;
    }

    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).seen)
    }

    fn settings(&self, offline: Offline) -> Settings {
        Settings {
            endpoint: Some(self.address.clone()),
            cache: self.cache.path().to_owned(),
            token: None,
            offline,
        }
    }

    fn target(&self) -> PathBuf {
        self.folder.path().join("tiny")
    }

    fn args(&self) -> FetchArgs {
        FetchArgs {
            repository: "org/tiny".into(),
            file: Vec::new(),
            graph: "auto".into(),
            revision: "main".into(),
            out: Some(self.target()),
        }
    }

    /// What a fetch says, with what changes from run to run replaced.
    fn fetch(&self, args: &FetchArgs, offline: Offline) -> Result<String, String> {
        let mut out = Vec::new();
        let done = fetch_from(&self.settings(offline), args, &mut out);
        let clean = |text: String| {
            let text = text.replace(&self.folder.path().display().to_string(), "FOLDER");
            text.replace(&self.cache.path().display().to_string(), "CACHE").replace(&self.address, "HUB")
        };
        match done {
            Ok(()) => Ok(clean(String::from_utf8(out).expect("text"))),
            Err(failure) => Err(clean(said(&failure))),
        }
    }
}

fn said(failure: &Failure) -> String {
    match failure {
        Failure::Usage(text) => format!("usage: {text}"),
        Failure::Failed(text) => format!("failed: {text}"),
        Failure::Stopped => "stopped".into(),
        Failure::Silent => "silent".into(),
    }
}

fn answer(mut stream: TcpStream, state: &Mutex<Served>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut from = None;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        if let Some(range) = line.to_lowercase().strip_prefix("range: bytes=") {
            from = Some(range.trim().to_owned());
        }
    }
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    state.seen.push(format!("{path} {}", from.as_deref().unwrap_or("-")));
    if path.split('?').next() == Some("/api/models/org/tiny/revision/main") {
        let mut files = Vec::new();
        for (name, bytes) in &state.files {
            let mut file = format!(r#"{{"rfilename": "{name}", "size": {}"#, bytes.len());
            if name.ends_with(".onnx") {
                let folder = tempfile::tempdir()?;
                std::fs::write(folder.path().join("file"), bytes)?;
                let digest = FileDigest::of(folder.path(), "file").map_err(std::io::Error::other)?;
                let _ =
                    write!(file, r#", "lfs": {{"sha256": "{}", "size": {}}}"#, digest.sha256, bytes.len());
            }
            files.push(file + "}");
        }
        let body =
            format!(r#"{{"sha": "{COMMIT}", "tags": ["license:mit"], "siblings": [{}]}}"#, files.join(", "));
        return write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
    }
    let file =
        path.strip_prefix(&format!("/org/tiny/resolve/{COMMIT}/")).and_then(|name| state.files.get(name));
    let (Some(mut bytes), Some(range)) = (file.cloned(), from) else {
        return write!(stream, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    };
    let (start, end) = range.split_once('-').unwrap_or(("0", ""));
    let start: usize = start.parse().unwrap_or(0);
    let end: usize = end.parse().map_or(bytes.len(), |last: usize| (last + 1).min(bytes.len()));
    let data = range.ends_with('-') && path.ends_with(".onnx");
    if state.mood == Mood::Lies && data {
        bytes.reverse();
    }
    let etag = format!("etag-of-{}", path.rsplit('/').next().unwrap_or_default());
    write!(
        stream,
        "HTTP/1.1 206 Partial Content\r\netag: \"{etag}\"\r\nx-repo-commit: {COMMIT}\r\ncontent-range: bytes \
         {start}-{}/{}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        end.saturating_sub(1),
        bytes.len(),
        end.saturating_sub(start)
    )?;
    let sent = match state.mood {
        Mood::Dies if data && start > 0 => &[],
        Mood::Dies if data => &bytes[..bytes.len() / 2],
        _ => &bytes[start.min(end)..end],
    };
    stream.write_all(sent)
}

fn checked(folder: &Path, graph: &str, json: bool) -> (Result<(), Failure>, String) {
    let mut out = Vec::new();
    let args = CheckArgs { dir: folder.to_owned(), graph: graph.into(), runtime: None, json };
    let done = check(&args, &mut out);
    let text = String::from_utf8(out).expect("text");
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned()).display().to_string();
    // Which runtime it is depends on the machine, and so do the last digits.
    let text: Vec<String> = text
        .replace(&whole, "FOLDER")
        .lines()
        .map(|line| line.split("; padded").next().unwrap_or(line).to_owned())
        .collect();
    (done, text.join("\n"))
}

#[test]
fn folders_are_checked() {
    for name in ["encoder", "classifier", "merged"] {
        let (done, text) = checked(&golden(name), "auto", false);
        insta::assert_snapshot!(format!("check_{name}"), text);
        assert!(done.is_ok(), "{text}");
    }
    let (done, text) = checked(&golden("seeing"), "auto", false);
    assert!(matches!(done, Err(Failure::Silent)));
    assert!(text.contains("trial         FAILED: last_hidden_state"), "{text}");
    let (done, text) = checked(&golden("encoder"), "auto", true);
    assert!(done.is_ok());
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&value["usable"], &value["trial"]["passed"]), (&true.into(), &true.into()));
    assert_eq!(value["model"]["task"], "encoder");
    let (done, _) = checked(&golden("encoder"), "q4", false);
    assert!(
        matches!(done, Err(Failure::Usage(text)) if text.ends_with("there is no graph in q4; found model.onnx"))
    );
    let (done, _) = checked(Path::new("no-such-folder"), "auto", false);
    assert!(matches!(done, Err(Failure::Usage(_))));
}

#[test]
fn a_model_is_fetched_with_digests_and_nothing_else() {
    let hub = Hub::encoder();
    insta::assert_snapshot!("fetched", hub.fetch(&hub.args(), Offline::No).expect("fetched"));
    let text = std::fs::read_to_string(hub.target().join("model.toml")).expect("a manifest");
    insta::assert_snapshot!("manifest", text);
    assert!(!hub.seen().iter().any(|path| path.contains("safetensors") || path.contains("q4")));
    let (done, text) = checked(&hub.target(), "auto", false);
    assert!(done.is_ok() && text.contains("digests       as model.toml has them"), "{text}");
    // Once more: nothing is fetched again, and what is there is compared.
    hub.fetch(&hub.args(), Offline::No).expect("the same");
    assert!(hub.seen().iter().all(|path| path.starts_with("/api/")));
    // Another format of the same commit joins it.
    let more = FetchArgs { file: vec!["onnx/*_q4.onnx".into()], ..hub.args() };
    hub.fetch(&more, Offline::No).expect("more");
    let manifest = Manifest::read(&hub.target()).expect("readable").expect("a manifest");
    assert_eq!(manifest.files.len(), 5);
    assert!(hub.target().join("onnx/model_q4.onnx").is_file());
    let left: Vec<_> =
        std::fs::read_dir(hub.target()).expect("listed").flatten().map(|e| e.file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{left:?}");
}

#[test]
fn a_fetch_that_was_cut_off_continues_where_it_stopped() {
    let hub = Hub::encoder();
    hub.mood(Mood::Dies);
    let error = hub.fetch(&hub.args(), Offline::No).expect_err("cut off");
    assert!(error.contains("onnx/model.onnx: ") && error.contains("continues where it stopped"), "{error}");
    assert!(!hub.target().exists());
    hub.mood(Mood::Well);
    hub.seen();
    hub.fetch(&hub.args(), Offline::No).expect("continued");
    let half = std::fs::metadata(golden("encoder").join("model.onnx")).expect("the graph").len() / 2;
    let wanted = format!("/org/tiny/resolve/{COMMIT}/onnx/model.onnx {half}-");
    let seen = hub.seen();
    assert!(seen.contains(&wanted), "{wanted}: {seen:?}");
    let (done, text) = checked(&hub.target(), "auto", false);
    assert!(done.is_ok(), "{text}");
}

#[test]
fn bytes_that_the_hub_did_not_promise_are_thrown_away() {
    let hub = Hub::encoder();
    hub.mood(Mood::Lies);
    let error = hub.fetch(&hub.args(), Offline::No).expect_err("other bytes");
    assert!(
        error.starts_with("failed: onnx/model.onnx: SHA-256 ") && error.contains("thrown away"),
        "{error}"
    );
    assert!(!hub.target().exists());
    hub.mood(Mood::Well);
    hub.fetch(&hub.args(), Offline::No).expect("fetched anew");
}

#[test]
fn a_file_that_changed_is_noticed() {
    let hub = Hub::encoder();
    hub.fetch(&hub.args(), Offline::No).expect("fetched");
    let config = hub.target().join("config.json");
    let text = std::fs::read_to_string(&config).expect("the file");
    // A new file in its place: the one in the cache stays as it is.
    std::fs::remove_file(&config).expect("removed");
    std::fs::write(&config, text.replace("BertModel", "BertMotel")).expect("written");
    let (done, text) = checked(&hub.target(), "auto", false);
    assert!(matches!(done, Err(Failure::Silent)));
    assert!(text.contains("digests       config.json: SHA-256 "), "{text}");
    let error = hub.fetch(&hub.args(), Offline::No).expect_err("changed");
    assert!(error.contains("config.json: SHA-256 ") && error.contains("remove the file"), "{error}");
    std::fs::write(&config, "{}").expect("written");
    assert!(checked(&hub.target(), "auto", false).1.contains("config.json: 2 bytes, expected "));
    std::fs::remove_file(&config).expect("removed");
    assert!(checked(&hub.target(), "auto", false).1.contains("config.json: missing"));
    hub.fetch(&hub.args(), Offline::No).expect("mended");
    assert!(checked(&hub.target(), "auto", false).0.is_ok());
}

#[test]
fn offline_means_offline() {
    let hub = Hub::encoder();
    let empty = hub.fetch(&hub.args(), Offline::Yes).expect_err("an empty cache");
    insta::assert_snapshot!("offline_empty", empty);
    assert!(hub.seen().is_empty());
    hub.fetch(&hub.args(), Offline::No).expect("fetched");
    hub.seen();
    let again = FetchArgs { out: Some(hub.folder.path().join("again")), ..hub.args() };
    hub.fetch(&again, Offline::Yes).expect("from the cache");
    assert!(hub.seen().is_empty());
    assert!(checked(&hub.folder.path().join("again"), "auto", false).0.is_ok());
}

#[test]
fn what_cannot_be_fetched_says_why() {
    let hub = Hub::encoder();
    let mut all = Vec::new();
    let mut refused = |args: FetchArgs| {
        all.push(hub.fetch(&args, Offline::No).expect_err("refused"));
    };
    for name in ["", "a/b/c", "../x", "org/..", "org/na me"] {
        refused(FetchArgs { repository: name.into(), ..hub.args() });
    }
    refused(FetchArgs { repository: "org/other".into(), ..hub.args() });
    refused(FetchArgs { revision: "../main".into(), ..hub.args() });
    refused(FetchArgs { graph: "int8".into(), ..hub.args() });
    refused(FetchArgs { file: vec!["*.bin".into()], ..hub.args() });
    refused(FetchArgs { file: vec!["[".into()], ..hub.args() });
    refused(FetchArgs { out: Some(golden("encoder")), ..hub.args() });
    let text = all.join("\n").replace(&golden("encoder").display().to_string(), "GOLDEN");
    insta::assert_snapshot!("refused", text);
    let weights_only = Hub::new(&[("config.json", b"{}"), ("model.safetensors", b"x")]);
    insta::assert_snapshot!(
        "no_graph",
        weights_only.fetch(&weights_only.args(), Offline::No).expect_err("refused")
    );
    let outside = Hub::new(&[("../model.onnx", b"x")]);
    let error = outside.fetch(&outside.args(), Offline::No).expect_err("refused");
    assert!(error.contains(r#"it lists "../model.onnx", expected a path inside the repository"#), "{error}");
}

#[test]
fn a_hub_that_is_not_there_is_named_at_once() {
    let hub = Hub::encoder();
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let settings = Settings { endpoint: Some(format!("http://{port}")), ..hub.settings(Offline::No) };
    let started = std::time::Instant::now();
    let failure = fetch_from(&settings, &hub.args(), &mut Vec::new()).expect_err("nobody is there");
    assert!(said(&failure).starts_with(&format!("failed: http://{port} was asked for org/tiny at main: ")));
    assert!(started.elapsed() < std::time::Duration::from_secs(30));
}

#[test]
fn sizes_are_read_by_people() {
    let said: Vec<String> = [0, 999, 1000, 99_499, 999_600, 15_231_271_864].into_iter().map(size).collect();
    assert_eq!(said, ["0 B", "999 B", "1.0 kB", "99.5 kB", "1.0 MB", "15.2 GB"]);
}
