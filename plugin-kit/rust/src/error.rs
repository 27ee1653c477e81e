//! Errors as one line of text, with their case.

use std::fmt;

use crate::wit::types::{self, EventFault, InvalidEvent, WriteFate};

/// A failed call on a log.
///
/// It displays as one line that names the call, the log and the cause. Nothing is lost by a failed
/// call: each case of [`types::Error`] says what to do.
#[derive(Clone)]
pub struct Error {
    action: &'static str,
    label: String,
    cause: types::Error,
    /// The call had many lines.
    is_of_lines: bool,
}

impl Error {
    /// Returns a function that describes the failure of an action on a log.
    pub(crate) fn failed(action: &'static str, label: &str) -> impl Fn(types::Error) -> Self {
        move |cause| Self { action, label: label.to_owned(), cause, is_of_lines: false }
    }

    /// Returns the failure of a call that had many lines.
    pub(crate) fn of_lines(self) -> Self {
        Self { is_of_lines: true, ..self }
    }

    /// Returns the label of the log.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Returns the case of the error, with its data.
    pub fn cause(&self) -> &types::Error {
        &self.cause
    }

    /// Returns true if the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match &self.cause {
            types::Error::WriteFailed(failure) => failure.transient,
            types::Error::StoreFailed(failure) => failure.transient,
            types::Error::LimitReached(_) => true,
            _ => false,
        }
    }
}

impl std::error::Error for Error {}

/// As [`Display`](fmt::Display): a `main` that returns an error prints it so.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, label, cause, is_of_lines } = self;
        write!(f, "cannot {action} the log {label:?}: ")?;
        match cause {
            types::Error::InvalidEvent(InvalidEvent { line, fault }) => {
                if *is_of_lines {
                    write!(f, "line {}: ", line + 1)?;
                }
                match fault {
                    EventFault::Empty => f.write_str("an event must have at least one byte"),
                    EventFault::LineFeed => f.write_str("an event must have no line feed"),
                    EventFault::TooLong(by) => {
                        write!(
                            f,
                            "{} bytes are more than the {} of an event",
                            by.bytes, by.bytes_max
                        )
                    }
                    EventFault::Unterminated => f.write_str("it must end with a line feed"),
                }
            }
            types::Error::WriteFailed(failure) => {
                let fate = match failure.fate {
                    WriteFate::Durable => "is stored",
                    WriteFate::NotWritten => "is not stored",
                    WriteFate::Unknown => "may be stored",
                };
                let (object, pending) = (&failure.object, failure.events_pending);
                let message = &failure.message;
                write!(f, "{message} ({object} {fate}; {pending} events are kept in memory)")
            }
            types::Error::StoreFailed(failure) => f.write_str(&failure.message),
            types::Error::Damaged(damage) => {
                let types::Damage { object, expected, found } = damage;
                write!(f, "{object} is damaged: expected {expected}, found {found}")
            }
            types::Error::NoLog(_) => f.write_str("there is no such log: nothing is stored yet"),
            types::Error::Closed => f.write_str("it is closed"),
            types::Error::InvalidInput(reason)
            | types::Error::Conflict(reason)
            | types::Error::Unsupported(reason)
            | types::Error::Denied(reason)
            | types::Error::LimitReached(reason) => f.write_str(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wit::types::{TooLong, WriteFailure};

    #[test]
    fn error_names_the_call_the_log_and_the_cause() {
        let failed = Error::failed("append to", "errors");
        let fault = EventFault::TooLong(TooLong { bytes: 12, bytes_max: 10 });
        let error = failed(types::Error::InvalidEvent(InvalidEvent { line: 3, fault }));
        let error = error.of_lines();
        let expected = "cannot append to the log \"errors\": line 4: 12 bytes are more than the 10 \
                        of an event";
        assert_eq!(error.to_string(), expected);
        assert_eq!(format!("{error:?}"), expected);
        assert!(!error.is_transient());
        let failure = WriteFailure {
            object: "errors/batch".to_owned(),
            fate: WriteFate::Unknown,
            events_pending: 2,
            message: "timed out".to_owned(),
            transient: true,
        };
        let error = failed(types::Error::WriteFailed(failure));
        let expected = "cannot append to the log \"errors\": timed out (errors/batch may be \
                        stored; 2 events are kept in memory)";
        assert_eq!(error.to_string(), expected);
        assert!(error.is_transient());
    }
}
