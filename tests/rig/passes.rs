//! Operations on a log without a handle: reading passes, compactions, trims and verifications,
//! natively and by the component.

use std::sync::Arc;

use stratalog::{
    Compaction, CompactionPlan, Error, Finding, TrimOptions, TrimPoint, TrimResult, VerifyProgress,
};
use stratalog_guest as guest;
use stratalog_guest::decide::options::CompactInput;
use stratalog_guest::drive::reader::ReadOptions;
use tokio::runtime::Runtime;

use crate::adapter::joined;
use crate::native::NativeStore;
use crate::records::{
    checked, compact_options, compaction, error, log_name, native_trim_point, plan, time, trimmed,
};
use crate::subject::{Kind, World};

impl World {
    /// Reads a log without opening it for appending.
    pub fn read(&self, name: &str) -> Result<Vec<String>, Error> {
        let mut pages = self.start_read(name)?;
        pages.rest()
    }

    /// Begins a pass without opening the log for appending.
    pub fn start_read(&self, name: &str) -> Result<Pages, Error> {
        self.start_read_with(name, ReadOptions::default())
    }

    pub fn start_read_with(&self, name: &str, options: ReadOptions) -> Result<Pages, Error> {
        let pass = match self.kind {
            Kind::Native => {
                let log = log_name(name)?;
                let reader = guest::drive::reader::Reader::new(self.native(), log, options);
                Pass::Native(Box::new(reader.map_err(error)?))
            }
            Kind::Component => {
                let mut wanted = stratalog::ReadOptions::new();
                let ReadOptions { start, last, limit, since, until, pending: _ } = options;
                wanted = start.into_iter().fold(wanted, |wanted, start| wanted.start(start));
                wanted = last.into_iter().fold(wanted, stratalog::ReadOptions::last);
                wanted = limit.into_iter().fold(wanted, stratalog::ReadOptions::limit);
                let [since, until] = [since, until].map(|micros| micros.map(time));
                wanted = since.into_iter().fold(wanted, stratalog::ReadOptions::since);
                wanted = until.into_iter().fold(wanted, stratalog::ReadOptions::until);
                let reader = self.host().read_with(&self.store, name, wanted);
                Pass::Component(Box::new(self.runtime.block_on(reader)?))
            }
            Kind::Joined => Pass::Joined(self.as_joined().read(name, options)?),
        };
        Ok(Pages::new(pass, self.runtime.clone()))
    }

    /// Resumes from a position and reads to the end of the stored events.
    pub fn start_read_from(&self, name: &str, position: &str) -> Result<Pages, Error> {
        let start = Some(position.to_owned());
        self.start_read_with(name, ReadOptions { start, ..ReadOptions::default() })
    }

    pub fn compact(&self, name: &str) -> Result<Compaction, Error> {
        self.compact_with(name, CompactInput::default())
    }

    pub fn compact_with(&self, name: &str, options: CompactInput) -> Result<Compaction, Error> {
        match self.kind {
            Kind::Native => {
                let log = log_name(name)?;
                let done =
                    guest::drive::compactor::compact(self.native(), &self.system, log, options);
                done.map(compaction).map_err(error)
            }
            Kind::Component => {
                let options = compact_options(options);
                self.runtime.block_on(self.host().compact(&self.store, name, &options))
            }
            Kind::Joined => self.as_joined().compact(name, compact_options(options)),
        }
    }

    pub fn plan_compaction(
        &self,
        name: &str,
        options: CompactInput,
    ) -> Result<CompactionPlan, Error> {
        match self.kind {
            Kind::Native => {
                let log = log_name(name)?;
                let planned =
                    guest::drive::compactor::plan(self.native(), log, options).map_err(error)?;
                Ok(plan(planned))
            }
            Kind::Component => {
                let options = compact_options(options);
                self.runtime.block_on(self.host().plan_compaction(&self.store, name, &options))
            }
            Kind::Joined => self.as_joined().plan_compaction(name, compact_options(options)),
        }
    }

    pub fn trim(&self, name: &str, until: TrimPoint) -> Result<TrimResult, Error> {
        self.trim_with(name, until, false)
    }

    pub fn trim_lazily(&self, name: &str, until: TrimPoint) -> Result<TrimResult, Error> {
        self.trim_with(name, until, true)
    }

    pub fn trim_with(&self, name: &str, until: TrimPoint, lazy: bool) -> Result<TrimResult, Error> {
        match self.kind {
            Kind::Native => {
                let log = log_name(name)?;
                let (until, options) = (
                    native_trim_point(until),
                    guest::drive::trimmer::TrimOptions { lazy, keep_unread: false },
                );
                let done =
                    guest::drive::trimmer::trim(self.native(), &self.system, log, until, options);
                done.map(trimmed).map_err(error)
            }
            Kind::Component => {
                let options = TrimOptions::new().lazy(lazy);
                self.runtime.block_on(self.host().trim(&self.store, name, until, options))
            }
            Kind::Joined => self.as_joined().trim(name, &until, lazy),
        }
    }

    pub fn plan_trim(&self, name: &str, until: TrimPoint, lazy: bool) -> Result<TrimResult, Error> {
        match self.kind {
            Kind::Native => {
                let log = log_name(name)?;
                let (until, options) = (
                    native_trim_point(until),
                    guest::drive::trimmer::TrimOptions { lazy, keep_unread: false },
                );
                let planned = guest::drive::trimmer::plan(self.native(), log, until, options);
                planned.map(trimmed).map_err(error)
            }
            Kind::Component => {
                let options = TrimOptions::new().lazy(lazy);
                self.runtime.block_on(self.host().plan_trim(&self.store, name, until, options))
            }
            Kind::Joined => self.as_joined().plan_trim(name, &until, lazy),
        }
    }

    /// Repairs a log; returns the number of steps.
    pub fn repair(&self, name: &str) -> Result<usize, Error> {
        match self.kind {
            Kind::Native => {
                let (log, store) = (log_name(name)?, self.native());
                let done = guest::drive::repair::repair(store, &self.system, log, false);
                done.map(|repaired| repaired.steps.len()).map_err(error)
            }
            Kind::Component => {
                let repair = self.host().repair(&self.store, name);
                self.runtime.block_on(repair).map(|steps| steps.len())
            }
            Kind::Joined => self.as_joined().repair(name).map(|steps| steps.len()),
        }
    }

    /// Verifies a log; returns the findings and the number of checked events.
    pub fn verify(&self, name: &str) -> Result<(Vec<Finding>, u64), Error> {
        self.check(name).map(|checked| (checked.findings, checked.events))
    }

    /// Verifies a log; returns the final counts and all findings.
    pub fn check(&self, name: &str) -> Result<VerifyProgress, Error> {
        let (mut findings, mut last) = (Vec::new(), VerifyProgress::default());
        match self.kind {
            Kind::Native => {
                let log = log_name(name)?;
                let mut verifier = guest::drive::verifier::Verifier::new(self.native(), log);
                while let Some(step) = verifier.step().map_err(error)? {
                    last = checked(step);
                    findings.append(&mut last.findings);
                }
            }
            Kind::Component => {
                let verifier = self.host().verify(&self.store, name);
                let mut verifier = self.runtime.block_on(verifier)?;
                while let Some(checked) = self.runtime.block_on(verifier.next())? {
                    last = checked;
                    findings.append(&mut last.findings);
                }
            }
            Kind::Joined => self.as_joined().verify(name, |checked| {
                last = checked;
                findings.append(&mut last.findings);
            })?,
        }
        Ok(VerifyProgress { findings, ..last })
    }
}

/// A reading pass.
pub struct Pages {
    pass: Pass,
    runtime: Arc<Runtime>,
}

pub(crate) enum Pass {
    Native(Box<guest::drive::reader::Reader<NativeStore>>),
    Component(Box<stratalog::Reader>),
    Joined(joined::Reader),
}

/// The remaining events, and the number of events trimmed before the pass reached them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    pub events: Vec<String>,
    pub missed: u64,
}

impl Pages {
    pub(crate) fn new(pass: Pass, runtime: Arc<Runtime>) -> Self {
        Self { pass, runtime }
    }

    /// Returns the next page, or none at the end.
    fn page(&mut self) -> Result<Option<Rest>, Error> {
        let page = match &mut self.pass {
            Pass::Native(reader) => {
                let page = reader.next_page().map_err(error)?;
                page.map(|page| (page.lines.unwrap_or_default(), page.events, page.missed))
            }
            Pass::Component(reader) => {
                let page = self.runtime.block_on(reader.next())?;
                page.map(|page| (page.lines.to_vec(), page.events, page.missed))
            }
            Pass::Joined(reader) => {
                reader.next_page()?.map(|page| (page.lines, page.events, page.missed))
            }
        };
        Ok(page.map(|(lines, count, missed)| {
            let text = String::from_utf8(lines).unwrap();
            let events: Vec<String> = text.lines().map(str::to_owned).collect();
            assert!(text.is_empty() || text.ends_with('\n'), "a line was cut: {text:?}");
            assert_eq!(u64::try_from(events.len()), Ok(count));
            assert!(count > 0 || missed > 0, "a page that says nothing");
            Rest { events, missed }
        }))
    }

    /// Returns the events of the next page, or none at the end.
    pub fn next_page(&mut self) -> Result<Option<Vec<String>>, Error> {
        Ok(self.page()?.map(|page| page.events))
    }

    /// Returns all remaining events.
    pub fn rest(&mut self) -> Result<Vec<String>, Error> {
        Ok(self.rest_and_missed()?.events)
    }

    /// Returns all remaining events, and the number of missed ones.
    pub fn rest_and_missed(&mut self) -> Result<Rest, Error> {
        let mut rest = Rest::default();
        while let Some(page) = self.page()? {
            rest.events.extend(page.events);
            rest.missed += page.missed;
        }
        Ok(rest)
    }

    /// Returns the position of the pass.
    pub fn position(&mut self) -> String {
        match &mut self.pass {
            Pass::Native(reader) => reader.position().unwrap(),
            Pass::Component(reader) => self.runtime.block_on(reader.position()).unwrap(),
            Pass::Joined(reader) => reader.position().unwrap(),
        }
    }
}
