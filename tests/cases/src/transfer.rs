//! A log with an object of each kind, and its description.

use crate::bindings::stratalog::log::append_log::{read, stat, trim};
use crate::bindings::stratalog::log::types::{ReadOptions, TrimOptions, TrimPoint};
use crate::logs::{Outcome, batch, compacted, from, numbered, open, rest, same, verified, whole};
use crate::tell::text;

/// Writes a log: a trimmed segment, its old index, a second segment, and batches of two writers.
pub(crate) fn write(log: &str) -> Outcome {
    let (one, two) = (open(log)?, open(log)?);
    let events = |word: &str| -> Vec<String> {
        numbered(20).iter().map(|event| format!("{word} {event}")).collect()
    };
    for word in ["first", "second", "third"] {
        batch(&one, &events(word))?;
    }
    batch(&two, &["long ".to_owned() + &"x".repeat(20_000)])?;
    compacted(log)?;
    trim(log, &TrimPoint::KeepEvents(45), TrimOptions { lazy: false, keep_unread: false })?;
    batch(&two, &events("fourth"))?;
    batch(&one, &events("fifth"))?;
    one.compact(crate::logs::tiered())?;
    batch(&one, &events("sixth"))?;
    batch(&two, &events("seventh"))?;
    same(one.close()?.events, 100)?;
    same(two.close()?.events, 41)
}

/// Describes a log as one line of JSON. It is the same wherever the log lies.
pub(crate) fn describe(log: &str) -> Outcome<String> {
    let reader = read(log, &whole())?;
    let (all, missed) = rest(&reader)?;
    let end = reader.position().unwrap_or_default();
    let half = ReadOptions { limit: Some(50), ..whole() };
    let reader = read(log, &half)?;
    let (first, _) = rest(&reader)?;
    let middle = reader.position().unwrap_or_default();
    let (second, _) = rest(&read(log, &from(&middle))?)?;
    same([first, second].concat() == all, true)?;
    let (counts, findings) = verified(log)?;
    let stats = stat(log)?;
    let identity = stats.identity.unwrap_or_default();
    Ok(format!(
        "{{\"events\":{},\"digest\":\"{:016x}\",\"missed\":{missed},\"end\":{},\"middle\":{},\
         \"objects\":{},\"findings\":{},\"bytes\":{},\"generation\":{},\"identity\":{}}}",
        all.len(),
        digest(&all),
        text(&end),
        text(&middle),
        counts.objects,
        findings.len(),
        stats.bytes,
        stats.generation,
        text(&identity),
    ))
}

/// Returns the FNV-1a of the events.
fn digest(events: &[String]) -> u64 {
    let bytes = events.iter().flat_map(|event| event.bytes().chain([b'\n']));
    bytes.fold(0xcbf2_9ce4_8422_2325, |digest, byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
