//! The cost of feeds, and their errors, through the library.

use rig::subject::Kind;
use stratalog::store::{ConditionalCreate, Store};
use stratalog::{LogOptions, ResumedFeed};

use super::*;

#[test]
fn feed_costs_a_create_for_each_batch_and_its_resume_a_load() {
    let world = World::new(Kind::Component);
    log_of(&world, 1, 1);
    let objects = std::sync::Arc::new(world.faulty.clone());
    let store = Store::from_object_store(objects, "faulty", ConditionalCreate::Honoured);
    let host = world.host();
    let options = || LogOptions::new().creates_max(2);
    world.runtime.block_on(async {
        world.counter.requests();
        let mut feed = host.feed(&store, "log", options()).await.unwrap();
        assert_eq!(world.counter.counts(), counts([("list", 1)]));
        let mut names = Vec::new();
        for event in ["a\n", "b\n"] {
            names.push(feed.seal(event).await.unwrap());
        }
        assert_eq!(world.counter.counts(), counts([]), "nothing is written");
        let refused = feed.seal("c\n").await.unwrap_err();
        assert!(refused.to_string().contains("start them first"), "{refused}");
        let refused = feed.wait(2).await.unwrap_err();
        assert!(refused.to_string().contains("0 were started"), "{refused}");
        feed.start().await.unwrap();
        assert_eq!(feed.wait(2).await.unwrap().events, 2);
        assert_eq!(world.counter.counts(), counts([("create batch", 2)]));
        assert_eq!((feed.started(), feed.written().batches), (2, 2));
        // There is room now.
        names.push(feed.seal("c\n").await.unwrap());
        // As if the process ended here: the third batch was never started.
        drop(feed);

        let resumed = host.resume_feed(&store, "log", options(), &names).await.unwrap();
        let ResumedFeed { mut feed, stored, may_be_trimmed, .. } = resumed;
        assert_eq!((stored, may_be_trimmed), (2, false));
        let expected = counts([("list", 2), ("get manifest", 1)]);
        assert_eq!(world.counter.counts(), expected);
        let refused = feed.seal_again("x\n", &names[2]).await.unwrap_err();
        assert!(refused.to_string().contains("are not those of"), "{refused}");
        feed.seal_again("c\n", &names[2]).await.unwrap();
        feed.start().await.unwrap();
        assert_eq!(feed.close().await.unwrap().batches, 1);
        assert_eq!(world.counter.counts(), counts([("create batch", 1)]));
        let unknown = ["manifest_1.json".to_owned()];
        assert!(host.resume_feed(&store, "log", options(), &unknown).await.is_err());
        let mut feed = host.feed(&store, "log", LogOptions::new()).await.unwrap();
        for bad in ["", "\n", "a", "a\n\n"] {
            assert!(feed.seal(bad).await.is_err(), "{bad:?}");
        }
    });
    assert_eq!(world.read("log").unwrap()[6..], ["a", "b", "c"]);
}
