use super::*;

const WRITER: &str = "0123456789abcdef";
const DIGEST: &str = "fedcba9876543210";

fn batch(time: u64, number: u64, waiting: u64, events: u64) -> String {
    let gap = u64::from(number > 0);
    format!("batch_{time:019}_{WRITER}_{number}_{gap}_{waiting}_{events}_{DIGEST}.jsonl")
}

fn legacy(time: u64) -> String {
    format!("batch_{time:019}.jsonl")
}

fn manifest(generation: u64) -> String {
    Generation(generation).to_string()
}

fn segment(generation: u64, end: &str) -> String {
    format!("segment_{generation:019}_0000000a_0000{end}")
}

fn entry(key: String) -> ListedObject {
    let kind = if key.ends_with('/') {
        EntryKind::Folder
    } else if key.contains('#') {
        EntryKind::Unfinished
    } else {
        EntryKind::Object
    };
    ListedObject { size: 10, kind, key }
}

/// Searches a folder, with pages of each length.
fn survey(folder: &str, mut entries: Vec<ListedObject>) -> Vec<SurveyedLog> {
    entries.sort_by(|one, other| one.key.cmp(&other.key));
    let by_pages = |length: usize| {
        let (mut surveyor, mut found) = (Surveyor::new(folder), Vec::new());
        for page in entries.chunks(length) {
            surveyor.next(page, &mut found).unwrap();
        }
        surveyor.finish(&mut found);
        found
    };
    let found = by_pages(1);
    assert_eq!(by_pages(3), found);
    assert_eq!(by_pages(1_000), found);
    found
}

fn names(folder: &str, keys: &[&str]) -> Vec<String> {
    let entries = keys.iter().map(|key| entry((*key).replace("BATCH", &batch(7, 0, 0, 1))));
    survey(folder, entries.collect()).into_iter().map(|log| log.name).collect()
}

fn of(names: &[String]) -> SurveyedLog {
    let entries = names.iter().map(|name| entry(format!("log/{name}")));
    let mut found = survey("", entries.collect());
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn logs_are_found_at_any_depth_behind_those_below_them() {
    let keys = ["b/BATCH", "a/BATCH", "a/c/d/BATCH", "a.b/BATCH", "a/x/notes.txt", "a/zoo/BATCH"];
    assert_eq!(names("", &keys), ["a.b", "a/c/d", "a/zoo", "a", "b"]);
    assert_eq!(names("a/", &["a/BATCH", "a/c/d/BATCH"]), ["a/c/d", "a"]);
    assert_eq!(names("", &["BATCH", "a/BATCH"]), ["a", ""]);
    assert_eq!(names("", &["a/b/", "a/notes.txt"]), [""; 0]);
}

#[test]
fn folder_is_a_log_by_a_batch_a_manifest_a_segment_or_an_index_alone() {
    let ones = [legacy(1), manifest(1), segment(1, ".jsonl"), segment(1, ".index")];
    for one in ones {
        assert_eq!(of(&[one]).objects, 1);
    }
    let none = ["generation_0000000000000000008", "position_a_0000000000000000001.json"];
    for other in none.into_iter().chain(["batch_1.jsonl", "probe_0123456789abcdef", "notes"]) {
        assert_eq!(names("", &[&format!("log/{other}")]), [""; 0], "{other}");
    }
    // No log can be opened under such a name.
    let long = format!("{}/BATCH", ["x".repeat(200), "y".repeat(200), "z".repeat(200)].join("/"));
    assert_eq!(names("", &[&long, r"back\slash/BATCH", "log/BATCH/BATCH"]), [""; 0]);
}

#[test]
fn events_are_known_of_a_log_that_was_never_compacted() {
    let batches = [batch(5, 0, 0, 3), batch(9, 1, 0, 4)];
    let log = of(&batches);
    assert_eq!((log.events(), log.batches, log.batch_events), (Some(7), 2, 7));
    assert_eq!(log.first_batch_time.map(BatchTime::micros), Some(5));
    assert_eq!(log.last_batch_time.map(BatchTime::micros), Some(9));
    assert_eq!((log.bytes(), log.generation.0, log.objects), (20, 0, 2));
    let marker = "generation_0000000000000000008".to_owned();
    for further in [legacy(1), manifest(1), segment(1, ".jsonl"), segment(1, ".index"), marker] {
        let log = of(&[&batches[..], std::slice::from_ref(&further)].concat());
        assert_eq!((log.events(), log.batch_events), (None, 7), "{further}");
    }
}

#[test]
fn batch_under_two_names_counts_once() {
    let log = of(&[batch(5, 0, 0, 3), batch(9, 4, 0, 4), batch(9, 4, 3, 4), batch(9, 4, 4, 4)]);
    assert_eq!((log.batches, log.events(), log.objects), (2, Some(7), 4));
}

#[test]
fn segment_of_a_later_generation_than_the_manifest_is_not_committed() {
    let (index, lines) = (".index", ".jsonl");
    let names = [
        manifest(1),
        manifest(4),
        segment(3, lines),
        segment(3, index),
        segment(4, lines),
        segment(5, lines),
        segment(5, index),
    ];
    let log = of(&names);
    assert_eq!((log.segments, log.segment_bytes, log.uncommitted_segments), (2, 20, 1));
    assert_eq!((log.generation.0, log.objects, log.bytes()), (4, 7, 20));
}

#[test]
fn other_objects_of_the_folder_are_counted_by_what_they_are() {
    let position = |name: &str, number: u64| format!("position_{name}_{number:019}.json");
    let names = [
        legacy(1),
        position("a", 1),
        position("a", 2),
        position("a-b", 1),
        format!("{}#7", legacy(2)),
        "probe_0123456789abcdef".to_owned(),
        format!("set-aside_{}", legacy(3)),
        "batch_damaged.jsonl".to_owned(),
    ];
    let log = of(&names);
    assert_eq!((log.positions, log.unfinished_objects, log.foreign_objects), (2, 1, 3));
    assert_eq!((log.objects, log.misplaced_entries), (1, 0));
    let link =
        |name: String| ListedObject { key: format!("log/{name}"), size: 0, kind: EntryKind::Link };
    let entries = vec![
        entry(format!("log/{}", legacy(1))),
        entry(format!("log/{}/", legacy(2))),
        entry(format!("log/{}/deep", legacy(2))),
        entry(format!("log/{}/deep", legacy(3))),
        link(legacy(4)),
        link("elsewhere".to_owned()),
    ];
    let found = survey("", entries);
    assert_eq!((found.len(), found[0].misplaced_entries), (1, 3));
}

#[test]
fn entries_that_are_out_of_order_or_outside_are_refused() {
    for keys in [["b", "a"], ["a", "a"], ["d/x", "e"]] {
        let mut surveyor = Surveyor::new(if keys[0] == "d/x" { "d/" } else { "" });
        let entries = keys.map(|key| entry(key.to_owned()));
        let refused = surveyor.next(&entries, &mut Vec::new()).unwrap_err();
        assert!(refused.to_string().contains(&format!("{:?}", keys[1])), "{refused}");
    }
}

#[test]
fn memory_does_not_grow_with_logs_and_objects() {
    let (mut surveyor, mut found) = (Surveyor::new(""), Vec::new());
    for log in 0..1_000 {
        for time in 0..100 {
            let key = format!("tenant/{log:06}/{}", batch(time + 1, time, 0, 1));
            surveyor.next(&[entry(key)], &mut found).unwrap();
        }
        assert!(surveyor.open.len() <= 3 && surveyor.path.len() < 20);
        // All logs but the one that is open were returned.
        assert_eq!(found.len(), log);
    }
    surveyor.finish(&mut found);
    assert!(found.iter().all(|log| log.events() == Some(100)));
}
