//! `stratalog compact`: small objects into a large one.

use super::arguments::{Compact, Shared};
use super::exit::{Code, Failure};
use super::progress::Progress;
use super::report;
use super::session::{Must, Session};

/// Signals are left to the system: a compaction may end anywhere.
pub(super) async fn run(command: &Compact, shared: &Shared) -> Result<Code, Failure> {
    let session = Session::open(&command.log, shared, command.sole_compactor, Must::Exist)?;
    let Session { location, store, host } = &session;
    let progress = Progress::of_unknown(shared, &format!("compacting {location}"));
    let compacted = host.compact(store, &location.name).await;
    drop(progress);
    match compacted {
        Ok(compaction) => report::compacted(shared, &compaction, location).map(|()| Code::Done),
        Err(error) => Err(Failure::from(error).context(format!("cannot compact {location}"))),
    }
}
