//! This crate's side of `compare.py`: times Bradley-Terry strengths, counting included, on the comparisons that the
//! script wrote, and prints the smallest time and the strengths as JSON.

use serde_json::json;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;
use superalign_evaluation::peer_review::{BradleyTerry, Comparison, Preferred, Tally, bradley_terry};

#[expect(clippy::print_stdout, reason = "what compare.py reads")]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let [folder, players, repeats] = &arguments[..] else {
        // `cargo bench` runs every bench; this one needs the work that compare.py makes.
        println!("peers: run benches/peers/compare.py, which makes the work and calls this program");
        return;
    };
    let players: usize = players.parse().expect("the number of players is a whole number");
    let repeats: u32 = repeats.parse().expect("the number of repeats is a whole number");
    let column = |name: &str| -> Vec<u32> {
        let path = Path::new(folder).join(format!("{name}.bin"));
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (words, _) = bytes.as_chunks::<4>();
        words.iter().map(|word| u32::from_le_bytes(*word)).collect()
    };
    let (first, second, winner) = (column("first"), column("second"), column("winner"));
    let list: Vec<Comparison> = first
        .iter()
        .zip(&second)
        .zip(&winner)
        .map(|((&first, &second), &winner)| Comparison {
            first,
            second,
            preferred: [Preferred::Tie, Preferred::First, Preferred::Second][winner as usize],
        })
        .collect();
    let mut seconds = f64::INFINITY;
    let mut strengths = Vec::new();
    for _ in 0..repeats {
        let start = Instant::now();
        let tally = Tally::new(black_box(&list), players);
        let found = tally.and_then(|tally| bradley_terry(&tally, &BradleyTerry::default()));
        seconds = seconds.min(start.elapsed().as_secs_f64());
        strengths = found.unwrap_or_else(|error| panic!("{error}"));
    }
    println!("{}", json!({"seconds": seconds, "strengths": strengths}));
}
