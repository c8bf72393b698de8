//! Which program executes the graphs: ONNX Runtime where it is found, the embedded tract otherwise.
//!
//! The choice is made once per process, because the binding below knows only one interface at a time.

mod find;
mod load;

pub use find::{Source, home};
pub(crate) use find::{answer, is_library_name};
pub use load::Unusable;
pub(crate) use load::load;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// The series of tract that is built in.
const TRACT: &str = "0.23";

/// Which runtime executes the graphs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RuntimeKind {
    /// Microsoft's ONNX Runtime, from a library found on this machine.
    OnnxRuntime,
    /// tract, which is part of this program.
    Tract,
}

impl fmt::Display for RuntimeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OnnxRuntime => "onnxruntime",
            Self::Tract => "tract",
        })
    }
}

/// Which runtime is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RuntimeChoice {
    /// ONNX Runtime where it is found, tract otherwise.
    #[default]
    Auto,
    /// tract, whatever is found.
    Tract,
    /// ONNX Runtime; an error where it is not found.
    OnnxRuntime,
}

impl FromStr for RuntimeChoice {
    type Err = RuntimeError;

    fn from_str(text: &str) -> Result<Self, RuntimeError> {
        match text {
            "auto" => Ok(Self::Auto),
            "tract" => Ok(Self::Tract),
            "onnxruntime" => Ok(Self::OnnxRuntime),
            _ => Err(RuntimeError::UnknownChoice { found: text.to_owned() }),
        }
    }
}

/// Where to look for a runtime.
#[derive(Clone, Debug, Default)]
pub struct RuntimeSettings {
    /// Which runtime is wanted.
    pub choice: RuntimeChoice,
    /// A library named by the user.
    pub library: Option<PathBuf>,
    /// The folder under which libraries are provisioned (see [`home`]).
    pub home: Option<PathBuf>,
    /// The Python whose packages are searched.
    pub python: Option<PathBuf>,
}

impl RuntimeSettings {
    /// What the environment says: `SUPERALIGN_RUNTIME` (`auto`, `tract`, `onnxruntime`), `ORT_DYLIB_PATH`,
    /// `SUPERALIGN_HOME`; and the `python3` of the search path.
    ///
    /// # Errors
    /// [`RuntimeError::UnknownChoice`] when `SUPERALIGN_RUNTIME` is none of the three.
    pub fn from_env() -> Result<Self, RuntimeError> {
        let text = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let choice = match text("SUPERALIGN_RUNTIME") {
            Some(value) => value.to_string_lossy().parse()?,
            None => RuntimeChoice::Auto,
        };
        Ok(Self {
            choice,
            library: text("ORT_DYLIB_PATH").map(PathBuf::from),
            home: home(),
            python: Some(PathBuf::from(if cfg!(windows) { "python" } else { "python3" })),
        })
    }
}

/// A library that was found and not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Where it is.
    pub path: PathBuf,
    /// How it was found.
    pub source: Source,
    /// Why it is not used.
    pub reason: Unusable,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.path.display(), self.source, self.reason)
    }
}

/// Why there is no runtime.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// ONNX Runtime was asked for by name and no library can be used.
    #[error(
        "ONNX Runtime was asked for and none can be used{}\nRun `superalign runtime install`, or point \
         ORT_DYLIB_PATH at a library, or choose SUPERALIGN_RUNTIME=tract",
        listed(.rejected)
    )]
    NotFound {
        /// What was found and refused.
        rejected: Vec<Rejected>,
    },
    /// Another runtime already runs in this process.
    #[error("{running} already runs in this process, {wanted:?} was asked for; one process uses one runtime")]
    AlreadyChosen {
        /// The runtime in use.
        running: String,
        /// The choice that came too late.
        wanted: RuntimeChoice,
    },
    /// No runtime of that name.
    #[error("SUPERALIGN_RUNTIME is {found:?}, expected auto, tract or onnxruntime")]
    UnknownChoice {
        /// The name given.
        found: String,
    },
    /// The runtime was found and does not start.
    #[error("{runtime} does not start: {reason}")]
    Start {
        /// Which one.
        runtime: String,
        /// What it said.
        reason: String,
    },
}

fn listed(rejected: &[Rejected]) -> String {
    if rejected.is_empty() {
        return " (none was found)".to_owned();
    }
    let lines: Vec<_> = rejected.iter().map(|one| format!("\n  {one}")).collect();
    format!(":{}", lines.concat())
}

/// The runtime of this process.
#[derive(Debug)]
pub struct Runtime {
    kind: RuntimeKind,
    version: String,
    library: Option<(PathBuf, Source)>,
    rejected: Vec<Rejected>,
    environment: ort::environment::Environment,
}

static RUNNING: OnceLock<Runtime> = OnceLock::new();
static STARTING: Mutex<()> = Mutex::new(());

impl Runtime {
    /// Starts the runtime that the environment asks for: [`Runtime::start`] with [`RuntimeSettings::from_env`].
    ///
    /// # Errors
    /// As those two.
    pub fn from_env() -> Result<&'static Self, RuntimeError> {
        Self::start(&RuntimeSettings::from_env()?)
    }

    /// Starts a runtime, or returns the one that this process already runs.
    ///
    /// Looked at in this order: the library the user named, provisioned copies (newest first), Python's packages,
    /// and tract, which is always there. A library that cannot be used is passed over and listed in
    /// [`Runtime::rejected`]; see [`Runtime::warning`].
    ///
    /// ```
    /// use superalign_inference::{Runtime, RuntimeChoice, RuntimeSettings};
    /// let settings = RuntimeSettings { choice: RuntimeChoice::Tract, ..RuntimeSettings::default() };
    /// let runtime = Runtime::start(&settings)?;
    /// assert!(runtime.name().starts_with("tract 0."));
    /// # Ok::<(), superalign_inference::RuntimeError>(())
    /// ```
    ///
    /// # Errors
    /// [`RuntimeError::NotFound`] when ONNX Runtime is demanded and no library can be used,
    /// [`RuntimeError::AlreadyChosen`] when the process runs the other one.
    pub fn start(settings: &RuntimeSettings) -> Result<&'static Self, RuntimeError> {
        // A poisoned lock guards nothing: the cell below is either filled or not.
        let _guard = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = RUNNING.get() {
            return running.answers(settings.choice);
        }
        let found = discover(settings)?;
        let (kind, version, library, api) = match found.library {
            Some((path, source, loaded)) => {
                (RuntimeKind::OnnxRuntime, loaded.version, Some((path, source)), loaded.api)
            }
            None => (RuntimeKind::Tract, TRACT.to_owned(), None, ort_tract::api()),
        };
        let failed = |reason: String| RuntimeError::Start { runtime: format!("{kind} {version}"), reason };
        if !ort::set_api(api) {
            return Err(failed("another part of this program has initialised the `ort` crate before".into()));
        }
        let environment = ort::init()
            .with_name("superalign")
            .with_telemetry(false)
            .build()
            .map_err(|error| failed(error.to_string()))?;
        Ok(RUNNING.get_or_init(|| Self { kind, version, library, rejected: found.rejected, environment }))
    }

    fn answers(&'static self, choice: RuntimeChoice) -> Result<&'static Self, RuntimeError> {
        match (choice, self.kind) {
            (RuntimeChoice::Tract, RuntimeKind::OnnxRuntime)
            | (RuntimeChoice::OnnxRuntime, RuntimeKind::Tract) => {
                Err(RuntimeError::AlreadyChosen { running: self.name(), wanted: choice })
            }
            _ => Ok(self),
        }
    }

    /// Which runtime it is.
    #[must_use]
    pub const fn kind(&self) -> RuntimeKind {
        self.kind
    }

    /// Name and version, as records have it: `onnxruntime 1.32.0`, `tract 0.23`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.kind, self.version)
    }

    /// The library in use, and how it was found; `None` for tract.
    #[must_use]
    pub fn library(&self) -> Option<(&std::path::Path, Source)> {
        self.library.as_ref().map(|(path, source)| (path.as_path(), *source))
    }

    /// The libraries that were found and passed over, in the order in which they were tried.
    #[must_use]
    pub fn rejected(&self) -> &[Rejected] {
        &self.rejected
    }

    /// What the user should hear at once: the library that they named themselves is not the one in use.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let named = self.rejected.iter().find(|one| one.source == Source::Named)?;
        Some(format!(
            "ORT_DYLIB_PATH={} is not used: {}; running on {} instead",
            named.path.display(),
            named.reason,
            self.name()
        ))
    }

    pub(crate) const fn environment(&self) -> &ort::environment::Environment {
        &self.environment
    }
}

impl fmt::Display for Runtime {
    /// Which runtime it is, what was passed over, and how to get a faster one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.library {
            Some((path, source)) => {
                write!(f, "ONNX Runtime {} ({source}: {})", self.version, path.display())?;
            }
            None => write!(
                f,
                "tract {} (built in); ONNX Runtime is several times faster: superalign runtime install",
                self.version
            )?,
        }
        self.rejected.iter().try_for_each(|one| write!(f, "\n  passed over: {one}"))
    }
}

/// What a search found.
struct Found {
    library: Option<(PathBuf, Source, load::Loaded)>,
    rejected: Vec<Rejected>,
}

fn discover(settings: &RuntimeSettings) -> Result<Found, RuntimeError> {
    let mut rejected = Vec::new();
    if settings.choice == RuntimeChoice::Tract {
        return Ok(Found { library: None, rejected });
    }
    let mut attempt = |path: PathBuf, source: Source| match load(&path) {
        Ok(loaded) => Some((path, source, loaded)),
        Err(reason) => {
            rejected.push(Rejected { path, source, reason });
            None
        }
    };
    let mut library = settings.library.clone().and_then(|path| attempt(path, Source::Named));
    // Whoever demands ONNX Runtime and names a library means that one.
    let search_on = settings.library.is_none() || settings.choice == RuntimeChoice::Auto;
    if library.is_none() && search_on {
        let folders = settings.home.as_deref().map(find::provisioned).unwrap_or_default();
        let mut damaged = Vec::new();
        library = folders.iter().find_map(|folder| match find::verify(folder) {
            Ok(path) => attempt(path, Source::Provisioned),
            Err((path, reason)) => {
                damaged.push(Rejected { path, source: Source::Provisioned, reason });
                None
            }
        });
        if library.is_none() {
            let python = settings.python.as_deref();
            let paths =
                python.map(|python| find::in_python(python, Duration::from_secs(5))).unwrap_or_default();
            library = paths.into_iter().find_map(|path| attempt(path, Source::Python));
        }
        rejected.extend(damaged);
    }
    if library.is_none() && settings.choice == RuntimeChoice::OnnxRuntime {
        return Err(RuntimeError::NotFound { rejected });
    }
    Ok(Found { library, rejected })
}
