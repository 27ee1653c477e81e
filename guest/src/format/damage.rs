//! Names a damaged object by its key.

use crate::error::{Damage, Error};
use crate::format::names::LogName;

impl Damage {
    /// The error of a driver, which names the object by its key.
    pub(crate) fn of(self, log: &LogName) -> Error {
        Error::Damaged(self.with_key(log))
    }

    /// Names the object by its key.
    pub(crate) fn with_key(self, log: &LogName) -> Self {
        Self { object: log.key(&self.object), ..self }
    }
}
