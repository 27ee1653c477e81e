//! Listing a folder, page by page.
//!
//! Owns: the entries of each page. Must not know: the purpose of the files.
//!
//! 1. One scan of the folder serves all pages.
//! 2. Only returned files are examined, and only for a size that is used: one call to the host
//!    each.
//! 3. A file that vanishes before it is examined is left out, and is never an error. It does not
//!    count, so a page is never empty while there are more.
//! 4. An entry that is no object is listed with its own kind. The code that knows the names decides
//!    whether it matters.
//! 5. A page that failed changes nothing: the next call returns it.

use std::rc::Rc;

use stratalog_store_exports::logging::log;
use stratalog_store_exports::store::Listing;
use stratalog_store_rules::error::{StoreError, StoreErrorKind};
use stratalog_store_rules::folder::entry::What;
use stratalog_store_rules::folder::failure::{Reason, Step};
use stratalog_store_rules::folder::names::is_unfinished;
use stratalog_store_rules::folder::packed_names::{PackedNames, TooLarge};
use stratalog_store_rules::key::Prefix;
use stratalog_store_rules::log_level::Level;
use stratalog_store_rules::objects::{ListPage, ListedObject};

use crate::failure::{Cause, Failure, SystemError};
use crate::folder::Folder;
use crate::names::is_listed;
use crate::root::Root;
use crate::root_path::Place;

/// The most bytes that the names of a folder take: those of a few million names.
const SCAN_BYTES_MAX: usize = 512 * 1024 * 1024;

/// A listing of the entries directly in a folder.
pub(crate) struct FolderListing {
    root: Result<Rc<Root>, StoreError>,
    prefix: String,
    /// Only later keys are listed.
    start_after: Option<String>,
    with_sizes: bool,
    /// The names, once the folder was scanned.
    scan: Option<PackedNames>,
    /// The place of the next name.
    at: usize,
}

impl FolderListing {
    pub(crate) fn new(
        root: Result<Rc<Root>, StoreError>,
        prefix: String,
        start_after: Option<String>,
        with_sizes: bool,
    ) -> Self {
        Self { root, prefix, start_after, with_sizes, scan: None, at: 0 }
    }

    fn scan(
        &self,
        open: &Folder,
        folder: &str,
        name_start: &str,
    ) -> Result<PackedNames, NotScanned> {
        let after = self.start_after.as_deref();
        let after = after.map(|after| after.strip_prefix(folder).unwrap_or(after));
        let is_wanted =
            |name: &str| name.starts_with(name_start) && after.is_none_or(|after| name > after);
        let mut scan = PackedNames::default();
        open.each_name::<NotScanned>(|mut name, kind| {
            if !is_listed(&name) {
                return Ok(());
            }
            let kind = match kind {
                Some(kind) => kind,
                // The host does not say.
                None => match open.inspect(&name) {
                    Ok(entry) => entry.what,
                    Err(error) if error.reason == Reason::NotFound => return Ok(()),
                    Err(error) => return Err(error.into()),
                },
            };
            if kind == What::Folder {
                name.push('/');
            }
            if is_wanted(&name) {
                scan.push(&name, kind, SCAN_BYTES_MAX)?;
            }
            Ok(())
        })?;
        scan.sort();
        Ok(scan)
    }

    fn entry(
        &self,
        open: &Folder,
        folder: &str,
        name: &str,
        kind: What,
    ) -> Result<ListedObject, SystemError> {
        let (what, size) = match kind {
            What::File if self.with_sizes || is_unfinished(name) => {
                let entry = open.inspect(name)?;
                (entry.what, if entry.what == What::File { entry.size } else { 0 })
            }
            kind => (kind, 0),
        };
        let kind = what.listed_as(name);
        Ok(ListedObject { key: format!("{folder}{name}"), size, kind })
    }
}

impl Listing for FolderListing {
    fn next(&mut self, limit: usize) -> Result<ListPage, StoreError> {
        let root = self.root.clone()?;
        let prefix = Prefix::parse(&self.prefix)?;
        let (folder, place) = (prefix.folder_with_slash(), root.place_of(prefix.folder));
        let failed = |cause: Cause| {
            let failure = Failure::new(Step::Looking, "list", &place, cause);
            StoreError::new(failure.kind(), failure.to_string())
        };
        let Some(open) = root.open_existing()? else { return Ok(ListPage::default()) };
        let open = match open.open(prefix.folder) {
            Err(cause) if cause.is_not_found() => return Ok(ListPage::default()),
            open => open.map_err(failed)?,
        };
        let scan = match self.scan.take() {
            Some(scan) => scan,
            None => {
                let scan = self.scan(&open, &folder, prefix.name_start);
                scan.map_err(|reason| match reason {
                    NotScanned::Failed(error) => failed(error.into()),
                    NotScanned::TooLarge => too_large(&place),
                })?
            }
        };
        let (mut page, mut at) = (ListPage::default(), self.at);
        let mut failure = None;
        while page.objects.len() < limit
            && let Some((name, kind)) = scan.get(at)
        {
            match self.entry(&open, &folder, name, kind) {
                Ok(entry) => page.objects.push(entry),
                Err(error) if error.reason == Reason::NotFound => {}
                Err(error) => {
                    failure = Some(failed(error.into()));
                    break;
                }
            }
            at += 1;
        }
        page.more = at < scan.count();
        if !page.more {
            log(Level::Debug, "store", &format!("listed {place}: {} names", scan.count()));
        }
        self.scan = Some(scan);
        if let Some(failure) = failure {
            return Err(failure);
        }
        self.at = at;
        Ok(page)
    }
}

/// The reason why a folder was not scanned.
enum NotScanned {
    Failed(SystemError),
    TooLarge,
}

impl From<SystemError> for NotScanned {
    fn from(error: SystemError) -> Self {
        Self::Failed(error)
    }
}

impl From<TooLarge> for NotScanned {
    fn from(_: TooLarge) -> Self {
        Self::TooLarge
    }
}

fn too_large(place: &Place) -> StoreError {
    let message = format!(
        "cannot list {place}: the names need more than {SCAN_BYTES_MAX} bytes of memory; remove \
         entries"
    );
    StoreError::new(StoreErrorKind::Other, message)
}
