//! The promises of the log, on the logic run natively and on the built component.
//!
//! The behaviour of the predecessor is the floor; `holes` has its holes.

use rig::records::time;
use rig::subject::{FULL, Kind, Settings, append_all, events, on_both};
use rig::waits::until;
use stratalog::{Compaction, Error, Written};

#[test]
fn append_then_read_all_gives_stored_events_then_buffered_ones() {
    on_both(|world| {
        let log = world.open("log");
        let all = events(5);
        append_all(&log, &all[..3]);
        log.flush().unwrap();
        append_all(&log, &all[3..]);
        assert_eq!(log.read_all().unwrap(), all);
        assert_eq!(world.read("log").unwrap(), all[..3]);
    });
}

#[test]
fn append_at_the_threshold_seals_without_a_flush() {
    on_both(|world| {
        let log = world.open("log");
        append_all(&log, &events(31));
        assert_eq!(log.file_count().unwrap(), 0);
        log.append("the 32nd").unwrap();
        assert_eq!(log.file_count().unwrap(), 1);
        assert_eq!(world.read("log").unwrap().len(), 32);
    });
}

#[test]
fn append_lines_is_one_batch_however_many_they_are() {
    on_both(|world| {
        let log = world.open("log");
        let all = events(1000);
        assert_eq!(log.append_lines(&(all.join("\n") + "\n")).unwrap(), 1000);
        assert_eq!(log.append_lines("").unwrap(), 0);
        assert_eq!(log.flush().unwrap().batches, 1);
        assert_eq!(world.read("log").unwrap(), all);
    });
}

#[test]
fn flush_is_one_create_or_no_request_if_nothing_is_buffered() {
    on_both(|world| {
        let log = world.open("log");
        world.faults.requests();
        assert_eq!(log.flush().unwrap(), Written::default());
        assert_eq!(world.faults.requests(), Vec::<String>::new());
        append_all(&log, &events(3));
        assert_eq!(log.flush().unwrap(), Written { batches: 1, events: 3, bytes: 36 });
        let requests = world.faults.requests();
        assert!(
            requests.len() == 1 && requests[0].starts_with("create log/batch_00017000"),
            "{requests:?}"
        );
    });
}

#[test]
fn batch_is_plain_lines_under_a_name_with_its_count_and_digest() {
    on_both(|world| {
        let log = world.open("log");
        append_all(&log, &["a".to_owned(), "bb".to_owned()]);
        log.close().unwrap();
        let keys = world.keys();
        let [key] = &keys[..] else { panic!("{keys:?}") };
        assert_eq!(world.object(key), "a\nbb\n");
        assert!(key.starts_with("log/batch_0001700000000000000_"), "{key}");
        // The digest that any other implementation of xxh3-64 returns for the bytes.
        assert!(key.ends_with("_2_5de2543a8b32fdef.jsonl"), "{key}");
    });
}

#[test]
fn open_creates_nothing_and_a_log_without_events_reads_as_empty() {
    on_both(|world| {
        let log = world.open("log");
        assert_eq!(log.read_all().unwrap(), Vec::<String>::new());
        assert_eq!(log.close().unwrap(), Written::default());
        assert_eq!(world.keys(), Vec::<String>::new());
    });
}

#[test]
fn close_flushes_and_later_calls_say_closed() {
    on_both(|world| {
        let log = world.open("log");
        append_all(&log, &events(2));
        assert_eq!(log.close().unwrap().events, 2);
        for outcome in [
            log.append("x").err(),
            log.append_lines("x\n").err(),
            log.flush().err(),
            log.close().err(),
            log.file_count().err(),
            log.start_read_all().err(),
        ] {
            assert!(matches!(outcome, Some(Error::Closed)), "{outcome:?}");
        }
        assert_eq!(world.read("log").unwrap().len(), 2);
    });
}

#[test]
fn log_dropped_without_close_is_flushed_or_reports_its_loss() {
    on_both(|world| {
        let name = format!("dropped-{:?}", world.kind);
        let log = world.open(&name);
        append_all(&log, &events(7));
        drop(log);
        let lost = format!("log {name} was dropped without close: 7 events were not flushed");
        match world.kind {
            Kind::Component => {
                until("the flush", || matches!(world.read(&name), Ok(found) if found.len() == 7));
                assert!(!world.warnings().contains(&lost));
            }
            Kind::Native | Kind::Joined => world.await_warning(&lost),
        }
    });
}

#[test]
fn compact_merges_batches_into_one_object_and_keeps_events_in_order() {
    on_both(|world| {
        let log = world.open("log");
        let all = events(12);
        for batch in all.chunks(4) {
            append_all(&log, batch);
            log.flush().unwrap();
        }
        assert_eq!(log.file_count().unwrap(), 3);
        let done = log.compact().unwrap();
        let key = done.new_key.clone().unwrap();
        assert_eq!((done.merged_files, done.events), (3, 12));
        assert!(key.starts_with("log/segment_0000000000000000001_"), "{key}");
        assert_eq!(world.object(&key), all.join("\n") + "\n");
        assert_eq!(log.file_count().unwrap(), 1);
        assert_eq!(log.read_all().unwrap(), all);
        let kinds: Vec<_> = world.keys().iter().map(|key| key[4..9].to_owned()).collect();
        assert_eq!(kinds, ["manif", "segme", "segme"]);
    });
}

#[test]
fn compact_of_fewer_than_two_batches_merges_nothing() {
    on_both(|world| {
        let log = world.open("log");
        assert_eq!(log.compact().unwrap(), Compaction::default());
        append_all(&log, &events(3));
        log.flush().unwrap();
        let before = world.keys();
        assert_eq!(log.compact().unwrap(), Compaction::default());
        assert_eq!(world.keys(), before);
    });
}

#[test]
fn compact_of_only_empty_batches_removes_them_and_writes_nothing() {
    on_both(|world| {
        world.put("log/batch_0000000000000000001.jsonl", "");
        world.put("log/batch_0000000000000000002.jsonl", "\n\n");
        let done = world.compact("log").unwrap();
        assert_eq!(done, Compaction { merged_files: 2, batches: 2, ..Compaction::default() });
        assert_eq!(world.keys(), Vec::<String>::new());
    });
}

#[test]
fn compact_again_and_again_keeps_everything_once_and_in_order() {
    on_both(|world| {
        let log = world.open("log");
        let all = events(40);
        for (number, batch) in all.chunks(2).enumerate() {
            append_all(&log, batch);
            log.flush().unwrap();
            if number % 3 == 2 {
                log.compact().unwrap();
            }
            assert_eq!(world.read("log").unwrap(), all[..(number + 1) * 2]);
        }
        let stats = world.stat("log").unwrap();
        assert_eq!((stats.segments, stats.batches, stats.events), (6, 2, 40));
    });
}

#[test]
fn objects_that_do_not_follow_the_naming_scheme_are_never_touched() {
    on_both(|world| {
        let foreign =
            ["log/README", "log/batch_1.jsonl", "log/deep/batch_0000000000000000001.jsonl"];
        for key in foreign {
            world.put(key, "not an event\n");
        }
        let log = world.open("log");
        for event in events(3) {
            log.append(&event).unwrap();
            log.flush().unwrap();
        }
        log.compact().unwrap();
        assert_eq!(log.read_all().unwrap(), events(3));
        for key in foreign {
            assert_eq!(world.object(key), "not an event\n");
        }
    });
}

#[test]
fn log_that_the_predecessor_wrote_opens_reads_and_compacts() {
    on_both(|world| {
        world.put("log/batch_0001600000000000001.jsonl", "a\nb\n");
        world.put("log/batch_0001600000000000002.jsonl", "c\n\nd");
        world.put("log/batch_0001600000000000003.jsonl", "");
        let log = world.open("log");
        log.append("e").unwrap();
        assert_eq!(log.read_all().unwrap(), ["a", "b", "c", "d", "e"]);
        let stats = world.stat("log").unwrap();
        assert_eq!((stats.batches, stats.events, stats.uncounted_batches), (3, 0, 3));
        log.flush().unwrap();
        let done = log.compact().unwrap();
        assert_eq!((done.merged_files, done.events), (4, 5));
        assert_eq!(world.object(&done.new_key.unwrap()), "a\nb\nc\nd\ne\n");
        assert_eq!(log.read_all().unwrap(), ["a", "b", "c", "d", "e"]);
    });
}

#[test]
fn stat_counts_from_names_the_manifest_and_an_index_that_decides() {
    on_both(|world| {
        let log = world.open("log");
        for event in events(4) {
            world.clock.advance(1_000_000);
            log.append(&event).unwrap();
            log.flush().unwrap();
            if event == events(4)[2] {
                log.compact().unwrap();
            }
        }
        let gets = || {
            let requests = world.faults.requests().into_iter();
            requests.filter(|request| request.starts_with("get")).collect::<Vec<_>>()
        };
        let manifest = "get log/manifest_0000000000000000001.json".to_owned();
        gets();
        let stats = world.stat("log").unwrap();
        // The batch before the live one is in no listing, so its index is read.
        let index = world.keys().into_iter().find(|key| key.ends_with(".index")).unwrap();
        assert_eq!(gets(), [manifest.clone(), format!("get {index}")]);
        assert_eq!((stats.objects, stats.batches, stats.segments), (4, 1, 1));
        assert_eq!((stats.events, stats.bytes, stats.generation), (4, 48, 1));
        let start = 1_700_000_000_000_000;
        assert_eq!(stats.first_time, Some(time(start + 1_000_000)));
        assert_eq!(stats.last_time, Some(time(start + 4_000_000)));
        // A live batch that is the first of its writer takes no index.
        world.compact_with("log", FULL).unwrap();
        let manifest = manifest.replace("1.json", "2.json");
        let other = world.open("log");
        for event in ["one", "two"] {
            world.clock.advance(1_000_000);
            other.append(event).unwrap();
            other.flush().unwrap();
        }
        gets();
        let stats = world.stat("log").unwrap();
        assert_eq!(gets(), [manifest]);
        assert_eq!((stats.batches, stats.segments, stats.events), (2, 1, 6));
    });
}

#[test]
fn names_that_leave_the_root_and_options_out_of_range_are_named() {
    on_both(|world| {
        for name in ["", "..", "a/../../b", "/a", "a\0b"] {
            let outcome = world.open_with(name, Settings::default()).err();
            assert!(
                matches!(&outcome, Some(Error::InvalidInput(m)) if m.starts_with("log name \"")),
                "{name:?}: {outcome:?}"
            );
            assert!(matches!(world.read(name), Err(Error::InvalidInput(_))), "{name:?}");
        }
        let settings = Settings { flush_threshold: 0, ..Settings::default() };
        let outcome = world.open_with("log", settings).err();
        let Some(Error::InvalidInput(message)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(message, "flush_threshold = 0 is out of range; give 1 to 1,000,000");
    });
}

#[test]
fn large_legacy_batch_is_the_same_before_and_after_compaction() {
    on_both(|world| {
        // Larger than the limit for checking whole, so it is streamed; with gaps and without a last
        // LF.
        let line = "x".repeat(999);
        let lines = 34 * 1024;
        let old = format!("{}\n\n{line}", vec![line.as_str(); lines].join("\n"));
        world.put("log/batch_0001600000000000001.jsonl", &old);
        world.put("log/batch_0001600000000000002.jsonl", "after\n");
        let check = || {
            let read = world.read("log").unwrap();
            assert_eq!(read.len(), lines + 2);
            assert!(
                read[..=lines].iter().all(|event| *event == line) && read[lines + 1] == "after"
            );
        };
        check();
        assert_eq!(world.compact("log").unwrap().merged_files, 2);
        check();
        // A change in the last byte of a streamed batch, where the next one begins.
        let segment = world.keys().into_iter().find(|key| key.ends_with("_0000.jsonl")).unwrap();
        let whole = world.object(&segment);
        for bad in [whole.replace("\nafter", "xafter"), whole[..whole.len() - 7].to_owned()] {
            world.put(&segment, &bad);
            let outcome = world.read("log").map(|events| events.len());
            assert!(
                matches!(&outcome, Err(Error::Damaged(damage)) if damage.object == segment),
                "{outcome:?}"
            );
        }
    });
}

#[test]
fn legacy_batch_of_empty_lines_costs_no_more_memory_than_its_bytes() {
    on_both(|world| {
        let old = format!("\n{}", "a\n\n".repeat(10 * 1024 * 1024));
        world.put("log/batch_0001600000000000001.jsonl", &old);
        assert_eq!(world.read("log").unwrap().len(), 10 * 1024 * 1024);
    });
}

#[test]
fn small_buffers_take_any_number_of_quick_appends() {
    on_both(|world| {
        let settings =
            Settings { event_bytes_max: 1000, buffer_bytes_max: 2000, ..Settings::default() };
        let log = world.open_with("log", settings).unwrap();
        let all: Vec<String> = (0..50).map(|n| format!("{n:02}{}", "x".repeat(898))).collect();
        append_all(&log, &all);
        let too_many = log.append_lines(&"x\n".repeat(1001)).unwrap_err();
        assert!(
            matches!(&too_many, Error::InvalidInput(why) if why.contains("buffer_bytes_max = 2000")),
            "{too_many:?}"
        );
        assert_eq!(log.close().unwrap().events, 50);
        assert_eq!(world.read("log").unwrap(), all);
    });
}
