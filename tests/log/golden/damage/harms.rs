//! The kinds of damage, and the report of each.

use super::*;

/// A harmed log, and all reports of it.
pub(super) struct Harm {
    pub(super) what: &'static str,
    pub(super) harm: fn(&World),
    /// The object that a read names, the expected content and the found one.
    pub(super) damage: [&'static str; 3],
    /// The number of events read before the damage.
    pub(super) read: usize,
    /// True if a compaction of everything also names the object.
    pub(super) compact: bool,
    /// The number of events that a verification still checks.
    pub(super) checked: u64,
}

pub(super) const HARMS: &[Harm] = &[
    Harm {
        what: "a batch cut short",
        harm: |world| edit(world, BATCH, "{\"live\":2}\n", ""),
        damage: [
            BATCH,
            "2 events, xxh3 0628a850a2b64538",
            "11 bytes, 1 event, xxh3 8d44ef58359eb39e",
        ],
        read: 7,
        compact: true,
        checked: 11,
    },
    Harm {
        what: "a batch of no bytes",
        harm: |world| world.put(BATCH, ""),
        damage: [
            BATCH,
            "2 events, xxh3 0628a850a2b64538",
            "0 bytes, 0 events, xxh3 2d06800538d394c2",
        ],
        read: 7,
        compact: true,
        checked: 11,
    },
    Harm {
        what: "a batch with another digest",
        harm: |world| edit(world, BATCH, "live", "liVe"),
        damage: [
            BATCH,
            "2 events, xxh3 0628a850a2b64538",
            "22 bytes, 2 events, xxh3 edbe49873d0ff3ab",
        ],
        read: 7,
        compact: true,
        checked: 11,
    },
    Harm {
        what: "a segment cut short",
        harm: |world| edit(world, SECOND_SEGMENT, "{\"fourth\":2}\n", ""),
        damage: [SECOND_SEGMENT, "50 bytes in whole lines", "37 bytes, 13 of them in no batch"],
        read: 5,
        compact: true,
        checked: 11,
    },
    Harm {
        what: "a segment with more at its end",
        harm: |world| edit(world, SECOND_SEGMENT, "{\"fourth\":2}\n", "{\"fourth\":2}\nmore\n"),
        damage: [SECOND_SEGMENT, "50 bytes in whole lines", "55 bytes, 5 of them in no batch"],
        read: 7,
        compact: true,
        checked: 13,
    },
    Harm {
        what: "a segment with a changed event",
        harm: |world| edit(world, SECOND_SEGMENT, "third", "thIrd"),
        damage: [
            SECOND_SEGMENT,
            "batch_0001700000004000000_3c6ef35f_2_28fa111c20dc12c1.jsonl in 24 bytes, 2 events, xxh3 28fa111c20dc12c1",
            "24 bytes, 2 events, xxh3 8ec97bfcff74008c",
        ],
        read: 3,
        compact: true,
        checked: 11,
    },
    Harm {
        what: "a missing segment",
        harm: |world| world.delete(SECOND_SEGMENT),
        damage: [SECOND_SEGMENT, "an object that the manifest names", "no such object"],
        read: 3,
        compact: true,
        checked: 9,
    },
    Harm {
        what: "an index out of step with its segment",
        harm: |world| {
            let index = world.object(SECOND_INDEX);
            let (one, other) = index.trim_end().split_once('\n').unwrap();
            world.put(SECOND_INDEX, &format!("{other}\n{one}\n"));
        },
        damage: [
            SECOND_INDEX,
            "xxh3 605d0d0f1f60ca7e, as the manifest says",
            "244 bytes, xxh3 d5f8d897a85f9733",
        ],
        read: 3,
        compact: true,
        checked: 9,
    },
    Harm {
        what: "an index cut short",
        harm: |world| {
            let index = world.object(SECOND_INDEX);
            world.put(SECOND_INDEX, &index[..index.find('\n').unwrap() + 1]);
        },
        damage: [
            SECOND_INDEX,
            "xxh3 605d0d0f1f60ca7e, as the manifest says",
            "122 bytes, xxh3 fe25c9d6c9569f6e",
        ],
        read: 3,
        compact: true,
        checked: 9,
    },
    Harm {
        what: "an index with a line that is broken",
        harm: |world| edit(world, INDEX, "\"}\n{\"batch\"", "\"}\n{\"bat"),
        damage: [
            INDEX,
            "xxh3 a19c4e5aec4d9b29, as the manifest says",
            "241 bytes, xxh3 35e5aa12de1021ce",
        ],
        read: 0,
        compact: true,
        checked: 10,
    },
    Harm {
        what: "an index cut within a line",
        harm: |world| {
            let index = world.object(INDEX);
            world.put(INDEX, &index[..index.len() - 20]);
        },
        damage: [
            INDEX,
            "xxh3 a19c4e5aec4d9b29, as the manifest says",
            "224 bytes, xxh3 341f4f67c1022dba",
        ],
        read: 0,
        compact: true,
        checked: 10,
    },
    Harm {
        what: "a missing index",
        harm: |world| world.delete(SECOND_INDEX),
        damage: [SECOND_INDEX, "an object that the manifest names", "no such object"],
        read: 3,
        compact: true,
        checked: 9,
    },
    Harm {
        what: "a manifest that is not JSON",
        harm: |world| world.put(MANIFEST, "manifest"),
        damage: [MANIFEST, "a manifest in JSON", "expected value at line 1 column 1"],
        read: 0,
        compact: true,
        checked: 6,
    },
    Harm {
        what: "a manifest with a gap in its positions",
        harm: |world| forge(world, MANIFEST, "\"position\":8", "\"position\":9"),
        damage: [
            MANIFEST,
            "a segment at position 8",
            "segment_0000000000000000003_9f2ec686_0000.jsonl at position 9",
        ],
        read: 0,
        compact: true,
        checked: 6,
    },
    Harm {
        what: "a manifest of another generation",
        harm: |world| forge(world, MANIFEST, "\"generation\":4", "\"generation\":5"),
        damage: [MANIFEST, "the generation of its name", "generation 5"],
        read: 0,
        compact: true,
        checked: 6,
    },
    Harm {
        what: "a missing index of a trimmed segment",
        harm: |world| world.delete(RETIRED_INDEX),
        damage: [RETIRED_INDEX, "an object that belongs to the log", "no such object"],
        read: EVENTS.len(),
        compact: true,
        checked: 13,
    },
    Harm {
        what: "an index of a trimmed segment that is not one",
        harm: |world| world.put(RETIRED_INDEX, "index\n"),
        damage: [
            RETIRED_INDEX,
            "xxh3 64ecbf3a27801e30, as the manifest says",
            "6 bytes, xxh3 aa5f6a94f4763356",
        ],
        read: EVENTS.len(),
        compact: false,
        checked: 13,
    },
    Harm {
        what: "a missing manifest of before",
        harm: |world| world.delete(OLDER_MANIFEST),
        damage: [OLDER_MANIFEST, "a manifest", "no such object"],
        read: EVENTS.len(),
        compact: true,
        checked: 13,
    },
    Harm {
        what: "a manifest of before that is not JSON",
        harm: |world| world.put(OLDER_MANIFEST, "{}"),
        damage: [OLDER_MANIFEST, "a manifest in JSON", "missing field `format` at line 1 column 2"],
        read: EVENTS.len(),
        compact: false,
        checked: 13,
    },
    Harm {
        what: "a manifest with a changed digit",
        harm: |world| edit(world, MANIFEST, "\"first_position\":5", "\"first_position\":6"),
        damage: [
            MANIFEST,
            "xxh3 8309940f9626661e of the text before the digest",
            "xxh3 ec1a999644b479ec",
        ],
        read: 0,
        compact: true,
        checked: 6,
    },
    Harm {
        what: "a manifest of before that is not the one that was committed",
        harm: |world| forge(world, OLDER_MANIFEST, "6252e503\",\"prev", "6252e504\",\"prev"),
        damage: [
            OLDER_MANIFEST,
            "xxh3 51622e2a32907fad, as manifest_0000000000000000003.json says",
            "xxh3 e0e4cd97c560ebc9",
        ],
        read: EVENTS.len(),
        compact: false,
        checked: 13,
    },
    Harm {
        what: "a manifest of another log",
        harm: |world| forge(world, MANIFEST, "d1ccf6e9aaf95334", "d1ccf6e9aaf95335"),
        damage: [
            MANIFEST,
            "the identity d1ccf6e9aaf95334 of the earlier manifests",
            "d1ccf6e9aaf95335",
        ],
        read: EVENTS.len(),
        compact: false,
        checked: 13,
    },
    Harm {
        what: "a manifest that counts less than the one before",
        harm: |world| forge(world, MANIFEST, "\"absorbed_bytes\":148", "\"absorbed_bytes\":14"),
        damage: [
            MANIFEST,
            "at least positions 5 to 8 and 98 bytes absorbed, as in \
             manifest_0000000000000000003.json",
            "positions 5 to 12 and 14 bytes absorbed",
        ],
        read: EVENTS.len(),
        compact: false,
        checked: 13,
    },
];
