//! This crate's side of `compare.py`: times a sweep on the work that the script wrote, measures the machine's peak in
//! `sgemm` on the same threads, writes the coefficients to `ours.npy`, and prints the figures as JSON. Reading the
//! work is not timed.
//!
//! GFLOP/s count the products of the passes (4 n d per distinct problem and pass) and of the curvature (n d (d + 1) and
//! d^3 / 3), over the whole time of the call.

mod npy;

use ndarray::Array2;
use serde_json::json;
use std::path::Path;
use std::time::Instant;
use superalign_learner::{ProbeConfig, Scaling, fit_sweep};

#[expect(clippy::print_stdout, reason = "what compare.py reads")]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let [folder, repeats, threads, tolerance] = &arguments[..] else {
        // `cargo bench` runs every bench; this one needs the work that compare.py makes.
        println!("peers: run benches/peers/compare.py, which makes the work and calls this program");
        return;
    };
    let folder = Path::new(folder);
    let repeats: u32 = repeats.parse().expect("the number of repeats is a whole number");
    let threads: usize = threads.parse().expect("the number of threads is a whole number");
    let tolerance: f64 = tolerance.parse().expect("the tolerance is a number");
    let x = npy::read::<f32>(&folder.join("x.npy"));
    let labels = npy::read::<f64>(&folder.join("labels.npy"));
    // The script scales the features, for both sides alike.
    let config = ProbeConfig { scaling: Scaling::None, tolerance, ..ProbeConfig::default() };

    let before = process::used_then_watch();
    let probes: Vec<_> = fit_sweep(x.view(), labels.view(), &config)
        .into_iter()
        .collect::<Result<_, _>>()
        .unwrap_or_else(|error| panic!("{error}"));
    let memory = process::most_used() - before;

    let (mut seconds, mut cpu_seconds) = (f64::INFINITY, f64::INFINITY);
    let mut peak = 0.0_f64;
    for _ in 0..repeats {
        peak = peak.max(sgemm(threads));
        let (start, used) = (Instant::now(), process::cpu_seconds());
        let again = fit_sweep(x.view(), labels.view(), &config);
        seconds = seconds.min(start.elapsed().as_secs_f64());
        cpu_seconds = cpu_seconds.min(process::cpu_seconds() - used);
        assert!(again.iter().flatten().eq(&probes), "another answer the second time");
    }
    peak = peak.max(sgemm(threads));

    let d = x.ncols();
    let coefficients = Array2::from_shape_fn((d + 1, probes.len()), |(i, j)| {
        if i < d { probes[j].weights[i] } else { probes[j].intercept }
    });
    npy::write(&folder.join("ours.npy"), &coefficients);
    let passes = probes.iter().map(|p| p.fit.iterations).sum::<usize>() as f64;
    let (rows, columns) = (x.nrows() as f64, d as f64);
    // Problems with the same or with opposite labels are solved once.
    let mut seen = std::collections::HashSet::new();
    let distinct = probes.iter().filter(|p| seen.insert(p.fit.objective.to_bits()));
    let done = distinct.map(|p| p.fit.iterations).sum::<usize>() as f64;
    let work = 4.0 * rows * columns * done + rows * columns * (columns + 1.0) + columns.powi(3) / 3.0;
    let figures = json!({
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "passes": passes / probes.len() as f64,
        "gflops": work / seconds / 1e9,
        "gflops_per_cpu_second": work / cpu_seconds / 1e9,
        "peak_gflops": peak,
        "memory_mb": memory / 1e6,
        "features_mb": 4.0 * rows * columns / 1e6,
    });
    println!("{figures}");
}

/// GFLOP/s of products in single precision that are large enough for the machine's peak, one per thread.
fn sgemm(threads: usize) -> f64 {
    const SIZE: usize = 2048;
    let operands: Vec<[Vec<f32>; 3]> =
        (0..threads).map(|_| [1.0, 0.5, 0.0].map(|value| vec![value; SIZE * SIZE])).collect();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for [a, b, mut c] in operands {
            scope.spawn(move || {
                let (rows, one) = (SIZE as isize, 1);
                // SAFETY: all three hold SIZE x SIZE numbers, which the strides address; `c` is this thread's own.
                #[expect(unsafe_code, reason = "gemm takes raw pointers")]
                unsafe {
                    gemm::gemm(
                        SIZE,
                        SIZE,
                        SIZE,
                        c.as_mut_ptr(),
                        rows,
                        one,
                        false,
                        a.as_ptr(),
                        rows,
                        one,
                        b.as_ptr(),
                        rows,
                        one,
                        0.0,
                        1.0,
                        false,
                        false,
                        false,
                        gemm::Parallelism::None,
                    );
                }
                assert_eq!(c[SIZE + 1], 0.5 * SIZE as f32);
            });
        }
    });
    2.0 * (SIZE as f64).powi(3) * threads as f64 / start.elapsed().as_secs_f64() / 1e9
}

/// What this process uses, as Linux counts it; 0 elsewhere.
mod process {
    /// Time on a processor, of all threads.
    pub(crate) fn cpu_seconds() -> f64 {
        let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return 0.0 };
        let nanoseconds = |task: std::fs::DirEntry| {
            let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            text.split(' ').next().and_then(|first| first.parse::<f64>().ok()).unwrap_or(0.0)
        };
        tasks.flatten().map(nanoseconds).sum::<f64>() / 1e9
    }

    /// Bytes in use now; what [`most_used`] says counts from here on.
    pub(crate) fn used_then_watch() -> f64 {
        // Where this is refused, the peak so far stands, and memory reads as 0 or more.
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        status("VmRSS:")
    }

    /// The most bytes that were in use at a time.
    pub(crate) fn most_used() -> f64 {
        status("VmHWM:")
    }

    fn status(key: &str) -> f64 {
        let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("0 kB");
        1024.0 * line.trim().trim_end_matches("kB").trim().parse::<f64>().unwrap_or(0.0)
    }
}
