//! The files of a log, of each kind of subject.

use std::ops::Range;

use stratalog::{Error, FilesOptions};
use stratalog_guest::drive::files::{File, Files};

use crate::records::{error, log_name};
use crate::subject::{Kind, World};

impl World {
    /// Returns the keys and the ranges of the files of a log.
    pub fn files(&self, name: &str) -> Result<Vec<(String, Range<u64>)>, Error> {
        let mut found = Vec::new();
        match self.kind {
            Kind::Native => {
                let log = log_name(name)?;
                let listed = Files::list(self.native(), log, None, None);
                let mut files = listed.map_err(error)?;
                loop {
                    let page = files.next_page();
                    if page.is_empty() {
                        return Ok(found);
                    }
                    let range = |file: &File| file.offset..file.offset + file.bytes;
                    found.extend(page.iter().map(|file| (files.key(file), range(file))));
                }
            }
            Kind::Component => self.runtime.block_on(async {
                let options = FilesOptions::new();
                let mut files = self.host().files(&self.store, name, options).await?;
                loop {
                    let page = files.next().await?;
                    if page.is_empty() {
                        return Ok(found);
                    }
                    found.extend(page.into_iter().map(|f| (f.key, f.offset..f.offset + f.bytes)));
                }
            }),
            Kind::Joined => self.as_joined().files(name),
        }
    }
}
