//! The growth of a log over thousands of flushes with compactions: bytes written for each byte of
//! events, objects, and the requests of a read. Natively, on a store in memory that counts.
//!
//! `cargo test --release --test simulation growth:: -- --nocapture` prints the table.

use rig::memory::{Counts, Memory, log};
use rig::native::NativeSystem;
use rig::sim::random::Random;
use stratalog_guest::decide::options::{CompactInput, OptionsInput};
use stratalog_guest::drive::compactor::compact;
use stratalog_guest::drive::reader::{ReadOptions, Reader};
use stratalog_guest::drive::stat::{Stats, stat};
use stratalog_guest::drive::writer::Writer;
use stratalog_guest::format::names::ObjectName;

/// Bytes of an event, its line feed included.
const EVENT_BYTES: usize = 100;

/// A log that grows, and the cost so far.
struct Growth {
    memory: Memory,
    system: NativeSystem,
    writer: Writer<Memory, NativeSystem>,
    bytes_of_events: u64,
    bytes_written: u64,
    objects_max: usize,
}

impl Growth {
    fn new() -> Self {
        let (memory, system) = <(Memory, NativeSystem)>::default();
        let options = OptionsInput {
            flush_threshold: Some(1_000_000),
            flush_interval_ms: Some(0),
            ..OptionsInput::default()
        };
        let writer = Writer::open(memory.clone(), system.clone(), "log", options).unwrap();
        let (bytes_of_events, bytes_written, objects_max) = (0, 0, 0);
        Self { memory, system, writer, bytes_of_events, bytes_written, objects_max }
    }

    /// Writes a batch.
    fn flush(&mut self, events: usize) {
        self.system.clock.advance(1_000);
        let line = format!("{}\n", "x".repeat(EVENT_BYTES - 1));
        self.writer.append_lines(line.repeat(events).into_bytes()).unwrap();
        self.writer.flush().unwrap();
        self.bytes_of_events += u64::try_from(events * EVENT_BYTES).unwrap();
        self.record();
    }

    fn compact(&mut self, options: CompactInput) {
        compact(self.memory.clone(), &self.system, log(), options).unwrap();
        self.record();
    }

    fn record(&mut self) {
        let counts = self.memory.counts();
        self.bytes_written += counts.bytes_created;
        self.objects_max = self.objects_max.max(counts.objects_max);
    }

    /// Returns the bytes written for each byte of events: by batches, segments, indexes and
    /// manifests.
    fn write_amplification(&self) -> f64 {
        ratio(self.bytes_written, self.bytes_of_events)
    }

    fn stat(&self) -> Stats {
        stat(self.memory.clone(), log()).unwrap()
    }

    /// Reads everything; returns the requests.
    fn read(&self) -> Counts {
        self.memory.counts();
        let mut reader = Reader::new(self.memory.clone(), log(), ReadOptions::default()).unwrap();
        let mut bytes = 0;
        while let Some(page) = reader.next_page().unwrap() {
            bytes += u64::try_from(page.lines.unwrap_or_default().len()).unwrap();
        }
        assert_eq!(bytes, self.bytes_of_events);
        self.memory.counts()
    }
}

#[expect(clippy::as_conversions, reason = "of numbers far below 2^53")]
fn ratio(number: u64, of: u64) -> f64 {
    number as f64 / of as f64
}

fn log_8(number: u64) -> f64 {
    ratio(number, 1).log(8.0)
}

/// Returns a number up to a thousand; small and large ones are equally likely.
fn irregular(random: &mut Random) -> usize {
    let most = random.pick(&[1, 10, 100, 1_000]);
    1 + random.index(most)
}

/// Grows a log by flushes of this many events. Compacts whenever `due` returns true for the number
/// of the flush. Checks and prints the cost. Before a compaction there are at most `live_max`
/// batches, and the smallest produces `least` bytes.
fn grow(
    mut events: impl FnMut() -> usize,
    mut due: impl FnMut(u64) -> bool,
    live_max: f64,
    least: u64,
) {
    let mut growth = Growth::new();
    println!(
        "| flushes | bytes written per byte | objects, at most | requests of a read | bytes written \
         per byte, one file rewritten at every flush |"
    );
    println!("|---|---|---|---|---|");
    let mut rewritten = 0;
    for number in 1..=10_000_u64 {
        growth.flush(events());
        rewritten += growth.bytes_of_events;
        let is_shown = [100, 1_000, 10_000].contains(&number);
        if due(number) || is_shown {
            growth.compact(CompactInput::default());
        }
        if !is_shown {
            continue;
        }
        let Counts { gets, lists, creates, deletes, .. } = growth.read();
        let stats = growth.stat();
        // The table of costs: two gets for each segment, and the manifest.
        assert_eq!((gets, stats.batches), (1 + 2 * stats.segments, 0));
        // Nothing is live, so the batches are listed once.
        assert_eq!((lists, creates, deletes), (2, 0, 0));
        let amplification = growth.write_amplification();
        assert!(amplification < 1.0 + log_8(number), "{amplification} after {number} flushes");
        // Fewer than eight segments of a size, each with its index; nine manifests; the batches
        // that were not compacted yet.
        let sizes = log_8(growth.bytes_of_events / least).floor() + 1.0;
        assert!(ratio(stats.segments, 1) <= 7.0 * sizes, "{} segments", stats.segments);
        let objects = live_max + 2.0 * 8.0 * sizes + 9.0 + 1.0;
        assert!(
            ratio(u64::try_from(growth.objects_max).unwrap(), 1) <= objects,
            "{}",
            growth.objects_max
        );
        println!(
            "| {number} | {amplification:.2} | {} | {} | {:.1} |",
            growth.objects_max,
            gets + lists,
            ratio(rewritten, growth.bytes_of_events)
        );
    }
    // The log's own statistics equal the counts, except for indexes and manifests.
    let stats = growth.stat();
    assert_eq!(stats.absorbed_bytes, growth.bytes_of_events);
    let own = 1.0 + ratio(stats.compacted_bytes, stats.absorbed_bytes);
    let counted = growth.write_amplification();
    assert!(own <= counted && counted < own * 1.25, "{own} and {counted}");
}

#[test]
fn ten_thousand_flushes_cost_in_proportion_to_their_logarithm() {
    grow(|| 32, |number| number.is_multiple_of(100), 100.0, 100 * 3_200);
}

#[test]
fn ten_thousand_flushes_of_any_size_cost_as_little() {
    let (mut sizes, mut times) = (Random::new(1), Random::new(2));
    let mut next = 0;
    let due = |number| {
        let is_due = number >= next;
        if is_due {
            next = number + 2 + times.below(200);
        }
        is_due
    };
    grow(|| irregular(&mut sizes), due, 201.0, 2 * 100);
}

#[test]
fn batches_of_any_size_and_compactions_at_any_time_stay_bounded() {
    for seed in 0..20 {
        let mut random = Random::new(seed);
        let mut growth = Growth::new();
        let mut compactions = 1;
        // Now and then a batch is a thousand times as large as another, and compactions come in
        // bursts with long pauses.
        let segment_bytes_max =
            [64_000, 1_000_000, 128_000_000][usize::try_from(seed % 3).unwrap()];
        let options = CompactInput { segment_bytes_max: Some(segment_bytes_max), ..<_>::default() };
        for _ in 0..1_500 {
            growth.flush(irregular(&mut random));
            for _ in 0..[0, 0, 0, 0, 0, 0, 0, 0, 1, 3][random.index(10)] {
                growth.compact(options);
                compactions += 1;
            }
        }
        growth.compact(options);
        growth.read();
        let stats = growth.stat();
        // A byte is written by its flush, when it is absorbed, and once for each size it reaches.
        let amplification = growth.write_amplification();
        assert!(amplification < 2.0 + log_8(compactions), "seed {seed}: {amplification}");
        // Segments over half of the largest size stay unchanged, with at most one smaller one
        // before each. Behind the last of those, each size has fewer than eight.
        let sizes = log_8(segment_bytes_max.min(growth.bytes_of_events)).ceil();
        let bound = 4.0 * ratio(growth.bytes_of_events, segment_bytes_max) + 7.0 * sizes;
        let segments = ratio(stats.segments, 1);
        assert!(segments <= bound, "seed {seed}: {segments} segments, at most {bound}");
        println!(
            "seed {seed}: {compactions} compactions, {amplification:.2} bytes written per byte, \
             {segments} segments (at most {bound:.0})"
        );
        let names = growth.memory.objects();
        let kinds = |wanted: fn(&ObjectName) -> bool| {
            let names = names.keys().filter_map(|key| ObjectName::parse(key.strip_prefix("log/")?));
            u64::try_from(names.filter(wanted).count()).unwrap()
        };
        assert_eq!(kinds(|name| matches!(name, ObjectName::Segment(_))), stats.segments);
        assert_eq!(kinds(|name| matches!(name, ObjectName::Index(_))), stats.segments);
        // Manifests of eight generations below the highest, by groups of eight, and the first
        // permanently.
        assert!(kinds(|name| matches!(name, ObjectName::Manifest(_))) <= 18);
        assert_eq!(stats.garbage_objects, 0);
    }
}
