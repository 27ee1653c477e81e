//! Signals that end an append: the first in good order, the second at once.

use std::io;
use std::time::Duration;

use tokio::sync::watch;

use crate::cli::arguments::Shared;
use crate::cli::exit::{Code, Failure, complain};
use crate::cli::report::print_line;

/// A flush that takes longer than this after a signal is explained.
const EXPLAIN_AFTER: Duration = Duration::from_millis(300);

/// The signal that came, as the code to end with.
#[derive(Clone)]
pub(super) struct Interruption(watch::Receiver<Option<Code>>);

impl Interruption {
    /// Watches for signals from now on.
    pub(super) fn watch(shared: &Shared) -> Result<Self, Failure> {
        let mut signals = Signals::listen()
            .map_err(|error| Failure::system("cannot listen for signals", &error))?;
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

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { interrupt, terminate })
    }

    async fn next(&mut self) -> Code {
        tokio::select! {
            _ = self.interrupt.recv() => Code::Interrupted,
            _ = self.terminate.recv() => Code::Terminated,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Code {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Code::Interrupted,
            // It cannot be told any more: the system ends the process then.
            Err(_) => std::future::pending().await,
        }
    }
}
