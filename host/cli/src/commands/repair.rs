//! `stratalog repair`: repairs a log with damaged objects, or reports what a repair would do.

use std::fmt;

use serde::Serialize;
use stratalog::{Damage, Finding, RepairAction, RepairStep};

use crate::args::Shared;
use crate::args::commands::Repair;
use crate::numbers::to_u64;
use crate::process::exit::{Code, Failure, write_stdout};
use crate::progress::Progress;
use crate::report::{print_json, print_line};
use crate::shell;
use crate::target::Target;
use crate::terminal::human::{count, grouped};
use crate::terminal::live_lines;

#[derive(Serialize)]
struct RepairReport {
    /// True if the log was changed.
    repaired: bool,
    /// True if no damage is left.
    ok: bool,
    #[serde(flatten)]
    lost: Lost,
    steps: Vec<StepReport>,
}

/// A number of lost events.
#[derive(Clone, Copy, Default, Serialize)]
struct Lost {
    events_lost: u64,
    /// True if more may be lost: a batch that is gone had an unknown number of events.
    events_lost_is_minimum: bool,
}

impl Lost {
    fn of(step: &RepairStep) -> Self {
        let RepairStep { events_lost, .. } = *step;
        Self { events_lost, events_lost_is_minimum: step.is_events_lost_minimum() }
    }

    fn and(self, other: Self) -> Self {
        Self {
            events_lost: self.events_lost.saturating_add(other.events_lost),
            events_lost_is_minimum: self.events_lost_is_minimum || other.events_lost_is_minimum,
        }
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at_least = if self.events_lost_is_minimum { "at least " } else { "" };
        write!(f, "{at_least}{} lost", count(self.events_lost, "event", "events"))
    }
}

#[derive(Serialize)]
struct StepReport {
    object: String,
    expected: String,
    found: String,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(flatten)]
    lost: Lost,
}

/// Runs the command. A repair may be interrupted anywhere: the next one continues it.
pub(crate) async fn run(command: &Repair, shared: &Shared) -> Result<Code, Failure> {
    let target = Target::open(&command.log, shared, command.sole.sole_compactor)?;
    let done = match repair(&target, command.yes, shared).await {
        Ok(done) => done,
        Err(failure) => return Err(target.explain("repair", failure).await),
    };
    match done.damaged {
        0 => Ok(Code::Done),
        _ => Err(done.failure(&target)),
    }
}

/// The outcome of a plan or a repair.
struct Done {
    /// True if the log was changed.
    repaired: bool,
    /// The objects that are damaged afterwards.
    damaged: u64,
    /// The objects that a repair would change, if nothing was changed.
    repairable: u64,
    lost: Lost,
}

impl Done {
    /// Returns the error about the damage, with the action to take.
    fn failure(&self, target: &Target) -> Failure {
        let Self { repaired, damaged, repairable, lost } = *self;
        let location = &target.location;
        let objects = count(damaged, "damaged object", "damaged objects");
        if repaired {
            let are = if damaged == 1 { "is" } else { "are" };
            let message = format!("{objects} {are} left in {location}: see the reasons above");
            return Failure::new(Code::Damaged, message);
        }
        let hint = match repairable {
            0 => "none of these objects can be repaired: see the reasons above".to_owned(),
            _ => {
                let log = shell::word(location.to_string().as_ref());
                let which = match damaged {
                    1 => "it".to_owned(),
                    _ if repairable == damaged => "them".to_owned(),
                    _ => format!("{} of them", grouped(repairable)),
                };
                format!("`stratalog repair --yes {log}` repairs {which}, with {lost}")
            }
        };
        let message = format!("{objects} in {location}, and nothing was changed");
        Failure::new(Code::Damaged, message).with_hint(hint)
    }
}

async fn repair(target: &Target, yes: bool, shared: &Shared) -> Result<Done, Failure> {
    let Target { location, store, host } = target;
    let progress = Progress::of_unknown(shared, &format!("repairing {location}"));
    let steps = if yes {
        host.repair(store, &location.name).await?
    } else {
        host.plan_repair(store, &location.name).await?
    };
    let left = if yes { left_in(target, &steps).await? } else { Left::default() };
    drop(progress);
    let repairable = count_of(steps.iter().filter(|step| !is_left(step)).count());
    let damaged = if yes { left.damaged } else { count_of(steps.len()) };
    let lost = steps.iter().map(Lost::of).fold(Lost::default(), Lost::and);
    if shared.json {
        let steps = steps.iter().map(StepReport::from).chain(left.unnamed).collect();
        print_json(&RepairReport { repaired: yes, ok: damaged == 0, lost, steps })?;
    } else {
        let unnamed = left.unnamed.iter().map(StepReport::line);
        for line in steps.iter().map(line_of).chain(unnamed) {
            if !live_lines::suspend(|| write_stdout(line.as_bytes()))? {
                break;
            }
        }
        let line = match steps.is_empty() {
            true => format!("nothing to repair in {location}"),
            false => format!("{location} is repaired: {lost}"),
        };
        print_line(shared.quiet || damaged > 0, &line);
    }
    Ok(Done { repaired: yes, damaged, repairable, lost })
}

/// The damage that a verification finds after a repair.
#[derive(Default)]
struct Left {
    damaged: u64,
    /// The damaged objects that no step has named.
    unnamed: Vec<StepReport>,
}

/// Verifies the log after a repair.
async fn left_in(target: &Target, steps: &[RepairStep]) -> Result<Left, Failure> {
    let mut verifier = target.host.verify(&target.store, &target.location.name).await?;
    let mut left = Left::default();
    while let Some(checked) = verifier.next().await? {
        for finding in checked.findings {
            let Finding::Damaged(Damage { object, expected, found, .. }) = finding else {
                continue;
            };
            left.damaged += 1;
            if !steps.iter().any(|step| step.damage.object == object && is_left(step)) {
                let reason = Some("restore it from a copy of the store".to_owned());
                let action = "nothing";
                left.unnamed.push(StepReport {
                    object,
                    expected,
                    found,
                    action,
                    reason,
                    lost: Lost::default(),
                });
            }
        }
    }
    Ok(left)
}

/// Returns whether a repair leaves the object as it is.
fn is_left(step: &RepairStep) -> bool {
    matches!(step.action, RepairAction::Nothing(_))
}

fn count_of(objects: usize) -> u64 {
    to_u64(objects)
}

/// Formats a step as a line.
fn line_of(step: &RepairStep) -> String {
    let RepairStep { damage: Damage { object, expected, found }, action, .. } = step;
    let lost = Lost::of(step);
    let done = match action {
        RepairAction::SetAside => format!("set aside, {lost}"),
        RepairAction::Gone => format!("gone, {lost}"),
        RepairAction::Rebuild => "written again".to_owned(),
        RepairAction::StepBack if is_first_manifest(object) => {
            "the log continues without a manifest, as before its first compaction".to_owned()
        }
        RepairAction::StepBack => "the log continues from the previous manifest".to_owned(),
        RepairAction::StandIn => "replaced by a stand-in, nothing is lost".to_owned(),
        RepairAction::Forget => "dropped, the log continues without it".to_owned(),
        RepairAction::Nothing(why) => return left_line(object, why, expected, found),
    };
    format!("{object}: {done} (expected {expected}, found {found})\n")
}

/// Returns whether the object is the manifest before which there is none.
fn is_first_manifest(object: &str) -> bool {
    let name = object.rsplit('/').next().unwrap_or_default();
    let number = name.strip_prefix("manifest_").and_then(|rest| rest.strip_suffix(".json"));
    number.and_then(|number| number.parse().ok()) == Some(1_u64)
}

fn left_line(object: &str, why: &str, expected: &str, found: &str) -> String {
    format!("{object}: left as it is: {why} (expected {expected}, found {found})\n")
}

impl StepReport {
    /// Formats the remaining damage as a line.
    fn line(&self) -> String {
        let why = self.reason.as_deref().unwrap_or_default();
        left_line(&self.object, why, &self.expected, &self.found)
    }
}

impl From<&RepairStep> for StepReport {
    fn from(step: &RepairStep) -> Self {
        let (action, reason) = match &step.action {
            RepairAction::SetAside => ("set-aside", None),
            RepairAction::Gone => ("gone", None),
            RepairAction::Rebuild => ("rebuild", None),
            RepairAction::StepBack => ("step-back", None),
            RepairAction::StandIn => ("stand-in", None),
            RepairAction::Forget => ("forget", None),
            RepairAction::Nothing(why) => ("nothing", Some(why.clone())),
        };
        let damage = step.damage.clone();
        Self {
            object: damage.object,
            expected: damage.expected,
            found: damage.found,
            action,
            reason,
            lost: Lost::of(step),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_without_its_first_manifest_continues_without_one() {
        for (number, end) in [(1, "without a manifest"), (2, "from the previous manifest")] {
            let step = RepairStep {
                damage: Damage {
                    object: format!("log/manifest_{number:019}.json"),
                    expected: "a manifest".to_owned(),
                    found: "0 bytes".to_owned(),
                },
                action: RepairAction::StepBack,
                events_lost: 0,
            };
            let line = line_of(&step);
            assert!(line.contains(&format!("the log continues {end}")), "{line}");
        }
    }
}
