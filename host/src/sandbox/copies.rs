//! The calls of copies.

use crate::sandbox::bindings::exports::stratalog::log::copies as wit;
use crate::sandbox::instance::{Called, Handle, Instance};

pub(crate) use wit::{CopyProgress, MirrorState};

impl Instance {
    /// Prepares to copy a log.
    pub(crate) async fn start_copy(
        &mut self,
        (source, target): (&str, &str),
        note: &str,
        dry_run: bool,
    ) -> Called<Handle> {
        self.try_call(|exports, store| {
            exports.stratalog_log_copies().call_start_copy(store, source, target, note, dry_run)
        })
        .await
    }

    /// Takes a step of a copy. None once it is complete.
    pub(crate) async fn next_copied(&mut self, copier: Handle) -> Called<Option<CopyProgress>> {
        self.try_call(|exports, store| async move {
            exports.stratalog_log_copies().copier().call_next(store, copier).await
        })
        .await
    }

    /// Lets a copy begin again.
    pub(crate) async fn repeat_copy(&mut self, copier: Handle) -> Called<()> {
        self.call(|exports, store| async move {
            exports.stratalog_log_copies().copier().call_repeat(store, copier).await
        })
        .await
    }

    /// Returns what the marks of a log say. None if it never was a mirror.
    pub(crate) async fn mirror(&mut self, name: &str) -> Called<Option<MirrorState>> {
        self.try_call(|exports, store| exports.stratalog_log_copies().call_mirror(store, name))
            .await
    }

    /// Makes a mirror a log of its own.
    pub(crate) async fn promote(&mut self, name: &str) -> Called<bool> {
        self.try_call(|exports, store| exports.stratalog_log_copies().call_promote(store, name))
            .await
    }
}
