//! Handles the signals that end a command: those that end a process by default and can be caught.
//!
//! 1. They are caught before a command begins. So they also work as process 1, for which the system
//!    has no defaults.
//! 2. The first signal asks the command to end within the grace. Then, or on another signal, the
//!    process ends: no store, pipe or component blocks it.
//! 3. SIGHUP stays ignored if it is ignored at the start, as under `nohup`.
//! 4. A write beyond the limit on the size of files is an error of that write (SIGXFSZ).

use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::process::exit::{Code, Failure, print_error};
use crate::terminal::live_lines;
use crate::terminal::stderr;

#[cfg(not(unix))]
#[path = "signals/other.rs"]
mod system;
#[cfg(unix)]
#[path = "signals/unix.rs"]
mod system;

use system::CaughtSignals;

/// The time that a command has to end after a signal, unless it sets its own.
pub(crate) const GRACE: Duration = Duration::from_millis(700);

/// Signals within this time after the first belong to the same request. A terminal that closes
/// sends SIGHUP, and its shell sends it again. `timeout` signals the command and then its group.
const SAME_WISH: Duration = Duration::from_millis(100);

/// The most time to wait for the last words to be read from stderr.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// With the default grace, a command ends within a second after a signal.
const _: () = assert!(GRACE.as_millis() + LAST_WORDS.as_millis() < 1_000, "within a second");

/// The last words of a process whose grace is over.
type Words = Box<dyn FnOnce() -> String + Send>;

/// The signals, as exit codes. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Signals {
    came: watch::Receiver<Option<Code>>,
    terms: Arc<Mutex<Terms>>,
}

/// The command's settings for its end after the first signal.
struct Terms {
    grace: Duration,
    /// Printed when a signal arrives, if the grace is longer than usual.
    announcement: Option<String>,
    last_words: Option<Words>,
}

impl Signals {
    /// Catches the signals from now on, in a thread of its own.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let failed = |error| Failure::system("cannot listen for signals", &error);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(failed)?;
        let caught = {
            let _entered = runtime.enter();
            CaughtSignals::catch().map_err(failed)?
        };
        let (sender, came) = watch::channel(None);
        let terms = Terms { grace: GRACE, announcement: None, last_words: None };
        let signals = Self { came, terms: Arc::new(Mutex::new(terms)) };
        let terms = signals.terms.clone();
        std::thread::Builder::new()
            .name("stratalog-signals".to_owned())
            .spawn(move || runtime.block_on(watch_over(caught, &sender, &terms)))
            .map_err(failed)?;
        Ok(signals)
    }

    /// Waits for the first signal and returns its exit code. The command then has the grace to end.
    pub(crate) async fn wait(&self) -> Code {
        let mut came = self.came.clone();
        loop {
            if let Some(code) = *came.borrow_and_update() {
                return code;
            }
            if came.changed().await.is_err() {
                // No sender is left, so no signal will arrive.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Returns the first signal, if one has arrived.
    pub(crate) fn came(&self) -> Option<Code> {
        *self.came.borrow()
    }

    /// Runs a future until it completes or a signal arrives, which drops it.
    pub(crate) async fn or<T, E>(
        &self,
        doing: impl Future<Output = Result<T, E>>,
    ) -> Result<Result<T, Code>, E> {
        tokio::select! {
            biased;
            code = self.wait() => Ok(Err(code)),
            done = doing => done.map(Ok),
        }
    }

    /// Sets the grace of the command. A longer one than usual is announced when a signal arrives,
    /// unless `quiet`.
    pub(crate) fn give_grace(&self, grace: Duration, quiet: bool) {
        let announcement = (grace > GRACE && !quiet).then(|| {
            let seconds = grace.as_secs_f64();
            format!(
                "ending: waiting up to {seconds} s for the store; another signal ends the \
                 command now"
            )
        });
        let mut terms = self.terms.lock().unwrap_or_else(PoisonError::into_inner);
        (terms.grace, terms.announcement) = (grace, announcement);
    }

    /// Sets the last words for the end of the grace. Without them the process ends silently.
    pub(crate) fn set_last_words(&self, words: impl FnOnce() -> String + Send + 'static) {
        let mut terms = self.terms.lock().unwrap_or_else(PoisonError::into_inner);
        terms.last_words = Some(Box::new(words));
    }
}

/// Waits for the first signal, passes it on, and ends the process if the command does not end.
async fn watch_over(
    mut caught: CaughtSignals,
    sender: &watch::Sender<Option<Code>>,
    terms: &Mutex<Terms>,
) {
    let (first, _) = caught.next().await;
    sender.send_replace(Some(first));
    let (grace, announcement) = {
        let mut terms = terms.lock().unwrap_or_else(PoisonError::into_inner);
        (terms.grace, terms.announcement.take())
    };
    if let Some(announcement) = announcement {
        stderr::say(&announcement);
    }
    let another = async {
        let same_wish = tokio::time::sleep(SAME_WISH);
        tokio::pin!(same_wish);
        loop {
            tokio::select! {
                biased;
                () = &mut same_wish, if !same_wish.is_elapsed() => {}
                (code, hastens) = caught.next() => if same_wish.is_elapsed() && hastens {
                    return code;
                },
            }
        }
    };
    let code = tokio::select! {
        code = another => code,
        () = tokio::time::sleep(grace) => first,
    };
    let last_words = terms.lock().unwrap_or_else(PoisonError::into_inner).last_words.take();
    say(move || {
        live_lines::clear();
        if let Some(words) = last_words {
            print_error(&words());
        }
        stderr::finish(None);
    });
    std::process::exit(code.number().into());
}

/// Prints something in its own thread, so that a stderr without a reader blocks nothing.
fn say(saying: impl FnOnce() + Send + 'static) {
    let (said, waits) = mpsc::channel();
    let thread = std::thread::Builder::new().spawn(move || {
        saying();
        // The receiver may have stopped waiting.
        said.send(()).ok();
    });
    if thread.is_ok() {
        // The process ends in both cases.
        waits.recv_timeout(LAST_WORDS).ok();
    }
}
