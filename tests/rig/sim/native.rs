//! The log's logic, run natively in a simulated world.

use stratalog_guest::decide::cursor::Pending;
use stratalog_guest::decide::options::{CompactInput, OptionsInput};
use stratalog_guest::drive::compactor;
use stratalog_guest::drive::reader::{ReadOptions, Reader};
use stratalog_guest::drive::repair::{self, Action};
use stratalog_guest::drive::stat;
use stratalog_guest::drive::trimmer::{self, TrimOptions, TrimPoint, Trimmed};
use stratalog_guest::drive::verifier::{Finding, Verifier};
use stratalog_guest::drive::writer::Writer;
use stratalog_guest::error::{Damage, Error};
use stratalog_guest::format::names::LogName;

use crate::sim::history::LOG;
use crate::sim::logic::{
    Compacted, Counted, Done, Handle, Logic, Mended, Outcome, Page, Pass, Refusal, Verified,
    show_damage,
};
use crate::sim::world::ActorView;

pub struct Native<'y>(pub ActorView<'y>);

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::WriteFailed(_)
            | Error::StoreFailed { .. }
            | Error::Conflict(_)
            | Error::NoLog(_) => Self::Again,
            Error::Damaged(damage) => Self::Damaged(damage.to_string()),
            error => Self::Wrong(error.to_string()),
        }
    }
}

fn log() -> LogName {
    LogName::parse(LOG).unwrap()
}

impl<'y> Logic<'y> for Native<'y> {
    fn open(&self, options: OptionsInput) -> Outcome<Box<dyn Handle<'y> + 'y>> {
        Ok(Box::new(Writer::open(self.0, self.0, LOG, options)?))
    }

    fn read(&self, options: ReadOptions) -> Outcome<Box<dyn Pass + 'y>> {
        Ok(Box::new(Reader::new(self.0, log(), options)?))
    }

    fn compact(&self, options: CompactInput) -> Outcome<Compacted> {
        let done = compactor::compact(self.0, &self.0, log(), options)?;
        Ok(Compacted { merged_files: done.batches + done.segments, events: done.events })
    }

    fn trim(&self, point: TrimPoint, options: TrimOptions) -> Outcome<Trimmed> {
        Ok(trimmer::trim(self.0, &self.0, log(), point, options)?)
    }

    fn plan_trim(&self, point: TrimPoint, options: TrimOptions) -> Outcome<Trimmed> {
        Ok(trimmer::plan(self.0, log(), point, options)?)
    }

    fn verify(&self) -> Outcome<Verified> {
        let mut verifier = Verifier::new(self.0, log());
        let mut verified = Verified::default();
        while let Some(checked) = verifier.step()? {
            (verified.events, verified.trimmed_events) = (checked.events, checked.trimmed_events);
            for finding in checked.findings {
                match finding {
                    Finding::Damaged(Damage { object, expected, found }) => {
                        verified.damaged.push(show_damage(&object, &expected, &found));
                    }
                    Finding::Garbage { object, .. } => verified.garbage.push(object),
                }
            }
        }
        Ok(verified)
    }

    fn stat(&self) -> Outcome<Counted> {
        let stats = stat::stat(self.0, log())?;
        Ok(Counted {
            events: stats.events,
            lost_events: stats.lost_events,
            batches: stats.batches,
            uncounted_batches: stats.uncounted_batches,
            segments: stats.segments,
            trimmed_events: stats.trimmed_events,
            first_position: stats.first_position,
            next_position: stats.next_position,
        })
    }

    fn repair(&self) -> Outcome<Vec<Mended>> {
        let repaired = repair::repair(self.0, &self.0, log(), false)?;
        let steps = repaired.steps.into_iter().map(|step| Mended {
            object: step.damage.object,
            done: match step.action {
                Action::SetAside => Done::SetAside,
                Action::Gone => Done::Gone,
                Action::Rebuild => Done::Rebuild,
                Action::StepBack => Done::StepBack,
                Action::StandIn => Done::StandIn,
                Action::Forget => Done::Forget,
                Action::Nothing(why) => Done::Nothing(why),
            },
            events_lost: step.events_lost,
        });
        Ok(steps.collect())
    }
}

impl<'y> Handle<'y> for Writer<ActorView<'y>, ActorView<'y>> {
    fn append(&mut self, event: &[u8]) -> Outcome<()> {
        Ok(Writer::append(self, event)?)
    }

    fn append_lines(&mut self, lines: Vec<u8>) -> Outcome<u64> {
        Ok(Writer::append_lines(self, lines)?)
    }

    fn tick(&mut self) -> bool {
        Writer::tick(self)
    }

    fn flush(&mut self) -> Outcome<()> {
        Writer::flush(self)?;
        Ok(())
    }

    fn pending(&mut self) -> Pending {
        Writer::pending(self)
    }

    fn read_all(&mut self) -> Outcome<Box<dyn Pass + 'y>> {
        Ok(Box::new(Writer::read_all(self)?))
    }

    fn close(&mut self) -> Outcome<()> {
        Writer::close(self)?;
        Ok(())
    }
}

impl Pass for Reader<ActorView<'_>> {
    fn next_page(&mut self) -> Outcome<Option<Page>> {
        Ok(Reader::next_page(self)?)
    }

    fn position(&mut self) -> Option<String> {
        Reader::position(self)
    }
}
