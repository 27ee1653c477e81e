//! Failures of the component as errors of the library: traps and exceeded memory.

use crate::error::Error;
use crate::limits::INSTANCE_MEMORY_OPTION;
use crate::sandbox::address_space;
use crate::sandbox::instance::CallError;
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

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Returned(error) | CallError::Trapped(error) => error,
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
