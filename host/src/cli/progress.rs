//! A line that shows how far work has come, for people at a terminal.
//!
//! 1. It is drawn on stderr only, and only if that is a terminal; not with `--quiet` or `--json`.
//! 2. It appears after a second: short work leaves no trace.
//! 3. Whoever prints to stderr meanwhile does so through [`aside`].

use std::io::{self, IsTerminal as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::JoinHandle;

use super::arguments::Shared;
use super::report::count;

/// Work that is done by then shows no progress.
const APPEARS_AFTER: Duration = Duration::from_secs(1);

const REDRAW: Duration = Duration::from_millis(100);

/// The line on the screen, if any.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// The progress of one command; gone from the screen when dropped.
pub(super) struct Progress {
    line: Option<(ProgressBar, JoinHandle<()>)>,
    events: u64,
}

impl Progress {
    /// Progress in events and bytes.
    pub(super) fn of_events(shared: &Shared, what: &str) -> Self {
        let template = "{spinner} {prefix} {msg}, {bytes}, {bytes_per_sec}, {elapsed}";
        Self::start(shared, what, template)
    }

    /// Progress in bytes, towards a number of them that [`Progress::reached`] tells.
    pub(super) fn of_bytes(shared: &Shared, what: &str) -> Self {
        let template =
            "{spinner} {prefix} [{bar:30}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta}";
        Self::start(shared, what, template)
    }

    /// Work that does not tell how far it is.
    pub(super) fn of_unknown(shared: &Shared, what: &str) -> Self {
        Self::start(shared, what, "{spinner} {prefix} {elapsed}")
    }

    /// No progress at all.
    pub(super) fn none() -> Self {
        Self { line: None, events: 0 }
    }

    fn start(shared: &Shared, what: &str, template: &str) -> Self {
        if shared.quiet || shared.json || !io::stderr().is_terminal() {
            return Self::none();
        }
        let line = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template(template);
        line.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        line.set_prefix(what.to_owned());
        line.set_message("0 events");
        let appearing = line.clone();
        let appears = tokio::spawn(async move {
            tokio::time::sleep(APPEARS_AFTER).await;
            let mut shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
            appearing.set_draw_target(ProgressDrawTarget::stderr());
            appearing.enable_steady_tick(REDRAW);
            *shown = Some(appearing);
        });
        Self { line: Some((line, appears)), events: 0 }
    }

    /// Counts what was just done.
    pub(super) fn add(&mut self, events: u64, bytes: usize) {
        self.events = self.events.saturating_add(events);
        if let Some((line, _)) = &self.line {
            line.set_message(count(self.events, "event", "events").to_string());
            line.inc(u64::try_from(bytes).unwrap_or(u64::MAX));
        }
    }

    /// Says how many bytes of how many are done.
    pub(super) fn reached(&self, bytes: u64, bytes_total: u64) {
        if let Some((line, _)) = &self.line {
            line.set_length(bytes_total);
            line.set_position(bytes);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((line, appears)) = &self.line {
            appears.abort();
            line.finish_and_clear();
        }
    }
}

/// Prints something else to stderr, the line taken away meanwhile.
pub(crate) fn aside<T>(print: impl FnOnce() -> T) -> T {
    let shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    match shown.as_ref() {
        Some(line) => line.suspend(print),
        None => print(),
    }
}
