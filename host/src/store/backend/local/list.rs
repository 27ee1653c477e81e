//! Listing a folder, page by page.
//!
//! Owns: the entries of each page. Must not know: the purpose of the files.
//!
//! 1. One scan of the folder serves all pages. Each page is one task that may block.
//! 2. Only returned files are examined, and only for a size that is used: one call to the file
//!    system each.
//! 3. A file that vanishes before it is examined is left out, and is never an error. It does not
//!    count, so a page is never empty while there are more.
//! 4. An entry that is no object is listed with its own kind. The code that knows the names decides
//!    whether it matters.

use std::io;
use std::path::Path;
use std::sync::Arc;

use stratalog_store_rules::folder::entry::What;
use stratalog_store_rules::folder::failure::Step;
use stratalog_store_rules::folder::names::is_unfinished;
use stratalog_store_rules::folder::packed_names::PackedNames;
use stratalog_store_rules::objects::{ListPage, ListedObject};

use super::failure::{Cause, Failure};
use super::scan::{NotScanned, scan};
use super::{Folder, LocalFolder, blocking};
use crate::numbers::{size, to_u64};
use crate::store::error::{StoreError, StoreErrorKind};

/// A listing of the entries directly in a folder.
#[derive(Clone)]
pub(crate) struct FolderListing {
    /// Empty, or ends with a slash.
    folder: String,
    name_start: String,
    /// Only later keys are listed.
    start_after: Option<String>,
    with_sizes: bool,
    /// The names, once the folder was scanned.
    scan: Option<Arc<PackedNames>>,
    /// The place of the next name.
    at: usize,
    work: Work,
}

/// The file system work of a listing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) scans: usize,
    /// Files that were examined for their sizes.
    pub(crate) examined: usize,
}

impl LocalFolder {
    /// Returns the next page of a listing, and the listing behind it. A missing folder has no
    /// entries. The names may take `bytes_max` bytes.
    pub(crate) async fn list(
        &self,
        listing: FolderListing,
        limit: usize,
        bytes_max: usize,
    ) -> Result<(ListPage, FolderListing), StoreError> {
        let root = self.root.clone();
        blocking(move || listing.page(&root, limit, bytes_max)).await
    }
}

impl FolderListing {
    pub(crate) fn new(
        folder: String,
        name_start: &str,
        start_after: Option<&str>,
        with_sizes: bool,
    ) -> Self {
        let (name_start, start_after) = (name_start.to_owned(), start_after.map(str::to_owned));
        let (scan, at, work) = (None, 0, Work::default());
        Self { folder, name_start, start_after, with_sizes, scan, at, work }
    }

    /// Returns the bytes that the names take.
    pub(crate) fn bytes_held(&self) -> usize {
        self.scan.as_ref().map_or(0, |scan| scan.bytes())
    }

    fn page(
        mut self,
        root: &Path,
        limit: usize,
        bytes_max: usize,
    ) -> Result<(ListPage, Self), StoreError> {
        let path = root.join(self.folder.trim_end_matches('/'));
        let failed = |cause: Cause| {
            let failure = Failure::new(Step::Looking, "list", &path, cause);
            StoreError::new(failure.kind(), failure.to_string())
        };
        let open = match Folder::open(root, &self.folder) {
            Err(cause) if cause.is_not_found() => return Ok((ListPage::default(), self)),
            open => open.map_err(failed)?,
        };
        let scan = match self.scan.take() {
            Some(scan) => scan,
            None => {
                self.work.scans += 1;
                let scanned = scan(&open, bytes_max, |name| self.wants(name));
                Arc::new(scanned.map_err(|reason| match reason {
                    NotScanned::Failed(error) => failed(error.into()),
                    NotScanned::TooLarge => too_large(&path, bytes_max),
                })?)
            }
        };
        let mut page = ListPage::default();
        while page.objects.len() < limit
            && let Some((name, kind)) = scan.get(self.at)
        {
            self.at += 1;
            match self.entry(&open, name, kind) {
                Ok(entry) => page.objects.push(entry),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error.into())),
            }
        }
        page.more = self.at < scan.count();
        if !page.more {
            let Work { scans, examined } = self.work;
            let (path, names) = (path.display(), scan.count());
            tracing::debug!("listed {path}: {names} names, {scans} scans, {examined} examined");
        }
        self.scan = Some(scan);
        Ok((page, self))
    }

    /// Returns true if the name, of a folder with its slash, is of an entry of this listing.
    fn wants(&self, name: &str) -> bool {
        let after = self.start_after.as_deref();
        let after = after.map(|after| after.strip_prefix(&*self.folder).unwrap_or(after));
        name.starts_with(&*self.name_start) && after.is_none_or(|after| name > after)
    }

    fn entry(&mut self, open: &Folder, name: &str, kind: What) -> io::Result<ListedObject> {
        let key = format!("{}{name}", self.folder);
        let (what, size) = match kind {
            What::File if self.with_sizes || is_unfinished(name) => {
                self.work.examined += 1;
                let entry = open.inspect(name)?;
                (entry.what, if entry.what == What::File { entry.size } else { 0 })
            }
            kind => (kind, 0),
        };
        let kind = what.listed_as(name);
        Ok(ListedObject { key, size, kind })
    }

    /// Returns the file system work so far.
    #[cfg(test)]
    pub(crate) fn work(&self) -> Work {
        self.work
    }
}

fn too_large(path: &Path, bytes_max: usize) -> StoreError {
    let path = path.display();
    let message = format!(
        "cannot list {path}: the names need more than {} of memory; allow more, or remove entries",
        size(to_u64(bytes_max))
    );
    StoreError::new(StoreErrorKind::Other, message)
}
