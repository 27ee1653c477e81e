//! The requests of finding logs. `host/src/log/logs/tests.rs` counts those of a store that lists
//! all keys together.

use rig::subject::on_both;

use super::{append_batches, counts};

#[test]
fn logs_cost_a_list_of_each_folder_and_no_get() {
    on_both(|world| {
        append_batches(world, 3);
        world.compact("log").unwrap();
        append_batches(world, 2);
        for folder in ["a", "b", "b/c"] {
            world.put(&format!("{folder}/notes.txt"), "no log");
        }
        world.counter.requests();
        let found = world.logs("", false).unwrap();
        assert_eq!(found.len(), 1);
        // The root, `log`, `a`, `b` and `b/c`.
        assert_eq!(world.counter.counts(), counts([("list", 5)]));
        // The root, and the folders directly in it.
        assert_eq!(world.logs("", true).unwrap().len(), 1);
        assert_eq!(world.counter.counts(), counts([("list", 4)]));
    });
}
