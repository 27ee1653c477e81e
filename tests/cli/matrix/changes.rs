//! The changes of objects between the two parts of a case, by case: damage, and what crashes leave.

use rig::tools::cache_folder;
use stratalog::{CompactOptions, Host};

use super::objects::Objects;

type Change = fn(&Objects, &str);

const CHANGES: [(&str, Change); 11] = [
    ("cut-batch-is-damage", |objects, log| {
        objects.alter(&objects.keys(log, "batch_")[1], |bytes| bytes.truncate(bytes.len() - 3));
    }),
    ("altered-batch-is-damage", |objects, log| {
        objects.alter(&objects.keys(log, "batch_")[1], |bytes| bytes[0] ^= 1);
    }),
    ("confirmed-batch-that-is-gone-is-damage", |objects, log| {
        objects.delete(&objects.keys(log, "batch_")[1]);
    }),
    ("altered-segment-is-damage", |objects, log| {
        objects.alter(&segment(objects, log, ".jsonl"), |bytes| bytes[0] ^= 1);
    }),
    ("missing-segment-is-damage", |objects, log| {
        objects.delete(&segment(objects, log, ".jsonl"));
    }),
    ("missing-index-is-a-finding", |objects, log| {
        objects.delete(&segment(objects, log, ".index"));
    }),
    ("altered-manifest-is-damage", |objects, log| {
        objects.alter(&objects.keys(log, "manifest_")[0], |bytes| bytes[20] ^= 1);
    }),
    ("segment-of-a-crashed-compaction-is-not-read", |objects, log| {
        for kind in [".jsonl", ".index"] {
            let bytes = objects.get(&segment(objects, log, kind));
            objects.put(&format!("{log}/segment_{:019}_deadbeef_0000{kind}", 2), bytes);
        }
    }),
    ("batches-that-a-crash-left-are-read-once", |objects, log| {
        let batches: Vec<_> = objects.keys(log, "batch_");
        let batches: Vec<_> = batches.into_iter().map(|key| (objects.get(&key), key)).collect();
        let host = Host::builder().cache_folder(cache_folder()).build().unwrap();
        let options = CompactOptions::new();
        let done = objects.runtime.block_on(host.compact(&objects.store, log, &options)).unwrap();
        assert_eq!(done.batches, 3);
        batches.into_iter().for_each(|(bytes, key)| objects.put(&key, bytes));
    }),
    ("batch-of-the-predecessor-is-read", |objects, log| {
        objects.put(&format!("{log}/batch_0001600000000000001.jsonl"), b"old 1\nold 2\n".to_vec());
    }),
    ("foreign-object-is-ignored", |objects, log| {
        objects.put(&format!("{log}/notes.txt"), b"not of the log".to_vec());
    }),
];

fn segment(objects: &Objects, log: &str, kind: &str) -> String {
    let keys = objects.keys(log, "segment_");
    keys.into_iter().find(|key| key.ends_with(kind)).unwrap()
}

/// Changes the log of a case, if it is one whose objects change.
pub(super) fn change(objects: &Objects, case: &str) {
    if let Some((_, change)) = CHANGES.iter().find(|(name, _)| *name == case) {
        change(objects, case);
    }
}

/// Returns the cases whose objects change.
pub(super) fn changed() -> Vec<String> {
    CHANGES.iter().map(|(name, _)| (*name).to_owned()).collect()
}
