//! Defines the exit codes, and which error ends with which code.

use std::fmt;
use std::io::{self, ErrorKind, Write as _};
use std::panic::PanicHookInfo;
use std::process::ExitCode;

use stratalog::Error;
use stratalog::store::{OpenError, StoreError, hide_secrets};

use crate::terminal::closed_stdout::check_stdout;
use crate::terminal::stderr;
use crate::terminal::streams::Stdout;
use crate::terminal::wrapping;

/// The exit codes, as listed in `--help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// Everything was done.
    Done,
    /// Failed for a reason without a code of its own.
    Failed,
    /// The command line is wrong in a way that clap does not see.
    Usage,
    /// The store cannot be reached or refuses.
    Store,
    /// An object is damaged.
    Damaged,
    /// An event, a file to read or to write, a location, an option or a component is not usable.
    Input,
    /// A plugin trapped or reached a limit, also before it ran; or this process reached a limit.
    Plugin,
    /// A plugin ended with this code of its own.
    Exited(u8),
    /// Ended gracefully by the signal of this number.
    Signal(u8),
}

impl Code {
    /// Returns the number. clap also ends with the number of `Usage`.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Store => 3,
            Self::Damaged => 4,
            Self::Input => 5,
            Self::Plugin => 6,
            Self::Exited(code) => code,
            // The number that a shell reports.
            Self::Signal(number) => number + 128,
        }
    }

    /// Returns the code of an error. No other place decides this.
    pub(crate) fn of(error: &Error) -> Self {
        match error {
            Error::StoreFailed(_) | Error::WriteFailed(_) => Self::Store,
            Error::Open(OpenError::NoCredentials { .. } | OpenError::MissingSetting { .. }) => {
                Self::Store
            }
            // Errors of a value of --store-option.
            Error::Open(error) if error.is_of_option() => Self::Usage,
            Error::Damaged(_) => Self::Damaged,
            Error::InvalidInput(_)
            | Error::NoLog(_)
            | Error::InvalidEvent(_)
            | Error::Location(_)
            | Error::Open(_)
            | Error::Component(_) => Self::Input,
            Error::LimitReached(_) => Self::Plugin,
            Error::Conflict(_)
            | Error::Unsupported(_)
            | Error::Denied(_)
            | Error::Closed
            | Error::Guest(_) => Self::Failed,
            // The enum is non-exhaustive.
            _ => Self::Failed,
        }
    }
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        code.number().into()
    }
}

/// The cause of a failed command, and its exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    code: Code,
    error: anyhow::Error,
    /// The action to take, if the error does not name it.
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, error: anyhow::Error::msg(message.into()), hint: None }
    }

    /// A failure by a wrong value of an option.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::Usage, message)
    }

    /// A failure by bad input of the user.
    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::new(Code::Input, message)
    }

    /// A failure of a system call, such as a full disk behind stdout.
    pub(crate) fn system(what: &str, error: &io::Error) -> Self {
        Self::new(Code::Failed, format!("{what}: {error}"))
    }

    /// Adds the attempted action in front of the cause.
    pub(crate) fn context(self, what: impl fmt::Display + Send + Sync + 'static) -> Self {
        Self { error: self.error.context(what), ..self }
    }

    /// Adds the action to take after the causes.
    pub(crate) fn with_hint(self, hint: String) -> Self {
        Self { hint: Some(hint), ..self }
    }

    /// Returns the library's error that caused this, if there is one.
    pub(crate) fn cause(&self) -> Option<&Error> {
        self.error.downcast_ref()
    }

    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// Prints the error and its causes in one line.
    pub(crate) fn print(&self) {
        print_error(&self.text());
    }

    /// Returns the error, its causes and the action to take.
    pub(crate) fn text(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{:#}; {hint}", self.error),
            None => format!("{:#}", self.error),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { code: Code::of(&error), error: error.into(), hint: None }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self { code: Code::Store, error: error.into(), hint: None }
    }
}

/// Reports a panic, which is a bug in this program, where it happens.
pub(crate) fn report_panic(panic: &PanicHookInfo<'_>) {
    let words = panic.payload_as_str().unwrap_or("without a message");
    let place = panic.location().map_or_else(String::new, |place| format!(" at {place}"));
    // The panicking thread may hold the lock of the progress line.
    let message = panic_message(&place, words);
    writeln!(io::stderr(), "{}", wrapping::for_stderr(&message)).ok();
}

/// Describes a panic in one line without secrets.
fn panic_message(place: &str, words: &str) -> String {
    let words = hide_secrets(words);
    let words: Vec<&str> = words.lines().map(str::trim).collect();
    format!("error: stratalog has failed{place}: {}; please report this bug", words.join(" "))
}

/// Prints `error: ...` to stderr in one line, for any message.
pub(crate) fn print_error(message: &str) {
    let message = message.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    stderr::say(&format!("error: {message}"));
}

/// The attempted action when data is written.
pub(crate) const STDOUT: &str = "cannot write to stdout";

/// Writes data to stdout. False: the reader has closed it, so nothing is left to do.
pub(crate) fn write_stdout(data: &[u8]) -> Result<bool, Failure> {
    match check_stdout().and_then(|()| Stdout.write_all(data)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::system(STDOUT, &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panic_is_one_line_without_secrets() {
        let shown = panic_message(" at src/a.rs:1:2", "called on\nhttps://me:hunter2@host/x");
        let expected = "error: stratalog has failed at src/a.rs:1:2: called on \
                        https://***@host/x; please report this bug";
        assert_eq!(shown, expected);
    }
}
