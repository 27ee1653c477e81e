//! Limits and defaults that are written down more than once are the same everywhere.

use std::fs;
use std::time::Duration;

use rig::tools::workspace;
use stratalog::{CompactOptions, LogOptions};
use stratalog_guest::limits::*;

/// The command line names limits before the component runs.
#[test]
fn limits_that_the_library_names_are_those_of_the_logic() {
    let millis = |interval: Duration| u64::try_from(interval.as_millis()).unwrap();
    for (named, of_logic) in [
        (LogOptions::FLUSH_THRESHOLD_DEFAULT.into(), FLUSH_THRESHOLD_DEFAULT),
        (LogOptions::FLUSH_THRESHOLD_MAX.into(), FLUSH_THRESHOLD_MAX),
        (LogOptions::FLUSH_BYTES_DEFAULT.into(), FLUSH_BYTES_DEFAULT),
        (millis(LogOptions::FLUSH_INTERVAL_DEFAULT), FLUSH_INTERVAL_MS_DEFAULT),
        (millis(LogOptions::FLUSH_INTERVAL_MAX), FLUSH_INTERVAL_MS_MAX),
        (LogOptions::EVENT_BYTES_DEFAULT.into(), EVENT_BYTES_DEFAULT),
        (LogOptions::EVENT_BYTES_MAX.into(), EVENT_BYTES_MAX),
        (LogOptions::BUFFER_BYTES_DEFAULT.into(), BUFFER_BYTES_DEFAULT),
        (LogOptions::BUFFER_BYTES_MAX.into(), BUFFER_BYTES_MAX),
        (LogOptions::CREATES_DEFAULT.into(), CREATES_DEFAULT),
        (LogOptions::CREATES_MAX.into(), CREATES_MAX),
        (CompactOptions::FAN_IN_DEFAULT.into(), FAN_IN_DEFAULT),
        (CompactOptions::FAN_IN_MIN.into(), FAN_IN_MIN),
        (CompactOptions::FAN_IN_MAX.into(), FAN_IN_MAX),
        (CompactOptions::SEGMENT_BYTES_DEFAULT, SEGMENT_BYTES_DEFAULT),
        (CompactOptions::SEGMENT_BYTES_MAX, SEGMENT_BYTES_MAX),
    ] {
        assert_eq!(named, of_logic);
    }
}

#[test]
fn limits_in_the_pages_are_those_of_the_logic() {
    let [flush, event, event_max] =
        [FLUSH_BYTES_DEFAULT, EVENT_BYTES_DEFAULT, EVENT_BYTES_MAX].map(size);
    let [buffer, buffer_max] = [BUFFER_BYTES_DEFAULT, BUFFER_BYTES_MAX].map(size);
    let [segment, segment_max] = [SEGMENT_BYTES_DEFAULT, SEGMENT_BYTES_MAX].map(size);
    let [threshold, interval] = [FLUSH_THRESHOLD_DEFAULT, FLUSH_INTERVAL_MS_DEFAULT].map(count);
    let [threshold_max, interval_max] = [FLUSH_THRESHOLD_MAX, FLUSH_INTERVAL_MS_MAX].map(count);
    let batches = count(ABSORB_BATCHES_MAX);
    assert_eq!(interval, "1,000", "README.md says one second");
    for (page, text) in [
        ("wit/types.wit", format!("many events: 1 to {threshold_max}, default {threshold}.")),
        ("wit/types.wit", format!("1 to `buffer-bytes-max`, default {flush}.")),
        ("wit/types.wit", format!("1 to {interval_max}, default {interval}; 0 turns")),
        ("wit/types.wit", format!("without its LF: 1 to {event_max}, default {event}.")),
        ("wit/types.wit", format!("at most {buffer_max}, default {buffer}.")),
        ("wit/types.wit", format!("in flight: 1 to {CREATES_MAX}, default {CREATES_DEFAULT}.")),
        ("wit/types.wit", format!("{FAN_IN_MIN} to {FAN_IN_MAX}, default {FAN_IN_DEFAULT}.")),
        ("wit/types.wit", format!("in bytes: 1 to {segment_max}, default {segment}.")),
        ("wit/types.wit", format!("oldest first: 1 to {batches}, default {batches}.")),
        ("wit/append-log.wit", format!("about {}; returns none", size(VERIFY_STEP_BYTES))),
        (
            "README.md",
            format!("1 byte to {event_max} and no line feed. The default limit is {event}."),
        ),
        ("README.md", format!("after {threshold} events, one second or {flush}, and")),
        ("README.md", format!("after one second or {flush}.")),
        ("README.md", format!("at most {segment} by default, and {segment_max} at most.")),
        ("README.md", format!("name has at most {LOG_NAME_BYTES_MAX} bytes.")),
        (
            "guest/FORMAT.md",
            format!("({segment} by default), or after {} batches", count(SEGMENT_BATCHES_MAX)),
        ),
        ("guest/FORMAT.md", format!("legacy batch over {} is", size(BATCH_BYTES_WHOLE_MAX))),
        ("host/docs/stores/README.md", format!("makes batches of {flush},")),
    ] {
        let content = fs::read_to_string(workspace().join(page)).unwrap();
        // Without the ends of lines.
        let words = content.split_whitespace().filter(|word| *word != "///");
        let words = words.collect::<Vec<_>>().join(" ");
        assert!(words.contains(&text), "{page} does not say {text:?}");
    }
}

/// Formats a number with commas.
fn count(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", count(number / 1_000), number % 1_000),
    }
}

/// Formats a size in the largest unit of which it is a whole number.
fn size(bytes: u64) -> String {
    const MIB: u64 = 1024 * 1024;
    assert_eq!(bytes % MIB, 0, "not MiB");
    match bytes / MIB {
        mib if mib % 1024 == 0 => format!("{} GiB", mib / 1024),
        mib => format!("{mib} MiB"),
    }
}
