//! Copies to a mirror, and the mirror itself.

use stratalog::VerifyProgress;
use stratalog_guest::drive::copier::{Copier, CopyOptions};
use stratalog_guest::drive::reader::{ReadOptions, Reader};
use stratalog_guest::drive::verifier::Verifier;
use stratalog_guest::error::Error;

use super::{Native, Reading};
use crate::memory::log;
use crate::records::checked;
use crate::sim::logic::{Copied, Copying, Outcome, Pass, Verified};
use crate::sim::mirrors::mirror;

impl<'y> Copying<'y> for Native<'y> {
    fn copy(&self) -> Outcome<Copied> {
        let options = CopyOptions { source: "the log".to_owned(), dry_run: false };
        let (from, to) = ((self.0, log()), (self.0, mirror()));
        let mut copier = Copier::new(from, to, self.0, options)?;
        let mut objects = 0;
        loop {
            match copier.step() {
                Ok(Some(copied)) => objects = copied.objects,
                Ok(None) => return Ok(Copied::Objects(objects)),
                Err(Error::Conflict(why)) => return Ok(Copied::Refused(why)),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn read_mirror(&self) -> Outcome<Box<dyn Pass + 'y>> {
        let reader = Reader::new(self.0, mirror(), ReadOptions::default())?;
        Ok(Box::new(Reading { reader, view: self.0 }))
    }

    fn verify_mirror(&self) -> Outcome<Verified> {
        let mut verifier = Verifier::new(self.0, mirror());
        let (mut last, mut findings) = (VerifyProgress::default(), Vec::new());
        while let Some(step) = verifier.step()? {
            last = checked(step);
            findings.append(&mut last.findings);
        }
        Ok(VerifyProgress { findings, ..last }.into())
    }
}
