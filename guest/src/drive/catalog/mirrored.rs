//! The mirror marks of a log: which logs only copies write.
//!
//! 1. A mark is listed with the batches, before manifests and segments. So a load that
//!    shows objects of an incomplete copy has shown the mark.
//! 2. A mirror that was ended is a log like any other.

use super::Catalog;
use crate::error::Error;
use crate::format::mirror::Mirror;
use crate::format::names::MirrorMark;
use crate::ports::Store;

/// The mirror marks that were listed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    begun: bool,
    ended: bool,
}

impl Marks {
    pub(super) fn record(&mut self, mark: MirrorMark) {
        match mark {
            MirrorMark::Begun => self.begun = true,
            MirrorMark::Ended => self.ended = true,
        }
    }
}

impl<S: Store> Catalog<S> {
    /// Returns true if the listings so far have shown that only copies write the log.
    pub(crate) fn is_mirror(&self) -> bool {
        self.marks.begun && !self.marks.ended
    }

    /// Returns true if the log was a mirror.
    pub(crate) fn was_mirror(&self) -> bool {
        self.marks.ended
    }

    /// Fails if only copies write the log, as far as the listings have shown.
    pub(crate) fn check_writable(&self, doing: &str) -> Result<(), Error> {
        if !self.is_mirror() {
            return Ok(());
        }
        let log = self.name.as_str();
        Err(Error::Unsupported(format!(
            "cannot {doing} the log {log}: it is a mirror, which only `stratalog copy` writes; use \
             the log that it is copied from, or end the mirror with `stratalog copy --promote`"
        )))
    }

    /// Lists the batches, and then fails if only copies write the log.
    pub(crate) fn list_writable(&mut self, doing: &str) -> Result<(), Error> {
        self.list_batch_names(|_| {})?;
        self.check_writable(doing)
    }

    /// Reads a mark. None if it is gone.
    pub(crate) fn mark(&self, mark: MirrorMark) -> Result<Option<Mirror>, Error> {
        let Some(bytes) = self.get(mark)? else { return Ok(None) };
        Mirror::decode(mark, &bytes).map(Some).map_err(|error| match error {
            Error::Damaged(damage) => self.damaged(damage),
            error => error,
        })
    }
}
