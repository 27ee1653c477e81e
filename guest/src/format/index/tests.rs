use super::*;
use crate::format::batch::name_for;
use crate::format::manifest::tests::segment_record;
use crate::format::names::{BatchTime, WriterId};

fn record(time: u64, lines: &[u8], events: u64) -> BatchRecord {
    let name = name_for(BatchTime::new(time).unwrap(), WriterId(9), None, &lines.to_vec());
    let digest = name.origin.unwrap().digest;
    BatchRecord::whole(name, events, lines.len().try_into().unwrap(), digest)
}

fn index() -> Index {
    Index::new(vec![record(1, b"a\nb\n", 2), record(2, b"c\n", 1)])
}

/// The record of a segment with this index, beginning at a position.
fn record_of(index: &Index, position: u64) -> SegmentRecord {
    let times = || index.batches.iter().map(|batch| batch.name.time);
    SegmentRecord {
        position,
        batches: index.batches.len().try_into().unwrap(),
        lost: index.batches.iter().map(BatchRecord::events_lost).sum(),
        first_time: times().min().unwrap(),
        last_time: times().max().unwrap(),
        index: Some(Digest::of(&index.encode().unwrap())),
        ..segment_record(
            index.batches.iter().map(|batch| batch.events).sum(),
            index.batches.iter().map(|batch| batch.bytes).sum(),
        )
    }
}

#[test]
fn index_decodes_to_what_was_encoded() {
    let bytes = index().encode().unwrap();
    let decoded = Index::decode(&record_of(&index(), 0), &bytes).unwrap();
    assert_eq!(decoded, index());
    assert!(decoded.contains(&index().batches[1].name));
}

#[test]
fn trimmed_and_a_lost_batch_keep_what_is_left() {
    let nothing = Digest::of(b"");
    let [first, second] = [index().batches[0], index().batches[1]];
    let trimmed = BatchRecord { events: 1, trimmed: 1, bytes: 2, digest: Digest(5), ..first };
    let lost = BatchRecord { lost: true, bytes: 0, digest: nothing, ..second };
    let cut = Index::new(vec![trimmed, lost]);
    let text = String::from_utf8(cut.encode().unwrap()).unwrap();
    assert!(text.contains(",\"trimmed\":1}") && text.contains(",\"lost\":true}"), "{text}");
    let segment = record_of(&cut, 7);
    let decoded = Index::decode(&segment, text.as_bytes()).unwrap();
    assert_eq!(decoded, cut);
    let positions: Vec<_> = decoded.positions(&segment).map(|(_, positions)| positions).collect();
    assert_eq!(positions, [6..8, 8..9]);
    let both =
        BatchRecord { events: 1, trimmed: 1, lost: true, bytes: 0, digest: nothing, ..first };
    let both = Index::new(vec![both]);
    assert_eq!(Index::decode(&record_of(&both, 1), &both.encode().unwrap()), Ok(both));
}

#[test]
fn line_that_contradicts_its_name_or_itself_is_damage() {
    let whole = index().batches[0];
    let nothing = Digest::of(b"");
    for bad in [
        BatchRecord { events: 1, ..whole },
        BatchRecord { digest: Digest(5), ..whole },
        BatchRecord { trimmed: 1, ..whole },
        BatchRecord { trimmed: 2, events: 0, ..whole },
        BatchRecord { trimmed: u64::MAX, events: 3, ..whole },
        BatchRecord { lost: true, ..whole },
        BatchRecord { lost: true, bytes: 0, ..whole },
        BatchRecord { lost: true, events: 1, bytes: 0, digest: nothing, ..whole },
    ] {
        let index = Index::new(vec![bad]);
        let mut segment = record_of(&index, 10);
        for digest in [segment.index, None] {
            segment.index = digest;
            Index::decode(&segment, &index.encode().unwrap()).unwrap_err();
        }
    }
    // More was trimmed of a batch than there are positions before it.
    let early = Index::new(vec![BatchRecord { events: 1, trimmed: 1, ..whole }]);
    Index::decode(&record_of(&early, 0), &early.encode().unwrap()).unwrap_err();
    let text = String::from_utf8(index().encode().unwrap()).unwrap();
    for extra in [",\"trimmed\":0}", ",\"lost\":false}", ",\"odd\":1}"] {
        let segment = SegmentRecord { index: None, ..record_of(&index(), 0) };
        Index::decode(&segment, text.replace('}', extra).as_bytes()).unwrap_err();
    }
}

#[test]
fn index_that_does_not_fit_is_damage() {
    let good = String::from_utf8(index().encode().unwrap()).unwrap();
    let record = record_of(&index(), 0);
    let first = good.lines().next().unwrap();
    for bad in [
        String::new(),
        good.trim_end().to_owned(),
        first.to_owned() + "\n",
        good.replace("\"events\":1", "\"events\":18446744073709551615"),
        good.replace("batch_", "butch_"),
        good.replace("\"bytes\"", "\"size\""),
        format!("{first}\n{first}\n"),
    ] {
        for digest in [record.index, None, Some(Digest::of(bad.as_bytes()))] {
            let record = SegmentRecord { index: digest, ..record };
            let damage = Index::decode(&record, bad.as_bytes()).unwrap_err();
            assert_eq!(damage.object, record.name.index().to_string(), "{bad}");
        }
    }
}

#[test]
fn record_with_other_times_or_batches_than_the_index_is_damage() {
    let good = SegmentRecord { index: None, ..record_of(&index(), 0) };
    let time = |micros| BatchTime::new(micros).unwrap();
    for bad in [
        SegmentRecord { batches: 1, ..good },
        SegmentRecord { first_time: time(0), ..good },
        SegmentRecord { last_time: time(3), ..good },
        SegmentRecord { position: u64::MAX, ..good },
    ] {
        Index::decode(&bad, &index().encode().unwrap()).unwrap_err();
    }
    Index::decode(&good, &index().encode().unwrap()).unwrap();
}
