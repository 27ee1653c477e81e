//! Shows lines on a terminal that change while a command works.

use std::sync::LazyLock;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::terminal::screen;

pub(crate) const REDRAW: Duration = Duration::from_millis(100);

/// The lines on the screen. They are all hidden if stderr is not a terminal.
pub(crate) static LINES: LazyLock<MultiProgress> =
    LazyLock::new(|| MultiProgress::with_draw_target(screen::target()));

/// One line of text below the progress, with a spinner. It is removed when dropped.
pub(crate) struct Line(ProgressBar);

impl Line {
    /// Adds an empty line to the screen.
    pub(crate) fn start() -> Self {
        let line = LINES.add(ProgressBar::new_spinner());
        let style = ProgressStyle::with_template("{spinner} {wide_msg}");
        line.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        line.enable_steady_tick(REDRAW);
        Self(line)
    }

    /// Replaces the text.
    pub(crate) fn set(&self, text: String) {
        self.0.set_message(text);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.0.finish_and_clear();
        LINES.remove(&self.0);
    }
}

/// Prints something else to stderr while the lines are removed.
pub(crate) fn suspend<T>(print: impl FnOnce() -> T) -> T {
    LINES.suspend(print)
}

/// Removes all lines from the screen, at the end of the command.
pub(crate) fn clear() {
    // A terminal that cannot be written to shows no lines.
    LINES.clear().ok();
    LINES.set_draw_target(ProgressDrawTarget::hidden());
}
