//! The operations of an actor on a log, by the logic run natively or by the built component.
//!
//! Both answer with the types of `wit/types.wit`. The results here are what traces have of them.

use std::collections::BTreeSet;

use stratalog::{
    Compaction, Damage, Error, Finding, RepairAction, RepairStep, Stats, TrimResult, VerifyProgress,
};
use stratalog_guest::decide::cursor::Pending;
use stratalog_guest::decide::options::{CompactInput, OptionsInput};
use stratalog_guest::decide::page;
use stratalog_guest::drive::reader::ReadOptions;
use stratalog_guest::drive::trimmer::{TrimOptions, TrimPoint};
use stratalog_guest::format::names::BatchName;

use crate::memory::log;
use crate::sim::component::{Engine, Instances};
use crate::sim::native::Native;
use crate::sim::world::ActorView;

/// The reason why an operation was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The store failed, another actor was faster, or the log is still empty. Nothing is wrong:
    /// retry.
    Again,
    /// Something is damaged: wrong in a world without damage.
    Damaged(String),
    /// A failure that must not happen.
    Wrong(String),
}

pub type Outcome<T> = Result<T, Refusal>;

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::WriteFailed(_)
            | Error::StoreFailed(_)
            | Error::Conflict(_)
            | Error::NoLog(_) => Self::Again,
            Error::Damaged(_) => Self::Damaged(error.to_string()),
            error => Self::Wrong(error.to_string()),
        }
    }
}

/// A page of a reader.
pub type Page = page::Page<Vec<u8>>;

/// The result that a compaction reports.
#[derive(Debug)]
pub struct Compacted {
    pub merged_files: u64,
    pub events: u64,
}

impl From<Compaction> for Compacted {
    fn from(done: Compaction) -> Self {
        Self { merged_files: done.merged_files, events: done.events }
    }
}

/// The result of a verification.
#[derive(Debug, Default)]
pub struct Verified {
    pub damaged: Vec<String>,
    pub garbage: Vec<String>,
    pub stranded: Vec<String>,
    pub events: u64,
    pub trimmed_events: u64,
}

/// Returns the batches that are behind a gap now.
pub fn hidden(view: ActorView<'_>) -> BTreeSet<BatchName> {
    let state = view.state();
    let stranded = state.history.stranded(&state.objects);
    let names = stranded.keys().filter_map(|key| BatchName::parse(log().object(key)?));
    names.collect()
}

/// Checks a step of a verification that began when these batches were behind a gap: none but these
/// may be called stranded.
pub fn check_step(step: &VerifyProgress, hidden: &BTreeSet<BatchName>) -> Outcome<()> {
    for finding in &step.findings {
        if let Finding::Stranded(stranded) = finding
            && let Some(name) = log().object(&stranded.object).and_then(BatchName::parse)
            && !hidden.contains(&name)
        {
            return Err(Refusal::Wrong(format!("{name} is called stranded, and was visible")));
        }
    }
    Ok(())
}

impl From<VerifyProgress> for Verified {
    fn from(checked: VerifyProgress) -> Self {
        let VerifyProgress { events, trimmed_events, findings, .. } = checked;
        let mut verified = Self { events, trimmed_events, ..Self::default() };
        for finding in findings {
            match finding {
                Finding::Damaged(Damage { object, expected, found }) => {
                    let damaged = format!("{object}: expected {expected}, found {found}");
                    verified.damaged.push(damaged);
                }
                Finding::Garbage(garbage) => verified.garbage.push(garbage.object),
                Finding::Stranded(stranded) => verified.stranded.push(stranded.object),
            }
        }
        verified
    }
}

/// A damaged object, and the action of a repair on it.
#[derive(Debug, PartialEq, Eq)]
pub struct Mended {
    pub object: String,
    pub done: Done,
    pub events_lost: u64,
}

impl From<RepairStep> for Mended {
    fn from(step: RepairStep) -> Self {
        let done = match step.action {
            RepairAction::SetAside => Done::SetAside,
            RepairAction::Gone => Done::Gone,
            RepairAction::Rebuild => Done::Rebuild,
            RepairAction::StepBack => Done::StepBack,
            RepairAction::StandIn => Done::StandIn,
            RepairAction::Forget => Done::Forget,
            RepairAction::Nothing(why) => Done::Nothing(why),
        };
        Self { object: step.damage.object, done, events_lost: step.events_lost }
    }
}

/// The action of a repair.
#[derive(Debug, PartialEq, Eq)]
pub enum Done {
    SetAside,
    Gone,
    Rebuild,
    StepBack,
    StandIn,
    Forget,
    Nothing(String),
}

/// A log in numbers.
#[derive(Debug)]
pub struct Counted {
    pub events: u64,
    pub lost_events: u64,
    pub batches: u64,
    pub hidden_batches: u64,
    pub uncounted_batches: u64,
    pub segments: u64,
    pub trimmed_events: u64,
    pub first_position: u64,
    pub next_position: u64,
}

impl From<Stats> for Counted {
    fn from(stats: Stats) -> Self {
        Self {
            events: stats.events,
            lost_events: stats.lost_events,
            batches: stats.batches,
            hidden_batches: stats.hidden_batches,
            uncounted_batches: stats.uncounted_batches,
            segments: stats.segments,
            trimmed_events: stats.trimmed_events,
            first_position: stats.first_position,
            next_position: stats.next_position,
        }
    }
}

/// The result of a copy.
#[derive(Debug)]
pub enum Copied {
    /// The number of objects.
    Objects(u64),
    /// The target has a history of its own, for this reason.
    Refused(String),
}

/// A log that is copied to a mirror, for one actor.
pub trait Copying<'y> {
    fn copy(&self) -> Outcome<Copied>;
    fn read_mirror(&self) -> Outcome<Box<dyn Pass + 'y>>;
    fn verify_mirror(&self) -> Outcome<Verified>;
}

/// A log, for one actor.
pub trait Logic<'y>: Copying<'y> {
    fn open(&self, options: OptionsInput) -> Outcome<Box<dyn Handle<'y> + 'y>>;
    fn read(&self, options: ReadOptions) -> Outcome<Box<dyn Pass + 'y>>;
    fn read_named(&self, name: &str, options: ReadOptions) -> Outcome<Box<dyn Pass + 'y>>;
    fn compact(&self, options: CompactInput) -> Outcome<Compacted>;
    fn trim(&self, point: TrimPoint, options: TrimOptions) -> Outcome<TrimResult>;
    fn plan_trim(&self, point: TrimPoint, options: TrimOptions) -> Outcome<TrimResult>;
    fn verify(&self) -> Outcome<Verified>;
    fn stat(&self) -> Outcome<Counted>;
    fn repair(&self) -> Outcome<Vec<Mended>>;
}

/// A handle that appends.
pub trait Handle<'y> {
    fn append(&mut self, event: &[u8]) -> Outcome<()>;
    fn append_lines(&mut self, lines: Vec<u8>) -> Outcome<u64>;
    fn tick(&mut self) -> bool;
    /// Returns the number of events that the handle has made durable.
    fn flush(&mut self) -> Outcome<u64>;
    fn pending(&mut self) -> Pending;
    fn read_all(&mut self) -> Outcome<Box<dyn Pass + 'y>>;
    /// As [`Handle::flush`].
    fn close(&mut self) -> Outcome<u64>;
    /// Parks the handle and makes it again, if nothing of it is in flight.
    fn rest(&mut self) -> Outcome<()>;
}

/// A reader.
pub trait Pass {
    fn next_page(&mut self) -> Outcome<Option<Page>>;
    /// The position; none for a pass that includes the pending events of a handle.
    fn position(&mut self) -> Option<String>;
    /// Commits the position under the name that the reader was opened with.
    fn commit(&mut self) -> Outcome<()>;
    /// Parks the reader and makes it again, if it has nothing to report.
    fn rest(&mut self) -> Outcome<()>;
}

/// The logic that a run is of.
#[derive(Clone)]
pub enum Subject {
    Native,
    Component(Box<Engine>),
}

impl Subject {
    pub fn of<'y>(&self, view: ActorView<'y>) -> Box<dyn Logic<'y> + 'y> {
        match self {
            Self::Native => Box::new(Native(view)),
            Self::Component(engine) => Box::new(Instances::new((**engine).clone(), view)),
        }
    }
}
