//! `superalign`: the workbench's command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    superalign::cli::main()
}
