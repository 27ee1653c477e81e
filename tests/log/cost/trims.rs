//! The cost of trims, and the work that they leave to a compaction.

use rig::records::time;

use super::*;

#[test]
fn trim_costs_lists_a_commit_and_a_rewrite_of_the_segment_it_cuts() {
    on_both(|world| {
        log_of(world, 5, 2);
        let start = 1_700_000_000_000_000;
        for (point, lazy, indexes, rewrites, deletes) in [
            (TrimPoint::Position("1".to_owned()), false, 1, 1, 1),
            (TrimPoint::Position("5".to_owned()), false, 1, 1, 1),
            // The second segment was written in seconds 3 and 4.
            (TrimPoint::Time(time(start + 4_000_000)), false, 1, 1, 1),
            (TrimPoint::Time(time(start + 7_000_000)), false, 0, 0, 1),
            (TrimPoint::KeepEvents(8), false, 0, 0, 1),
            // A lazy trim removes nothing.
            (TrimPoint::KeepEvents(6), true, 0, 0, 0),
        ] {
            let shown = format!("{point:?}");
            world.counter.requests();
            let planned = world.plan_trim("log", point.clone(), lazy).unwrap();
            let looked: usize = world.counter.counts().values().sum();
            assert!(looked <= 3 + indexes + rewrites, "{shown}: {looked}");
            let done = world.trim_with("log", point, lazy).unwrap();
            assert!(done.events > 0 && done == planned, "{shown}: {done:?}, {planned:?}");
            let mut expected = runs([
                ("list", 2),
                ("get manifest", 1),
                ("get index", indexes),
                ("get segment", rewrites),
                ("create index", rewrites),
                ("create segment", rewrites),
                ("list", rewrites),
                ("create manifest", 1),
                ("list", 1),
                ("get marker", 1),
                ("delete", deletes),
            ]);
            expected.retain(|(_, count)| *count > 0);
            assert_eq!(in_order(world), expected, "{shown}");
        }
        assert_eq!(world.trim_lazily("log", TrimPoint::KeepEvents(6)).unwrap().events, 0);
        assert_eq!(world.counter.counts(), counts([("list", 2), ("get manifest", 1)]));
    });
}

#[test]
fn trim_of_live_batches_costs_a_compaction_of_them_more() {
    on_both(|world| {
        log_of(world, 2, 3);
        world.counter.requests();
        // No event of the third batch is trimmed.
        let done = world.trim("log", TrimPoint::KeepEvents(3)).unwrap();
        assert_eq!((done.absorbed_batches, done.events), (2, 11));
        let expected = runs([
            ("list", 2),
            ("get manifest", 1),
            ("get batch", 2),
            ("create index", 1),
            ("create segment", 1),
            ("list", 1),
            ("create manifest", 1),
            ("list", 1),
            ("get marker", 1),
            ("delete", 1),
            ("list", 2),
            ("get manifest", 1),
            ("get index", 1),
            ("get segment", 1),
            ("create index", 1),
            ("create segment", 1),
            ("list", 1),
            ("create manifest", 1),
            ("list", 1),
            ("get marker", 1),
            ("delete", 1),
        ]);
        assert_eq!(in_order(world), expected);
    });
}

#[test]
fn compaction_after_a_lazy_trim_costs_a_rewrite_of_its_segment() {
    on_both(|world| {
        log_of(world, 3, 0);
        world.trim_lazily("log", TrimPoint::Position("3".to_owned())).unwrap();
        world.counter.requests();
        assert_eq!(world.compact_with("log", NO_MERGE).unwrap().segments, 1);
        let expected = runs([
            ("list", 2),
            ("get manifest", 1),
            ("get index", 1),
            ("get segment", 1),
            ("create index", 1),
            ("create segment", 1),
            ("list", 1),
            ("create manifest", 1),
            ("list", 1),
            ("get marker", 1),
            ("delete", 1),
        ]);
        assert_eq!(in_order(world), expected);
    });
}
