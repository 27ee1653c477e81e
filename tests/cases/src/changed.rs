//! Logs whose objects the test changes between the two parts of a case: damage, and what crashes
//! leave. The changes are in `tests/cli/matrix/changes.rs`.

use crate::bindings::stratalog::log::append_log::{compact, read, stat};
use crate::bindings::stratalog::log::types::{Damage, Error, Finding, GarbageReason};
use crate::logs::{
    Case, Failure, Outcome, batch, compacted, holds, log_of, numbered, open, read_whole, refused,
    rest, same, tiered, verified, whole,
};

macro_rules! changed {
    ($($prepare:ident => $case:ident),* $(,)?) => {
        &[$(Case { name: stringify!($case), prepare: $prepare, holds: $case }),*]
    };
}

pub(crate) const CASES: &[Case] = changed![
    batches => cut_batch_is_damage,
    batches => altered_batch_is_damage,
    batches => confirmed_batch_that_is_gone_is_damage,
    segment => altered_segment_is_damage,
    segment => missing_segment_is_damage,
    segment => missing_index_is_a_finding,
    segment => altered_manifest_is_damage,
    segment => segment_of_a_crashed_compaction_is_not_read,
    batches => batches_that_a_crash_left_are_read_once,
    batches => batch_of_the_predecessor_is_read,
    segment => foreign_object_is_ignored,
];

fn batches(log: &str) -> Outcome {
    log_of(log, &[2, 2, 2]).map(drop)
}

fn segment(log: &str) -> Outcome {
    batches(log)?;
    same(compacted(log)?.batches, 3)
}

/// Returns the damage that a read reports.
fn damage_of_read(log: &str) -> Outcome<Damage> {
    let reader = read(log, &whole())?;
    loop {
        match reader.next() {
            Ok(Some(_)) => {}
            Ok(None) => return Err(Failure("the log is read to its end".to_owned())),
            Err(Error::Damaged(damage)) => return Ok(damage),
            Err(other) => return Err(other.into()),
        }
    }
}

/// Fails unless reads, compactions and verifications name an object with this beginning.
fn is_damaged(log: &str, name: &str) -> Outcome {
    let begin = format!("{log}/{name}");
    let damage = damage_of_read(log)?;
    holds(damage.object.starts_with(&begin), &damage.object)?;
    is_found(log, name)
}

/// Fails unless a verification finds one damaged object, with this beginning.
fn is_found(log: &str, name: &str) -> Outcome {
    let begin = format!("{log}/{name}");
    let found = verified(log)?.1;
    let damaged = found.iter().filter_map(|finding| match finding {
        Finding::Damaged(damage) => Some(damage.object.as_str()),
        _ => None,
    });
    let objects: Vec<&str> = damaged.collect();
    holds(
        !objects.is_empty() && objects.iter().all(|object| object.starts_with(&begin)),
        &format!("{objects:?}"),
    )
}

fn cut_batch_is_damage(log: &str) -> Outcome {
    is_damaged(log, "batch_")?;
    let error = refused(compact(log, tiered()))?;
    holds(matches!(error, Error::Damaged(_)), &format!("{error:?}"))
}

fn altered_batch_is_damage(log: &str) -> Outcome {
    is_damaged(log, "batch_")?;
    same(stat(log)?.events, 6)
}

fn confirmed_batch_that_is_gone_is_damage(log: &str) -> Outcome {
    is_damaged(log, "batch_")?;
    let damage = damage_of_read(log)?;
    holds(damage.found.contains("no such object"), &damage.found)
}

fn altered_segment_is_damage(log: &str) -> Outcome {
    is_damaged(log, "segment_")
}

fn missing_segment_is_damage(log: &str) -> Outcome {
    is_damaged(log, "segment_")
}

fn missing_index_is_a_finding(log: &str) -> Outcome {
    is_found(log, "segment_")
}

fn altered_manifest_is_damage(log: &str) -> Outcome {
    is_damaged(log, "manifest_")?;
    let error = refused(stat(log))?;
    holds(matches!(error, Error::Damaged(_)), &format!("{error:?}"))
}

fn garbage_of(log: &str) -> Outcome<Vec<GarbageReason>> {
    let garbage = |finding: Finding| match finding {
        Finding::Garbage(garbage) => Ok(garbage.reason),
        other => Err(Failure(format!("{other:?}"))),
    };
    verified(log)?.1.into_iter().map(garbage).collect()
}

/// Fails unless a compaction of a new batch deletes the garbage.
fn is_deleted(log: &str) -> Outcome {
    let writer = open(log)?;
    batch(&writer, &["new".to_owned()])?;
    compacted(log)?;
    let stats = stat(log)?;
    // Two manifests, and one segment with its index.
    same((stats.objects, stats.garbage_objects, verified(log)?.1.len()), (4, 0, 0))?;
    same(read_whole(log)?.len(), 7)
}

/// The compaction may still run, so its segment is no finding. The next one deletes it.
fn segment_of_a_crashed_compaction_is_not_read(log: &str) -> Outcome {
    same((read_whole(log)?, stat(log)?.objects), (numbered(6), 5))?;
    same(verified(log)?.1.len(), 0)?;
    is_deleted(log)
}

fn batches_that_a_crash_left_are_read_once(log: &str) -> Outcome {
    same(rest(&read(log, &whole())?)?, (numbered(6), 0))?;
    let reasons = garbage_of(log)?;
    holds(
        reasons.len() == 3 && reasons.iter().all(|it| *it == GarbageReason::AbsorbedBatch),
        &format!("{reasons:?}"),
    )?;
    is_deleted(log)
}

fn batch_of_the_predecessor_is_read(log: &str) -> Outcome {
    let expected = [vec!["old 1".to_owned(), "old 2".to_owned()], numbered(6)].concat();
    same(read_whole(log)?, &expected[..])?;
    same(compacted(log)?.batches, 4)?;
    same(read_whole(log)?, expected)
}

fn foreign_object_is_ignored(log: &str) -> Outcome {
    same(read_whole(log)?, numbered(6))?;
    same((verified(log)?.1.len(), stat(log)?.objects), (0, 3))
}
