//! Tells the user what the store is waited for, when that takes long.
//!
//! 1. Nothing is said of what takes less than two seconds, nor with `--quiet`.
//! 2. On a terminal it is one line that goes when the store has answered. Elsewhere lines are
//!    printed ever more rarely, and one when the store has answered.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use stratalog::store::{Store, Waiting};

use crate::args::Shared;
use crate::report::print_line;
use crate::terminal::live_lines::Line;

/// What is waited for is told from then on.
const TOLD_AFTER: Duration = Duration::from_secs(2);

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Tells, as long as the process lives, what this store is waited for.
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
    /// Tells what is waited for now: nothing, or for long.
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
    /// How long it had taken when that was said last.
    said: Option<Duration>,
}

impl Telling for OnLines {
    fn tell(&mut self, store: &str, waiting: Option<&Waiting>) {
        match (waiting, self.said) {
            (Some(waiting), said) => {
                let elapsed = waiting.elapsed;
                let next = said.map_or(TOLD_AFTER, |said| said.saturating_mul(2));
                // Shorter than what was said: it is another operation.
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
