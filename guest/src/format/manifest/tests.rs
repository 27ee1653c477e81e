use super::*;

pub(crate) fn segment_record(events: u64, bytes: u64) -> SegmentRecord {
    SegmentRecord {
        name: SegmentName { generation: Generation(1), commit_id: CommitId(0xa), part: 0 },
        position: 0,
        batches: 2,
        events,
        lost: 0,
        bytes,
        first_time: BatchTime::new(1).unwrap(),
        last_time: BatchTime::new(2).unwrap(),
        index: Some(Digest(7)),
    }
}

/// The first manifest of a log, without segments.
pub(crate) fn empty(generation: u64) -> Manifest {
    Manifest {
        log: Some(LogId(0xface)),
        generation: Generation(generation),
        commit_id: CommitId(0xa),
        previous: (generation > 1).then_some(Digest(9)),
        first_position: 0,
        next_position: 0,
        segments: Vec::new(),
        retired: Vec::new(),
        horizon: None,
        absorbed_bytes: 0,
        compacted_bytes: 0,
        digest: None,
    }
}

/// The manifest as read back after it was written.
pub(crate) fn stored(manifest: Manifest) -> Manifest {
    let bytes = manifest.encode().unwrap();
    Manifest { digest: Some(Digest::of(&bytes)), ..manifest }
}

fn manifest() -> Manifest {
    let first = segment_record(3, 6);
    let name = |generation| SegmentName { generation: Generation(generation), ..first.name };
    let second = SegmentRecord { name: name(2), position: 3, ..first };
    let trimmed = SegmentRecord { name: SegmentName { part: 1, ..first.name }, ..first };
    Manifest {
        next_position: 6,
        segments: vec![first, second],
        retired: vec![Retired { segment: trimmed, generation: Generation(1) }],
        absorbed_bytes: 12,
        compacted_bytes: 18,
        ..empty(2)
    }
}

/// A manifest with another text and the right digest.
fn digested(text: &str) -> Vec<u8> {
    let (covered, _) = text.split_once(",\"digest\"").unwrap();
    format!("{covered},\"digest\":\"{}\"}}", Digest::of(covered.as_bytes())).into_bytes()
}

/// The same manifest in format 1.
fn as_format_1(text: &str) -> String {
    let text = text.replace("\"format\":2,\"log\":\"000000000000face\"", "\"format\":1");
    let text = text.replace(",\"previous\":\"0000000000000009\"", "");
    let text = text.replace(",\"index\":\"0000000000000007\"", "");
    text.split_once(",\"digest\"").unwrap().0.to_owned() + "}"
}

fn text() -> String {
    String::from_utf8(manifest().encode().unwrap()).unwrap()
}

#[test]
fn manifest_decodes_to_what_was_encoded() {
    let bytes = manifest().encode().unwrap();
    assert_eq!(Manifest::decode(Generation(2), &bytes), Ok(stored(manifest())));
    let first = empty(1).encode().unwrap();
    assert_eq!(Manifest::decode(Generation(1), &first), Ok(stored(empty(1))));
}

#[test]
fn horizon_is_a_time_and_absent_while_nothing_was_dropped() {
    assert!(!text().contains("horizon"));
    let manifest = Manifest { horizon: BatchTime::new(7), ..manifest() };
    let text = String::from_utf8(manifest.encode().unwrap()).unwrap();
    assert!(text.contains("}],\"horizon\":7,\"absorbed_bytes\""), "{text}");
    assert_eq!(Manifest::decode(Generation(2), text.as_bytes()), Ok(stored(manifest)));
    for bad in ["\"7\"", "-7", "10000000000000000000"] {
        let bad = text.replace("\"horizon\":7", &format!("\"horizon\":{bad}"));
        refused(&digested(&bad), &bad);
    }
    refused(as_format_1(&text).as_bytes(), "format 1 has none");
}

#[test]
fn manifest_of_format_1_is_read_without_identity_and_digests() {
    let bytes = as_format_1(&text());
    let decoded = Manifest::decode(Generation(2), bytes.as_bytes()).unwrap();
    let mut expected = manifest();
    let trimmed = expected.retired.iter_mut().map(|retired| &mut retired.segment);
    expected.segments.iter_mut().chain(trimmed).for_each(|segment| segment.index = None);
    let digest = Some(Digest::of(bytes.as_bytes()));
    assert_eq!(decoded, Manifest { log: None, previous: None, digest, ..expected });
    assert!(decoded.encode().is_err(), "what format 2 needs is missing");
}

#[test]
fn manifest_that_contradicts_itself_is_damage() {
    let (good, legacy) = (text(), as_format_1(&text()));
    for (from, to) in [
        ("{", "["),
        ("\"format\":", "\"format\":7"),
        ("\"generation\":2", "\"generation\":3"),
        ("\"attempt\":\"0000000a\"", "\"attempt\":\"a\""),
        ("\"next_position\":6", "\"next_position\":7"),
        ("\"position\":3", "\"position\":4"),
        ("segment_", "sigment_"),
        ("000000a_0001.jsonl", "000000a_0000.jsonl"),
        ("\"bytes\":6", "\"bytes\":18446744073709551615"),
        ("\"batches\":2", "\"batches\":18446744073709551615"),
        ("_0001.jsonl\",\"position\":0", "_0001.jsonl\",\"position\":18446744073709551615"),
        ("\"first_time\":1", "\"first_time\":3"),
        ("\"first_position\":0", "\"first_position\":4"),
        ("\"retired\":[{\"generation\":1", "\"retired\":[{\"generation\":3"),
        ("\"retired\"", "\"surprise\""),
    ] {
        let bad = legacy.replacen(from, to, 1);
        assert_ne!(bad, legacy, "{from}");
        refused(bad.as_bytes(), to);
        let bad = good.replacen(from, to, 1);
        refused(bad.as_bytes(), to);
        if bad != good && to != "\"format\":7" {
            refused(&digested(&bad), to);
        }
    }
}

#[test]
fn fields_of_format_2_are_there_exactly_when_they_are_due() {
    let good = text();
    for (from, to) in [
        ("\"log\":\"000000000000face\",", ""),
        ("\"log\":\"000000000000face\"", "\"log\":\"face\""),
        (",\"previous\":\"0000000000000009\"", ""),
        (",\"index\":\"0000000000000007\"", ""),
        ("\"format\":2", "\"format\":1"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        refused(&digested(&bad), from);
    }
    for field in ["\"log\":\"000000000000face\",", "\"previous\":\"0000000000000009\","] {
        let bad =
            as_format_1(&good).replacen("\"generation\"", &format!("{field}\"generation\""), 1);
        refused(bad.as_bytes(), field);
    }
}

#[test]
fn any_changed_byte_of_a_manifest_is_damage() {
    let good = text().into_bytes();
    for at in 0..good.len() {
        for change in [1, 0x80] {
            let mut bad = good.clone();
            bad[at] ^= change;
            refused(&bad, &format!("byte {at} changed by {change}"));
        }
        refused(&good[..at], &format!("cut at {at}"));
        let mut bad = good.clone();
        bad.insert(at, b'0');
        refused(&bad, &format!("longer at {at}"));
        bad.drain(at..at + 2);
        refused(&bad, &format!("shorter at {at}"));
    }
}

fn refused(bytes: &[u8], what: &str) {
    match Manifest::decode(Generation(2), bytes) {
        Err(Error::Damaged(damage)) => assert_eq!(damage.object, Generation(2).to_string()),
        other => panic!("{what}: {other:?}"),
    }
}

#[test]
fn manifest_of_a_newer_format_is_refused() {
    let bytes = digested("{\"format\":3,\"anything\":true,\"digest\"");
    assert!(matches!(
        Manifest::decode(Generation(2), &bytes),
        Err(Error::Unsupported(message)) if message.contains("format 3")
    ));
}
