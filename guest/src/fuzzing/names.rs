//! Names: what is parsed prints the same bytes, and keys lead back to their objects.

use crate::error::Error;
use crate::format::names::{
    BatchName, BatchTime, LogName, ObjectName, Origin, Sequence, unfinished,
};

/// Takes names, one a line, as names of objects and of logs.
pub fn names(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    check_log_name(text);
    let mut batches = Vec::new();
    for name in text.split('\n').take(16) {
        check_log_name(name);
        if let Some(object) = ObjectName::parse(name) {
            check_object(name, object);
            if let ObjectName::Batch(batch) = object {
                batches.push((batch, name));
            }
        }
        if let Some(object) = unfinished(name) {
            let (written, digits) = name.split_once('#').unwrap();
            assert!(written.ends_with(&object.to_string()));
            assert!(!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
        }
    }
    for (first, name) in &batches {
        for (second, other) in &batches {
            check_order((first, name), (second, other));
        }
    }
}

fn check_object(name: &str, object: ObjectName) {
    assert_eq!(object.to_string(), name);
    assert_eq!(unfinished(&format!("{name}#0")), Some(object));
    for log in ["a", "app/log"].map(|log| LogName::parse(log).unwrap()) {
        let key = log.key(object);
        assert_eq!(log.object(&key), Some(name));
        let prefixes = [log.batches(), log.manifests(), log.segments()];
        let found: Vec<_> = prefixes.iter().map(|prefix| key.starts_with(prefix)).collect();
        let expected = match object {
            ObjectName::Batch(_) => [true, false, false],
            ObjectName::Manifest(_) => [false, true, false],
            ObjectName::Segment(_) | ObjectName::Index(_) => [false, false, true],
        };
        assert_eq!(found, expected, "{key}");
    }
    match object {
        ObjectName::Batch(batch) => check_batch(batch),
        ObjectName::Manifest(generation) => {
            let marker = generation.marker().0;
            assert!(generation <= marker, "{generation}");
            assert!(marker.0 == u64::MAX || marker.0.is_multiple_of(8), "{generation}");
        }
        ObjectName::Segment(segment) => {
            assert!(name.starts_with(&segment.of_commit()), "{name}");
            let index = segment.index();
            assert_eq!(ObjectName::parse(&index.to_string()), Some(ObjectName::Index(index)));
        }
        ObjectName::Index(index) => {
            let segment = index.0.to_string();
            assert_eq!(ObjectName::parse(&segment), Some(ObjectName::Segment(index.0)));
        }
    }
}

/// Times sort first. Of one form and time, names sort as their texts. Only what a batch waits for
/// may differ between equal ones.
fn check_order(first: (&BatchName, &str), second: (&BatchName, &str)) {
    let ((first, name), (second, other)) = (first, second);
    let order = first.cmp(second);
    let form = |batch: &BatchName| (batch.origin.is_some(), batch.id().is_some());
    if first.time != second.time {
        assert_eq!(order, first.time.cmp(&second.time), "{name} {other}");
    } else if form(first) != form(second) {
        assert_eq!(order, form(first).cmp(&form(second)), "{name} {other}");
    } else if first.writer() != second.writer() {
        // A writer gives a time to one batch only.
        assert_eq!(order, name.cmp(other), "{name} {other}");
    }
    let without_waiting = |batch: &BatchName| {
        let origin = batch.origin.map(|origin| {
            let sequence = origin.sequence.map(|sequence| Sequence { waiting: 0, ..sequence });
            Origin { sequence, ..origin }
        });
        BatchName { origin, ..*batch }.to_string()
    };
    assert_eq!(order.is_eq(), without_waiting(first) == without_waiting(second), "{name} {other}");
}

fn check_batch(batch: BatchName) {
    let mut stem = String::new();
    batch.write_stem(&mut stem).unwrap();
    assert_eq!(BatchName::parse_stem(&stem), Some(batch));
    assert!(batch.to_string().len() <= 148, "{batch}");
    if let (Some(id), Some(before)) = (batch.id(), batch.predecessor()) {
        assert_eq!((before.writer, before.number + 1), (id.writer, id.number));
        assert!(before.time < id.time);
    } else {
        assert!(batch.id().is_none_or(|id| id.number == 0));
    }
    for now in [0, batch.time.micros(), u64::MAX] {
        match batch.time.next(now) {
            Some(next) => assert!(next > batch.time && next.micros() >= now),
            None => assert!(batch.time == BatchTime::MAX || now > BatchTime::MAX.micros()),
        }
    }
}

fn check_log_name(name: &str) {
    let log = match LogName::parse(name) {
        Ok(log) => log,
        Err(Error::InvalidInput(message)) => {
            return assert!(!message.chars().any(char::is_control), "{message:?}");
        }
        Err(other) => panic!("{other}"),
    };
    assert_eq!(log.as_str(), name);
    assert_eq!(LogName::of_folder(&log.folder()), Some(log.clone()));
    assert_eq!(log.object(&log.key("object")), Some("object"));
    assert_eq!(log.object(&log.key("below/object")), None);
    assert!(!name.split('/').any(|part| matches!(part, "" | "." | "..")), "{name:?}");
}
