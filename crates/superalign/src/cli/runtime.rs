//! `superalign runtime`: which runtime executes the models, and how to get a faster one.

use super::{Failure, say};
use clap::{Args, Subcommand};
use std::io::Write;
use std::path::PathBuf;
use superalign_inference::{
    DeviceReport, DeviceTarget, DeviceWorkload, OnnxModel, OpenOptions, Runtime, RuntimeChoice, RuntimeKind,
    RuntimeSettings, cuda_cards, home, install,
};

const STATUS_EXAMPLES: &str = "\
Examples:
  superalign runtime status
  ORT_DYLIB_PATH=/opt/onnxruntime/lib/libonnxruntime.so superalign runtime status";

const INSTALL_EXAMPLES: &str = "\
Examples:
  superalign runtime install
  SUPERALIGN_HOME=/big/disk superalign runtime install";

const CHECK_EXAMPLES: &str = "\
Examples:
  superalign runtime check                                on the first CUDA card
  superalign runtime check --device cuda:1 --model path/to/folder
  superalign runtime check --device cpu --json

Without a card it says `skipped: no GPU`, which is no failure. A card that cannot be used, or whose answers differ from
the processor's by more than rounding, is one.";

#[derive(Debug, Args)]
#[command(after_help = CHECK_EXAMPLES)]
pub(super) struct CheckArgs {
    /// The device: cpu, cuda or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "cuda", value_parser = target)]
    device: DeviceTarget,
    /// Folder of the model that is run
    #[arg(long, value_name = "DIR", default_value = "models/ladder/rung-3")]
    model: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn target(text: &str) -> Result<DeviceTarget, String> {
    let number = text.strip_prefix("cuda").map(|rest| rest.strip_prefix(':').unwrap_or(rest));
    match (text, number) {
        ("cpu", _) => Ok(DeviceTarget::Cpu),
        ("cuda", _) => Ok(DeviceTarget::Cuda(0)),
        (_, Some(number)) if text.starts_with("cuda:") => match number.parse::<u16>() {
            Ok(number) => Ok(DeviceTarget::Cuda(i32::from(number))),
            Err(_) => Err(format!("{number:?} is no number of a card, expected cuda:0, cuda:1, ...")),
        },
        _ => Err("expected cpu, cuda or cuda:N".into()),
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum RuntimeCommand {
    /// Say which runtime is used, where it was found, and what was passed over
    #[command(after_help = STATUS_EXAMPLES)]
    Status,
    /// Fetch ONNX Runtime through this machine's pip or npm
    #[command(after_help = INSTALL_EXAMPLES)]
    Install,
    /// Measure a device: agreement with the processor, tokens a second, share of its peak
    Check(CheckArgs),
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
        RuntimeCommand::Check(args) => check(args, &cuda_cards(), out),
    }
}

/// Measures a device, or says that there is none; `cards` are the CUDA cards of this machine.
fn check(args: &CheckArgs, cards: &[String], out: &mut dyn Write) -> Result<(), Failure> {
    if let DeviceTarget::Cuda(number) = args.device {
        if cards.is_empty() {
            say(out, if args.json { r#"{"skipped":"no GPU"}"# } else { "skipped: no GPU" });
            return Ok(());
        }
        let card = usize::try_from(number).ok().and_then(|number| cards.get(number)).ok_or_else(|| {
            Failure::Usage(format!("{} is not there; the cards are {}", args.device, cards.join(", ")))
        })?;
        eprintln!("card: {card}");
    }
    let runtime = start(None)?;
    let model = OnnxModel::open(&args.model, runtime, &OpenOptions::default()).map_err(Failure::usage)?;
    let workload = DeviceWorkload::of(args.device);
    let report = model.measure_device(runtime, args.device, &workload).map_err(Failure::failed)?;
    if args.json {
        let mut value = serde_json::to_value(&report).map_err(Failure::failed)?;
        value["share"] = report.share().into();
        value["agrees"] = report.agrees().into();
        say(out, value.to_string());
    } else {
        show(&report, out);
    }
    if report.agrees() {
        Ok(())
    } else {
        Err(Failure::Failed(format!(
            "{} differs from the processor by {:.1e}, expected at most 1e-2",
            report.device, report.difference
        )))
    }
}

fn show(report: &DeviceReport, out: &mut dyn Write) {
    let DeviceReport { device, runtime, model, batch: [texts, tokens], .. } = report;
    say(out, format!("device        {device} on {runtime}"));
    say(out, format!("model         {model}, {texts} texts of {tokens} tokens"));
    say(out, format!("difference    {:.1e} from the processor", report.difference));
    say(
        out,
        format!(
            "throughput    {:.0} tokens/s, the processor {:.0} ({:.1} times)",
            report.tokens_per_second,
            report.cpu_tokens_per_second,
            report.tokens_per_second / report.cpu_tokens_per_second
        ),
    );
    say(
        out,
        format!(
            "share of peak {:.1}%: {:.0} of {:.0} GFLOP/s, what large 32-bit products reach here",
            100.0 * report.share(),
            report.gflops,
            report.peak_gflops
        ),
    );
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

#[cfg(test)]
mod tests {
    use super::*;

    fn args(device: &str) -> CheckArgs {
        let model = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models/ladder/rung-0");
        CheckArgs { device: target(device).expect("a device"), model, json: false }
    }

    #[test]
    fn without_a_card_the_check_is_skipped_and_a_wrong_number_is_an_error() {
        let mut out = Vec::new();
        check(&args("cuda:1"), &[], &mut out).expect("skipped");
        assert_eq!(out, b"skipped: no GPU\n");
        let failure = check(&args("cuda:1"), &["A Card".into()], &mut out).expect_err("one card");
        assert!(
            matches!(failure, Failure::Usage(text) if text == "cuda:1 is not there; the cards are A Card")
        );
    }

    #[test]
    fn devices_are_read_by_name() {
        assert_eq!(target("cuda"), Ok(DeviceTarget::Cuda(0)));
        assert_eq!(target("cuda:3"), Ok(DeviceTarget::Cuda(3)));
        assert_eq!(target("cpu"), Ok(DeviceTarget::Cpu));
        for wrong in ["gpu", "cuda:", "cuda:x", "cuda:-1", "cuda3", ""] {
            assert!(target(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn figures_are_shown() {
        let report = DeviceReport {
            device: "cuda:0".into(),
            runtime: "onnxruntime 1.32.0".into(),
            model: "rung-3, hidden_states.5".into(),
            batch: [128, 128],
            difference: 3.2e-5,
            tokens_per_second: 2_000_000.0,
            cpu_tokens_per_second: 20_000.0,
            gflops: 12_000.0,
            peak_gflops: 48_000.0,
        };
        let mut out = Vec::new();
        show(&report, &mut out);
        insta::assert_snapshot!(String::from_utf8(out).expect("text"), @r#"
        device        cuda:0 on onnxruntime 1.32.0
        model         rung-3, hidden_states.5, 128 texts of 128 tokens
        difference    3.2e-5 from the processor
        throughput    2000000 tokens/s, the processor 20000 (100.0 times)
        share of peak 25.0%: 12000 of 48000 GFLOP/s, what large 32-bit products reach here
        "#);
    }
}
