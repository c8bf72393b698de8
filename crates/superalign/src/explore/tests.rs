//! A page and runs that are none, over real connections and in real folders.

use super::*;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use tempfile::TempDir;

const NAME: &str = "noise-capacity-1a2b3c4d";

/// A page, and one run that is under way.
fn site() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page");
    std::fs::create_dir_all(page.join("assets")).unwrap();
    std::fs::write(page.join("index.html"), "<h1>page</h1>").unwrap();
    std::fs::write(page.join("assets/app.js"), "1").unwrap();
    std::fs::write(page.join("assets/app.wasm"), "2").unwrap();
    let run = folder.path().join("runs").join(NAME);
    std::fs::create_dir_all(&run).unwrap();
    status(folder.path(), "started");
    std::fs::write(run.join("journal.jsonl"), "{\"job\":\"a\"}\n").unwrap();
    std::fs::write(run.join("metrics.csv"), "0123456789").unwrap();
    std::fs::write(run.join("texts.parquet"), "texts").unwrap();
    std::fs::write(run.join("tags.txt"), "paper\nbaseline\n").unwrap();
    std::fs::write(run.join("secret.txt"), "secret").unwrap();
    folder
}

/// Writes the manifest of the run.
fn status(folder: &Path, status: &str) {
    let path = folder.join("runs").join(NAME).join("manifest.json");
    let manifest = crate::run::tests::example();
    let mut json = serde_json::to_value(&manifest).unwrap();
    json["status"] = status.into();
    std::fs::write(path, serde_json::to_vec(&json).unwrap()).unwrap();
}

async fn started(folder: &Path) -> SocketAddr {
    let server = serve(&folder.join("page"), Runs::Of(folder.join("runs")), 0).await.unwrap();
    let address = server.address().unwrap();
    tokio::spawn(server.until(std::future::pending()));
    address
}

/// What the server answers, head and body.
async fn ask(address: SocketAddr, request: &str) -> (String, String) {
    let request = format!("GET {request}\r\nConnection: close\r\n\r\n");
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    });
    let answer = answer.await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body.to_owned())
}

async fn get(address: SocketAddr, path: &str) -> (String, String) {
    ask(address, &format!("{path} HTTP/1.1\r\nHost: {address}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_gets_itself_its_runs_and_nothing_else() {
    let folder = site();
    let address = started(folder.path()).await;
    let (head, body) = get(address, "/").await;
    assert!(head.starts_with("http/1.1 200") && body == "<h1>page</h1>", "{head}");
    assert!(head.contains("connect-src 'self'") && head.contains("default-src 'none'"), "{head}");
    let (head, _) = get(address, "/assets/app.wasm").await;
    assert!(head.contains("content-type: application/wasm"), "{head}");
    let (head, body) = get(address, "/data/runs.json").await;
    assert!(head.contains("no-cache"), "{head}");
    let index: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&index["live"], &index["runs"][0]["folder"]), (&true.into(), &NAME.into()));
    assert_eq!(index["runs"][0]["status"], "started");
    assert_eq!(
        index["runs"][0]["files"],
        serde_json::json!(["manifest.json", "metrics.csv", "texts.parquet", "tags.txt"])
    );
    assert_eq!(index["runs"][0]["tags"], serde_json::json!(["baseline", "paper"]));
    let (head, body) = get(address, &format!("/data/{NAME}/metrics.csv")).await;
    assert!(head.starts_with("http/1.1 200") && body == "0123456789", "{head}");
    let part = format!("/data/{NAME}/metrics.csv HTTP/1.1\r\nHost: {address}\r\nRange: bytes=2-4");
    let (head, body) = ask(address, &part).await;
    assert!(head.starts_with("http/1.1 206") && body == "234", "{head}");
    for path in [
        format!("/data/{NAME}/secret.txt"),
        format!("/data/{NAME}/..%2f..%2fpage%2findex.html"),
        "/data/..%2fpage/metrics.csv".to_owned(),
        "/..%2fruns/secret.txt".to_owned(),
        "/data/other/metrics.csv".to_owned(),
    ] {
        let (head, body) = get(address, &path).await;
        assert!(head.starts_with("http/1.1 404") && !body.contains("secret"), "{path}: {head}\n{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_whose_name_leads_here_gets_nothing() {
    let folder = site();
    let address = started(folder.path()).await;
    for host in ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""] {
        let (head, _) = ask(address, &format!("/data/runs.json HTTP/1.1\r\nHost: {host}")).await;
        assert!(head.starts_with("http/1.1 403"), "{host}: {head}");
    }
    let (head, _) = ask(address, "/data/runs.json HTTP/1.1\r\nHost: localhost:80").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_under_way_is_told_job_by_job_to_its_end() {
    let folder = site();
    let address = started(folder.path()).await;
    let run = folder.path().join("runs").join(NAME);
    let told = tokio::spawn(async move { get(address, &format!("/data/{NAME}/events")).await });
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    let mut journal = std::fs::OpenOptions::new().append(true).open(run.join("journal.jsonl")).unwrap();
    journal.write_all(b"{\"job\":\"b\"}\n").unwrap();
    status(folder.path(), "complete");
    let (head, body) = told.await.unwrap();
    assert!(head.contains("text/event-stream"), "{head}");
    let data: Vec<&str> =
        body.lines().filter(|line| line.starts_with("data:") || line.starts_with("event:")).collect();
    let jobs = crate::run::tests::example().plan;
    let jobs: usize = jobs.design.experiment().jobs(&jobs).iter().map(Vec::len).sum();
    assert_eq!(data[..2], ["event: jobs", &format!("data: {jobs}")]);
    assert_eq!(data[2..], [r#"data: {"job":"a"}"#, r#"data: {"job":"b"}"#, "event: complete", "data: {}"]);
}

#[test]
fn an_export_is_the_same_layout_and_whole_or_absent() {
    let folder = site();
    let (page, runs, into) =
        (folder.path().join("page"), Runs::Of(folder.path().join("runs")), folder.path().join("sites/one"));
    let exported = export(&page, &runs, &into).unwrap();
    assert_eq!((exported.runs, exported.files), (1, 8));
    assert_eq!(std::fs::read_to_string(into.join("assets/app.js")).unwrap(), "1");
    assert_eq!(
        std::fs::read_to_string(into.join("data").join(NAME).join("metrics.csv")).unwrap(),
        "0123456789"
    );
    assert!(!into.join("data").join(NAME).join("secret.txt").exists());
    let index: serde_json::Value =
        serde_json::from_slice(&std::fs::read(into.join("data/runs.json")).unwrap()).unwrap();
    assert_eq!(index["live"], false);
    assert_eq!(index["runs"][0]["tags"], serde_json::json!(["baseline", "paper"]));
    for (file, content) in [("texts.parquet", "texts"), ("tags.txt", "paper\nbaseline\n")] {
        assert_eq!(std::fs::read_to_string(into.join("data").join(NAME).join(file)).unwrap(), content);
    }
    let again = export(&page, &runs, &into).unwrap_err().to_string();
    assert!(again.contains("already there"), "{again}");
    let nothing =
        export(&folder.path().join("runs"), &runs, &folder.path().join("two")).unwrap_err().to_string();
    assert!(nothing.contains("cargo xtask explore") && !folder.path().join("two").exists(), "{nothing}");
}

#[test]
fn runs_are_named_by_their_folders() {
    let folder = site();
    let run = folder.path().join("runs").join(NAME);
    assert_eq!(Runs::these(std::slice::from_ref(&run)).unwrap().find(NAME), Some(run.clone()));
    let twice = Runs::these(&[run.clone(), run]).unwrap_err().to_string();
    assert!(twice.contains("same name"), "{twice}");
    let none = Runs::these(&[folder.path().join("page")]).unwrap_err().to_string();
    assert!(none.contains("no manifest.json"), "{none}");
    std::fs::write(folder.path().join("runs").join(NAME).join("manifest.json"), "{").unwrap();
    let index = Index::read(&Runs::Of(folder.path().join("runs")), true);
    let error = index.runs[0].error.as_deref().unwrap();
    assert!(error.starts_with("manifest.json: not valid JSON"), "{error}");
}
