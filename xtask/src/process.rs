//! Child processes: shown before they run, their failure carried to our own exit code.

use anyhow::{Context, Result};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

/// A command that says what it is.
pub(crate) struct Cmd {
    command: Command,
    shown: OsString,
}

impl Cmd {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let name = Path::new(&program).file_stem().unwrap_or(program.as_ref());
        Self { shown: name.to_owned(), command: Command::new(&program) }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.shown.push(" ");
        self.shown.push(&arg);
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        let mut shown = OsString::from(format!("{name}={value:?} "));
        shown.push(&self.shown);
        self.shown = shown;
        self.command.env(name, value);
        self
    }

    /// Runs to the end; a failure of the child is an [`Exit`].
    pub(crate) fn run(mut self) -> Result<()> {
        self.show();
        let status = self.command.status().with_context(|| self.could_not())?;
        check(&self.shown, status)
    }

    /// Starts with its standard output in our hands; end with [`finish`].
    pub(crate) fn start(mut self) -> Result<(Child, OsString)> {
        self.show();
        let child = self.command.stdout(Stdio::piped()).spawn().with_context(|| self.could_not())?;
        Ok((child, self.shown))
    }

    /// What it prints, or `None` when it cannot run or fails. For asking, so it isn't shown.
    pub(crate) fn ask(mut self) -> Option<String> {
        let output = self.command.stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Becomes this command: signals and exit code are then its own.
    #[cfg(unix)]
    pub(crate) fn hand_over(mut self) -> Result<()> {
        use std::os::unix::process::CommandExt as _;
        self.show();
        let error = self.command.exec();
        Err(error).with_context(|| self.could_not())
    }

    /// Runs this command last; the console sends Ctrl-C to it as well as to us.
    #[cfg(not(unix))]
    pub(crate) fn hand_over(self) -> Result<()> {
        self.run()
    }

    fn show(&self) {
        eprintln!("$ {}", self.shown.display());
    }

    fn could_not(&self) -> String {
        format!(
            "could not start `{}`: is {} installed?",
            self.shown.display(),
            self.command.get_program().display()
        )
    }
}

/// Waits for a child that [`Cmd::start`] began.
pub(crate) fn finish(mut child: Child, shown: &OsStr) -> Result<()> {
    check(shown, child.wait()?)
}

fn check(shown: &OsStr, status: ExitStatus) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    Err(Exit { code: code(status), what: format!("`{}`: {status}", shown.display()) }.into())
}

fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(128 + signal).unwrap_or(1);
    }
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// A child failed: ours is its exit code (128 + the signal's number where a signal ended it).
#[derive(Debug)]
pub(crate) struct Exit {
    pub(crate) code: u8,
    what: String,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Exit {}
