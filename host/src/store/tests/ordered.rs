//! Reading many objects in order.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::throttle::{ThrottleConfig, ThrottledStore};

use super::{Fake, GetPace, TempFolder, stores};
use crate::store::read::ordered::FILES_AHEAD_MAX;
use crate::store::read::window::{OBJECT_AHEAD_BYTES, OBJECTS_AHEAD_FIRST};
use crate::store::{
    AHEAD_BYTES_MAX, Chunk, ConditionalCreate, OBJECTS_AHEAD_MAX, ObjectRange, OrderedRead, Root,
    Store, StoreErrorKind as Kind, StoreOptions,
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
async fn few_large_files_are_fetched_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let files = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let wrapped = Store::from_object_store(Arc::new(files), "files", ConditionalCreate::Honoured);
    let root = Root::folder(folder.path());
    let opened = Store::open(&root, &StoreOptions::new()).unwrap();
    wrapped.create("o/large", vec![1; (1 << 20) + 1].into(), false).await.unwrap();
    // The first ones are begun before their size is known.
    for (store, guess) in [(&wrapped, OBJECTS_AHEAD_FIRST), (&opened, FILES_AHEAD_MAX)] {
        let mut read = store.read_ordered(vec![whole("o/large"); 60]);
        let mut ranges = 0;
        while ranges < 40 {
            let chunk = read.next(usize::MAX).await.unwrap().unwrap();
            ranges += usize::from(chunk.last);
            if chunk.last && ranges > OBJECTS_AHEAD_FIRST {
                assert_eq!(read.fetches(), FILES_AHEAD_MAX - 1, "range {ranges}");
            } else {
                assert!(read.fetches() <= guess.max(FILES_AHEAD_MAX), "range {ranges}");
            }
        }
    }
}

#[tokio::test]
async fn small_files_are_read_many_in_one_call() {
    let folder = TempFolder::new();
    let store = folder.store();
    let count = 2_000;
    std::fs::create_dir_all(folder.0.join("o")).unwrap();
    let mut ranges = Vec::new();
    for number in 0..count {
        std::fs::write(folder.0.join(format!("o/{number}")), number.to_string()).unwrap();
        ranges.push(whole(&format!("o/{number}")));
    }
    let mut read = store.read_ordered(ranges);
    for number in 0..count {
        let chunk = read.next(1_000).await.unwrap().unwrap();
        assert_eq!((chunk.number, chunk.last), (number, true));
        assert_eq!(chunk.bytes, number.to_string());
        assert!(read.fetches() <= OBJECTS_AHEAD_FIRST);
    }
    assert!(read.next(1_000).await.is_none());
    assert!(read.calls() < count / 4, "{} calls for {count} files", read.calls());
}

#[tokio::test]
async fn small_file_that_is_gone_fails_the_read_behind_the_files_before_it() {
    let folder = TempFolder::new();
    let store = folder.store();
    let mut ranges = filled(&store, 60, 10).await;
    let gone = ranges.len() - 7;
    ranges[gone] = whole("o/gone");
    ranges[gone - 1].range = Some(2..8);
    let mut read = store.read_ordered(ranges);
    for number in 0..gone {
        let chunk = read.next(1_000).await.unwrap().unwrap();
        let bytes = if number == gone - 1 { 6 } else { 10 };
        assert_eq!((chunk.number, chunk.bytes.len(), chunk.last), (number, bytes, true));
    }
    let error = read.next(1_000).await.unwrap().unwrap_err();
    assert_eq!((error.number, error.error.kind), (gone, Kind::NotFound));
    assert!(error.to_string().contains("o/gone"), "{error}");
    assert!(read.next(1_000).await.is_none());
    // A range beyond the end, and one that is empty, are errors of their own files.
    for (range, words) in [(5..11, "reaches beyond the 10 bytes"), (3..3, "is empty")] {
        let mut ranges = vec![whole("o/000"), whole("o/001")];
        ranges[1].range = Some(range);
        let mut read = store.read_ordered(ranges);
        read.next(1_000).await.unwrap().unwrap();
        let error = read.next(1_000).await.unwrap().unwrap_err();
        assert_eq!((error.number, error.error.kind), (1, Kind::Invalid));
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn large_file_among_small_ones_comes_in_its_place() {
    let folder = TempFolder::new();
    let store = folder.store();
    let mut ranges = filled(&store, 40, 10).await;
    store.create("o/large", vec![1; 3 << 20].into(), false).await.unwrap();
    ranges.insert(35, whole("o/large"));
    ranges.insert(20, whole("o/large"));
    let mut lengths = vec![0; 42];
    for chunk in chunks(&mut store.read_ordered(ranges), usize::MAX).await {
        assert!(lengths[chunk.number + 1..].iter().all(|bytes| *bytes == 0), "out of order");
        lengths[chunk.number] += chunk.bytes.len();
    }
    let expected = (0..42).map(|number| if [20, 36].contains(&number) { 3 << 20 } else { 10 });
    assert_eq!(lengths, expected.collect::<Vec<_>>());
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
    // The objects are large, so few are requested.
    assert_eq!(gets.load(Ordering::SeqCst), AHEAD_BYTES_MAX / OBJECT_AHEAD_BYTES);
    // Their pieces, and the one that was returned.
    assert_eq!(fetched.load(Ordering::SeqCst), (AHEAD_BYTES_MAX >> 20) + 1);
    drop(read);
    // Of ranges whose length is known, no more are requested than may be held.
    gets.store(0, Ordering::SeqCst);
    let bytes = u64::try_from(OBJECT_AHEAD_BYTES).unwrap();
    let parts = (0..16).map(|part| part * bytes..(part + 1) * bytes);
    let parts = parts.map(|range| ObjectRange { key: "a".to_owned(), range: Some(range) });
    let mut read = store.read_ordered(parts.collect());
    read.next(1 << 20).await.unwrap().unwrap();
    assert_eq!(gets.load(Ordering::SeqCst), AHEAD_BYTES_MAX / OBJECT_AHEAD_BYTES);
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
        let mut read = store.read_ordered(ranges).with_shares_ahead(1);
        for number in 0..6 {
            let chunk = read.next(1_000).await.unwrap().unwrap();
            assert_eq!((chunk.number, chunk.last), (number, true), "{name}");
            assert!(read.fetches() <= 1, "{name}");
        }
        assert!(read.next(1_000).await.is_none());
    }
}

#[tokio::test]
async fn window_grows_to_the_latency_of_the_store() {
    let config =
        ThrottleConfig { wait_get_per_call: Duration::from_millis(5), ..ThrottleConfig::default() };
    let far = Arc::new(ThrottledStore::new(InMemory::new(), config));
    let store = Store::from_object_store(far, "far", ConditionalCreate::Honoured);
    let ranges = filled(&store, 4_000, 100).await;
    let mut read = store.read_ordered(ranges);
    let mut most = Vec::new();
    while let Some(chunk) = read.next(1_000).await {
        chunk.unwrap();
        most.push(read.fetches());
    }
    assert_eq!(most[0], OBJECTS_AHEAD_FIRST - 1);
    assert_eq!(most.into_iter().max(), Some(OBJECTS_AHEAD_MAX - 1));
}

/// Reads two ranges of 64 MiB from a store of which each connection delivers 1 MiB in `frame`.
/// Returns the number of gets.
async fn long_ranges(answer: Duration, frame: Duration, shares: usize) -> usize {
    let mut fake = Fake::new();
    fake.get_pace = Some(GetPace { answer, frame, frame_bytes: 1 << 20 });
    let gets = Arc::clone(&fake.gets);
    let store = fake.store(ConditionalCreate::Honoured);
    let bytes: Vec<u8> = (0..64_u32 << 20).map(|at| (at % 251) as u8).collect();
    store.create("a", bytes.clone().into(), false).await.unwrap();
    gets.store(0, Ordering::SeqCst);
    let range = ObjectRange { key: "a".to_owned(), range: Some(0..64 << 20) };
    let mut read = store.read_ordered(vec![range; 2]).with_shares_ahead(shares);
    let (mut found, mut ends) = ([Vec::new(), Vec::new()], [0, 0]);
    while let Some(chunk) = read.next(1 << 20).await {
        let chunk = chunk.unwrap();
        assert_eq!(ends[chunk.number], 0, "bytes behind the end of a range");
        found[chunk.number].extend_from_slice(&chunk.bytes);
        ends[chunk.number] += usize::from(chunk.last);
    }
    assert_eq!(ends, [1, 1]);
    assert!(found[0] == bytes && found[1] == bytes);
    gets.load(Ordering::SeqCst)
}

#[tokio::test]
async fn long_ranges_are_one_stream_each_where_connections_are_fast() {
    assert_eq!(long_ranges(Duration::from_millis(300), Duration::ZERO, 16).await, 2);
}

#[tokio::test]
async fn long_ranges_are_read_in_parts_where_connections_are_slow() {
    let frame = Duration::from_millis(5);
    // 32 parts, the two streams before them, and what a stream left of a part.
    let gets = long_ranges(Duration::from_millis(5), frame, 16).await;
    assert!((33..=36).contains(&gets), "{gets}");
    // With room for one object they would come one after the other.
    assert_eq!(long_ranges(Duration::from_millis(5), Duration::from_millis(1), 1).await, 2);
}
