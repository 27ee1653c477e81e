//! The search in everything below a folder.

use std::mem;

use futures::FutureExt as _;

use super::{ListedLog, PAGE_ENTRIES, Step};
use crate::error::{Error, Result};
use crate::sandbox::calls::Calls;
use crate::sandbox::instance::{Handle, Instance};
use crate::sandbox::survey::SurveyedLog;
use crate::store::{ListedObject, Store, TreeListing};

pub(super) struct Deep {
    calls: Calls<Vec<SurveyedLog>>,
    surveyor: Handle,
    listing: TreeListing,
    /// The page that the component gets next, or is getting.
    page: Option<Page>,
}

struct Page {
    /// Empty once they were passed on.
    entries: Vec<ListedObject>,
    are_last: bool,
}

impl Deep {
    pub(super) async fn open(
        mut instance: Instance,
        store: &Store,
        folder: &str,
        skip_denied: bool,
    ) -> Result<Self> {
        let surveyor = instance.surveyor(folder).await?;
        let mut listing = store.tree(folder, true);
        if skip_denied {
            listing.skip_denied();
        }
        Ok(Self { calls: Calls::new(instance), surveyor, listing, page: None })
    }

    /// Lists a page, if there is none, and passes it on.
    pub(super) async fn step(&mut self) -> Result<Step> {
        let page = match &mut self.page {
            Some(page) => page,
            none => {
                let listed = self.listing.next(PAGE_ENTRIES).await.map_err(Error::of_store)?;
                none.insert(Page { entries: listed.objects, are_last: !listed.more })
            }
        };
        let (entries, ended, surveyor) =
            (mem::take(&mut page.entries), page.are_last, self.surveyor);
        let found = self
            .calls
            .end_or_make(move |instance| instance.survey(surveyor, entries, ended).boxed())
            .await;
        self.page = None;
        let logs = found?.into_iter().map(ListedLog::from).collect();
        Ok(Step { logs, denied: self.listing.take_denied(), ended })
    }
}
