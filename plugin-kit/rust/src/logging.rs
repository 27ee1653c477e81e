//! Journals the records of the `log` crate.

use std::collections::BTreeMap;

use log::{LevelFilter, Metadata, Record, SetLoggerError};

use crate::Log;
use crate::journal::Journal;

struct Logger {
    journal: Journal,
}

/// Journals the records of this program up to a level into a log.
///
/// An event is `{"time":"…","level":"…","context":"…","message":"…"}`, whose context is the target
/// of the record. The options of the log decide when it is flushed; `log::logger().flush()` does
/// so, too. Records that the log does not take are dropped, and the next one that it takes is
/// preceded by their number.
///
/// # Errors
/// A logger that is already set.
pub fn init(log: Log, level: LevelFilter) -> Result<(), SetLoggerError> {
    log::set_boxed_logger(Box::new(Logger { journal: Journal::new(log) }))?;
    log::set_max_level(level);
    Ok(())
}

impl log::Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let level = record.level().as_str().to_ascii_lowercase();
            let message = record.args().to_string();
            self.journal.add(&level, record.target(), &message, &BTreeMap::new());
        }
    }

    fn flush(&self) {
        self.journal.flush();
    }
}
