use super::*;
use crate::decide::options::OptionsInput;

#[derive(Debug, PartialEq, Eq)]
struct Batch {
    place: Sequence,
    stage: Stage,
}

impl SealedBatch for Batch {
    fn number(&self) -> u64 {
        self.place.number
    }

    fn bytes(&self) -> u64 {
        10
    }

    fn events(&self) -> u64 {
        2
    }

    fn stage(&self) -> Stage {
        self.stage
    }
}

fn options(creates_max: u32, buffer_bytes_max: u32) -> Options {
    let (creates_max, buffer_bytes_max) = (Some(creates_max), Some(buffer_bytes_max));
    let event_bytes_max = Some(1);
    let input = OptionsInput { creates_max, event_bytes_max, buffer_bytes_max, ..<_>::default() };
    input.check().unwrap()
}

/// Seals batches at these times.
fn window(times: &[u64]) -> Window<Batch> {
    let mut window = Window::default();
    times.iter().for_each(|time| seal(&mut window, *time));
    window
}

fn seal(window: &mut Window<Batch>, time: u64) {
    let time = BatchTime::new(time).unwrap();
    let place = window.place(time);
    window.push(Batch { place, stage: Stage::InFlight }, time);
}

fn set(window: &mut Window<Batch>, number: u64, stage: Stage) {
    window.get_mut(number).unwrap().stage = stage;
}

fn acknowledged(window: &mut Window<Batch>) -> Vec<u64> {
    std::iter::from_fn(|| window.acknowledge()).map(|batch| batch.number()).collect()
}

#[test]
fn names_count_from_0_and_lead_to_the_batch_before() {
    let mut window = window(&[100, 130]);
    set(&mut window, 0, Stage::Stored);
    assert_eq!(acknowledged(&mut window), [0]);
    seal(&mut window, 131);
    let places: Vec<_> = window.iter().map(|batch| batch.place).collect();
    assert_eq!(
        places,
        [Sequence { number: 1, gap: 30, waiting: 1 }, Sequence { number: 2, gap: 1, waiting: 1 },]
    );
    set(&mut window, 1, Stage::Stored);
    set(&mut window, 2, Stage::Stored);
    assert_eq!(acknowledged(&mut window), [1, 2]);
    let place = window.place(BatchTime::new(140).unwrap());
    assert_eq!(place, Sequence { number: 3, gap: 9, waiting: 0 });
}

#[test]
fn batches_are_acknowledged_in_order_whatever_order_they_land_in() {
    let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 3, 0, 1]];
    for order in orders {
        let mut window = window(&[1, 2, 3, 4]);
        let mut all = Vec::new();
        for (landed, number) in order.iter().enumerate() {
            set(&mut window, *number, Stage::Stored);
            all.extend(acknowledged(&mut window));
            let prefix = (0..4).take_while(|number| order[..=landed].contains(number));
            assert_eq!(all, prefix.collect::<Vec<_>>(), "{order:?}");
        }
        assert!(window.is_empty());
    }
}

#[test]
fn batch_waits_from_the_first_on_that_is_not_stored() {
    let mut window = window(&[1, 2, 3, 4]);
    let waiting: Vec<_> = window.iter().map(|batch| batch.place.waiting).collect();
    assert_eq!(waiting, [0, 1, 2, 3]);
    // The second is stored, the first is not: the third still waits for both.
    set(&mut window, 1, Stage::Stored);
    for number in [0, 2, 3] {
        set(&mut window, number, Stage::Failed);
    }
    let mut retried = Vec::new();
    window.retry_failed(|batch, waiting| retried.push((batch.number(), waiting)));
    assert_eq!(retried, [(0, 0), (2, 2), (3, 3)]);
    set(&mut window, 0, Stage::Stored);
    assert_eq!(acknowledged(&mut window), [0, 1]);
    retried.clear();
    window.retry_failed(|batch, waiting| retried.push((batch.number(), waiting)));
    assert_eq!(retried, [(2, 0), (3, 1)]);
}

#[test]
fn window_is_bounded_in_batches_and_bytes_unless_it_is_empty() {
    let (few, small) = (options(2, 1_000), options(16, 25));
    assert!(window(&[]).has_room(1_000, &small));
    for (batches, few_has, small_has) in [(1, true, true), (2, false, false)] {
        let window = window(&[1, 2, 3][..batches]);
        assert_eq!(window.has_room(10, &few), few_has);
        assert_eq!(window.has_room(10, &small), small_has);
    }
    // Stored ones count until they are acknowledged.
    let mut window = window(&[1, 2]);
    set(&mut window, 1, Stage::Stored);
    assert_eq!((window.has_room(10, &few), window.events()), (false, 4));
}
