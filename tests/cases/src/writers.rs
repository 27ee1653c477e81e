//! Several handles on one log.

use crate::bindings::stratalog::log::append_log::stat;
use crate::logs::{
    Case, Outcome, batch, cases, compacted, holds, numbered, open, read_whole, same, tiered,
    verified,
};

pub(crate) const CASES: &[Case] = cases![
    events_of_two_writers_keep_the_order_of_each,
    writer_next_to_a_compaction_loses_nothing,
    readers_see_only_what_a_writer_has_flushed,
];

fn events_of_two_writers_keep_the_order_of_each(log: &str) -> Outcome {
    let (one, two) = (open(log)?, open(log)?);
    for number in 0..5 {
        batch(&one, &[format!("one {number}")])?;
        batch(&two, &[format!("two {number}")])?;
    }
    let found = read_whole(log)?;
    for writer in ["one", "two"] {
        let own: Vec<&String> = found.iter().filter(|event| event.starts_with(writer)).collect();
        let expected: Vec<String> = (0..5).map(|number| format!("{writer} {number}")).collect();
        same(own, expected.iter().collect::<Vec<_>>())?;
    }
    same(found.len(), 10)?;
    compacted(log)?;
    same(read_whole(log)?, found)
}

fn writer_next_to_a_compaction_loses_nothing(log: &str) -> Outcome {
    let (writer, other) = (open(log)?, open(log)?);
    let all = numbered(12);
    for (number, events) in all.chunks(2).enumerate() {
        batch(&writer, events)?;
        if number % 2 == 1 {
            same(other.compact(tiered())?.batches, 2)?;
        }
    }
    same(read_whole(log)?, all)?;
    same((stat(log)?.events, verified(log)?.1.len()), (12, 0))
}

fn readers_see_only_what_a_writer_has_flushed(log: &str) -> Outcome {
    let (one, two) = (open(log)?, open(log)?);
    one.append(b"one")?;
    batch(&two, &["two".to_owned()])?;
    same(read_whole(log)?, ["two"])?;
    same(two.file_count()?, 1)?;
    one.flush()?;
    let found = read_whole(log)?;
    holds(found.len() == 2 && found.contains(&"one".to_owned()), &format!("{found:?}"))
}
