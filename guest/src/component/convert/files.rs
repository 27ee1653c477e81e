//! Files of a log.

use crate::component::bindings::exports::stratalog::log::files as wit;
use crate::drive::files::File;

/// A file, with the key of its object.
impl From<(String, File)> for wit::LogFile {
    fn from((key, file): (String, File)) -> Self {
        Self {
            key,
            size: file.size,
            offset: file.offset,
            bytes: file.bytes,
            events_before: file.events_before,
            events: file.events,
            position: file.position,
            first_time: file.first_time.micros(),
            last_time: file.last_time.micros(),
        }
    }
}
