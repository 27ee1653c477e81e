//! A log moves from store to store: each copy reads as its source, and a kept position is valid on
//! each.

use rig::backends::{Backend, Need};
use rig::servers::{Skip, require_or_skip};
use stratalog::store::Store;
use stratalog::{CompactOptions, Host, LogOptions, ReadOptions, TrimOptions, TrimPoint};
use tokio::runtime::Runtime;

const LOG: &str = "log";

async fn append(host: &Host, store: &Store, events: std::ops::Range<u32>) {
    let options = LogOptions::new().flush_threshold(3);
    let log = host.open(store, LOG, options).await.unwrap();
    for event in events {
        log.append(event.to_string().as_bytes()).await.unwrap();
    }
    log.close().await.unwrap();
}

/// Reads from a position to the end. Returns the bytes, and the position.
async fn read(host: &Host, store: &Store, start: Option<&str>) -> (Vec<u8>, String) {
    let options = match start {
        Some(start) => ReadOptions::new().start(start),
        None => ReadOptions::new(),
    };
    let mut reader = host.read_with(store, LOG, options).await.unwrap();
    let mut bytes = Vec::new();
    while let Some(page) = reader.next().await.unwrap() {
        bytes.extend_from_slice(&page.lines);
    }
    let position = reader.position().await.unwrap();
    (bytes, position)
}

async fn copy(host: &Host, from: &Store, to: &Store) -> u64 {
    let mut copier = host.copy((from, LOG), (to, LOG), "the source").await.unwrap();
    let mut objects = 0;
    while let Some(copied) = copier.next().await.unwrap() {
        objects = copied.objects;
    }
    objects
}

/// Copies a log along these stores, each time while the source is used.
fn move_along(backends: Vec<Result<Backend, Skip>>) {
    let there = backends.into_iter().filter_map(require_or_skip);
    let backends: Vec<_> = [Backend::folder()].into_iter().chain(there).collect();
    let backends: Vec<_> = backends.into_iter().chain([Backend::folder()]).collect();
    Runtime::new().unwrap().block_on(async {
        let host = Host::new().unwrap();
        let opened = backends.iter().map(|backend| {
            let vouched = !backend.has(Need::Exclusive);
            (backend.name, backend.open(&backend.place(LOG)).with_sole_compactor(vouched))
        });
        let stores: Vec<_> = opened.collect();
        append(&host, &stores[0].1, 0..10).await;
        let (_, kept) = read(&host, &stores[0].1, None).await;
        let mut next = 10;
        for pair in stores.windows(2) {
            let ((from_name, from), (to_name, to)) = (&pair[0], &pair[1]);
            let what = format!("{from_name} to {to_name}");
            assert!(copy(&host, from, to).await > 0, "{what}");
            append(&host, from, next..next + 7).await;
            next += 7;
            let options = CompactOptions::new().full(true);
            host.compact(from, LOG, &options).await.unwrap();
            append(&host, from, next..next + 2).await;
            next += 2;
            copy(&host, from, to).await;
            let trimmed = TrimPoint::KeepEvents(12);
            host.trim(from, LOG, trimmed, TrimOptions::new()).await.unwrap();
            copy(&host, from, to).await;
            assert_eq!(copy(&host, from, to).await, 0, "{what}");
            let start = Some(kept.as_str());
            assert_eq!(read(&host, to, start).await, read(&host, from, start).await, "{what}");
            assert_eq!(read(&host, to, None).await, read(&host, from, None).await, "{what}");
            let (source, target) = (host.stat(from, LOG).await, host.stat(to, LOG).await);
            let (source, target) = (source.unwrap(), target.unwrap());
            assert_eq!(source.identity, target.identity, "{what}");
            assert_eq!(source.last_time, target.last_time, "{what}");
            let mut verifier = host.verify(to, LOG).await.unwrap();
            while let Some(checked) = verifier.next().await.unwrap() {
                assert_eq!(checked.findings, [], "{what}");
            }
            assert!(host.promote(to, LOG).await.unwrap(), "{what}");
        }
    });
}

#[test]
fn copies_move_a_log_from_a_folder_to_s3_to_azure_and_back() {
    move_along(vec![Backend::moto(), Backend::azurite()]);
}

#[test]
fn copies_move_a_log_over_a_store_without_create_if_absent() {
    move_along(vec![Backend::rclone()]);
}

#[test]
fn copies_of_large_segments_are_whole() {
    let backends = [Backend::folder(), Backend::folder()];
    let stores = backends.each_ref().map(|backend| backend.open(&backend.place(LOG)));
    Runtime::new().unwrap().block_on(async {
        let host = Host::new().unwrap();
        let log = host.open(&stores[0], LOG, LogOptions::new()).await.unwrap();
        let event = "x".repeat(1 << 19);
        for _ in 0..40 {
            log.append(event.as_bytes()).await.unwrap();
        }
        log.close().await.unwrap();
        host.compact(&stores[0], LOG, &CompactOptions::new().full(true)).await.unwrap();
        copy(&host, &stores[0], &stores[1]).await;
        assert_eq!(read(&host, &stores[1], None).await, read(&host, &stores[0], None).await);
    });
}
