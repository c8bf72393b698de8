//! Where a model runs: what is asked for, what there is, and how its sessions are spread.

use super::device::{DeviceTarget, cuda_cards};
use super::sessions::{Workers, open_one};
use super::{OpenOptions, cores};
use crate::error::OpenError;
use crate::graph::matrix_chain;
use crate::runtime::{Runtime, RuntimeKind};
use ort::ep::{CUDA, ExecutionProvider as _};
use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// Where a model is to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DeviceChoice {
    /// All CUDA cards where one works, else the processor; [`Placement::passed_over`] says why.
    Auto,
    /// The processor.
    #[default]
    Cpu,
    /// The CUDA card of that number, or all of them, one session each; where it cannot be used, an error.
    Cuda(Option<u16>),
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(None) => f.write_str("cuda"),
            Self::Cuda(Some(number)) => write!(f, "cuda:{number}"),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = String;

    /// `auto`, `cpu`, `cuda` or `cuda:N`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(None)),
            _ => text
                .strip_prefix("cuda:")
                .and_then(|number| number.parse().ok())
                .map(|number| Self::Cuda(Some(number)))
                .ok_or_else(|| {
                    format!("{text:?} is no device, expected auto, cpu, cuda (all cards) or cuda:N")
                }),
        }
    }
}

/// Where a model runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    pub(crate) workers: Workers,
    passed_over: Option<String>,
}

impl Placement {
    /// The device of each session.
    #[must_use]
    pub fn devices(&self) -> Vec<DeviceTarget> {
        (0..self.workers.sessions).map(|session| self.workers.target(session)).collect()
    }

    /// Why CUDA is not used although it might have been: [`DeviceChoice::Auto`] on a machine where no card works.
    #[must_use]
    pub fn passed_over(&self) -> Option<&str> {
        self.passed_over.as_deref()
    }

    /// Tokens of a batch that suit the device: small batches are faster on processors, large ones on cards.
    pub(crate) const fn token_budget(&self) -> usize {
        if self.workers.card.is_some() { 16_384 } else { 256 }
    }

    /// What a record says beside the runtime's name; nothing of the processor.
    pub(crate) fn suffix(&self) -> String {
        match (self.workers.card, self.workers.sessions) {
            (None, _) => String::new(),
            (Some(card), 1) => format!(" on cuda:{card}"),
            (Some(_), count) => format!(" on cuda ({count} cards)"),
        }
    }
}

impl fmt::Display for Placement {
    /// `cpu, 2 sessions of 1 thread`, `cuda:0`, `cuda:0, cuda:1`; and what was passed over.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Workers { sessions, threads, card } = self.workers;
        let plural = |count| if count == 1 { "" } else { "s" };
        match card {
            None => write!(
                f,
                "cpu, {sessions} session{} of {threads} thread{}",
                plural(sessions),
                plural(threads)
            )?,
            Some(_) => {
                let names: Vec<String> = self.devices().iter().map(ToString::to_string).collect();
                f.write_str(&names.join(", "))?;
            }
        }
        self.passed_over.as_ref().map_or(Ok(()), |reason| write!(f, " ({reason})"))
    }
}

/// Places a model of that many parameters where it is asked for.
///
/// # Errors
/// [`OpenError::Device`]: CUDA was asked for and cannot be used.
pub(crate) fn place(
    options: &OpenOptions,
    parameters: u64,
    runtime: &Runtime,
) -> Result<Placement, OpenError> {
    place_among(options, parameters, runtime, &mut cuda_cards)
}

fn place_among(
    options: &OpenOptions,
    parameters: u64,
    runtime: &Runtime,
    cards: &mut dyn FnMut() -> Vec<String>,
) -> Result<Placement, OpenError> {
    let asked = options.device;
    let on_cuda = |(card, sessions)| Workers { sessions, threads: 1, card: Some(card) };
    let (workers, passed_over) = match asked {
        DeviceChoice::Cpu => (on_processor(options, parameters), None),
        DeviceChoice::Cuda(number) => match cuda(runtime, number, &cards()) {
            Ok(found) => (on_cuda(found), None),
            Err(reason) => return Err(OpenError::Device { asked, reason }),
        },
        DeviceChoice::Auto => match cuda(runtime, None, &cards()) {
            Ok(found) => (on_cuda(found), None),
            Err(reason) => (on_processor(options, parameters), Some(format!("no CUDA: {reason}"))),
        },
    };
    Ok(Placement { workers, passed_over })
}

/// Above this many parameters, one session on all cores; below, a session of one thread per core.
const LARGE: u64 = 200_000_000;

/// How a model of that many parameters is spread over the cores.
fn on_processor(options: &OpenOptions, parameters: u64) -> Workers {
    let cores = cores(options);
    if parameters > LARGE {
        Workers { sessions: 1, threads: cores, card: None }
    } else {
        Workers { sessions: cores, threads: 1, card: None }
    }
}

/// The first card to be used and their number, or what is missing; `cards` are those that the driver names.
fn cuda(runtime: &Runtime, number: Option<u16>, cards: &[String]) -> Result<(i32, usize), String> {
    if cards.is_empty() {
        return Err("no NVIDIA driver on this machine names a card, as `nvidia-smi -L` would".into());
    }
    let listed = || {
        let named: Vec<String> = cards.iter().enumerate().map(|(n, card)| format!("{n} {card}")).collect();
        named.join(", ")
    };
    if let Some(number) = number
        && usize::from(number) >= cards.len()
    {
        return Err(format!("there is no card {number}; the cards are {}", listed()));
    }
    let library =
        "expected an ONNX Runtime built for CUDA (Python's onnxruntime-gpu), named by ORT_DYLIB_PATH";
    if runtime.kind() != RuntimeKind::OnnxRuntime {
        return Err(format!("{} knows no CUDA; {library}", runtime.name()));
    }
    if !matches!(CUDA::is_available(), Ok(true)) {
        let path = runtime.library().map(|(path, _)| format!(" ({})", path.display())).unwrap_or_default();
        return Err(format!("{}{path} has no CUDA provider; {library}", runtime.name()));
    }
    // A small product tells whether the provider finds its libraries and the card.
    let bytes = matrix_chain(2, 1);
    let opens =
        |card: i32| open_one(runtime, &bytes, Path::new(""), DeviceTarget::Cuda(card), 1).map(|_| card);
    let first = opens(number.map_or(0, i32::from))?;
    let others = || (1..cards.len()).take_while(|&n| i32::try_from(n).is_ok_and(|card| opens(card).is_ok()));
    Ok((first, if number.is_some() { 1 } else { 1 + others().count() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::{RuntimeChoice, RuntimeSettings};

    #[test]
    fn devices_are_read_by_name_and_written_again() {
        for text in ["auto", "cpu", "cuda", "cuda:0", "cuda:12"] {
            assert_eq!(text.parse::<DeviceChoice>().map(|device| device.to_string()), Ok(text.to_owned()));
        }
        for wrong in ["gpu", "cuda:", "cuda:x", "cuda:-1", "cuda3", "", "CPU"] {
            assert!(wrong.parse::<DeviceChoice>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn cuda_that_is_asked_for_and_not_there_is_an_error_and_auto_falls_back_aloud() {
        let settings = RuntimeSettings { choice: RuntimeChoice::Tract, ..RuntimeSettings::default() };
        let runtime = Runtime::start(&settings).expect("tract");
        let place = |device, cards: &[&str]| {
            let options = OpenOptions { device, cores: Some(3), ..OpenOptions::default() };
            let mut cards = || cards.iter().map(|card| (*card).to_owned()).collect();
            place_among(&options, 1000, runtime, &mut cards)
        };
        let said = |device, cards: &[&str]| place(device, cards).expect_err("refused").to_string();
        insta::assert_snapshot!(
            [
                said(DeviceChoice::Cuda(None), &[]),
                said(DeviceChoice::Cuda(Some(2)), &["A", "B"]),
                said(DeviceChoice::Cuda(Some(1)), &["A", "B"]),
                place(DeviceChoice::Auto, &[]).expect("the processor").to_string(),
                place(DeviceChoice::Auto, &["A"]).expect("the processor").to_string(),
                place(DeviceChoice::Cpu, &["A"]).expect("the processor").to_string(),
            ]
            .join("\n"),
            @r"
        device cuda was asked for: no NVIDIA driver on this machine names a card, as `nvidia-smi -L` would; --device auto or cpu runs without it
        device cuda:2 was asked for: there is no card 2; the cards are 0 A, 1 B; --device auto or cpu runs without it
        device cuda:1 was asked for: tract 0.23 knows no CUDA; expected an ONNX Runtime built for CUDA (Python's onnxruntime-gpu), named by ORT_DYLIB_PATH; --device auto or cpu runs without it
        cpu, 3 sessions of 1 thread (no CUDA: no NVIDIA driver on this machine names a card, as `nvidia-smi -L` would)
        cpu, 3 sessions of 1 thread (no CUDA: tract 0.23 knows no CUDA; expected an ONNX Runtime built for CUDA (Python's onnxruntime-gpu), named by ORT_DYLIB_PATH)
        cpu, 3 sessions of 1 thread
        "
        );
    }

    #[test]
    fn sessions_are_spread_over_cards_or_cores() {
        let options = OpenOptions { cores: Some(4), ..OpenOptions::default() };
        assert_eq!(on_processor(&options, LARGE), Workers { sessions: 4, threads: 1, card: None });
        assert_eq!(on_processor(&options, LARGE + 1), Workers { sessions: 1, threads: 4, card: None });
        let workers = Workers { sessions: 2, threads: 1, card: Some(1) };
        let placement = Placement { workers, passed_over: None };
        assert_eq!(placement.devices(), [DeviceTarget::Cuda(1), DeviceTarget::Cuda(2)]);
        assert_eq!((placement.to_string().as_str(), placement.token_budget()), ("cuda:1, cuda:2", 16_384));
    }
}
