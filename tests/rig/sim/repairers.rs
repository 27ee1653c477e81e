//! Actors that damage objects, and that repair the log.

use std::rc::Rc;

use crate::sim::actors::{Actor, unless_wrong};
use crate::sim::damage;
use crate::sim::history::{Trim, TrimRequest};
use crate::sim::logic::Done;

/// The number of repairs after which a log must be whole, if no other actor does anything. A repair
/// stops at an object that it must leave, which is then restored.
const REPAIRS_MAX: u32 = 20;

/// The steps of a repair, and the events that they record as lost.
struct Repairs {
    steps: usize,
    events_lost: u64,
}

impl Actor<'_> {
    /// Damages objects, as disks do.
    pub fn damage_often(&mut self, rounds: u64) -> Result<(), String> {
        for _ in 0..rounds {
            let steps = self.plan.below(200);
            self.view.pause(steps);
            let mut state = self.view.state();
            if let Some(key) = state.harm(&mut self.plan) {
                state.trace.note(self.view.actor, "damaged", &key, b"");
            }
        }
        Ok(())
    }

    /// Repairs repeatedly.
    pub fn repair_often(&mut self, rounds: u64) -> Result<(), String> {
        for _ in 0..rounds {
            let steps = self.plan.below(200);
            self.view.pause(steps);
            self.repair()?;
        }
        Ok(())
    }

    /// Repairs the log until it is whole. Each repair says how many events are lost.
    pub fn repair_to_rest(&mut self) -> Result<(), String> {
        let lost = |actor: &Self| actor.view.state().history.damage.lost().len();
        for _ in 0..REPAIRS_MAX {
            let before = lost(self);
            let done = self.repair()?;
            let found = lost(self) - before;
            match done {
                Some(Repairs { events_lost, .. })
                    if events_lost != u64::try_from(found).unwrap() =>
                {
                    return Err(format!("{events_lost} events are said to be lost, not {found}"));
                }
                Some(Repairs { steps: 0, .. }) => {
                    damage::expect(false);
                    return Ok(());
                }
                _ => {}
            }
        }
        Err(format!("{REPAIRS_MAX} repairs are not enough"))
    }

    /// Repairs; returns none if it was refused for now. An object that cannot be repaired is
    /// restored from a copy of the store.
    fn repair(&mut self) -> Result<Option<Repairs>, String> {
        let repair = Trim { request: TrimRequest::Nothing, lazy: true, keep_unread: false };
        self.view.state().actor(self.view.actor).trim = Some(Rc::new(repair));
        let done = unless_wrong("repair", self.logic.repair())?;
        let mut state = self.view.state();
        state.actor(self.view.actor).trim = None;
        state.trace.note(self.view.actor, "repaired", &format!("{done:?}"), b"");
        let Some(steps) = done else { return Ok(None) };
        if !steps.is_empty() && !damage::is_expected() {
            return Err(format!("nothing is damaged, and {steps:?} are repaired"));
        }
        for step in &steps {
            match step.done {
                Done::Nothing(_) => _ = state.restore(&step.object),
                Done::StepBack => return Err(format!("{} is given up", step.object)),
                Done::SetAside | Done::Gone | Done::Rebuild | Done::StandIn | Done::Forget => {}
            }
        }
        let events_lost = steps.iter().map(|step| step.events_lost).sum();
        Ok(Some(Repairs { steps: steps.len(), events_lost }))
    }
}
