//! Says which runtime is used; with `install`, fetches ONNX Runtime first:
//! `cargo run --release --example runtime -- [install]`.

use std::io::Write as _;
use superalign_inference::{Runtime, home, install::install};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args().nth(1).as_deref() == Some("install") {
        let home = home().ok_or("no home folder is known; set SUPERALIGN_HOME")?;
        let (folder, record) = install(&home, &mut |line| eprintln!("{line}"))?;
        eprintln!("{} {} ({})", record.source, record.version, folder.display());
    }
    let runtime = Runtime::from_env()?;
    if let Some(warning) = runtime.warning() {
        eprintln!("warning: {warning}");
    }
    writeln!(std::io::stdout(), "{runtime}")?;
    Ok(())
}
