//! Actors that compact, trim and verify.

use std::rc::Rc;

use stratalog::TrimResult;
use stratalog_guest::decide::options::CompactInput;
use stratalog_guest::drive::trimmer::{TrimOptions, TrimPoint};

use crate::sim::actors::{Actor, unless_wrong};
use crate::sim::damage;
use crate::sim::history::{Trim, TrimRequest};
use crate::sim::lies::Lie;
use crate::sim::logic::{Outcome, Refusal};

/// The smallest amount of work that a compaction can do.
const SIP: CompactInput =
    CompactInput { full: false, fan_in: None, segment_bytes_max: None, batches_max: Some(1) };

impl Actor<'_> {
    /// Compacts repeatedly, each time in another way or always by small steps.
    pub fn compact_often(&mut self, rounds: u64) -> Result<(), String> {
        self.is_gullible();
        let sips = self.plan.chance(1, 2);
        self.view.state().actor(self.view.actor).prompt = sips;
        for _ in 0..rounds {
            let options = if sips { SIP } else { self.compact_options() };
            self.compact(options)?;
        }
        Ok(())
    }

    /// Allows lies to this actor from now on, now and then or every time.
    fn is_gullible(&mut self) {
        let lie = self.plan.chance(1, 4).then(|| Lie::any(&mut self.plan));
        let mut state = self.view.state();
        let actor = state.actor(self.view.actor);
        (actor.gullible, actor.lie) = (true, lie);
    }

    /// Returns the outcome, or none if the operation was refused for now. An actor that was lied to
    /// may be refused permanently.
    fn unless_deceived<T>(&self, what: &str, outcome: Outcome<T>) -> Result<Option<T>, String> {
        let mut state = self.view.state();
        let deceived = std::mem::take(&mut state.actor(self.view.actor).deceived);
        drop(state);
        match outcome {
            Err(Refusal::Wrong(_) | Refusal::Damaged(_)) if deceived => {
                self.note(what, "deceived");
                Ok(None)
            }
            outcome => unless_wrong(what, outcome),
        }
    }

    /// Compacts; returns the number of merged files, or none if it was refused for now.
    pub fn compact(&mut self, options: CompactInput) -> Result<Option<u64>, String> {
        let done = self.unless_deceived("compact", self.logic.compact(options))?;
        self.note("compacted", &format!("{done:?}"));
        Ok(done.map(|done| done.merged_files))
    }

    fn compact_options(&mut self) -> CompactInput {
        let plan = &mut self.plan;
        CompactInput {
            full: plan.chance(1, 6),
            fan_in: plan.chance(5, 6).then(|| u32::try_from(2 + plan.below(3)).unwrap()),
            segment_bytes_max: plan.chance(1, 2).then(|| plan.pick(&[1, 16, 64, 256, 1024])),
            batches_max: plan.chance(1, 2).then(|| u32::try_from(plan.up_to(3)).unwrap()),
        }
    }

    /// Trims repeatedly, by every kind of trim point.
    pub fn trim_often(&mut self, rounds: u64) -> Result<(), String> {
        self.is_gullible();
        for _ in 0..rounds {
            let steps = self.plan.below(60);
            self.view.pause(steps);
            let Some((point, request)) = self.some_point() else { continue };
            let lazy = self.plan.chance(1, 3);
            let keep_unread = self.may_keep_unread() && self.plan.chance(1, 2);
            if self.plan.chance(1, 4) {
                let what = format!("plan to trim {point:?}");
                let planned =
                    self.logic.plan_trim(point.clone(), TrimOptions { lazy, keep_unread });
                let planned = self.unless_deceived(&what, planned)?;
                self.note(&what, &format!("{planned:?}"));
            }
            self.trim(point, Trim { request, lazy, keep_unread })?;
        }
        Ok(())
    }

    /// Returns true if a trim may be asked to keep what is unread. A listing that leaves out the
    /// only commit of a name is believed, so nobody may lie.
    fn may_keep_unread(&self) -> bool {
        let state = self.view.state();
        state.named.is_read && state.rates.lies == 0
    }

    /// Chooses a point to trim up to, of every kind.
    fn some_point(&mut self) -> Option<(TrimPoint, TrimRequest)> {
        Some(match self.plan.below(3) {
            0 => {
                let kept = self.plan.below(20);
                (TrimPoint::KeepEvents(kept), TrimRequest::KeepEvents(kept))
            }
            1 => {
                let time = self.some_time();
                (TrimPoint::Time(time), TrimRequest::Time(time))
            }
            _ => match self.take_saved_position()? {
                (Some(position), expectation) => {
                    (TrimPoint::Position(position), TrimRequest::Position(Box::new(expectation)))
                }
                (None, _) => return None,
            },
        })
    }

    /// Trims exactly as the plan before it says, while no other actor does anything.
    pub fn trim_as_planned(&mut self) -> Result<(), String> {
        let Some((point, request)) = self.some_point() else { return Ok(()) };
        let lazy = self.plan.chance(1, 3);
        let planned = self.logic.plan_trim(point.clone(), TrimOptions { lazy, keep_unread: false });
        let planned = planned.map_err(|refusal| format!("plan to trim: {refusal:?} in peace"))?;
        let shown = format!("{point:?}, lazy: {lazy}");
        let done = self.trim(point, Trim { request, lazy, keep_unread: false })?;
        match done {
            Some(done) if done == planned => Ok(()),
            done => Err(format!("trim {shown} says {done:?}, and said {planned:?} before")),
        }
    }

    /// Trims; every commit in the meantime is judged by the request.
    pub fn trim(&mut self, point: TrimPoint, mut trim: Trim) -> Result<Option<TrimResult>, String> {
        let options = TrimOptions { lazy: trim.lazy, keep_unread: trim.keep_unread };
        let what = format!("trim {point:?}, lazy: {}", trim.lazy);
        // A first commit that comes later keeps nothing.
        trim.keep_unread &= self.view.state().named.passed().is_some();
        self.view.state().actor(self.view.actor).trim = Some(Rc::new(trim));
        let done = self.unless_deceived(&what, self.logic.trim(point, options))?;
        let mut state = self.view.state();
        state.actor(self.view.actor).trim = None;
        state.trace.note(self.view.actor, &what, &format!("{done:?}"), b"");
        match done {
            Some(done) if done.first_position > state.history.first_position => {
                Err(format!("{what} says {done:?}, it is {}", state.history.first_position))
            }
            done => Ok(done),
        }
    }

    /// The events that are visible, and those of them that are trimmed.
    fn shown(&self) -> (u64, u64) {
        let state = self.view.state();
        (state.history.stored_events(), state.history.first_position)
    }

    /// Counts and verifies everything: concurrent work of others is not damage. A verification
    /// counts each event that was there all the time.
    pub fn look_around(&mut self) -> Result<(), String> {
        let before = self.shown();
        if let Some(verified) = unless_wrong("verify", self.logic.verify())? {
            self.note("verified", &format!("{verified:?}"));
            if let Some(damage) = verified.damaged.first()
                && !damage::is_expected()
            {
                return Err(format!("verify: {damage}"));
            }
            let after = self.shown();
            let counts = before.0.saturating_sub(after.1)..=after.0 - before.1;
            if !counts.contains(&verified.events) && !damage::is_expected() {
                return Err(format!("verify counts {} events of {counts:?}", verified.events));
            }
        }
        let counted = unless_wrong("stat", self.logic.stat())?;
        self.note("counted", &format!("{counted:?}"));
        Ok(())
    }
}
