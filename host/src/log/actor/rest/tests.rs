use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::error::Error;
use crate::host::Host;
use crate::limits::Limits;
use crate::log::Log;
use crate::log::reader::Reader;
use crate::options::LogOptions;
use crate::read_options::ReadOptions;
use crate::sandbox::engine::{Charge, LogEngine, SharedEngine};
use crate::sandbox::memory::Memory;
use crate::sandbox::reader_seats::ReaderSeats;
use crate::sandbox::seats::{Holders, Seats};
use crate::store::Store;

const NEVER: Duration = Duration::from_secs(60);

/// An engine with one seat.
fn engine(wait_max: Duration) -> SharedEngine {
    let seats = Seats::with_wait(Holders::Writers, 1, wait_max);
    let resources = (Clock::default(), Limits::default(), seats, ReaderSeats::new(1));
    let (component, origin) = (Host::embedded_component(), "the embedded component");
    SharedEngine::new(LogEngine::new(component, origin, None, None, resources).unwrap())
}

async fn open(engine: &SharedEngine, store: &Store) -> Result<Log, Error> {
    Log::open(engine.clone(), store.clone(), "log", LogOptions::new()).await
}

async fn lines(engine: &SharedEngine, store: &Store) -> Vec<u8> {
    let mut reader =
        Reader::open_with(engine, store, "log", None, ReadOptions::new()).await.unwrap();
    let mut lines = Vec::new();
    while let Some(page) = reader.next().await.unwrap() {
        lines.extend_from_slice(&page.lines);
    }
    lines
}

#[tokio::test]
async fn log_that_gets_no_seat_fails_its_calls_and_keeps_its_events() {
    let wait_max = Duration::from_millis(300);
    let (engine, store) = (engine(wait_max), Store::memory());
    let log = open(&engine, &store).await.unwrap();
    log.append("1").await.unwrap();
    log.flush().await.unwrap();
    // The log rests, and so leaves its seat.
    let seat = engine.seats().take().await.ok().unwrap();
    log.append("2").await.unwrap();
    let durable = tokio::spawn({
        let log = log.clone();
        async move { log.durable().await }
    });
    let start = Instant::now();
    let refused = log.flush().await;
    assert!(matches!(&refused, Err(Error::LimitReached(text)) if text.contains("live_logs_max")));
    assert!(start.elapsed() >= wait_max / 2, "{:?}", start.elapsed());
    assert!(matches!(log.file_count().await, Err(Error::LimitReached(_))));
    assert!(matches!(open(&engine, &store).await, Err(Error::LimitReached(_))));
    log.append("3").await.unwrap();
    assert!(matches!(log.close().await, Err(Error::LimitReached(_))));
    assert!(!durable.is_finished());
    drop(seat);
    log.append("4").await.unwrap();
    assert!(durable.await.unwrap().unwrap().events >= 2);
    assert_eq!(log.close().await.unwrap().events, 4);
    assert_eq!(lines(&engine, &store).await, b"1\n2\n3\n4\n");
}

#[tokio::test]
async fn memory_of_a_continued_log_counts_beyond_the_limit() {
    let (engine, store) = (engine(NEVER), Store::memory());
    let plugin = Memory::of_plugin(64 * 1024 * 1024);
    let charged = engine.charging(&Charge::to(plugin.clone()));
    let log = open(&charged, &store).await.unwrap();
    let live = plugin.bytes();
    let seat = engine.seats().take().await.ok().unwrap();
    let parked = plugin.bytes();
    assert!(parked < live, "{parked} bytes of {live} are left");
    log.append("kept").await.unwrap();
    // The plugin takes all that is left for something else.
    let others = plugin.borrow(plugin.room()).unwrap();
    let limit = plugin.bytes();
    drop(seat);
    assert_eq!(log.flush().await.unwrap().events, 1);
    assert!(plugin.bytes() > limit, "the instance is not counted");
    // What was not promised is refused.
    assert!(matches!(open(&charged, &store).await, Err(Error::LimitReached(_))));
    assert_eq!(log.close().await.unwrap().events, 1);
    drop(log);
    let (start, rest) = (Instant::now(), others.bytes());
    while plugin.bytes() > rest {
        assert!(start.elapsed() < NEVER, "{} bytes are left of {rest}", plugin.bytes());
        tokio::task::yield_now().await;
    }
    assert_eq!(lines(&engine, &store).await, b"kept\n");
}
