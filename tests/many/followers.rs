//! Many followers in one process: more than it could have instances. Each sees each event once, and
//! at rest it takes little memory.

use std::sync::Arc;
use std::time::Instant;

use futures::stream::{self, StreamExt as _};
use stratalog::store::Store;
use stratalog::{CompactOptions, Follow, Host, Log, LogOptions, TrimOptions, TrimPoint};
use tokio::sync::Semaphore;

use crate::crowd::{CONCURRENT, MAPS_MAX, REST_BYTES_MAX, maps, resident_bytes};

const LOGS: usize = 200;
const FOLLOWERS_OF_EACH: usize = 100;
const FOLLOWERS: usize = LOGS * FOLLOWERS_OF_EACH;
const ROUNDS: usize = 2;

pub(super) async fn run(host: Host) {
    let (store, start) = (Store::memory(), Instant::now());
    let mut logs = Vec::with_capacity(LOGS);
    for number in 0..LOGS {
        logs.push(host.open(&store, &name(number), LogOptions::new()).await.unwrap());
    }
    let before = resident_bytes();
    let (host, store) = (&host, &store);
    let opens = (0..FOLLOWERS).map(|number| open(host, store, number % LOGS));
    let mut followers: Vec<Follow> = stream::iter(opens).buffered(CONCURRENT).collect().await;
    eprintln!("{FOLLOWERS} followers opened after {:?}", start.elapsed());
    check_rest("that have not begun", before);
    for round in 0..ROUNDS {
        // All of them wait, and poll concurrently.
        let waiting = Arc::new(Semaphore::new(0));
        let reads = followers.into_iter().enumerate().map(|(number, follow)| {
            let (waiting, expected) = (waiting.clone(), event(number % LOGS, round) + "\n");
            tokio::spawn(async move {
                waiting.add_permits(1);
                read(follow, &expected).await
            })
        });
        let reads: Vec<_> = reads.collect();
        let all = u32::try_from(FOLLOWERS).unwrap();
        waiting.acquire_many(all).await.unwrap().forget();
        let appended = Instant::now();
        for (number, log) in logs.iter().enumerate() {
            append(log, number, round).await;
            if number % 2 == 0 {
                let options = CompactOptions::new().full(true);
                host.compact(store, &name(number), &options).await.unwrap();
            }
        }
        assert!(maps() < MAPS_MAX, "{} memory maps", maps());
        followers = Vec::with_capacity(FOLLOWERS);
        for read in reads {
            followers.push(read.await.unwrap());
        }
        eprintln!("all have read an event {:?} after the first append", appended.elapsed());
        check_rest("at rest", before);
        // What they have read is not missed.
        for number in (0..LOGS).step_by(4) {
            let (point, options) = (TrimPoint::KeepEvents(0), TrimOptions::default());
            host.trim(store, &name(number), point, options).await.unwrap();
        }
    }
    eprintln!("many_followers_in_a_process: {:?}", start.elapsed());
}

fn check_rest(which: &str, before: usize) {
    let bytes = resident_bytes().saturating_sub(before) / FOLLOWERS;
    eprintln!("{bytes} bytes a follower {which}, {} memory maps", maps());
    assert!(maps() < MAPS_MAX, "{} memory maps", maps());
    assert!(bytes <= REST_BYTES_MAX, "{bytes} bytes a follower {which}");
}

fn name(number: usize) -> String {
    format!("log{number}")
}

fn event(number: usize, round: usize) -> String {
    format!("{number} {round}")
}

async fn append(log: &Log, number: usize, round: usize) {
    log.append(event(number, round)).await.unwrap();
    log.flush().await.unwrap();
}

async fn open(host: &Host, store: &Store, number: usize) -> Follow {
    host.read(store, &name(number)).await.unwrap().follow().unwrap()
}

/// Waits for an event: the next one, and no other.
async fn read(mut follow: Follow, expected: &str) -> Follow {
    let page = follow.next().await.unwrap();
    assert_eq!((&page.lines[..], page.missed), (expected.as_bytes(), 0));
    follow
}
