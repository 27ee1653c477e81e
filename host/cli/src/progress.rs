//! A line that shows how far work has come, for people at a terminal.
//!
//! 1. It is drawn on stderr only, and only if that is a terminal; not with `--quiet` or `--json`.
//!    A compilation is said elsewhere, too, in one line: it happens once and may take long.
//! 2. It appears after a second: short work leaves no trace.
//! 3. Whoever prints to stderr meanwhile does so through [`aside`](crate::terminal::live_lines::aside).

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::JoinHandle;

use crate::args::Shared;
use crate::report::print_line;
use crate::terminal::human::count;
use crate::terminal::live_lines::{LINES, REDRAW};

/// Work that is done by then shows no progress.
pub(crate) const APPEARS_AFTER: Duration = Duration::from_secs(1);

/// A compilation that is done by then is not said.
const SAID_AFTER: Duration = Duration::from_secs(2);

/// The progress of one command; gone from the screen when dropped.
pub(crate) struct Progress {
    shown: Option<Shown>,
    events: u64,
}

enum Shown {
    /// A line on a terminal, and the task that makes it appear.
    Drawn(ProgressBar, JoinHandle<()>),
    /// The task that prints a line, elsewhere.
    Said(JoinHandle<()>),
}

impl Progress {
    /// Progress in events and bytes.
    pub(crate) fn of_events(shared: &Shared, what: &str) -> Self {
        let template = "{spinner} {prefix} {msg}, {bytes}, {bytes_per_sec}, {elapsed}";
        Self::start(shared, what, template)
    }

    /// Progress in bytes, towards a number of them that [`Progress::reached`] tells.
    pub(crate) fn of_bytes(shared: &Shared, what: &str) -> Self {
        let template =
            "{spinner} {prefix} [{wide_bar}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
        Self::start(shared, what, template)
    }

    /// Work that does not tell how far it is.
    pub(crate) fn of_unknown(shared: &Shared, what: &str) -> Self {
        Self::start(shared, what, "{spinner} {prefix} {elapsed}")
    }

    /// The compilation of a component, which does not tell how far it is. Where stderr is no terminal
    /// it is a line that is printed once, unless the compilation is short.
    pub(crate) fn of_compiling(shared: &Shared, component: &str) -> Self {
        let what = match shared.no_cache {
            true => format!("compiling {component}"),
            false => format!("compiling {component}, once"),
        };
        if shared.quiet || io::stderr().is_terminal() {
            return Self::of_unknown(shared, &what);
        }
        let is_said = tokio::spawn(async move {
            tokio::time::sleep(SAID_AFTER).await;
            print_line(false, &format!("{what} …"));
        });
        Self { shown: Some(Shown::Said(is_said)), events: 0 }
    }

    /// Says whether somebody sees it, or will.
    pub(crate) fn is_shown(&self) -> bool {
        matches!(self.shown, Some(Shown::Drawn(..)))
    }

    /// No progress at all.
    pub(crate) fn none() -> Self {
        Self { shown: None, events: 0 }
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
            LINES.add(appearing.clone());
            appearing.enable_steady_tick(REDRAW);
        });
        Self { shown: Some(Shown::Drawn(line, appears)), events: 0 }
    }

    /// Counts what was just done.
    pub(crate) fn add(&mut self, events: u64, bytes: usize) {
        self.events = self.events.saturating_add(events);
        if let Some(Shown::Drawn(line, _)) = &self.shown {
            line.set_message(count(self.events, "event", "events").to_string());
            line.inc(u64::try_from(bytes).unwrap_or(u64::MAX));
        }
    }

    /// Says how many bytes of how many are done.
    pub(crate) fn reached(&self, bytes: u64, bytes_total: u64) {
        if let Some(Shown::Drawn(line, _)) = &self.shown {
            line.set_length(bytes_total);
            line.set_position(bytes);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        match &self.shown {
            Some(Shown::Drawn(line, appears)) => {
                appears.abort();
                line.finish_and_clear();
                LINES.remove(line);
            }
            Some(Shown::Said(said)) => said.abort(),
            None => {}
        }
    }
}
