//! Copies to a mirror, and the mirror itself.

use std::cell::RefCell;
use std::rc::Rc;

use stratalog::{Error, VerifyProgress};
use stratalog_guest::drive::reader::ReadOptions;

use super::{Guest, Instance, Instances, Reading, drive, read_options};
use crate::memory::LOG;
use crate::sim::logic::{Copied, Copying, Outcome, Pass, Refusal, Verified};
use crate::sim::mirrors::MIRROR;

impl<'y> Copying<'y> for Instances<'y> {
    fn copy(&self) -> Outcome<Copied> {
        let mut instance = self.instance()?;
        let Instance { store, component, actor } = &mut instance;
        let mailbox = store.data().mailbox.clone();
        let copies = component.stratalog_log_copies();
        let started = copies.call_start_copy(&mut *store, LOG, MIRROR, "the log", false);
        let copier = drive(&mailbox, actor, started)?.map_err(Refusal::from)?;
        let (calls, mut objects) = (copies.copier(), 0);
        loop {
            let step = calls.call_next(&mut *store, copier);
            match drive(&mailbox, actor, step)?.map_err(Error::from) {
                Ok(Some(copied)) => objects = copied.objects,
                Ok(None) => return Ok(Copied::Objects(objects)),
                Err(Error::Conflict(why)) => return Ok(Copied::Refused(why)),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn read_mirror(&self) -> Outcome<Box<dyn Pass + 'y>> {
        let (mut instance, options) = (self.instance()?, read_options(ReadOptions::default()));
        let reader =
            instance.call(async |guest, store| guest.call_read(store, MIRROR, &options).await)?;
        let instance = Rc::new(RefCell::new(instance));
        Ok(Box::new(Reading { instances: self.clone(), instance, reader }))
    }

    fn verify_mirror(&self) -> Outcome<Verified> {
        let mut instance = self.instance()?;
        let verifier =
            instance.call(async |guest, store| guest.call_verify(store, MIRROR).await)?;
        let (mut last, mut findings) = (VerifyProgress::default(), Vec::new());
        loop {
            let step = async |guest: &Guest, store: &mut _| {
                guest.verifier().call_next(store, verifier).await
            };
            let Some(checked) = instance.call(step)? else { break };
            last = checked;
            findings.append(&mut last.findings);
        }
        Ok(VerifyProgress { findings, ..last }.into())
    }
}
