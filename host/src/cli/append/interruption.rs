//! Signals that end an append: the first in good order, the second at once.

use std::time::Duration;

use tokio::sync::watch;

use crate::cli::arguments::Shared;
use crate::cli::exit::{Code, Failure, complain};
use crate::cli::report::print_line;
use crate::cli::signals::Signals;

/// A flush that takes longer than this after a signal is explained.
const EXPLAIN_AFTER: Duration = Duration::from_millis(300);

/// The signal that came, as the code to end with.
#[derive(Clone)]
pub(super) struct Interruption(watch::Receiver<Option<Code>>);

impl Interruption {
    /// Watches for signals from now on.
    pub(super) fn watch(shared: &Shared) -> Result<Self, Failure> {
        let mut signals = Signals::listen()?;
        let (sender, came) = watch::channel(None);
        let quiet = shared.quiet;
        tokio::spawn(async move {
            let first = signals.next().await;
            sender.send_replace(Some(first));
            let explained = async {
                tokio::time::sleep(EXPLAIN_AFTER).await;
                print_line(quiet, "ending: waiting for the store; another signal ends at once");
                std::future::pending::<Code>().await
            };
            let second = tokio::select! {
                code = signals.next() => code,
                code = explained => code,
            };
            complain("ended without waiting for the store: the events read last may be missing");
            std::process::exit(second.number().into());
        });
        Ok(Self(came))
    }

    /// Waits for the signal.
    pub(super) async fn wait(&mut self) -> Code {
        loop {
            if let Some(code) = *self.0.borrow_and_update() {
                return code;
            }
            if self.0.changed().await.is_err() {
                // Nobody watches any more: no signal will be told.
                std::future::pending::<()>().await;
            }
        }
    }
}
