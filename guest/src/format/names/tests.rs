use super::*;

fn check_object(name: &str, expected: Option<ObjectName>) {
    assert_eq!(ObjectName::parse(name), expected, "{name}");
    let printed = expected.map(|object| object.to_string());
    if let Some(printed) = printed {
        assert_eq!(printed, name);
    }
}

#[test]
fn objects_of_every_kind_parse_and_print_the_same() {
    let origin = Origin {
        writer: WriterId(0xdead_beef),
        sequence: None,
        events: 120,
        digest: Digest(0x0123),
    };
    let time = BatchTime::new(1_700_000_000_000_000).unwrap();
    let sequence = Some(Sequence { number: 17, gap: 20_000, waiting: 3 });
    let numbered = Origin { writer: WriterId(0xa_5f3c_9e12), sequence, ..origin };
    check_object(
        "batch_0001700000000000000_0000000a5f3c9e12_17_20000_3_120_0000000000000123.jsonl",
        Some(ObjectName::Batch(BatchName { time, origin: Some(numbered) })),
    );
    check_object(
        "batch_0001700000000000000_deadbeef_120_0000000000000123.jsonl",
        Some(ObjectName::Batch(BatchName { time, origin: Some(origin) })),
    );
    check_object(
        "batch_0001700000000000000.jsonl",
        Some(ObjectName::Batch(BatchName { time, origin: None })),
    );
    let segment = SegmentName { generation: Generation(7), commit_id: CommitId(0xab), part: 3 };
    check_object(
        "segment_0000000000000000007_000000ab_0003.jsonl",
        Some(ObjectName::Segment(segment)),
    );
    check_object(
        "segment_0000000000000000007_000000ab_0003.index",
        Some(ObjectName::Index(segment.index())),
    );
    check_object("manifest_0000000000000000012.json", Some(ObjectName::Manifest(Generation(12))));
}

#[test]
fn objects_that_only_look_alike_are_not_the_logs() {
    for name in [
        "",
        "notes.txt",
        "batch_1.jsonl",
        "batch_170000000000000000x.jsonl",
        "batch_0001700000000000000.json",
        "batch_+001700000000000000.jsonl",
        "batch_0001700000000000000_DEADBEEF_1_0000000000000123.jsonl",
        "batch_0001700000000000000_deadbeef_01_0000000000000123.jsonl",
        "batch_0001700000000000000_deadbeef_0_0000000000000123.jsonl",
        "batch_0001700000000000000_deadbeef_1_123.jsonl",
        "batch_0001700000000000000_deadbeef_1_0000000000000123_x.jsonl",
        "batch_0001700000000000000_0000000a5f3c9e12_120_0000000000000123.jsonl",
        "batch_0001700000000000000_0a5f3c9e12_17_20000_3_120_0000000000000123.jsonl",
        "batch_0001700000000000000_5f3c9e12_17_20000_3_120_0000000000000123.jsonl",
        "batch_0001700000000000000_0000000a5f3c9e12_0_20000_0_120_0000000000000123.jsonl",
        "batch_0001700000000000000_0000000a5f3c9e12_17_0_3_120_0000000000000123.jsonl",
        "batch_0001700000000000000_0000000a5f3c9e12_017_20000_3_120_0000000000000123.jsonl",
        "batch_0001700000000000000_0000000a5f3c9e12_17_020000_3_120_0000000000000123.jsonl",
        "batch_0001700000000000000_0000000a5f3c9e12_17_20000_03_120_0000000000000123.jsonl",
        "batch_0001700000000000000_0000000a5f3c9e12_17_20000_18_120_0000000000000123.jsonl",
        "batch_0001700000000000000_0000000a5f3c9e12_17_1700000000000001_3_1_0000000000000123.jsonl",
        "batch_0001700000000000000_0000000a5f3c9e12_17_20000_3__0000000000000123.jsonl",
        "batch_0001700000000000000_0000000a5f3c9e12_17_20000_3_120_0000000000000123_x.jsonl",
        "batch_0001700000000000000_deadbeef_99999999999999999999_0000000000000123.jsonl",
        "segment_0000000000000000007_000000ab_3.jsonl",
        "segment_0000000000000000007_000000ab_0003.json",
        "manifest_0000000000000000000.json",
        "manifest_12.json",
    ] {
        check_object(name, None);
    }
}

#[test]
fn batches_sort_by_time_then_form_writer_and_number() {
    let names = [
        "batch_0000000000000000001.jsonl",
        "batch_0000000000000000001_00000001_9_0000000000000000.jsonl",
        "batch_0000000000000000001_00000002_1_0000000000000000.jsonl",
        "batch_0000000000000000001_0000000000000001_0_0_0_1_0000000000000000.jsonl",
        "batch_0000000000000000001_0000000000000002_9_1_0_1_0000000000000000.jsonl",
        "batch_0000000000000000001_0000000000000002_10_1_9_1_0000000000000000.jsonl",
        "batch_0000000000000000002_00000001_1_0000000000000000.jsonl",
    ];
    let mut parsed: Vec<_> = names.iter().rev().filter_map(|name| BatchName::parse(name)).collect();
    parsed.sort_unstable();
    assert_eq!(parsed.iter().map(ToString::to_string).collect::<Vec<_>>(), names);
}

#[test]
fn numbered_batch_is_the_same_whatever_it_waits_for() {
    let name = |waiting| {
        let name = format!(
            "batch_0000000000000000040_00000000000000aa_7_15_{waiting}_2_00000000000000bb.jsonl"
        );
        BatchName::parse(&name).unwrap()
    };
    let (first, again) = (name(7), name(0));
    assert_eq!(first, again);
    assert_ne!(first.to_string(), again.to_string());
    let id = |number, time| {
        let time = BatchTime::new(time).unwrap();
        Some(BatchId { writer: WriterId(0xaa), number, time })
    };
    assert_eq!((first.id(), first.predecessor()), (id(7, 40), id(6, 25)));
    let oldest = "batch_0000000000000000040_00000000000000aa_0_0_0_2_00000000000000bb.jsonl";
    let oldest = BatchName::parse(oldest).unwrap();
    assert_eq!((oldest.id(), oldest.predecessor()), (id(0, 40), None));
    let unnumbered =
        BatchName::parse("batch_0000000000000000040_000000aa_2_00000000000000bb.jsonl");
    let unnumbered = unnumbered.unwrap();
    assert_eq!((unnumbered.id(), unnumbered.predecessor()), (None, None));
    assert_eq!(unnumbered.writer(), first.writer());
}

#[test]
fn log_names_are_paths_that_stay_below_the_root() {
    for good in ["a", "events", "app/errors", "Ünï code", "a.b-c_d=e", "..."] {
        assert!(LogName::parse(good).is_ok(), "{good}");
    }
    let long = "x".repeat(513);
    for bad in ["", "/a", "a/", "a//b", ".", "..", "a/../b", "a\0b", "a\nb", "a\\b", &long] {
        let Err(Error::InvalidInput(message)) = LogName::parse(bad) else {
            panic!("{bad:?} was accepted");
        };
        assert!(message.starts_with("log name \""), "{message}");
        assert!(!message.contains('\0') && !message.contains('\n') && message.len() < 300);
    }
}

#[test]
fn log_name_that_is_the_name_of_an_object_is_refused() {
    for object in [
        "batch_0001700000006000000_3c6ef35f_2_0628a850a2b64538.jsonl",
        "segment_0000000000000000002_6252e503_0000.jsonl",
        "segment_0000000000000000002_6252e503_0000.index",
        "manifest_0000000000000000001.json",
        "generation_0000000000000000008",
    ] {
        for name in [object.to_owned(), format!("app/{object}"), format!("{object}/errors")] {
            let refused = LogName::parse(&name).unwrap_err().to_string();
            assert!(refused.contains("names an object of a log"), "{refused}");
        }
    }
    for name in ["batch_1", "manifest_1.json", "generation_8", "app/batch_/x"] {
        assert!(LogName::parse(name).is_ok(), "{name}");
    }
}

#[test]
fn next_time_is_later_than_the_last_whatever_the_clock_says() {
    let time = |micros| BatchTime::new(micros).unwrap();
    let last = time(100);
    assert_eq!(last.next(50), Some(time(101)));
    assert_eq!(last.next(100), Some(time(101)));
    assert_eq!(last.next(500), Some(time(500)));
    assert_eq!(BatchTime::MAX.next(0), None);
    assert_eq!(last.next(u64::MAX), None);
}

#[test]
fn key_belongs_to_a_log_only_directly_in_its_folder() {
    let log = LogName::parse("app/errors").unwrap();
    assert_eq!(log.object("app/errors/x.jsonl"), Some("x.jsonl"));
    assert_eq!(log.object("app/errors/deep/x.jsonl"), None);
    assert_eq!(log.object("app/errors2/x.jsonl"), None);
}
