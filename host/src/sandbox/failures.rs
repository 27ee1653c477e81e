//! Failures of the component as errors of the library: traps, exceeded memory, and errors that it
//! returned.

use crate::error::{Error, EventFault, WriteFate};
use crate::limits::INSTANCE_MEMORY_OPTION;
use crate::sandbox::address_space;
use crate::sandbox::bindings::exports::stratalog::log::append_log as wit;
use crate::sandbox::memory::MemoryExceeded;

impl Error {
    /// Converts the failure of a call that did not return.
    pub(crate) fn trapped(error: &wasmtime::Error) -> Self {
        match error.downcast_ref::<MemoryExceeded>() {
            Some(exceeded) if exceeded.is_of_plugin() => exceeded.clone().into(),
            _ => match address_space::lack(error, INSTANCE_MEMORY_OPTION) {
                Some(lack) => Self::LimitReached(lack),
                None => Self::Guest(error.root_cause().to_string()),
            },
        }
    }
}

impl From<MemoryExceeded> for Error {
    fn from(exceeded: MemoryExceeded) -> Self {
        if exceeded.is_of_plugin() {
            Self::LimitReached(exceeded.to_string())
        } else {
            Self::Guest(exceeded.to_string())
        }
    }
}

impl From<wit::Error> for Error {
    fn from(error: wit::Error) -> Self {
        match error {
            wit::Error::InvalidInput(message) => Self::InvalidInput(message),
            wit::Error::InvalidEvent(event) => {
                Self::InvalidEvent { line: event.line, fault: event.fault.into() }
            }
            wit::Error::WriteFailed(failure) => Self::WriteFailed {
                object: failure.object,
                fate: failure.fate.into(),
                events_held: failure.events_held,
                message: failure.message,
                transient: failure.transient,
            },
            wit::Error::StoreFailed(failure) => {
                Self::StoreFailed { message: failure.message, transient: failure.transient }
            }
            wit::Error::Damaged(damage) => Self::Damaged {
                object: damage.object,
                expected: damage.expected,
                found: damage.found,
            },
            wit::Error::NoLog(wit::NoLog { name, below, more }) => {
                Self::NoLog { name, below, more }
            }
            wit::Error::Conflict(message) => Self::Conflict(message),
            wit::Error::Unsupported(message) => Self::Unsupported(message),
            wit::Error::Denied(message) => Self::Denied(message),
            wit::Error::LimitReached(message) => Self::LimitReached(message),
            wit::Error::Closed => Self::Closed,
        }
    }
}

impl From<wit::EventFault> for EventFault {
    fn from(fault: wit::EventFault) -> Self {
        match fault {
            wit::EventFault::Empty => Self::Empty,
            wit::EventFault::LineFeed => Self::LineFeed,
            wit::EventFault::TooLong(wit::TooLong { bytes, bytes_max }) => {
                Self::TooLong { bytes, bytes_max }
            }
            wit::EventFault::Unterminated => Self::Unterminated,
        }
    }
}

impl From<wit::WriteFate> for WriteFate {
    fn from(fate: wit::WriteFate) -> Self {
        match fate {
            wit::WriteFate::Durable => Self::Durable,
            wit::WriteFate::NotWritten => Self::NotWritten,
            wit::WriteFate::Unknown => Self::Unknown,
        }
    }
}
