use std::time::{Duration, Instant};

use futures::FutureExt as _;

use super::*;

fn now<T>(answer: impl Future<Output = T>) -> Option<T> {
    answer.now_or_never()
}

async fn taken(seats: &Arc<Seats>) -> Seat {
    seats.take().await.expect("a seat")
}

#[tokio::test]
async fn seats_are_given_in_the_order_of_the_requests() {
    let seats = Seats::new(1);
    let first = taken(&seats).await;
    let (mut second, mut third) = (seats.take().boxed(), seats.take().boxed());
    assert!(now(&mut second).is_none() && now(&mut third).is_none());
    drop(first);
    assert!(now(&mut third).is_none());
    let second = now(&mut second).expect("it is next").ok();
    assert!(now(&mut third).is_none());
    drop(second);
    assert!(now(&mut third).is_some());
}

#[tokio::test]
async fn seat_of_a_request_that_was_dropped_is_passed_on() {
    let seats = Seats::new(1);
    let first = taken(&seats).await;
    let mut dropped = [seats.take().boxed(), seats.take().boxed()];
    assert!(dropped.iter_mut().all(|dropped| now(dropped).is_none()));
    let mut last = seats.take().boxed();
    assert!(now(&mut last).is_none());
    let [before, after] = dropped;
    drop(before);
    drop(first);
    // It was sent to the second one already.
    drop(after);
    drop(now(&mut last).expect("a seat"));
    let state = seats.lock();
    assert_eq!((state.free, state.outside, state.waiting.len()), (1, 0, 0));
}

#[tokio::test]
async fn request_that_failed_or_was_dropped_asks_nobody_to_park() {
    let seats = Seats::with_wait(Holders::Writers, 1, Duration::from_millis(1));
    let mut only = taken(&seats).await;
    seats.take().await.err().expect("no seat becomes free");
    let mut dropped = seats.take().boxed();
    assert!(now(&mut dropped).is_none());
    drop(dropped);
    let rest = only.rest(false);
    assert!(now(rest.asked()).is_none());
    only.step_outside();
    assert!(!only.is_outside, "nobody waits");
}

#[tokio::test]
async fn oldest_rest_is_asked_first_and_one_for_each_request() {
    let seats = Seats::new(3);
    let taken = [taken(&seats).await, taken(&seats).await, taken(&seats).await];
    let [with_events, older, newer] =
        [taken[0].rest(true), taken[1].rest(false), taken[2].rest(false)];
    let asked = || [&with_events, &older, &newer].map(|rest| now(rest.asked()).is_some());
    assert_eq!(asked(), [false; 3]);
    let mut first = seats.take().boxed();
    assert!(now(&mut first).is_none());
    assert_eq!(asked(), [false, true, false]);
    let mut second = seats.take().boxed();
    assert!(now(&mut second).is_none());
    assert_eq!(asked(), [false, false, true]);
    // One of them has work again: the last one is asked in its place.
    drop(older);
    assert!(now(with_events.asked()).is_some());
    let [one, _two, three] = taken;
    drop((three, newer));
    assert!(now(&mut first).is_some());
    drop((one, with_events));
    assert!(now(&mut second).is_some());
    assert_eq!(seats.lock().asked, 0);
}

#[tokio::test]
async fn few_seats_are_kept_free_while_any_writer_rests() {
    let seats = Seats::new(2 * FREE_SHARE);
    let mut taken_seats = Vec::new();
    let mut rests = Vec::new();
    for _ in 0..2 * FREE_SHARE - 2 {
        let seat = taken(&seats).await;
        rests.push(seat.rest(false));
        taken_seats.push(seat);
    }
    assert!(rests.iter().all(|rest| now(rest.asked()).is_none()));
    taken_seats.push(taken(&seats).await);
    let asked = rests.iter().filter(|rest| now(rest.asked()).is_some());
    assert_eq!(asked.count(), 1);
}

#[tokio::test]
async fn writer_outside_leaves_its_seat_to_one_that_waits() {
    let seats = Seats::new(1);
    let mut first = taken(&seats).await;
    first.step_outside();
    assert!(!first.is_outside, "nobody waits");
    let mut second = seats.take().boxed();
    assert!(now(&mut second).is_none());
    first.step_outside();
    let second = now(&mut second).expect("the seat of the first one");
    assert_eq!(seats.lock().outside, 1);
    drop(first);
    let state = seats.lock();
    assert_eq!((state.outside, state.free), (0, 0));
    drop(state);
    drop(second);
    assert_eq!(seats.lock().free, 1);
}

#[tokio::test]
async fn request_fails_only_if_no_seat_at_all_becomes_free() {
    let wait_max = Duration::from_millis(400);
    let seats = Seats::with_wait(Holders::Writers, 2, wait_max);
    let (first, _second) = (taken(&seats).await, taken(&seats).await);
    let start = Instant::now();
    let mut waits: Vec<_> = (0..2).map(|_| seats.take().boxed()).collect();
    assert!(waits.iter_mut().all(|wait| now(wait).is_none()));
    tokio::time::sleep(wait_max / 2).await;
    drop(first);
    let seat = waits.remove(0).await.expect("the seat that became free");
    let refused = waits.remove(0).await.err().expect("no seat");
    // It has waited once more, since one became free meanwhile.
    assert!(start.elapsed() >= 2 * wait_max, "{:?}", start.elapsed());
    let Error::LimitReached(text) = refused else { panic!("{refused}") };
    assert!(text.contains("live_logs_max = 2") && text.contains("400ms"), "{text}");
    drop(seat);
}
