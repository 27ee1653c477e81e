//! An actor: the state that it works with. Its work is in `writers`, `readers` and `compactors`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::sim::damage;
use crate::sim::expectation::Expectation;
use crate::sim::logic::{Logic, Outcome, Refusal, Subject};
use crate::sim::random::Random;
use crate::sim::world::{ActorView, Job};

/// A position that a reader gave, and the events it had been shown by then.
pub type SavedPosition = (Option<String>, Expectation);

/// The number of times a reader continues over damage before it stops, since no actor may repair
/// it.
pub const DAMAGED_TRIES: u32 = 20;

/// The place where readers leave their positions for others.
pub type SavedPositions = Rc<RefCell<Vec<SavedPosition>>>;

/// One actor at work.
pub struct Actor<'y> {
    pub view: ActorView<'y>,
    pub plan: Random,
    pub logic: Box<dyn Logic<'y> + 'y>,
    pub saved: SavedPositions,
    subject: Subject,
}

/// Makes a job for an actor that has its own plan.
pub fn job(
    subject: &Subject,
    saved: &SavedPositions,
    plan: u64,
    work: impl FnOnce(&mut Actor<'_>) -> Result<(), String> + 'static,
) -> Job {
    let (subject, saved, plan) = (subject.clone(), saved.clone(), Random::new(plan));
    Box::new(move |view| {
        let logic = subject.of(view);
        work(&mut Actor { view, plan, subject, logic, saved })
    })
}

/// Returns the outcome, or none if the operation was refused for now.
pub fn unless_wrong<T>(what: &str, outcome: Outcome<T>) -> Result<Option<T>, String> {
    match outcome {
        Ok(done) => Ok(Some(done)),
        Err(Refusal::Again) => Ok(None),
        Err(Refusal::Damaged(_)) if damage::is_expected() => Ok(None),
        Err(Refusal::Damaged(why) | Refusal::Wrong(why)) => Err(format!("{what}: {why}")),
    }
}

impl Actor<'_> {
    pub fn note(&self, what: &str, how: &str) {
        let mut state = self.view.state();
        state.trace.note(self.view.actor, what, how, b"");
    }

    /// The batches that are behind a gap now, with their numbers of events.
    pub fn stranded(&self) -> BTreeMap<String, u64> {
        let state = self.view.state();
        state.history.stranded(&state.objects)
    }

    /// Adds another actor that begins soon, while this one continues.
    pub fn send(&mut self, work: impl FnOnce(&mut Actor<'_>) -> Result<(), String> + 'static) {
        let job = job(&self.subject, &self.saved, self.plan.draw(), work);
        self.view.state().add(self.plan.below(20), job);
    }

    /// Returns a time near that of some batch.
    pub fn some_time(&mut self) -> u64 {
        let state = self.view.state();
        let writers = state.history.writers.iter();
        let times: Vec<u64> = writers.flat_map(|writer| writer.times.iter().copied()).collect();
        let time = if times.is_empty() { state.clock } else { self.plan.pick(&times) };
        (time + self.plan.below(3)).saturating_sub(1)
    }

    /// Returns a position that some reader gave, now and then.
    pub fn take_saved_position(&mut self) -> Option<SavedPosition> {
        let saved = self.saved.borrow();
        let takes = !saved.is_empty() && self.plan.chance(1, 2);
        takes.then(|| saved[self.plan.index(saved.len())].clone())
    }
}
