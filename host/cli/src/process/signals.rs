//! The signals that end a command: those that would end the process and that it may catch.
//!
//! 1. They are taken from the system before a command begins, so they work as process 1, too, for
//!    which the system has no defaults.
//! 2. The first one asks the command to end and gives it the grace for that. Then, or with another
//!    one, the process ends: no store, pipe or component in the way holds it.
//! 3. SIGHUP stays ignored where it is ignored at the start, as under `nohup`.
//! 4. A write beyond the limit on the size of files is an error of that write (SIGXFSZ).

use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::process::exit::{Code, Failure, complain};
use crate::terminal::live_lines;
use crate::terminal::stderr;

#[cfg(not(unix))]
#[path = "signals/other.rs"]
mod system;
#[cfg(unix)]
#[path = "signals/unix.rs"]
mod system;

use system::Taken;

/// The time that a command has to end in after a signal, unless it sets its own.
pub(crate) const GRACE: Duration = Duration::from_millis(700);

/// A signal so soon after the first is the same wish to end: a terminal that closes sends SIGHUP
/// and its shell does so again, `timeout` signals the command and then its group.
const SAME_WISH: Duration = Duration::from_millis(100);

/// The last words wait no longer than this for who reads stderr.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Whatever is in the way, a command ends so long after a signal, if it does not set its own grace.
const _: () = assert!(GRACE.as_millis() + LAST_WORDS.as_millis() < 1_000, "within a second");

/// What to say when the grace is over.
type Words = Box<dyn FnOnce() -> String + Send>;

/// The signals, as the codes to end with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Signals {
    came: watch::Receiver<Option<Code>>,
    terms: Arc<Mutex<Terms>>,
}

/// What a command wants after the first signal.
struct Terms {
    grace: Duration,
    /// Said when a signal comes, if the grace is longer than usual.
    announcement: Option<String>,
    last_words: Option<Words>,
}

impl Signals {
    /// Takes the signals from the system from now on, in a thread of its own.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let failed = |error| Failure::system("cannot listen for signals", &error);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(failed)?;
        let taken = {
            let _entered = runtime.enter();
            Taken::take().map_err(failed)?
        };
        let (sender, came) = watch::channel(None);
        let terms = Terms { grace: GRACE, announcement: None, last_words: None };
        let signals = Self { came, terms: Arc::new(Mutex::new(terms)) };
        let terms = signals.terms.clone();
        std::thread::Builder::new()
            .name("stratalog-signals".to_owned())
            .spawn(move || runtime.block_on(watch_over(taken, &sender, &terms)))
            .map_err(failed)?;
        Ok(signals)
    }

    /// Waits for the first signal, as the code to end with. The command has the grace to end then.
    pub(crate) async fn wait(&self) -> Code {
        let mut came = self.came.clone();
        loop {
            if let Some(code) = *came.borrow_and_update() {
                return code;
            }
            if came.changed().await.is_err() {
                // Nobody listens any more: no signal will come.
                std::future::pending::<()>().await;
            }
        }
    }

    /// The first signal, if one has come.
    pub(crate) fn came(&self) -> Option<Code> {
        *self.came.borrow()
    }

    /// Does something until it is done or a signal comes, which drops it where it stands.
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

    /// Gives the command another grace than the usual. A longer one is announced when a signal comes,
    /// unless `quiet`.
    pub(crate) fn give_grace(&self, grace: Duration, quiet: bool) {
        let announcement = (grace > GRACE && !quiet).then(|| {
            let seconds = grace.as_secs_f64();
            format!("ending: waiting up to {seconds} s for the store; another signal ends it now")
        });
        let mut terms = self.terms.lock().unwrap_or_else(PoisonError::into_inner);
        (terms.grace, terms.announcement) = (grace, announcement);
    }

    /// What to complain of when the grace is over; without them the process ends silently.
    pub(crate) fn set_last_words(&self, words: impl FnOnce() -> String + Send + 'static) {
        let mut terms = self.terms.lock().unwrap_or_else(PoisonError::into_inner);
        terms.last_words = Some(Box::new(words));
    }
}

/// Waits for the first signal, passes it on, and ends the process if the command does not.
async fn watch_over(mut taken: Taken, sender: &watch::Sender<Option<Code>>, terms: &Mutex<Terms>) {
    let (first, _) = taken.next().await;
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
                (code, hastens) = taken.next() => if same_wish.is_elapsed() && hastens {
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
            complain(&words());
        }
        stderr::finish(None);
    });
    std::process::exit(code.number().into());
}

/// Says something in a thread of its own, so that a stderr that nobody reads holds nothing up.
fn say(saying: impl FnOnce() + Send + 'static) {
    let (said, waits) = mpsc::channel();
    let thread = std::thread::Builder::new().spawn(move || {
        saying();
        // Who waited for it may have given up.
        said.send(()).ok();
    });
    if thread.is_ok() {
        // Either way the process ends.
        waits.recv_timeout(LAST_WORDS).ok();
    }
}
