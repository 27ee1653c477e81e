//! The search for logs among the entries of a listing.

use crate::sandbox::bindings::exports::stratalog::log::survey as wit;
use crate::sandbox::instance::{Called, Handle, Instance};
use crate::store::{EntryKind, ListedObject};

pub(crate) use wit::SurveyedLog;

impl Instance {
    /// Begins a search below a folder, whose key ends with a slash; empty for the root.
    pub(crate) async fn surveyor(&mut self, folder: &str) -> Called<Handle> {
        self.call(|exports, store| async move {
            exports.stratalog_log_survey().surveyor().call_constructor(store, folder).await
        })
        .await
    }

    /// Passes on the next entries, and returns the logs that are complete; after the last entries,
    /// all that are left.
    pub(crate) async fn survey(
        &mut self,
        surveyor: Handle,
        entries: Vec<ListedObject>,
        are_last: bool,
    ) -> Called<Vec<SurveyedLog>> {
        let entries: Vec<_> = entries.into_iter().map(entry).collect();
        let mut found = self
            .try_call(|exports, store| async move {
                exports.stratalog_log_survey().surveyor().call_next(store, surveyor, &entries).await
            })
            .await?;
        if are_last {
            let last = self.call(|exports, store| async move {
                exports.stratalog_log_survey().surveyor().call_finish(store, surveyor).await
            });
            found.extend(last.await?);
        }
        Ok(found)
    }

    /// Returns true if an object of a log is among these entries directly in a folder.
    pub(crate) async fn has_log(
        &mut self,
        folder: &str,
        entries: Vec<ListedObject>,
    ) -> Called<bool> {
        let surveyor = self.surveyor(folder).await?;
        let found = self.survey(surveyor, entries, true).await?;
        self.drop_handle(surveyor).await?;
        let name = folder.strip_suffix('/').unwrap_or(folder);
        Ok(found.iter().any(|log| log.name == name))
    }
}

fn entry(ListedObject { key, size, kind }: ListedObject) -> wit::Entry {
    let kind = match kind {
        EntryKind::Object => wit::EntryKind::Object,
        EntryKind::Folder => wit::EntryKind::Folder,
        EntryKind::Unfinished => wit::EntryKind::Unfinished,
        EntryKind::Link => wit::EntryKind::Link,
        EntryKind::Special => wit::EntryKind::Special,
    };
    wit::Entry { key, size, kind }
}
