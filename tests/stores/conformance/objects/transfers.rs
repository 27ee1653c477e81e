//! Reads of ranges and of many objects, and uploads.

use super::*;

pub(super) fn ranges_are_exact_or_refused(bench: &Bench) {
    let bytes: Vec<u8> = (0..700_000_u32).map(|n| (n % 251) as u8).collect();
    bench.create("a/key", bytes.clone()).unwrap();
    let get = |range: Range<u64>| bench.store.get("a/key", Some(range));
    for range in [0..1_u64, 0..700_000, 5..600_000, 699_999..700_000] {
        let expected = &bytes[range.start as usize..range.end as usize];
        assert!(get(range.clone()).unwrap() == expected, "{range:?}");
    }
    for range in [0..700_001_u64, 700_000..700_001, 900_000..900_001] {
        let error = get(range.clone()).unwrap_err();
        assert_eq!(error.kind, Kind::Invalid, "{range:?}: {error}");
    }
}

/// Only the host reads parts: they serve objects to a browser.
pub(super) fn parts_end_with_the_object_and_tell_its_size(bench: &Bench) {
    let HostObjects { store, runtime } = &bench.vouched;
    bench.vouched.create("a/object", "0123456789".into(), false).unwrap();
    bench.vouched.create("a/empty", "".into(), false).unwrap();
    let part = |key: &str, start, bytes_max| {
        let found = runtime.block_on(store.get_part(key, start, bytes_max));
        found.map(|part| (part.bytes, part.size)).map_err(|error| error.kind)
    };
    for (start, bytes_max, bytes) in
        [(0, 4, "0123"), (0, 10, "0123456789"), (0, 4096, "0123456789"), (7, u64::MAX, "789")]
    {
        assert_eq!(part("a/object", start, bytes_max), Ok((bytes.into(), 10)), "{start}");
    }
    assert_eq!(part("a/object", 10, 1), Err(Kind::Invalid));
    assert_eq!(part("a/empty", 0, 4096), Ok(("".into(), 0)));
    assert_eq!(part("a/missing", 0, 4096), Err(Kind::NotFound));
}

pub(super) fn ordered_reads_keep_the_order(bench: &Bench) {
    let object = |n: usize| match n {
        40 => String::new(),
        n => format!("{n} ").repeat(1 + (n * 7_919) % 40_000),
    };
    let mut ranges = Vec::new();
    for n in 0..41 {
        let key = format!("o/{n}");
        bench.create(&key, object(n)).unwrap();
        let range = (n % 3 == 0).then(|| 1..object(n).len() as u64);
        ranges.push(ObjectRange { key, range });
    }
    for bytes_max in [1_024, 10_000, 64 << 20] {
        let mut read = bench.store.read(ranges.clone());
        let (mut found, mut ends) = (vec![Vec::new(); 41], vec![0; 41]);
        let mut before = 0;
        while let Some(chunk) = read.next(bytes_max) {
            let chunk = chunk.unwrap();
            assert!(chunk.number >= before, "out of order");
            assert!(chunk.bytes.len() <= usize::try_from(bytes_max).unwrap());
            before = chunk.number;
            found[chunk.number].extend_from_slice(&chunk.bytes);
            ends[chunk.number] += usize::from(chunk.last);
        }
        assert!(read.next(bytes_max).is_none());
        assert_eq!(ends, [1; 41], "by {bytes_max}");
        for (n, wanted) in ranges.iter().enumerate() {
            let start = wanted.range.as_ref().map_or(0, |range| range.start as usize);
            assert!(found[n] == object(n).as_bytes()[start..], "range {n} by {bytes_max}");
        }
    }
}

pub(super) fn ordered_read_ends_with_the_range_that_fails(bench: &Bench) {
    bench.create("o/1", "one").unwrap();
    let whole = |key: &str| ObjectRange { key: key.to_owned(), range: None };
    let cases = [
        (vec![whole("o/1"), whole("o/none"), whole("o/1")], 1, Kind::NotFound),
        (vec![ObjectRange { key: "o/1".to_owned(), range: Some(0..4) }], 0, Kind::Invalid),
    ];
    for (ranges, number, kind) in cases {
        let mut read = bench.store.read(ranges);
        let failure = loop {
            match read.next(1 << 20).unwrap() {
                Ok(chunk) => assert_eq!((chunk.number, &chunk.bytes[..]), (0, &b"one"[..])),
                Err(failure) => break failure,
            }
        };
        assert_eq!((failure.number, failure.error.kind), (number, kind), "{failure}");
        assert!(read.next(1 << 20).is_none());
    }
}

pub(super) fn uploads_of_any_size_appear_whole_at_their_end(bench: &Bench) {
    const MIB: usize = 1024 * 1024;
    for size in [0, 10, 8 * MIB, 8 * MIB + 1, 17 * MIB] {
        let bytes: Vec<u8> = (0..size).map(|n| (n % 241) as u8).collect();
        let key = format!("u/{size}");
        let mut upload = bench.store.start_upload(&key).unwrap();
        for piece in bytes.chunks(MIB - 3) {
            upload.write(Bytes::copy_from_slice(piece)).unwrap();
        }
        assert_eq!(bench.get(&key), Err(Kind::NotFound), "{size} bytes were there too early");
        upload.finish().unwrap();
        assert!(bench.get(&key).unwrap() == bytes, "{size} bytes");
    }
}

pub(super) fn upload_that_is_dropped_leaves_nothing(bench: &Bench) {
    let upload = || {
        let mut upload = bench.store.start_upload("u/key").unwrap();
        upload.write(Bytes::from(vec![1; 9_000_000])).unwrap();
        upload
    };
    drop(upload());
    assert_eq!(bench.keys("u/", None, 10).0, [""; 0]);
    assert_eq!(bench.get("u/key"), Err(Kind::NotFound));
    // Nor does it replace an object that is there before its end.
    let late = upload();
    match bench.create("u/key", "first") {
        // Azurite takes the blocks of the upload for the object. None is there to be replaced.
        Err(WriteError::Unknown(_)) => assert_eq!(bench.get("u/key"), Err(Kind::NotFound)),
        created => {
            assert_eq!(created, Ok(()));
            assert_eq!(late.finish(), Err(WriteError::AlreadyExists));
            assert_eq!(bench.get("u/key").unwrap(), "first");
        }
    }
}

pub(super) fn objects_of_64_mib_are_the_largest_of_one_call(bench: &Bench) {
    const MIB_64: usize = 64 << 20;
    let content = Bytes::from(vec![b'\n'; MIB_64 + 1]);
    let store = &bench.store;
    store.start_create("a/full", content.slice(1..), false).wait().unwrap();
    assert_eq!(bench.get("a/full").unwrap().len(), MIB_64);
    for created in [
        store.create("a/over", content.clone(), false),
        store.start_create("a/over", content.clone(), false).wait(),
    ] {
        let Err(WriteError::NotWritten(error)) = created else { panic!("{created:?}") };
        assert_eq!(error.kind, Kind::Invalid, "{error}");
    }
    let mut upload = store.start_upload("a/over").unwrap();
    upload.write(content).unwrap();
    upload.finish().unwrap();
    assert_eq!(bench.get("a/over"), Err(Kind::Invalid));
}
