//! Progress on standard error: bars where a person watches, a line now and then where nobody does.

use indicatif::{HumanBytes, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Where progress is shown.
#[derive(Debug)]
pub struct Progress {
    how: How,
}

#[derive(Debug)]
enum How {
    Bars(MultiProgress),
    Lines,
    Silent,
}

/// Bytes of a file as they are read, shown when that takes more than two seconds.
#[derive(Debug)]
pub struct Reading<'a> {
    progress: &'a Progress,
    title: String,
    begun: Instant,
    stage: Option<Stage>,
}

/// What the steps of a stage are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Steps,
    Bytes,
}

/// One stage of work of known size.
#[derive(Debug)]
pub struct Stage {
    title: String,
    total: u64,
    unit: Unit,
    shown: Shown,
    state: Mutex<State>,
}

#[derive(Debug)]
enum Shown {
    Bar(ProgressBar),
    Lines,
    Nothing,
}

#[derive(Debug)]
struct State {
    done: u64,
    begun: Instant,
    last: Instant,
    spoke: bool,
}

/// Without a terminal a stage says something this often, and nothing at all when it ends sooner.
const EVERY: Duration = Duration::from_secs(5);
const SHORT: Duration = Duration::from_secs(2);

impl Progress {
    /// Bars on a terminal, lines elsewhere.
    #[must_use]
    pub fn auto() -> Self {
        if std::io::stderr().is_terminal() {
            Self { how: How::Bars(MultiProgress::with_draw_target(ProgressDrawTarget::stderr())) }
        } else {
            Self { how: How::Lines }
        }
    }

    /// Shows nothing.
    #[must_use]
    pub fn silent() -> Self {
        Self { how: How::Silent }
    }

    /// Begins a stage of `total` steps.
    #[must_use]
    pub fn stage(&self, title: impl Into<String>, total: usize) -> Stage {
        self.begin(title.into(), total as u64, Unit::Steps)
    }

    /// Begins to read a file.
    #[must_use]
    pub fn reading(&self, title: impl Into<String>) -> Reading<'_> {
        Reading { progress: self, title: title.into(), begun: Instant::now(), stage: None }
    }

    fn begin(&self, title: String, total: u64, unit: Unit) -> Stage {
        let shown = match &self.how {
            How::Bars(bars) => {
                let bar = bars.add(ProgressBar::new(total));
                let style = ProgressStyle::with_template(match unit {
                    Unit::Steps => "{msg:32} {bar:28} {human_pos}/{human_len} {eta:>5} {prefix}",
                    Unit::Bytes => "{msg:32} {bar:28} {bytes}/{total_bytes} {eta:>5}",
                });
                bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
                bar.set_message(title.clone());
                bar.enable_steady_tick(Duration::from_millis(250));
                Shown::Bar(bar)
            }
            How::Lines => Shown::Lines,
            How::Silent => Shown::Nothing,
        };
        let now = Instant::now();
        Stage {
            title,
            total,
            unit,
            shown,
            state: Mutex::new(State { done: 0, begun: now, last: now, spoke: false }),
        }
    }
}

impl Reading<'_> {
    /// `done` bytes of `total` are read.
    pub fn set(&mut self, done: u64, total: u64) {
        if self.stage.is_none() && self.begun.elapsed() >= SHORT {
            let stage = self.progress.begin(self.title.clone(), total, Unit::Bytes);
            if let Ok(mut state) = stage.state.lock() {
                // Two seconds without a word are enough.
                state.last = state.last.checked_sub(EVERY).unwrap_or(state.last);
                state.begun = self.begun;
            }
            self.stage = Some(stage);
        }
        if let Some(stage) = &self.stage {
            stage.update(|_| done);
        }
    }
}

impl Stage {
    /// `done` steps are finished.
    pub fn set(&self, done: usize) {
        self.update(|_| done as u64);
    }

    /// `done` steps are finished; the note says more, as often as something is said.
    pub fn set_noting(&self, done: usize, note: impl FnOnce() -> String) {
        self.say(|_| done as u64, || Some(note()));
    }

    /// One more step is finished.
    pub fn step(&self) {
        self.update(|before| before + 1);
    }

    fn update(&self, change: impl FnOnce(u64) -> u64) {
        self.say(change, || None);
    }

    fn say(&self, change: impl FnOnce(u64) -> u64, note: impl FnOnce() -> Option<String>) {
        // A panic elsewhere does not make the count wrong.
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        state.done = change(state.done);
        match &self.shown {
            Shown::Bar(bar) => {
                bar.set_position(state.done);
                if let Some(note) = note() {
                    bar.set_prefix(note);
                }
            }
            Shown::Lines if state.last.elapsed() >= EVERY => {
                state.last = Instant::now();
                state.spoke = true;
                let note = note().map(|note| format!(", {note}")).unwrap_or_default();
                eprintln!("{}: {}{note}", self.title, self.unit.of(state.done, self.total));
            }
            Shown::Lines | Shown::Nothing => {}
        }
    }
}

impl Unit {
    /// How much of all is done.
    fn of(self, done: u64, total: u64) -> String {
        match self {
            Self::Steps => format!("{done} of {total}"),
            Self::Bytes => format!("{} of {}", HumanBytes(done), HumanBytes(total)),
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        match &self.shown {
            Shown::Bar(bar) => bar.finish_and_clear(),
            Shown::Lines if state.spoke || state.begun.elapsed() >= SHORT => {
                let seconds = state.begun.elapsed().as_secs_f64();
                eprintln!("{}: {} in {seconds:.1} s", self.title, self.unit.of(state.done, self.total));
            }
            Shown::Lines | Shown::Nothing => {}
        }
    }
}
