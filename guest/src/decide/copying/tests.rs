use super::*;
use crate::format::listed::ListedOther;
use crate::format::manifest::tests::{empty, segment_record};
use crate::format::names::{BatchTime, Digest, Origin, Sequence, WriterId};

fn batch(writer: u64, number: u64, waiting: u64) -> ListedBatch {
    let time = BatchTime::new(100 + number * 10).unwrap();
    let gap = if number == 0 { 0 } else { 10 };
    let sequence = Some(Sequence { number, gap, waiting });
    let origin = Origin { writer: WriterId(writer), sequence, events: 1, digest: Digest(0) };
    ListedBatch { name: BatchName { time, origin: Some(origin) }, size: 4 }
}

fn listed(name: ObjectName, size: u64) -> ListedOther {
    ListedOther { name, size }
}

#[test]
fn manifest_is_copied_between_its_segments_and_the_live_batches() {
    let segment = segment_record(3, 6);
    let manifest = Manifest { next_position: 3, segments: vec![segment], ..empty(9) };
    let others = vec![
        listed(ObjectName::Segment(segment.name), 6),
        listed(ObjectName::Index(segment.name.index()), 2),
        listed(ObjectName::Manifest(Generation(1)), 5),
        listed(ObjectName::Manifest(Generation(8)), 5),
        listed(ObjectName::Manifest(Generation(9)), 5),
    ];
    let manifest = Rc::new(manifest);
    let live = vec![batch(1, 0, 0), batch(1, 1, 0)];
    let source = LogState { manifest: Some(manifest.clone()), live, others, ..<_>::default() };
    let target = LogState::default();
    let name = PositionName::parse("app").unwrap();
    let positions: Map<_, _> = [(name.clone(), 4)].into_iter().collect();
    let steps = plan(&source, &target, (&positions, &Map::new()));
    let work: Vec<_> = steps.iter().map(|step| step.work.clone()).collect();
    let expected = [
        Work::Segment(Box::new(segment)),
        Work::Commit(manifest),
        Work::Batches(source.live.clone()),
        Work::Older(Generation(8)),
        Work::Older(Generation(1)),
        Work::Position(name.object(4).unwrap()),
        Work::CleanUp,
    ];
    assert_eq!(work, expected);
    assert_eq!(steps.iter().map(|step| step.objects).sum::<u64>(), 8);
    assert_eq!(steps.iter().map(|step| step.bytes).sum::<u64>(), 6 + 2 + 5 + 8 + 5 + 5);
    // What is there is not copied again.
    assert_eq!(plan(&source, &source, (&positions, &positions)), []);
}

#[test]
fn batch_waits_for_those_that_its_name_says_were_confirmed() {
    let earlier = batch(1, 3, 0).name;
    assert!(waits_for(&batch(1, 4, 0).name, &earlier));
    assert!(!waits_for(&batch(1, 4, 1).name, &earlier));
    assert!(waits_for(&batch(1, 5, 1).name, &earlier));
    assert!(!waits_for(&batch(2, 4, 0).name, &earlier));
    let mut unnumbered = earlier;
    unnumbered.origin.as_mut().unwrap().sequence = None;
    assert!(waits_for(&unnumbered, &unnumbered));
}
