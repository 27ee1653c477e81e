//! Shows the progress of a command on a line, for people at a terminal.
//!
//! 1. Progress is drawn on stderr only, if that is a terminal, and not with `--quiet` or `--json`.
//!    A compilation is also reported elsewhere, in one line: it happens once and may take long.
//! 2. It appears after a second: short work shows nothing.
//! 3. While it is shown, messages go to stderr through
//!    [`suspend`](crate::terminal::live_lines::suspend).

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::JoinHandle;

use crate::args::Shared;
use crate::numbers::to_u64;
use crate::report::print_line;
use crate::terminal::human::count;
use crate::terminal::live_lines::{LINES, REDRAW};

/// Work that ends within this time shows no progress.
pub(crate) const APPEARS_AFTER: Duration = Duration::from_secs(1);

/// A compilation that ends within this time is not reported.
const SAID_AFTER: Duration = Duration::from_secs(2);

/// The progress of one command. It is removed from the screen when dropped.
pub(crate) struct Progress {
    shown: Option<Shown>,
    events: u64,
}

enum Shown {
    /// A line on a terminal, and the task that makes it appear.
    Drawn(ProgressBar, JoinHandle<()>),
    /// The task that prints a line, without a terminal.
    Said(JoinHandle<()>),
}

impl Progress {
    /// Shows progress in events and bytes.
    pub(crate) fn of_events(shared: &Shared, what: &str) -> Self {
        let template = "{spinner} {prefix} {msg}, {bytes}, {bytes_per_sec}, {elapsed}";
        Self::start(shared, what, template)
    }

    /// Shows progress in bytes, towards a total that [`Progress::reached`] sets.
    pub(crate) fn of_bytes(shared: &Shared, what: &str) -> Self {
        let template =
            "{spinner} {prefix} [{wide_bar}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
        Self::start(shared, what, template)
    }

    /// Shows progress of unknown extent.
    pub(crate) fn of_unknown(shared: &Shared, what: &str) -> Self {
        Self::start(shared, what, "{spinner} {prefix} {elapsed}")
    }

    /// Shows the compilation of a component, whose extent is unknown. If stderr is not a terminal,
    /// it prints one line, unless the compilation is short.
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

    /// Returns whether the progress is or will be visible.
    pub(crate) fn is_shown(&self) -> bool {
        matches!(self.shown, Some(Shown::Drawn(..)))
    }

    /// Shows no progress.
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

    /// Adds completed work.
    pub(crate) fn add(&mut self, events: u64, bytes: usize) {
        self.events += events;
        if let Some(Shown::Drawn(line, _)) = &self.shown {
            line.set_message(count(self.events, "event", "events").to_string());
            line.inc(to_u64(bytes));
        }
    }

    /// Sets the completed and the total bytes.
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
