//! Copies of logs as tests see them.

use stratalog::{Error, Mirror};
use stratalog_guest as guest;
use stratalog_guest::drive::copier::{Copier, CopyOptions};

use crate::records::{error, log_name};
use crate::subject::{Kind, World};

impl World {
    /// Copies a log to another name, and returns the number of objects.
    pub fn copy(&self, from: &str, to: &str) -> Result<u64, Error> {
        let mut objects = 0;
        if self.kind == Kind::Component {
            return self.runtime.block_on(async {
                let (from, to) = ((&self.store, from), (&self.store, to));
                let mut copier = self.host().copy(from, to, "the source").await?;
                while let Some(copied) = copier.next().await? {
                    objects = copied.objects;
                }
                Ok(objects)
            });
        }
        let (from, to) = ((self.native(), log_name(from)?), (self.native(), log_name(to)?));
        let options = CopyOptions { source: "the source".to_owned(), dry_run: false };
        let copier = Copier::new(from, to, self.system.clone(), options);
        let mut copier = copier.map_err(error)?;
        while let Some(copied) = copier.step().map_err(error)? {
            objects = copied.objects;
        }
        Ok(objects)
    }

    /// Makes a mirror a log of its own.
    pub fn promote(&self, name: &str) -> Result<bool, Error> {
        match self.kind {
            Kind::Component => self.runtime.block_on(self.host().promote(&self.store, name)),
            _ => guest::drive::copier::promote(self.native(), &self.system, log_name(name)?)
                .map_err(error),
        }
    }

    /// Returns the source of a mirror. None if it was promoted, or never was a mirror.
    pub fn source_of_mirror(&self, name: &str) -> Result<Option<String>, Error> {
        let state = match self.kind {
            Kind::Component => {
                let mirror = self.runtime.block_on(self.host().mirror(&self.store, name))?;
                mirror.map(|Mirror { source, ended, .. }| (source, ended))
            }
            _ => {
                let mirror = guest::drive::copier::mirror(self.native(), log_name(name)?);
                mirror.map_err(error)?.map(|mirror| (mirror.source, mirror.ended))
            }
        };
        Ok(state.filter(|(_, ended)| !ended).map(|(source, _)| source))
    }
}
