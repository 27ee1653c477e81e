//! The cost of named positions.

use rig::subject::Kind;
use stratalog::store::{ConditionalCreate, Store};
use stratalog::{Host, Reader, TrimOptions, TrimPoint};

use super::*;

/// The newest positions of a name that a commit keeps.
const KEPT: usize = 16;

async fn open(host: &Host, store: &Store, name: &str) -> Reader {
    host.read_named(store, "log", name, <_>::default()).await.unwrap()
}

/// Opens the log under a name, and reads a page.
async fn read(host: &Host, store: &Store, name: &str) -> Reader {
    let mut reader = open(host, store, name).await;
    reader.next().await.unwrap();
    reader
}

#[test]
fn named_positions_cost_what_the_table_says() {
    let world = World::new(Kind::Component);
    append_batches(&world, 3);
    world.compact_with("log", NO_MERGE).unwrap();
    let objects = std::sync::Arc::new(world.faulty.clone());
    let store = Store::from_object_store(objects, "faulty", ConditionalCreate::Honoured);
    let host = world.host();
    world.runtime.block_on(async {
        world.counter.requests();
        let mut reader = open(host, &store, "app").await;
        assert_eq!(world.counter.counts(), counts([("list", 1)]));
        reader.next().await.unwrap();
        world.counter.requests();
        for commit in 1..=KEPT + 3 {
            reader.commit().await.unwrap();
            let expected = counts([
                ("list", usize::from(commit == 1)),
                ("create position", 1),
                ("get position", usize::from(commit > 1)),
                ("delete", usize::from(commit > KEPT)),
            ]);
            assert_eq!(world.counter.counts(), expected, "{commit}");
        }
        open(host, &store, "app").await;
        assert_eq!(world.counter.counts(), counts([("list", 1), ("get position", 1)]));
        read(host, &store, "other").await.commit().await.unwrap();
        world.counter.requests();
        assert_eq!(host.named_positions(&store, "log").await.unwrap().len(), 2);
        assert_eq!(world.counter.counts(), counts([("list", 1), ("get position", 2)]));

        let everything = || TrimPoint::KeepEvents(0);
        host.plan_trim(&store, "log", everything(), TrimOptions::new()).await.unwrap();
        let mut expected = world.counter.counts();
        let keeping = TrimOptions::new().keep_unread(true);
        host.plan_trim(&store, "log", everything(), keeping).await.unwrap();
        *expected.get_mut("list").unwrap() += 1;
        expected.insert("get position".to_owned(), 2);
        assert_eq!(world.counter.counts(), expected);
    });
}
