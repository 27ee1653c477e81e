//! Signals that end an append: in good order, but not at any price.
//!
//! 1. After SIGINT it ends within a second. What the store has not confirmed by then is told.
//! 2. After SIGTERM it waits for the store, as long as an operation may take, for nobody is
//!    sitting there; a second signal ends it at once.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use stratalog::Log;
use tokio::sync::watch;

use super::ledger::Ledger;
use crate::cli::arguments::Shared;
use crate::cli::exit::{Code, Failure, complain};
use crate::cli::progress;
use crate::cli::report::{count, print_line};
use crate::cli::signals::Signals;

/// A flush that takes longer than this after SIGTERM is explained.
const EXPLAIN_AFTER: Duration = Duration::from_millis(300);

/// So long a flush may take after SIGINT: within a second all is over.
const PATIENCE: Duration = Duration::from_millis(700);

/// The signal that came, as the code to end with.
pub(super) struct Interruption {
    came: watch::Receiver<Option<Code>>,
    /// Known once the log is open.
    ledger: Arc<OnceLock<Arc<Ledger>>>,
}

impl Interruption {
    /// Watches for signals from now on.
    pub(super) fn watch(shared: &Shared) -> Result<Self, Failure> {
        let mut signals = Signals::listen()?;
        let (sender, came) = watch::channel(None);
        let ledger = Arc::new(OnceLock::new());
        let (quiet, known) = (shared.quiet, Arc::clone(&ledger));
        tokio::spawn(async move {
            let first = signals.next().await;
            sender.send_replace(Some(first));
            let patience = async {
                if first == Code::Interrupted {
                    tokio::time::sleep(PATIENCE).await;
                    return first;
                }
                tokio::time::sleep(EXPLAIN_AFTER).await;
                print_line(quiet, "ending: waiting for the store; another signal ends at once");
                std::future::pending().await
            };
            let code = tokio::select! {
                code = signals.next() => code,
                code = patience => code,
            };
            progress::clear();
            complain(&unconfirmed(known.get().map(Arc::as_ref)));
            std::process::exit(code.number().into());
        });
        Ok(Self { came, ledger })
    }

    /// Counts from now on what the log takes and confirms.
    pub(super) fn watch_over(&self, log: &Log) -> Arc<Ledger> {
        Arc::clone(self.ledger.get_or_init(|| Arc::new(Ledger::new(log.clone()))))
    }

    /// Waits for the signal.
    pub(super) async fn wait(&mut self) -> Code {
        loop {
            if let Some(code) = *self.came.borrow_and_update() {
                return code;
            }
            if self.came.changed().await.is_err() {
                // Nobody watches any more: no signal will be told.
                std::future::pending::<()>().await;
            }
        }
    }
}

/// Says what the store had not confirmed when nobody wanted to wait any longer.
fn unconfirmed(ledger: Option<&Ledger>) -> String {
    let ended = "ended without waiting for the store";
    let Some((read, doubtful)) = ledger.map(Ledger::read_and_doubtful) else {
        return ended.to_owned();
    };
    let read_text = count(read, "event", "events");
    match doubtful {
        0 => format!("{ended}: {read_text} read, all of them written"),
        _ => format!(
            "{ended}: not known whether written: the last {doubtful} of {read_text} read; read the \
             log before appending them again"
        ),
    }
}
