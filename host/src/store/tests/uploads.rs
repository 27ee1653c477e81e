//! Writing large objects.

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt as _;

use super::{Fake, TempFolder, keys, not_implemented, stores};
use crate::store::{
    ConditionalCreate as C, PART_BYTES, StoreErrorKind as Kind, UPLOAD_BUFFERED_BYTES_MAX,
    WriteError,
};

fn pattern(from: usize, count: usize) -> Bytes {
    (from..from + count).map(|i| (i % 249) as u8).collect::<Vec<u8>>().into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn upload_of_any_size_reads_back() {
    let (_folder, stores) = stores();
    for (name, store) in stores {
        let sizes = [0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES, 20_000_000];
        for (size, step) in
            sizes.into_iter().zip([1, 1, 70_000, 1 << 20, 999_983, 50_000_000, 49_999])
        {
            let key = format!("u/{size}");
            let mut upload = store.start_upload(&key).await.unwrap();
            let mut from = 0;
            while from < size {
                let count = step.min(size - from);
                upload.write(pattern(from, count)).await.unwrap();
                from += count;
            }
            assert!(store.get(&key, None).await.is_err(), "{name}: visible too early");
            upload.finish().await.unwrap();
            assert!(store.get(&key, None).await.unwrap() == pattern(0, size), "{name}: {size}");
        }
    }
}

#[tokio::test]
async fn upload_below_a_part_is_one_create() {
    let fake = Fake::new();
    let log = Arc::clone(&fake.log);
    let store = fake.store(C::Honoured);
    let mut upload = store.start_upload("a").await.unwrap();
    upload.write(pattern(0, PART_BYTES)).await.unwrap();
    upload.finish().await.unwrap();
    assert_eq!(*log.lock().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn upload_onto_an_existing_key_changes_nothing() {
    let (_folder, stores) = stores();
    for (name, store) in stores {
        store.create("a", Bytes::from_static(b"old"), false).await.unwrap();
        for size in [3, PART_BYTES + 5] {
            let mut upload = store.start_upload("a").await.unwrap();
            upload.write(pattern(0, size)).await.unwrap();
            assert_eq!(upload.finish().await, Err(WriteError::AlreadyExists), "{name}");
            assert_eq!(store.get("a", None).await.unwrap(), "old", "{name}");
        }
    }
}

#[tokio::test]
async fn upload_aborted_or_dropped_leaves_nothing() {
    let temp = TempFolder::new();
    let store = temp.store();
    for is_aborted in [true, false] {
        let mut upload = store.start_upload("log/a").await.unwrap();
        upload.write(pattern(0, 2 * PART_BYTES + 7)).await.unwrap();
        if is_aborted {
            upload.abort().await;
        } else {
            drop(upload);
        }
        let mut left = 1;
        for _ in 0..100_000 {
            left = std::fs::read_dir(temp.0.join("log")).unwrap().count();
            if left == 0 {
                break;
            }
            tokio::task::spawn_blocking(std::thread::yield_now).await.unwrap();
        }
        assert_eq!(left, 0, "aborted: {is_aborted}");
        assert!(keys(&store.list("log/", None, 10).await.unwrap()).is_empty());
    }
}

#[tokio::test]
async fn upload_to_a_store_without_parts_is_buffered_up_to_its_limit() {
    let mut fake = Fake::new().on_put(|_, mode| match mode {
        object_store::PutMode::Create => super::OnPut::Fail(not_implemented()),
        _ => super::OnPut::Pass,
    });
    fake.has_multipart = false;
    let store = fake.store(C::Absent);
    let mut upload = store.start_upload("a").await.unwrap();
    for i in 0..3 {
        upload.write(pattern(i * PART_BYTES, PART_BYTES)).await.unwrap();
    }
    upload.finish().await.unwrap();
    assert!(store.get("a", None).await.unwrap() == pattern(0, 3 * PART_BYTES));

    let mut upload = store.start_upload("b").await.unwrap();
    let big = Bytes::from(vec![0; UPLOAD_BUFFERED_BYTES_MAX]);
    upload.write(big).await.unwrap();
    let refused = upload.write(Bytes::from_static(b"x")).await;
    let Err(WriteError::NotWritten(error)) = &refused else {
        panic!("{refused:?}");
    };
    assert_eq!(error.kind, Kind::Unsupported);
    assert_eq!(upload.write(Bytes::new()).await, refused);
    assert_eq!(upload.finish().await, refused);
    assert!(store.get("b", None).await.is_err());
}

#[tokio::test]
async fn upload_whose_write_was_dropped_half_way_is_over() {
    let store = Fake::new().store(C::Honoured);
    let mut upload = store.start_upload("a").await.unwrap();
    upload.write(pattern(0, 10)).await.unwrap();
    // Two parts are in flight by then, and the third one waits.
    let dropped = upload.write(pattern(10, 4 * PART_BYTES)).now_or_never();
    assert_eq!(dropped, None);
    for outcome in [upload.write(pattern(0, 1)).await, upload.finish().await] {
        match outcome {
            Err(WriteError::NotWritten(error)) => {
                let expected = "a write was dropped before its end: upload the object again";
                assert!(error.message.contains(expected), "{error}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(store.get("a", None).await.unwrap_err().kind, Kind::NotFound);
}
