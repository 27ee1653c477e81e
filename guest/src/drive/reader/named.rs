//! A reader that keeps its position under a name.

use super::{ReadOptions, Reader};
use crate::drive::named::Named;
use crate::error::Error;
use crate::format::names::{LogName, PositionName};
use crate::format::position::Position;
use crate::ports::{Store, System};

impl<S: Store> Reader<S> {
    /// Starts a pass at the position that was committed last under a name, or where the options say
    /// if none was.
    ///
    /// # Errors
    /// As [`Reader::new`]. [`Error::Damaged`] if that position cannot be read;
    /// [`Error::StoreFailed`], [`Error::Unsupported`].
    pub fn named(store: S, log: LogName, name: &str, options: ReadOptions) -> Result<Self, Error> {
        let name = PositionName::parse(name)?;
        if options.pending.is_some() {
            let message = "cannot combine `pending` with a named position: leave one of them out";
            return Err(Error::InvalidInput(message.to_owned()));
        }
        let mut reader = Self::new(store.clone(), log.clone(), options.clone())?;
        let named = Named::open(&store, &log, name)?;
        if let Some(position) = named.position() {
            let start = Some(position.to_owned());
            reader = Self::new(store, log, ReadOptions { start, last: None, ..options })?;
        }
        Ok(Self { named: Some(named), ..reader })
    }

    /// Commits a position under the reader's name: a given one, or the one behind the last page.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a reader without a name, before the first page, or for an
    /// invalid position. [`Error::Conflict`] if another reader has committed under the name. After
    /// [`Error::WriteFailed`] or [`Error::StoreFailed`] the call can be repeated.
    pub fn commit<Y: System>(&mut self, system: &Y, position: Option<&str>) -> Result<(), Error> {
        let refuse = |why: &str| Err(Error::InvalidInput(why.to_owned()));
        let at = self.cursor.position();
        let text = match position {
            Some(text) => {
                let position = Position::decode(text)?;
                if at.log.is_some() {
                    position.check_log(&self.catalog.name, at.log)?;
                }
                text.to_owned()
            }
            None if !self.is_placed => {
                return refuse("the reader has no position before its first page: read one");
            }
            None => at.encode(),
        };
        let Some(named) = &mut self.named else {
            return refuse("the reader has no name to commit under: open it by `read-named`");
        };
        if !self.is_placed {
            self.catalog.list_writable("commit a position in")?;
        }
        self.catalog.check_writable("commit a position in")?;
        named.commit(&self.catalog.store, system, &self.catalog.name, Some(text))
    }
}
