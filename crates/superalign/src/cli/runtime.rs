//! `superalign runtime`: which runtime executes the models, and how to get a faster one.

use super::{Failure, say};
use clap::Subcommand;
use std::io::Write;
use superalign_inference::{Runtime, RuntimeChoice, RuntimeKind, RuntimeSettings, home, install};

const STATUS_EXAMPLES: &str = "\
Examples:
  superalign runtime status
  ORT_DYLIB_PATH=/opt/onnxruntime/lib/libonnxruntime.so superalign runtime status";

const INSTALL_EXAMPLES: &str = "\
Examples:
  superalign runtime install
  SUPERALIGN_HOME=/big/disk superalign runtime install";

#[derive(Debug, Subcommand)]
pub(super) enum RuntimeCommand {
    /// Say which runtime is used, where it was found, and what was passed over
    #[command(after_help = STATUS_EXAMPLES)]
    Status,
    /// Fetch ONNX Runtime through this machine's pip or npm
    #[command(after_help = INSTALL_EXAMPLES)]
    Install,
}

pub(super) fn runtime(command: &RuntimeCommand, out: &mut dyn Write) -> Result<(), Failure> {
    match command {
        RuntimeCommand::Status => {
            let runtime = Runtime::from_env().map_err(Failure::usage)?;
            say(out, describe(runtime));
            for rejected in runtime.rejected() {
                say(out, format!("passed over: {rejected}"));
            }
            Ok(())
        }
        RuntimeCommand::Install => {
            let home = home().ok_or_else(|| {
                Failure::Usage("no folder to install into is known; set SUPERALIGN_HOME to one".into())
            })?;
            let (folder, record) =
                install::install(&home, &mut |line| eprintln!("{line}")).map_err(Failure::failed)?;
            say(
                out,
                format!("ONNX Runtime {} from {} is in {}", record.version, record.source, folder.display()),
            );
            Ok(())
        }
    }
}

/// Starts the runtime that the command line asks for; without a wish, the one that the environment names.
pub(super) fn start(choice: Option<RuntimeChoice>) -> Result<&'static Runtime, Failure> {
    let mut settings = RuntimeSettings::from_env().map_err(Failure::usage)?;
    if let Some(choice) = choice {
        settings.choice = choice;
    }
    let runtime = Runtime::start(&settings).map_err(Failure::usage)?;
    if let Some(warning) = runtime.warning() {
        eprintln!("warning: {warning}");
    }
    eprintln!("{}", describe(runtime));
    Ok(runtime)
}

fn describe(runtime: &Runtime) -> String {
    match (runtime.kind(), runtime.library()) {
        (RuntimeKind::Tract, _) => {
            format!(
                "runtime: {}, built in (`superalign runtime install` fetches a faster one)",
                runtime.name()
            )
        }
        (_, Some((path, source))) => format!("runtime: {}, {} ({source})", runtime.name(), path.display()),
        (_, None) => format!("runtime: {}", runtime.name()),
    }
}
