//! Reports an operation of the store that takes long.
//!
//! 1. Nothing is reported within the first two seconds, nor with `--quiet`.
//! 2. On a terminal the report is one line, which disappears when the store has answered.
//!    Elsewhere, lines are printed less and less often, and one more when the store has answered.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use stratalog::store::{Store, Waiting};

use crate::args::Shared;
use crate::report::print_line;
use crate::terminal::live_lines::Line;

/// An operation is reported after this time.
const TOLD_AFTER: Duration = Duration::from_secs(2);

/// The interval between checks.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Reports the operations of this store that take long, until the process ends.
pub(crate) fn tell(store: &Store, shared: &Shared) {
    if shared.quiet {
        return;
    }
    let store = store.clone();
    let mut telling: Box<dyn Telling> = match io::stderr().is_terminal() {
        true => Box::new(OnTerminal { line: None }),
        false => Box::new(OnLines { said: None }),
    };
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let waiting = store.waiting().filter(|waiting| waiting.elapsed >= TOLD_AFTER);
            telling.tell(store.description(), waiting.as_ref());
        }
    });
}

trait Telling: Send {
    /// Reports the operation that takes long now, or none.
    fn tell(&mut self, store: &str, waiting: Option<&Waiting>);
}

struct OnTerminal {
    line: Option<Line>,
}

impl Telling for OnTerminal {
    fn tell(&mut self, store: &str, waiting: Option<&Waiting>) {
        match waiting {
            Some(waiting) => {
                let line = self.line.get_or_insert_with(Line::start);
                line.set(format!("waiting for {store}: {waiting}"));
            }
            None => self.line = None,
        }
    }
}

struct OnLines {
    /// The elapsed time in the last report.
    said: Option<Duration>,
}

impl Telling for OnLines {
    fn tell(&mut self, store: &str, waiting: Option<&Waiting>) {
        match (waiting, self.said) {
            (Some(waiting), said) => {
                let elapsed = waiting.elapsed;
                let next = said.map_or(TOLD_AFTER, |said| said.saturating_mul(2));
                // Less than the last report: a new operation.
                if elapsed >= next || said.is_some_and(|said| elapsed < said) {
                    print_line(false, &format!("waiting for {store}: {waiting}"));
                    self.said = Some(elapsed);
                }
            }
            (None, Some(_)) => {
                print_line(false, &format!("{store} has answered"));
                self.said = None;
            }
            (None, None) => {}
        }
    }
}
