//! The cost of copies and of mirrors.

use stratalog::TrimPoint;

use super::{append_batches, counts, log_of};
use rig::subject::{NO_MERGE, on_both};

#[test]
fn copy_costs_a_get_and_a_create_for_each_object() {
    on_both(|world| {
        log_of(world, 2, 3);
        world.counter.requests();
        assert_eq!(world.copy("log", "copy").unwrap(), 4 + 2 + 3);
        let first = [
            ("list", 13),
            ("get manifest", 5),
            ("get mark", 1),
            ("create mark", 1),
            ("get index", 2),
            ("get segment", 2),
            ("get batch", 3),
            ("create index", 2),
            ("create segment", 2),
            ("create manifest", 2),
            ("create batch", 3),
            ("get marker", 1),
        ];
        assert_eq!(world.counter.counts(), counts(first));
        assert_eq!(world.copy("log", "copy").unwrap(), 0);
        let idle = [("list", 5), ("get manifest", 2), ("get mark", 1)];
        assert_eq!(world.counter.counts(), counts(idle));
        append_batches(world, 2);
        world.counter.requests();
        assert_eq!(world.copy("log", "copy").unwrap(), 2);
        let batches = [
            ("list", 5),
            ("get manifest", 2),
            ("get mark", 1),
            ("get batch", 2),
            ("create batch", 2),
        ];
        assert_eq!(world.counter.counts(), counts(batches));
        world.compact_with("log", NO_MERGE).unwrap();
        world.counter.requests();
        // The batches of the mirror are looked up in the index of the new segment.
        assert_eq!(world.copy("log", "copy").unwrap(), 2 + 1);
        let compacted = [
            ("list", 8),
            ("get manifest", 4),
            ("get mark", 1),
            ("get index", 3),
            ("get segment", 1),
            ("create index", 1),
            ("create segment", 1),
            ("create manifest", 1),
            ("get marker", 1),
            ("delete", 1),
        ];
        assert_eq!(world.counter.counts(), counts(compacted));
        world.trim("log", TrimPoint::KeepEvents(4)).unwrap();
        world.copy("log", "copy").unwrap();
        assert_eq!(world.read("copy").unwrap(), world.read("log").unwrap());
    });
}

#[test]
fn promote_costs_a_load_and_a_create() {
    on_both(|world| {
        log_of(world, 2, 0);
        world.copy("log", "copy").unwrap();
        assert_eq!(world.source_of_mirror("copy").unwrap().as_deref(), Some("the source"));
        world.counter.requests();
        assert!(world.promote("copy").unwrap());
        let promoted = [("list", 2), ("get manifest", 1), ("get mark", 1), ("create mark", 1)];
        assert_eq!(world.counter.counts(), counts(promoted));
        assert_eq!(world.source_of_mirror("copy").unwrap(), None);
        append_batches(world, 1);
        world.compact("copy").unwrap();
        assert!(world.verify("copy").unwrap().0.is_empty());
    });
}
