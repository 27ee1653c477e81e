//! Reading many objects in order.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use object_store::local::LocalFileSystem;

use super::{Fake, stores};
use crate::store::read::ordered::FILES_AHEAD_MAX;
use crate::store::{
    Chunk, ConditionalCreate, OBJECTS_AHEAD_MAX, ObjectRange, OrderedRead, Root, Store,
    StoreErrorKind as Kind, StoreOptions,
};

fn whole(key: &str) -> ObjectRange {
    ObjectRange { key: key.to_owned(), range: None }
}

async fn chunks(read: &mut OrderedRead, max_bytes: usize) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    while let Some(chunk) = read.next(max_bytes).await {
        chunks.push(chunk.unwrap());
    }
    chunks
}

async fn filled(store: &Store, count: usize, bytes: usize) -> Vec<ObjectRange> {
    let mut ranges = Vec::new();
    for i in 0..count {
        let key = format!("o/{i:03}");
        store.create(&key, Bytes::from(vec![i as u8; bytes]), false).await.unwrap();
        ranges.push(whole(&key));
    }
    ranges
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ordered_read_yields_every_part_in_order() {
    let (_folder, stores) = stores();
    for (name, store) in stores {
        let sizes = [0, 1, 10, 1 << 20, (1 << 20) + 1, 3_500_000, 0, 7];
        let mut ranges = Vec::new();
        for (i, size) in sizes.iter().enumerate() {
            let key = format!("o/{i}");
            store.create(&key, Bytes::from(vec![i as u8; *size]), false).await.unwrap();
            ranges.push(whole(&key));
        }
        ranges.push(ObjectRange { key: "o/5".to_owned(), range: Some(100..2_000_100) });
        for max_bytes in [0, 4096, 1 << 20, usize::MAX] {
            // Single bytes are tried on the small ranges only.
            let ranges = if max_bytes == 0 { ranges[..3].to_vec() } else { ranges.clone() };
            let mut read = store.read_ordered(ranges.clone());
            let found = chunks(&mut read, max_bytes).await;
            let mut lengths = vec![0; ranges.len()];
            let mut current = 0;
            for chunk in &found {
                assert_eq!(chunk.number, current, "{name}");
                assert!(chunk.bytes.len() <= max_bytes.max(1), "{name}");
                assert!(
                    chunk.bytes.iter().all(|b| *b as usize == chunk.number || chunk.number == 8)
                );
                lengths[current] += chunk.bytes.len();
                current += usize::from(chunk.last);
            }
            assert_eq!(current, ranges.len(), "{name}: each range has one last chunk");
            let expected: Vec<usize> = sizes.into_iter().chain([2_000_000]).collect();
            assert_eq!(lengths, expected[..ranges.len()], "{name}");
            assert!(read.next(10).await.is_none(), "{name}");
        }
    }
}

#[tokio::test]
async fn ordered_read_from_memory_copies_nothing() {
    let store = Store::memory();
    let bytes = Bytes::from(vec![7; 1 << 20]);
    store.create("a", bytes.clone(), false).await.unwrap();
    let mut read = store.read_ordered(vec![whole("a")]);
    let chunk = read.next(1 << 20).await.unwrap().unwrap();
    assert!(chunk.last);
    assert_eq!(chunk.bytes.as_ptr(), bytes.as_ptr());
}

#[tokio::test]
async fn few_large_files_and_many_small_ones_are_fetched_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let files = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let wrapped = Store::from_object_store(Arc::new(files), "files", ConditionalCreate::Honoured);
    let root = Root::folder(folder.path());
    let opened = Store::open(&root, &StoreOptions::new()).unwrap();
    let large = (1 << 20) + 1;
    for (bytes, most) in [(large, FILES_AHEAD_MAX), (1_000, OBJECTS_AHEAD_MAX)] {
        let key = format!("o/{bytes}");
        wrapped.create(&key, vec![1; bytes].into(), false).await.unwrap();
        // The first ones are begun before their size is known.
        for (store, guess) in [(&wrapped, OBJECTS_AHEAD_MAX), (&opened, FILES_AHEAD_MAX)] {
            let mut read = store.read_ordered(vec![whole(&key); 60]);
            let mut ranges = 0;
            while ranges < 40 {
                let chunk = read.next(usize::MAX).await.unwrap().unwrap();
                ranges += usize::from(chunk.last);
                if chunk.last && ranges > OBJECTS_AHEAD_MAX {
                    assert_eq!(read.fetches(), most - 1, "{bytes} bytes, range {ranges}");
                } else {
                    assert!(read.fetches() <= guess.max(most), "{bytes} bytes, range {ranges}");
                }
            }
        }
    }
}

#[tokio::test]
async fn ordered_read_is_over_after_an_error() {
    let (_folder, stores) = stores();
    for (name, store) in stores {
        let mut ranges = filled(&store, 3, 10).await;
        ranges.insert(2, whole("o/missing"));
        let mut read = store.read_ordered(ranges);
        for number in 0..2 {
            assert_eq!(read.next(100).await.unwrap().unwrap().number, number, "{name}");
        }
        let error = read.next(100).await.unwrap().unwrap_err();
        assert_eq!((error.number, error.error.kind), (2, Kind::NotFound), "{name}");
        assert!(error.to_string().contains("o/missing"), "{name}");
        assert!(read.next(100).await.is_none(), "{name}");
    }
}

#[tokio::test]
async fn stream_that_ends_short_or_long_is_an_error() {
    let frame = |n: usize| Ok(Bytes::from(vec![1; n]));
    type Frame = object_store::Result<Bytes>;
    type Frames = fn(&dyn Fn(usize) -> Frame) -> Vec<Frame>;
    let cases: [(&str, Frames); 5] = [
        ("nothing", |_| vec![]),
        ("short", |frame| vec![frame(400), frame(99)]),
        ("short large", |frame| vec![frame(300_000)]),
        ("long", |frame| vec![frame(400), frame(101)]),
        ("empty frames", |frame| vec![frame(0), frame(0)]),
    ];
    for (name, frames) in cases {
        let store =
            Fake::new().on_get(move |_| Some(frames(&frame))).store(ConditionalCreate::Honoured);
        let size = if name == "short large" { 300_001 } else { 500 };
        store.create("a", Bytes::from(vec![1; size]), false).await.unwrap();
        let mut read = store.read_ordered(vec![whole("a"), whole("a")]);
        let mut bytes = 0;
        let error = loop {
            match read.next(usize::MAX).await {
                Some(Ok(chunk)) => {
                    assert!(!chunk.last, "{name}");
                    bytes += chunk.bytes.len();
                }
                Some(Err(error)) => break error,
                None => panic!("{name}: a silent end after {bytes} bytes"),
            }
        };
        assert_eq!((error.number, error.error.kind), (0, Kind::Unavailable), "{name}: {error}");
        assert_eq!(store.get("a", None).await.unwrap_err().kind, Kind::Unavailable, "{name}");
    }
}

#[tokio::test]
async fn small_frames_are_joined_and_nothing_is_lost() {
    let data: Vec<u8> = (0..2_500_000_u32).map(|i| (i % 253) as u8).collect();
    let body = Bytes::from(data.clone());
    let frames = move |_: &_| {
        let cut = |i: usize| body.slice(i * 10_000..(i + 1) * 10_000);
        Some((0..250).map(|i| Ok(cut(i))).collect())
    };
    let store = Fake::new().on_get(frames).store(ConditionalCreate::Honoured);
    store.create("a", Bytes::from(data.clone()), false).await.unwrap();
    let found = chunks(&mut store.read_ordered(vec![whole("a")]), 1 << 20).await;
    assert!(found.len() <= 4, "{} chunks", found.len());
    let joined: Vec<u8> = found.iter().flat_map(|chunk| chunk.bytes.to_vec()).collect();
    assert!(joined == data);
    assert!(store.get("a", None).await.unwrap() == data);
}

#[tokio::test]
async fn fetching_ahead_is_bounded_and_asks_once_per_part() {
    let frames = |_: &_| Some((0..64).map(|_| Ok(Bytes::from(vec![1; 1 << 20]))).collect());
    let fake = Fake::new().on_get(frames);
    let (gets, fetched) = (Arc::clone(&fake.gets), Arc::clone(&fake.frames));
    let store = fake.store(ConditionalCreate::Honoured);
    store.create("a", Bytes::from(vec![1; 64 << 20]), false).await.unwrap();
    let mut read = store.read_ordered(vec![whole("a"); 40]);
    assert_eq!(gets.load(Ordering::SeqCst), 0, "nothing before the first chunk");
    read.next(1 << 20).await.unwrap().unwrap();
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(gets.load(Ordering::SeqCst), OBJECTS_AHEAD_MAX);
    // Two pieces for each object, and the one that was returned.
    assert_eq!(fetched.load(Ordering::SeqCst), 2 * OBJECTS_AHEAD_MAX + 1);
    drop(read);

    let fake = Fake::new();
    let gets = Arc::clone(&fake.gets);
    let store = fake.store(ConditionalCreate::Honoured);
    let ranges = filled(&store, 40, 100).await;
    assert_eq!(chunks(&mut store.read_ordered(ranges), 1000).await.len(), 40);
    assert_eq!(gets.load(Ordering::SeqCst), 40);
}

#[tokio::test]
async fn small_part_of_a_piece_does_not_hold_all_of_it() {
    let store = Store::memory();
    let ranges = filled(&store, 1, 100_000).await;
    for max_bytes in [10_000, 49_999, 30_000] {
        let found = chunks(&mut store.read_ordered(ranges.clone()), max_bytes).await;
        assert_eq!(found.iter().map(|chunk| chunk.bytes.len()).sum::<usize>(), 100_000);
        assert!(found.iter().all(|chunk| chunk.bytes.is_unique()), "{max_bytes}");
    }
    // The second is the rest of the first one's piece.
    let found = chunks(&mut store.read_ordered(ranges), 60_000).await;
    let are_unique: Vec<bool> = found.iter().map(|chunk| chunk.bytes.is_unique()).collect();
    assert_eq!(are_unique, [false, true]);
}

#[tokio::test]
async fn read_fetches_no_more_objects_ahead_than_is_wanted() {
    let (_folder, stores) = stores();
    for (name, store) in stores {
        let ranges = filled(&store, 6, 10).await;
        let mut read = store.read_ordered(ranges).with_objects_ahead(1);
        for number in 0..6 {
            let chunk = read.next(1_000).await.unwrap().unwrap();
            assert_eq!((chunk.number, chunk.last), (number, true), "{name}");
            assert!(read.fetches() <= 1, "{name}");
        }
        assert!(read.next(1_000).await.is_none());
    }
}
