use std::time::Duration;

use super::*;
use crate::clock::Clock;
use crate::host::Host;
use crate::limits::Limits;
use crate::log::Log;
use crate::options::LogOptions;
use crate::sandbox::engine::{Charge, LogEngine};
use crate::sandbox::memory::Memory;
use crate::sandbox::reader_seats::ReaderSeats;
use crate::sandbox::seats::Seats;

const WAIT_MAX: Duration = Duration::from_millis(300);

/// An engine for one writer and one reader at a time.
fn engine() -> SharedEngine {
    let seats = (Seats::new(1), ReaderSeats::with_wait(1, WAIT_MAX));
    let resources = (Clock::default(), Limits::default(), seats.0, seats.1);
    let (component, origin) = (Host::embedded_component(), "the embedded component");
    SharedEngine::new(LogEngine::new(component, origin, None, None, resources).unwrap())
}

async fn log(engine: &SharedEngine, store: &Store) -> Log {
    let log = Log::open(engine.clone(), store.clone(), "log", LogOptions::new()).await.unwrap();
    append(&log, "1").await;
    log
}

async fn append(log: &Log, event: &str) {
    log.append(event).await.unwrap();
    log.flush().await.unwrap();
}

async fn open(engine: &SharedEngine, store: &Store) -> Result<Reader> {
    Reader::open_with(engine, store, "log", None, ReadOptions::new()).await
}

async fn next(reader: &mut Reader) -> Option<Page> {
    reader.next().await.unwrap()
}

#[tokio::test]
async fn at_most_as_many_readers_rest_with_an_instance_as_there_are_seats() {
    let (engine, store) = (engine(), Store::memory());
    let live = || engine.reader_seats().live();
    let log = log(&engine, &store).await;
    let mut readers = Vec::new();
    for _ in 0..5 {
        readers.push(open(&engine, &store).await.unwrap());
        assert_eq!(live(), 1);
    }
    for reader in &mut readers {
        assert_eq!(reader.position().await.unwrap(), "0");
        assert_eq!(next(reader).await.unwrap().lines, "1\n");
        assert_eq!(live(), 1);
        assert!(next(reader).await.is_none());
        assert_eq!(live(), 1);
    }
    let mut events = readers.remove(1).into_events();
    append(&log, "2").await;
    let event = futures::StreamExt::next(&mut events).await.unwrap().unwrap();
    assert_eq!((event.bytes().as_ref(), live()), (&b"2"[..], 1));
    // The first one has kept its instance all the time, and leaves it to another.
    readers.remove(0);
    assert_eq!(live(), 0);
    assert_eq!(next(&mut readers[0]).await.unwrap().lines, "2\n");
    assert_eq!(live(), 1);
    drop((readers, events));
    assert_eq!(live(), 0);
}

#[tokio::test]
async fn reader_that_gets_no_seat_fails_and_continues_later() {
    let (engine, store) = (engine(), Store::memory());
    let log = log(&engine, &store).await;
    let (_idle, mut reader) =
        (open(&engine, &store).await.unwrap(), open(&engine, &store).await.unwrap());
    assert!(next(&mut reader).await.is_some() && next(&mut reader).await.is_none());
    append(&log, "2").await;
    let seat = engine.reader_seats().take().await.ok().unwrap();
    let position = reader.position().await.unwrap();
    for _ in 0..2 {
        let refused = reader.next().await;
        let Err(Error::LimitReached(text)) = &refused else { panic!("{refused:?}") };
        assert!(text.contains("for a reader: live_logs_max = 1"), "{text}");
    }
    assert!(matches!(open(&engine, &store).await, Err(Error::LimitReached(_))));
    assert_eq!(reader.position().await.unwrap(), position);
    assert!(reader.take_skipped().await.unwrap().is_empty());
    // One that has an instance needs no seat, and neither do writers.
    append(&log, "3").await;
    drop(seat);
    assert_eq!(next(&mut reader).await.unwrap().lines, "2\n3\n");
}

#[tokio::test]
async fn memory_of_a_parked_reader_counts_no_more() {
    let (engine, store) = (engine(), Store::memory());
    let _log = log(&engine, &store).await;
    let plugin = Memory::of_plugin(64 * 1024 * 1024);
    let charged = engine.charging(&Charge::to(plugin.clone()));
    let mut reader = open(&charged, &store).await.unwrap();
    let live = plugin.bytes();
    let _another = engine.reader_seats().count();
    assert!(next(&mut reader).await.is_some());
    assert!(live > 0 && plugin.bytes() == 0, "{} bytes of {live} are left", plugin.bytes());
}
