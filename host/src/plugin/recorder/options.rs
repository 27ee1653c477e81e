//! The options of a record.

use std::fmt;
use std::path::Path;

use super::super::grant::Grant;
use super::redaction::Redaction;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::store::{Place, Store};

/// A record of a run, the flight recorder: what the plugin was granted, its calls on logs, its
/// messages and output, and its end, as JSON events in a log of the host's own.
///
/// The host writes the record. Its log must be none of those granted, and neither above nor below
/// one. Two stores are distinguished by their places: an embedder's own store by its description,
/// if that is a URL. One place under two names, such as two endpoints of a bucket, is not
/// recognized.
///
/// Calls that are equal (function, label, handle and outcome) are one record for each stretch of
/// half a second. So the record is never more than a second behind, as long as its log confirms a
/// write in half a second. Nothing waits for that log. If it fails, the run continues, and
/// [`RecordOutcome`](super::RecordOutcome) has the failure.
///
/// Secrets of open stores, texts that look like a secret, and the values of the environment that
/// have at least 8 bytes are hidden in all texts, before these are cut. Of a secret that is printed
/// in parts, more than half a second apart, parts of less than four characters are not recognized.
///
/// `host/docs/records.md` describes each record and its fields.
#[derive(Clone)]
pub struct Record {
    pub(super) host: Host,
    pub(super) store: Store,
    pub(super) name: String,
    pub(super) arguments: Vec<String>,
    pub(super) environment: Vec<(String, String)>,
    pub(super) folders: Vec<(String, String)>,
    pub(super) bytes_per_second: u64,
    pub(super) bytes_max: u64,
}

impl Record {
    /// The default of [`Record::bytes_per_second`].
    pub const BYTES_PER_SECOND_DEFAULT: u64 = 256 * 1024;
    /// The default of [`Record::bytes_max`].
    pub const BYTES_MAX_DEFAULT: u64 = 64 * 1024 * 1024;

    /// Records to the log `name` of a store, which need not exist. Makes no request.
    pub fn new(host: &Host, store: &Store, name: impl Into<String>) -> Self {
        Self {
            host: host.clone(),
            store: store.clone(),
            name: name.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            folders: Vec::new(),
            bytes_per_second: Self::BYTES_PER_SECOND_DEFAULT,
            bytes_max: Self::BYTES_MAX_DEFAULT,
        }
    }

    /// Records these arguments of the plugin, without secrets.
    #[must_use]
    pub fn arguments(mut self, arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Records the name of an environment variable of the plugin. The value is not recorded, and
    /// is hidden in the plugin's output, messages and arguments.
    #[must_use]
    pub fn environment(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Records a folder that the plugin gets, under the plugin's name for it. The record's log must
    /// not be in the folder, nor the folder in the log.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<String>, name: impl Into<String>) -> Self {
        self.folders.push((folder.into(), name.into()));
        self
    }

    /// Leaves out records beyond this many bytes per second on average, and counts them. Default
    /// 256 KiB, with a burst of one second.
    #[must_use]
    pub fn bytes_per_second(mut self, bytes: u64) -> Self {
        self.bytes_per_second = bytes;
        self
    }

    /// Leaves out records beyond this many bytes of a run, and counts them. Default 64 MiB. The
    /// first and the last record are always written.
    #[must_use]
    pub fn bytes_max(mut self, bytes: u64) -> Self {
        self.bytes_max = bytes;
        self
    }

    pub(super) fn redaction(&self) -> Redaction {
        Redaction::new(self.environment.iter().map(|(_, value)| value))
    }

    /// Checks that no grant and no folder of the plugin reaches the record's log.
    pub(in crate::plugin) fn check_apart<'a>(
        &self,
        grants: impl Iterator<Item = (&'a str, &'a Grant)>,
    ) -> Result<()> {
        let place = self.store.place_of(&self.name);
        let record = self.store.shown_log(&self.name);
        for (label, grant) in grants {
            if place.overlaps(&grant.store.place_of(&grant.name)) {
                let log = grant.store.shown_log(&grant.name);
                return Err(Error::InvalidInput(format!(
                    "cannot record to the log {record}: the plugin is granted {log} as {label}, \
                     and must not reach its record; record to another log, neither above nor \
                     below it"
                )));
            }
        }
        for (folder, _) in &self.folders {
            if place.overlaps(&Place::of_folder(Path::new(folder))) {
                return Err(Error::InvalidInput(format!(
                    "cannot record to the log {record}: the plugin gets the folder {folder}, and \
                     must not reach its record; record to a log outside of the folder"
                )));
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("name", &self.name).finish_non_exhaustive()
    }
}
