//! Reports an operation of the store that takes long.
//!
//! 1. Nothing is reported within the first two seconds, nor with `--quiet`.
//! 2. On a terminal the report is one line, which disappears when the store has answered. It begins
//!    with the cause, since a narrow terminal cuts it off. Elsewhere, lines are printed less and
//!    less often, and one more when the store has answered.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use stratalog::store::{Store, Waiting};

use crate::args::Shared;
use crate::report::print_line;
use crate::terminal::live_lines::Line;

/// An operation is reported after this time.
const REPORTED_AFTER: Duration = Duration::from_secs(2);

/// The interval between checks.
const CHECK_INTERVAL: Duration = Duration::from_millis(200);

/// Reports the operations of this store that take long, until the process ends.
pub(crate) fn report(store: &Store, shared: &Shared) {
    if shared.quiet {
        return;
    }
    let store = store.clone();
    let mut reporter: Box<dyn Reporter> = match io::stderr().is_terminal() {
        true => Box::new(OnTerminal { line: None }),
        false => Box::new(OnLines { reported: None }),
    };
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(CHECK_INTERVAL).await;
            let waiting = store.waiting().filter(|waiting| waiting.elapsed >= REPORTED_AFTER);
            reporter.report(store.description(), waiting.as_ref());
        }
    });
}

trait Reporter: Send {
    /// Reports the operation that takes long now, or none.
    fn report(&mut self, store: &str, waiting: Option<&Waiting>);
}

struct OnTerminal {
    line: Option<Line>,
}

impl Reporter for OnTerminal {
    fn report(&mut self, store: &str, waiting: Option<&Waiting>) {
        match waiting {
            Some(waiting) => {
                let line = self.line.get_or_insert_with(Line::start);
                line.set(on_one_line(store, waiting));
            }
            None => self.line = None,
        }
    }
}

/// Formats an operation with the cause before the rest.
fn on_one_line(store: &str, waiting: &Waiting) -> String {
    let Some(failure) = &waiting.last_failure else {
        return format!("waiting for {store}: {waiting}");
    };
    let Waiting { action, key, elapsed, attempts, .. } = waiting;
    let seconds = elapsed.as_secs();
    format!("{seconds} s: {failure}; waiting for {store}, attempt {attempts}: {action} {key:?}")
}

struct OnLines {
    /// The elapsed time in the last report.
    reported: Option<Duration>,
}

impl Reporter for OnLines {
    fn report(&mut self, store: &str, waiting: Option<&Waiting>) {
        match (waiting, self.reported) {
            (Some(waiting), reported) => {
                let elapsed = waiting.elapsed;
                let next = reported.map_or(REPORTED_AFTER, |reported| reported.saturating_mul(2));
                // Less than the last report: a new operation.
                if elapsed >= next || reported.is_some_and(|reported| elapsed < reported) {
                    print_line(false, &format!("waiting for {store}: {waiting}"));
                    self.reported = Some(elapsed);
                }
            }
            (None, Some(_)) => {
                print_line(false, &format!("{store} has answered"));
                self.reported = None;
            }
            (None, None) => {}
        }
    }
}
