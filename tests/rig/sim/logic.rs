//! What an actor does with a log, whoever does it: the logic run natively, or the built component.

use stratalog_guest::decide::cursor::Pending;
use stratalog_guest::decide::options::{CompactInput, OptionsInput};
use stratalog_guest::decide::page;
use stratalog_guest::drive::reader::ReadOptions;
use stratalog_guest::drive::trimmer::{TrimOptions, TrimPoint, Trimmed};

use crate::sim::component::{Engine, Instances};
use crate::sim::native::Native;
use crate::sim::world::Eyes;

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The store failed, somebody else was faster, or the log has nothing yet: nothing is wrong, try
    /// again.
    Again,
    /// Something is damaged: wrong in a world where nothing is.
    Damaged(String),
    /// It must not happen.
    Wrong(String),
}

pub type Outcome<T> = Result<T, Refusal>;

/// What a reader yields.
pub type Page = page::Page<Vec<u8>>;

/// What a compaction says that it did.
#[derive(Debug)]
pub struct Compacted {
    pub merged_files: u64,
    pub events: u64,
}

/// What a verification found.
#[derive(Debug, Default)]
pub struct Verified {
    pub damaged: Vec<String>,
    pub leftovers: Vec<String>,
    pub events: u64,
    pub trimmed_events: u64,
}

/// A damaged object, and what a repair did about it.
#[derive(Debug, PartialEq, Eq)]
pub struct Mended {
    pub object: String,
    pub done: Done,
    pub events_lost: u64,
}

/// What a repair did.
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

/// Damage in one line.
pub fn show_damage(object: &str, expected: &str, found: &str) -> String {
    format!("{object}: expected {expected}, found {found}")
}

/// A log in numbers.
#[derive(Debug)]
pub struct Counted {
    pub events: u64,
    pub lost_events: u64,
    pub batches: u64,
    pub uncounted_batches: u64,
    pub segments: u64,
    pub trimmed_events: u64,
    pub first_position: u64,
    pub next_position: u64,
}

/// A log, for one actor.
pub trait Logic<'y> {
    fn open(&self, options: OptionsInput) -> Outcome<Box<dyn Handle<'y> + 'y>>;
    fn read(&self, options: ReadOptions) -> Outcome<Box<dyn Pass + 'y>>;
    fn compact(&self, options: CompactInput) -> Outcome<Compacted>;
    fn trim(&self, point: TrimPoint, options: TrimOptions) -> Outcome<Trimmed>;
    fn plan_trim(&self, point: TrimPoint, options: TrimOptions) -> Outcome<Trimmed>;
    fn verify(&self) -> Outcome<Verified>;
    fn stat(&self) -> Outcome<Counted>;
    fn repair(&self) -> Outcome<Vec<Mended>>;
}

/// A handle that appends.
pub trait Handle<'y> {
    fn append(&mut self, event: &[u8]) -> Outcome<()>;
    fn append_lines(&mut self, lines: Vec<u8>) -> Outcome<u64>;
    fn tick(&mut self) -> bool;
    fn flush(&mut self) -> Outcome<()>;
    fn pending(&mut self) -> Pending;
    fn read_all(&mut self) -> Outcome<Box<dyn Pass + 'y>>;
    fn close(&mut self) -> Outcome<()>;
}

/// A reader.
pub trait Pass {
    fn next_page(&mut self) -> Outcome<Option<Page>>;
    /// None of a pass with what a handle holds.
    fn position(&mut self) -> Option<String>;
}

/// Whose logic a run is of.
#[derive(Clone)]
pub enum Subject {
    Native,
    Component(Box<Engine>),
}

impl Subject {
    pub fn of<'y>(&self, eyes: Eyes<'y>) -> Box<dyn Logic<'y> + 'y> {
        match self {
            Self::Native => Box::new(Native(eyes)),
            Self::Component(engine) => Box::new(Instances::new((**engine).clone(), eyes)),
        }
    }
}
