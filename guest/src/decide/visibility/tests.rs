use std::convert::Infallible;

use super::*;
use crate::format::batch::name_for;
use crate::format::names::Sequence;

/// A batch of a writer: its times are ten apart, number 0 at time 100.
fn batch(writer: u64, number: u64, waiting: u64) -> ListedBatch {
    let gap = if number == 0 { 0 } else { 10 };
    sealed(writer, 100 + 10 * number, Some(Sequence { number, gap, waiting }))
}

fn sealed(writer: u64, time: u64, sequence: Option<Sequence>) -> ListedBatch {
    let time = BatchTime::new(time).unwrap();
    let name = name_for(time, WriterId(writer), sequence, &b"x\n".to_vec());
    ListedBatch { name, size: 2 }
}

fn id(writer: u64, number: u64) -> BatchId {
    batch(writer, number, 0).name.id().unwrap()
}

/// A log: which listed batches are absorbed, what else the indexes have, and the horizon.
#[derive(Default)]
struct Log {
    listed: Vec<ListedBatch>,
    absorbed: Set<BatchName>,
    held: Vec<BatchId>,
    horizon: Option<BatchTime>,
    doubts: Doubts,
}

impl Log {
    fn of(listed: &[ListedBatch]) -> Self {
        let mut listed = listed.to_vec();
        listed.sort_unstable();
        Self { listed, ..Self::default() }
    }

    fn held(self, held: &[BatchId]) -> Self {
        Self { held: held.to_vec(), ..self }
    }

    fn horizon(self, micros: u64) -> Self {
        Self { horizon: BatchTime::new(micros), ..self }
    }

    fn load(&self) -> Sorted {
        let sought = sought(&self.listed, &self.absorbed);
        let is_held = |batch: &BatchId| {
            assert!(sought.contains(batch), "an index is opened for {batch:?}");
            Ok::<_, Infallible>(self.held.contains(batch))
        };
        let listed = self.listed.clone();
        let Ok(sorted) = sort_out(listed, &self.absorbed, self.horizon, &self.doubts, is_held);
        sorted
    }

    /// Loads twice: the second time with the doubts of the first.
    fn load_twice(mut self) -> Sorted {
        let first = self.load();
        assert!(first.gone.is_empty(), "a load decides a doubt of its own");
        self.doubts.add(first.doubted);
        self.load()
    }

    /// The numbers of the visible batches of writer 1.
    fn visible(&self) -> Vec<u64> {
        numbers(&self.load().visible)
    }
}

fn numbers(batches: &[ListedBatch]) -> Vec<u64> {
    let ids = batches.iter().filter_map(|batch| batch.name.id());
    ids.filter(|id| id.writer == WriterId(1)).map(|id| id.number).collect()
}

#[test]
fn every_subset_that_has_landed_shows_its_prefix() {
    for landed in 0..16_u64 {
        let numbers: Vec<_> = (0..4).filter(|number| landed >> number & 1 == 1).collect();
        // None was confirmed when the creates started.
        let listed: Vec<_> = numbers.iter().map(|number| batch(1, *number, *number)).collect();
        let log = Log::of(&listed);
        let prefix: Vec<_> = (0..4).take_while(|number| numbers.contains(number)).collect();
        assert_eq!(log.visible(), prefix);
        let sorted = log.load_twice();
        assert_eq!(sorted.visible.len() + sorted.hidden.len(), listed.len());
        assert!(sorted.doubted.is_empty() && sorted.gone.is_empty());
    }
}

#[test]
fn batches_without_a_number_are_visible_and_hide_no_others() {
    let legacy = ListedBatch { name: BatchName::least(BatchTime::default()), size: 2 };
    let unnumbered = sealed(1, 105, None);
    let sorted = Log::of(&[legacy, unnumbered, batch(1, 1, 1), batch(2, 0, 0)]).load();
    assert_eq!(sorted.visible, [legacy, batch(2, 0, 0), unnumbered]);
    assert_eq!(sorted.hidden, [batch(1, 1, 1)]);
}

#[test]
fn batch_follows_one_in_an_index() {
    let listed = [batch(1, 5, 0), batch(1, 6, 1)];
    assert!(Log::of(&listed).visible().is_empty());
    assert_eq!(Log::of(&listed).held(&[id(1, 4)]).visible(), [5, 6]);
    // That of another writer, or an older one, says nothing.
    assert!(Log::of(&listed).held(&[id(2, 4), id(1, 3)]).visible().is_empty());
}

#[test]
fn absorbed_batch_that_is_still_listed_is_known_without_an_index() {
    let absorbed = batch(1, 4, 0);
    let log = Log { absorbed: [absorbed.name].into(), ..Log::of(&[absorbed, batch(1, 5, 1)]) };
    let sorted = log.load();
    assert_eq!((sorted.absorbed, sorted.visible), (vec![absorbed], vec![batch(1, 5, 1)]));
}

#[test]
fn nothing_behind_a_hidden_batch_is_visible() {
    let log = Log::of(&[batch(1, 1, 1), batch(1, 2, 2), batch(1, 4, 4)]).held(&[id(1, 3)]);
    let sorted = log.load();
    assert_eq!(numbers(&sorted.hidden), [1, 2, 4]);
}

#[test]
fn confirmed_predecessor_is_doubted_first_and_then_gone_or_forgotten() {
    // Number 4 was confirmed: number 5 waited for none.
    let listed = [batch(1, 5, 0), batch(1, 6, 1)];
    let first = Log::of(&listed).load();
    assert_eq!((numbers(&first.hidden), first.doubted), (vec![5, 6], [id(1, 4)].into()));
    let gone = Gone { batch: id(1, 4), next: batch(1, 5, 0).name };
    for log in [Log::of(&listed), Log::of(&listed).horizon(139)] {
        let sorted = log.load_twice();
        assert_eq!((numbers(&sorted.hidden), sorted.gone), (vec![5, 6], vec![gone]));
    }
    let sorted = Log::of(&listed).horizon(140).load_twice();
    assert_eq!((numbers(&sorted.visible), sorted.gone), (vec![5, 6], vec![]));
}

#[test]
fn doubt_ends_when_the_batch_is_found() {
    let mut log = Log::of(&[batch(1, 5, 0)]);
    log.doubts.add(log.load().doubted);
    assert_eq!(Log { held: vec![id(1, 4)], ..log }.visible(), [5]);
}

#[test]
fn predecessor_that_was_not_confirmed_hides_whatever_the_horizon() {
    // The writer's clock is behind what was trimmed.
    let sorted = Log::of(&[batch(1, 1, 1)]).horizon(1_000).load_twice();
    assert_eq!((numbers(&sorted.hidden), sorted.gone), (vec![1], vec![]));
}

#[test]
fn later_batch_tells_that_an_earlier_one_was_confirmed() {
    // Number 6 waited for 5, and a later one waited for none.
    let listed = [batch(1, 6, 1), batch(1, 9, 0)];
    let sorted = Log::of(&listed).horizon(1_000).load_twice();
    assert_eq!(numbers(&sorted.visible), [6]);
    // Number 8 is doubted once number 6 is shown.
    assert_eq!(sorted.doubted, [id(1, 8)].into());
}

#[test]
fn absorbed_batch_tells_that_an_earlier_one_was_confirmed() {
    let absorbed = batch(1, 9, 0);
    let log = Log { absorbed: [absorbed.name].into(), ..Log::of(&[batch(1, 6, 1), absorbed]) };
    assert_eq!(log.load().doubted, [id(1, 5)].into());
}

#[test]
fn batch_that_is_gone_is_passed_on_demand() {
    let mut log = Log::of(&[batch(1, 5, 0), batch(1, 6, 1)]);
    log.doubts.pass(id(1, 4));
    assert_eq!(log.visible(), [5, 6]);
}
