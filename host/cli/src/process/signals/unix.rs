//! Catches the signals of Unix.

use std::io;
use std::task::Poll;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::process::exit::Code;

/// Every signal that ends a process by default, may be caught, and is not a fault of the process
/// itself. Signals of profilers are left alone.
const ENDING: [libc::c_int; 8] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGALRM,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGXCPU,
];

/// The caught signals.
pub(crate) struct CaughtSignals {
    ending: Vec<(libc::c_int, Signal)>,
    /// Kept for its effect: a write beyond the limit returns EFBIG instead of ending the process.
    _file_size: Signal,
}

impl CaughtSignals {
    /// Catches the signals from now on. Must be called within a runtime.
    pub(crate) fn catch() -> io::Result<Self> {
        let take = |number| Ok((number, signal(SignalKind::from_raw(number))?));
        let ending = ENDING.into_iter().filter(|number| !stays_ignored(*number));
        let ending = ending.map(take).collect::<io::Result<_>>()?;
        Ok(Self { ending, _file_size: signal(SignalKind::from_raw(libc::SIGXFSZ))? })
    }

    /// Returns the next signal as its exit code, and whether it hastens an end in progress. SIGHUP
    /// and SIGXCPU do not: they may arrive more than once for one cause.
    pub(crate) async fn next(&mut self) -> (Code, bool) {
        std::future::poll_fn(|context| {
            for (number, signal) in &mut self.ending {
                if signal.poll_recv(context).is_ready() {
                    let hastens = !matches!(*number, libc::SIGHUP | libc::SIGXCPU);
                    let number = u8::try_from(*number).unwrap_or_default();
                    return Poll::Ready((Code::Signal(number), hastens));
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// Returns whether a signal stays ignored. `nohup` ignores SIGHUP on purpose. People and
/// supervisors send the others on purpose, while a shell ignores SIGINT for every background
/// process.
fn stays_ignored(number: libc::c_int) -> bool {
    number == libc::SIGHUP && is_ignored(number)
}

#[expect(unsafe_code, reason = "no safe wrapper asks for a handler without setting one")]
fn is_ignored(number: libc::c_int) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: a null new action changes nothing. The current action is written to `action`, which
    // is valid for that, and for which all zeroes are a valid value.
    let action = unsafe {
        let asked = libc::sigaction(number, std::ptr::null(), action.as_mut_ptr());
        (asked == 0).then(|| action.assume_init())
    };
    action.is_some_and(|action| action.sa_sigaction == libc::SIG_IGN)
}
