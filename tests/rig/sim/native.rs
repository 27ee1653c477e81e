//! The log's logic, run natively in a simulated world.

use stratalog::{TrimResult, VerifyProgress};
use stratalog_guest::decide::cursor::Pending;
use stratalog_guest::decide::options::{CompactInput, OptionsInput};
use stratalog_guest::drive::compactor;
use stratalog_guest::drive::reader::{ReadOptions, Reader};
use stratalog_guest::drive::repair;
use stratalog_guest::drive::stat;
use stratalog_guest::drive::trimmer::{self, TrimOptions, TrimPoint};
use stratalog_guest::drive::verifier::Verifier;
use stratalog_guest::drive::writer::Writer;
use stratalog_guest::error::Error;

mod copying;

use crate::memory::{LOG, log};
use crate::records::{checked, compaction, error, repair_step, stats, trimmed};
use crate::sim::logic::{
    Compacted, Counted, Handle, Logic, Mended, Outcome, Page, Pass, Refusal, Verified, check_step,
    hidden,
};
use crate::sim::world::ActorView;

pub struct Native<'y>(pub ActorView<'y>);

impl From<Error> for Refusal {
    fn from(native: Error) -> Self {
        error(native).into()
    }
}

impl<'y> Logic<'y> for Native<'y> {
    fn open(&self, options: OptionsInput) -> Outcome<Box<dyn Handle<'y> + 'y>> {
        let writer = Writer::open(self.0, self.0, LOG, options)?;
        Ok(Box::new(Opened { writer, view: self.0 }))
    }

    fn read(&self, options: ReadOptions) -> Outcome<Box<dyn Pass + 'y>> {
        let reader = Reader::new(self.0, log(), options)?;
        Ok(Box::new(Reading { reader, view: self.0 }))
    }

    fn read_named(&self, name: &str, options: ReadOptions) -> Outcome<Box<dyn Pass + 'y>> {
        let reader = Reader::named(self.0, log(), name, options)?;
        Ok(Box::new(Reading { reader, view: self.0 }))
    }

    fn compact(&self, options: CompactInput) -> Outcome<Compacted> {
        Ok(compaction(compactor::compact(self.0, &self.0, log(), options)?).into())
    }

    fn trim(&self, point: TrimPoint, options: TrimOptions) -> Outcome<TrimResult> {
        Ok(trimmed(trimmer::trim(self.0, &self.0, log(), point, options)?))
    }

    fn plan_trim(&self, point: TrimPoint, options: TrimOptions) -> Outcome<TrimResult> {
        Ok(trimmed(trimmer::plan(self.0, log(), point, options)?))
    }

    fn verify(&self) -> Outcome<Verified> {
        let mut verifier = Verifier::new(self.0, log());
        let (mut last, mut findings) = (VerifyProgress::default(), Vec::new());
        loop {
            let hidden = hidden(self.0);
            let Some(step) = verifier.step()? else { break };
            last = checked(step);
            check_step(&last, &hidden)?;
            findings.append(&mut last.findings);
        }
        Ok(VerifyProgress { findings, ..last }.into())
    }

    fn stat(&self) -> Outcome<Counted> {
        Ok(stats(stat::stat(self.0, log())?).into())
    }

    fn repair(&self) -> Outcome<Vec<Mended>> {
        let repaired = repair::repair(self.0, &self.0, log(), false)?;
        Ok(repaired.steps.into_iter().map(|step| repair_step(step).into()).collect())
    }
}

/// A handle that appends.
struct Opened<'y> {
    writer: Writer<ActorView<'y>, ActorView<'y>>,
    view: ActorView<'y>,
}

impl<'y> Handle<'y> for Opened<'y> {
    fn append(&mut self, event: &[u8]) -> Outcome<()> {
        Ok(self.writer.append(event)?)
    }

    fn append_lines(&mut self, lines: Vec<u8>) -> Outcome<u64> {
        Ok(self.writer.append_lines(lines)?)
    }

    fn tick(&mut self) -> bool {
        self.writer.tick()
    }

    fn flush(&mut self) -> Outcome<u64> {
        Ok(self.writer.flush()?.events)
    }

    fn pending(&mut self) -> Pending {
        self.writer.pending()
    }

    fn read_all(&mut self) -> Outcome<Box<dyn Pass + 'y>> {
        let reader = self.writer.read_all()?;
        Ok(Box::new(Reading { reader, view: self.view }))
    }

    fn close(&mut self) -> Outcome<u64> {
        Ok(self.writer.close()?.events)
    }

    fn rest(&mut self) -> Outcome<()> {
        if let Some(parked) = self.writer.park() {
            self.writer = Writer::unpark(self.view, self.view, LOG, parked)?;
        }
        Ok(())
    }
}

struct Reading<'y> {
    reader: Reader<ActorView<'y>>,
    view: ActorView<'y>,
}

impl Pass for Reading<'_> {
    fn next_page(&mut self) -> Outcome<Option<Page>> {
        Ok(self.reader.next_page()?)
    }

    fn position(&mut self) -> Option<String> {
        self.reader.position()
    }

    fn commit(&mut self) -> Outcome<()> {
        Ok(self.reader.commit(&self.view, None)?)
    }

    fn rest(&mut self) -> Outcome<()> {
        if let Some(parked) = self.reader.park() {
            self.reader = Reader::unpark(self.view, LOG, parked)?;
        }
        Ok(())
    }
}
