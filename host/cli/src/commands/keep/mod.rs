//! `stratalog keep`: compacts, trims and verifies the logs below a root by policies.

mod policy_file;
mod said;

use std::sync::Arc;
use std::time::Duration;

use stratalog::Error;
use stratalog::keep::{Keeper, Prices};
use stratalog::store::Root;

use self::policy_file::Policies;
use self::said::{Said, Totals};
use crate::args::Shared;
use crate::args::keep::Keep;
use crate::process::exit::{Code, Failure, print_error};
use crate::progress::Progress;
use crate::report::print_line;
use crate::target::{host, open_store};
use crate::terminal::human::visible;
use crate::terminal::live_lines;

/// A root, and the keeper of the logs below it.
struct Kept {
    root: Root,
    keeper: Keeper,
}

/// Runs the command. Compactions and trims may be interrupted anywhere, so a signal ends it.
pub(crate) async fn run(command: &Keep, shared: &Shared) -> Result<Code, Failure> {
    let mut kept = open(command, shared)?;
    loop {
        let mut worst = Code::Done;
        for Kept { root, keeper } in &mut kept {
            let code = match sweep(root, keeper, command, shared).await {
                Ok(Some(code)) => code,
                // Nobody reads the output.
                Ok(None) => return Ok(Code::Done),
                Err(failure) if command.once || command.dry_run => return Err(failure),
                Err(failure) => {
                    live_lines::suspend(|| failure.print());
                    failure.code()
                }
            };
            if worst == Code::Done {
                worst = code;
            }
        }
        if command.once || command.dry_run {
            return Ok(worst);
        }
        tokio::time::sleep(with_jitter(command.every)?).await;
    }
}

fn open(command: &Keep, shared: &Shared) -> Result<Vec<Kept>, Failure> {
    let policies = match &command.policy {
        Some(file) => Policies::read(file)?,
        None => Policies::one(&command.named.logs, command.named.policy())
            .map_err(|error| Failure::usage(format!("--logs: {error}")))?,
    };
    if command.named.keep_unread && !policies.remove_events() {
        let message = "--keep-unread has no effect: give --keep-age, --keep-events or --keep-bytes";
        return Err(Failure::usage(message));
    }
    let policies = Arc::new(policies);
    let host = host(shared)?;
    let mut kept: Vec<Kept> = Vec::new();
    for typed in &command.roots {
        let root = Root::parse(typed).map_err(Error::from)?;
        if kept.iter().any(|other| other.root == root) {
            return Err(Failure::usage(format!("{root} is given twice")));
        }
        let store = open_store(&root, shared, command.sole.sole_compactor)?;
        let policies = policies.clone();
        let keeper = Keeper::new(&host, &store, "", move |name| policies.of(name));
        kept.push(Kept { root, keeper });
    }
    Ok(kept)
}

/// Sweeps once over the logs below a root. Returns the code of the first failure of a log; none if
/// the reader of the output has closed it.
async fn sweep(
    root: &Root,
    keeper: &mut Keeper,
    command: &Keep,
    shared: &Shared,
) -> Result<Option<Code>, Failure> {
    let what = format!("cannot list the logs below {root}");
    let in_context = |error: Error| Failure::from(error).context(what.clone());
    let prices = command.prices.unwrap_or(Prices::S3_STANDARD);
    let said = Said { root, json: shared.json, dry_run: command.dry_run, prices };
    let mut totals = Totals::default();
    let mut sweep = keeper.sweep(command.options()).await.map_err(in_context)?;
    let progress = Progress::of_unknown(shared, &format!("keeping the logs below {root}"));
    let mut code = Code::Done;
    loop {
        let next = sweep.next().await;
        for denied in sweep.take_denied() {
            live_lines::suspend(|| print_error(&visible(&denied.message)));
            totals.failed += 1;
            if code == Code::Done {
                code = Code::Store;
            }
        }
        let Some(log) = next.map_err(in_context)? else { break };
        let month = said.month(&log, command.every);
        totals.add(&log, month);
        if let Some(error) = &log.error {
            live_lines::suspend(|| print_error(&said.failure(&log.log.name, error)));
            if code == Code::Done {
                code = Code::of(error);
            }
        }
        if !said.print(&log, month)? {
            return Ok(None);
        }
    }
    drop(progress);
    print_line(shared.quiet, &totals.text(root, command.dry_run));
    Ok(Some(code))
}

/// Returns the time to the next sweep: a tenth more or less, so that keepers that were started
/// together do not stay together.
fn with_jitter(every: Duration) -> Result<Duration, Failure> {
    let random = getrandom::u32().map_err(|error| {
        Failure::new(Code::Failed, format!("cannot get a random number: {error}"))
    })?;
    let share = f64::from(random) / f64::from(u32::MAX);
    Ok(every.mul_f64(0.9 + 0.2 * share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_is_a_tenth_at_most() {
        let every = Duration::from_secs(100);
        let times: Vec<_> = (0..50).map(|_| with_jitter(every).unwrap().as_secs()).collect();
        assert!(times.iter().all(|time| (90..=110).contains(time)), "{times:?}");
        assert!(times.iter().any(|time| *time != times[0]), "{times:?}");
    }
}
