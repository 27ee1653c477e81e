//! `stratalog repair`: makes a log with damaged objects whole again, or says what that would do.

use serde::Serialize;
use stratalog::{Finding, RepairAction, RepairStep};

use super::arguments::{Repair, Shared};
use super::exit::{Code, Failure, write_stdout};
use super::progress::{self, Progress};
use super::report::{count, print_json, print_line};
use super::session::Session;

#[derive(Serialize)]
struct RepairReport {
    /// Whether the log was changed.
    repaired: bool,
    /// Whether nothing is damaged any more.
    ok: bool,
    events_lost: u64,
    steps: Vec<StepReport>,
}

#[derive(Serialize)]
struct StepReport {
    object: String,
    expected: String,
    found: String,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    events_lost: u64,
}

/// A repair may end anywhere: a second one goes on.
pub(super) async fn run(command: &Repair, shared: &Shared) -> Result<Code, Failure> {
    let session = Session::open(&command.log, shared, command.sole.sole_compactor)?;
    let repaired = repair(&session, command.yes, shared).await;
    repaired.map_err(|failure| session.explain("repair", failure))
}

async fn repair(session: &Session, yes: bool, shared: &Shared) -> Result<Code, Failure> {
    let Session { location, store, host } = session;
    let progress = Progress::of_unknown(shared, &format!("repairing {location}"));
    let steps = if yes {
        host.repair(store, &location.name).await?
    } else {
        host.plan_repair(store, &location.name).await?
    };
    let damaged = if yes { damaged_in(session).await? } else { count_of(&steps) };
    drop(progress);
    let events_lost = steps.iter().map(|step| step.events_lost).fold(0, u64::saturating_add);
    if shared.json {
        let steps = steps.iter().map(StepReport::from).collect();
        print_json(&RepairReport { repaired: yes, ok: damaged == 0, events_lost, steps })?;
    } else {
        for step in &steps {
            if !print_step(step)? {
                break;
            }
        }
        let lost = count(events_lost, "event", "events");
        let line = match (steps.is_empty(), yes) {
            (true, _) => format!("nothing to repair in {location}"),
            (false, true) => format!("{location} is repaired: {lost} lost"),
            (false, false) => format!("nothing was changed: --yes does this, with {lost} lost"),
        };
        print_line(shared.quiet || (yes && damaged > 0), &line);
    }
    if damaged == 0 {
        return Ok(Code::Done);
    }
    let objects = count(damaged, "damaged object", "damaged objects");
    let what = if yes { "are left: restore what was named" } else { "to repair" };
    Err(Failure::new(Code::Damaged, format!("{objects} in {location} {what}")))
}

/// Verifies the log; returns how many objects are damaged.
async fn damaged_in(session: &Session) -> Result<u64, Failure> {
    let mut verifier = session.host.verify(&session.store, &session.location.name).await?;
    let mut damaged = 0_u64;
    while let Some(checked) = verifier.next().await? {
        let found =
            checked.findings.iter().filter(|found| matches!(found, Finding::Damaged { .. }));
        damaged = damaged.saturating_add(u64::try_from(found.count()).unwrap_or(u64::MAX));
    }
    Ok(damaged)
}

fn count_of(steps: &[RepairStep]) -> u64 {
    u64::try_from(steps.len()).unwrap_or(u64::MAX)
}

/// Prints a step to stdout. False: its reader has closed it.
fn print_step(step: &RepairStep) -> Result<bool, Failure> {
    let RepairStep { object, expected, found, action, events_lost } = step;
    let lost = count(*events_lost, "event", "events");
    let done = match action {
        RepairAction::SetAside => format!("set aside, {lost} lost"),
        RepairAction::Rebuild => "written again".to_owned(),
        RepairAction::StepBack => "the log goes on from the manifest before it".to_owned(),
        RepairAction::Forget => "set aside, the log goes on without it".to_owned(),
        RepairAction::Nothing(why) => format!("left as it is: {why}"),
        // The enum is open to additions.
        _ => "repaired".to_owned(),
    };
    let line = format!("{object}: {done} (expected {expected}, found {found})\n");
    progress::aside(|| write_stdout(line.as_bytes()))
}

impl From<&RepairStep> for StepReport {
    fn from(step: &RepairStep) -> Self {
        let (action, reason) = match &step.action {
            RepairAction::SetAside => ("set-aside", None),
            RepairAction::Rebuild => ("rebuild", None),
            RepairAction::StepBack => ("step-back", None),
            RepairAction::Forget => ("forget", None),
            RepairAction::Nothing(why) => ("nothing", Some(why.clone())),
            _ => ("other", None),
        };
        Self {
            object: step.object.clone(),
            expected: step.expected.clone(),
            found: step.found.clone(),
            action,
            reason,
            events_lost: step.events_lost,
        }
    }
}
