//! A run as it goes on: how many jobs it has, and the lines of its journal, from the first, as server-sent events.

use crate::record::{Manifest, Status};
use axum::response::sse::Event;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// How often the journal is looked at.
const PAUSE: Duration = Duration::from_millis(250);
/// Events that wait for a slow reader; then the journal waits as well.
const WAITING: usize = 64;

/// The events of a run: `jobs` with their number, one for each finished job with its line of the journal, then `complete`.
///
/// Ends when the run is complete, or when nobody listens.
pub(super) fn events(folder: PathBuf) -> Receiver<Result<Event, Infallible>> {
    let (sender, receiver) = channel(WAITING);
    tokio::spawn(async move {
        let jobs = super::index::jobs(&folder).to_string();
        if sender.send(Ok(Event::default().event("jobs").data(jobs))).await.is_err() {
            return;
        }
        let mut tail = Tail { path: folder.join("journal.jsonl"), read: 0 };
        loop {
            // Asked before the journal is read, so that no line comes after the end.
            let complete = is_complete(&folder);
            let lines = tail.lines().await;
            if tell(&sender, lines).await.is_err() {
                return;
            }
            if complete {
                let _ = sender.send(Ok(Event::default().event("complete").data("{}"))).await;
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = sender.closed() => return,
            }
        }
    });
    receiver
}

async fn tell(sender: &Sender<Result<Event, Infallible>>, lines: Vec<String>) -> Result<(), ()> {
    for line in lines {
        sender.send(Ok(Event::default().data(line))).await.map_err(|_| ())?;
    }
    Ok(())
}

/// Whether the run is complete; a folder that is gone has nothing to add either.
fn is_complete(folder: &Path) -> bool {
    match Manifest::read(folder) {
        Ok(Some(manifest)) => manifest.status == Status::Complete,
        Ok(None) => true,
        // Written anew at this moment, or by another version.
        Err(_) => false,
    }
}

/// A file that grows by lines.
struct Tail {
    path: PathBuf,
    read: u64,
}

impl Tail {
    /// The whole lines since the last call; from the first, where the file was begun anew.
    async fn lines(&mut self) -> Vec<String> {
        let Ok(mut file) = tokio::fs::File::open(&self.path).await else { return Vec::new() };
        let length = file.metadata().await.map_or(0, |meta| meta.len());
        if length < self.read {
            self.read = 0;
        }
        let mut bytes = Vec::new();
        if file.seek(std::io::SeekFrom::Start(self.read)).await.is_err()
            || file.take(length - self.read).read_to_end(&mut bytes).await.is_err()
        {
            return Vec::new();
        }
        // A line without its end is still being written.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        self.read += whole as u64;
        bytes.truncate(whole);
        String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[tokio::test]
    async fn only_whole_lines_are_told_and_each_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut tail = Tail { path: path.clone(), read: 0 };
        assert_eq!(tail.lines().await, Vec::<String>::new());
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(b"one\ntwo\nthr").unwrap();
        assert_eq!(tail.lines().await, ["one", "two"]);
        assert_eq!(tail.lines().await, Vec::<String>::new());
        file.write_all("ee é\n".as_bytes()).unwrap();
        assert_eq!(tail.lines().await, ["three é"]);
        // Begun anew.
        std::fs::write(&path, "again\n").unwrap();
        assert_eq!(tail.lines().await, ["again"]);
    }
}
