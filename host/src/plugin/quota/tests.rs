use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::FutureExt as _;
use object_store::memory::InMemory;
use object_store::throttle::{ThrottleConfig, ThrottledStore};

use super::ledger::{FULL_FOR, Ledger};
use super::{ObjectQuota, Quota, WriterShare};
use crate::error::Error;
use crate::plugin::rights::{Right, Rights};
use crate::sandbox::bindings::stratalog::log::object_store::StoreErrorKind;
use crate::sandbox::imports::access::WriteQuota as _;
use crate::sandbox::memory::Memory;
use crate::store::{ConditionalCreate, Space, Store};

const QUOTA: u64 = 16_000;

fn ledger(store: &Store) -> Arc<Ledger> {
    ledger_of(Quota::bytes(QUOTA), store)
}

fn ledger_of(quota: Quota, store: &Store) -> Arc<Ledger> {
    let memory = Memory::of_plugin(1 << 20);
    Ledger::new(quota, ("errors".into(), "app/errors"), store, &memory)
}

async fn create(store: &Store, name: &str, bytes: usize) {
    let key = format!("app/errors/{name}");
    store.create(&key, Bytes::from(vec![b'x'; bytes]), false).await.unwrap();
}

/// Appends events of 100 bytes until one is refused; returns their number.
async fn fill(share: &Arc<WriterShare>) -> u64 {
    let mut accepted = 0;
    loop {
        match share.accept(100).await {
            Ok(bytes) => bytes.keep(),
            Err(Error::LimitReached(_)) => return accepted,
            Err(error) => panic!("{error}"),
        }
        accepted += 1;
    }
}

fn age_of_listing(ledger: &Ledger, past: Duration) {
    let at = Instant::now().checked_sub(past).unwrap();
    ledger.lock().found.as_mut().unwrap().at = at;
}

#[tokio::test]
async fn writes_of_others_are_found_after_a_quarter_of_the_room() {
    let store = Store::memory();
    let share = WriterShare::open(&ledger(&store)).await.unwrap();
    create(&store, "batch_of_another", 16_000).await;
    assert_eq!(fill(&share).await, 40, "a quarter of the quota, in hundreds");
    let late = WriterShare::open(&ledger(&store)).await.unwrap();
    assert_eq!(fill(&late).await, 0);
    let store = Store::memory();
    create(&store, "batch_of_another", 8_000).await;
    let share = WriterShare::open(&ledger(&store)).await.unwrap();
    create(&store, "batch_of_another_2", 8_000).await;
    assert_eq!(fill(&share).await, 20, "a quarter of what remained");
}

#[tokio::test]
async fn call_that_may_need_a_listing_is_not_decided_without_one() {
    let store = Store::memory();
    let ledger = ledger(&store);
    let share = WriterShare::open(&ledger).await.unwrap();
    assert!(share.accept_now(4_100).unwrap().is_none(), "more than a quarter");
    share.accept(16_000).await.unwrap().keep();
    age_of_listing(&ledger, FULL_FOR);
    assert!(share.accept_now(100).unwrap().is_none(), "others may have made room");
    assert!(share.accept(100).await.is_err());
    assert!(share.accept_now(100).is_err(), "listed just now");
}

#[tokio::test]
async fn every_object_counts_however_many_there_are() {
    let store = Store::memory();
    for number in 0..10_500 {
        create(&store, &format!("batch_{number}"), 1).await;
    }
    let ledger = ledger(&store);
    let _share = WriterShare::open(&ledger).await.unwrap();
    let used = ledger.usage().unwrap();
    assert_eq!((used.objects, used.bytes), (10_500, 10_500));
}

#[tokio::test]
async fn room_that_others_made_is_found_once_a_second() {
    let store = Store::memory();
    create(&store, "batch_of_another", 16_000).await;
    let ledger = ledger(&store);
    let share = WriterShare::open(&ledger).await.unwrap();
    assert_eq!(fill(&share).await, 0);
    store.delete(vec!["app/errors/batch_of_another".to_owned()]).await;
    assert_eq!(fill(&share).await, 0, "listed less than a second ago");
    age_of_listing(&ledger, FULL_FOR);
    assert_eq!(fill(&share).await, 160);
}

#[tokio::test]
async fn room_that_the_run_made_is_found_immediately() {
    let store = Store::memory();
    create(&store, "batch_of_another", 16_000).await;
    let ledger = ledger(&store);
    let share = WriterShare::open(&ledger).await.unwrap();
    assert_eq!(fill(&share).await, 0);
    let own = ledger.counting_store();
    own.delete(vec!["app/errors/batch_of_another".to_owned()]).await;
    assert_eq!(fill(&share).await, 160);
}

/// A batch counts once: as accepted events, as a create, or as listed.
#[tokio::test]
async fn events_count_once_on_their_way_to_the_store() {
    let store = Store::memory();
    let ledger = ledger(&store);
    let share = WriterShare::open(&ledger).await.unwrap();
    let used = || ledger.usage().map(|used| (used.objects, used.bytes)).unwrap();
    let bytes = share.accept_now(300).unwrap().expect("room");
    assert_eq!(used(), (1, 300));
    drop(bytes);
    assert_eq!(used(), (0, 0), "given back");
    share.accept_now(300).unwrap().expect("room").keep();
    create(&share.store(), "batch_1", 200).await;
    assert_eq!(used(), (2, 300));
    create(&share.store(), "batch_2", 100).await;
    create(&ledger.counting_store(), "manifest_1", 50).await;
    assert_eq!(used(), (3, 350));
    age_of_listing(&ledger, FULL_FOR);
    assert!(share.accept(1_000_000).await.is_err());
    assert_eq!(used(), (3, 350), "listed");
    let other = WriterShare::open(&ledger).await.unwrap();
    other.accept_now(7).unwrap().expect("room").keep();
    assert_eq!(used(), (4, 357));
    drop(other);
    assert_eq!(used(), (3, 350), "its last events were lost");
}

#[tokio::test]
async fn events_whose_write_is_in_doubt_count_until_they_are_written() {
    let slow =
        ThrottleConfig { wait_put_per_call: Duration::from_secs(3600), ..Default::default() };
    let slow = Arc::new(ThrottledStore::new(InMemory::new(), slow));
    let store = Store::from_object_store(slow.clone(), "slow", ConditionalCreate::Honoured);
    let ledger = ledger(&store);
    let share = WriterShare::open(&ledger).await.unwrap();
    let used = || ledger.usage().map(|used| (used.objects, used.bytes)).unwrap();
    share.accept_now(300).unwrap().expect("room").keep();
    let of_log = share.store();
    assert!(create(&of_log, "batch_1", 300).now_or_never().is_none());
    assert_eq!(used(), (2, 600), "perhaps written, and to be repeated");
    age_of_listing(&ledger, FULL_FOR);
    assert!(share.accept(1_000_000).await.is_err());
    assert_eq!(used(), (1, 300), "listed");
    slow.config_mut(|config| config.wait_put_per_call = Duration::ZERO);
    create(&of_log, "batch_1", 300).await;
    assert_eq!(used(), (1, 300));
}

/// A create that ends during a listing is in it, perhaps. So the log is listed again before an
/// append is refused.
#[tokio::test]
async fn write_that_ends_during_a_listing_takes_no_room_twice() {
    let slow = ThrottleConfig {
        wait_put_per_call: Duration::from_millis(20),
        wait_list_per_call: Duration::from_millis(60),
        wait_list_with_delimiter_per_call: Duration::from_millis(60),
        ..Default::default()
    };
    let slow = ThrottledStore::new(InMemory::new(), slow);
    let store = Store::from_object_store(Arc::new(slow), "slow", ConditionalCreate::Honoured);
    let ledger = ledger(&store);
    let share = WriterShare::open(&ledger).await.unwrap();
    share.accept(8_000).await.unwrap().keep();
    age_of_listing(&ledger, FULL_FOR);
    let of_log = share.store();
    let writes = create(&of_log, "batch_1", 8_000);
    let (accepted, ()) = futures::join!(fill(&share), writes);
    assert_eq!(accepted, 80);
    let used = ledger.usage().unwrap();
    assert_eq!((used.objects, used.bytes), (2, QUOTA));
}

/// A run that writes during each listing is refused nevertheless, by the fourth.
#[tokio::test]
async fn last_of_several_listings_is_believed_although_the_run_writes() {
    let slow = ThrottleConfig {
        wait_put_per_call: Duration::from_millis(5),
        wait_list_per_call: Duration::from_millis(20),
        wait_list_with_delimiter_per_call: Duration::from_millis(20),
        ..Default::default()
    };
    let slow = ThrottledStore::new(InMemory::new(), slow);
    let store = Store::from_object_store(Arc::new(slow), "slow", ConditionalCreate::Honoured);
    let ledger = ledger(&store);
    let share = WriterShare::open(&ledger).await.unwrap();
    age_of_listing(&ledger, FULL_FOR);
    let listed = || ledger.lock().found.as_ref().unwrap().at;
    let (own, mut listings) = (ledger.counting_store(), BTreeSet::from([listed()]));
    let writes = async {
        for number in 0.. {
            create(&own, &format!("manifest_{number}"), 1).await;
            // The ledger sees that no write is in progress.
            tokio::task::yield_now().await;
            listings.insert(listed());
        }
    };
    let refused = tokio::select! {
        biased;
        accepted = share.accept(1_000_000) => accepted.err(),
        () = writes => None,
    };
    assert!(matches!(refused, Some(Error::LimitReached(_))), "{refused:?}");
    listings.insert(listed());
    assert_eq!(listings.len(), 1 + 4);
}

#[tokio::test]
async fn positions_have_twice_the_objects_that_were_found_first() {
    for (found, most) in [(0, 2 + 16), (10, 2 * 10 + 16)] {
        let store = Store::memory();
        for number in 0..found {
            create(&store, &format!("batch_{number}"), 1).await;
        }
        let ledger = ledger_of(Quota::bytes(QUOTA).objects(1), &store);
        let own = ledger.counting_store();
        let mut objects = found;
        while ledger.check_commit().await.is_ok() {
            create(&own, &format!("position_{objects}"), 1).await;
            objects += 1;
            assert!(objects < 1_000, "no commit is refused");
        }
        assert_eq!(objects, most);
        // A later listing changes nothing.
        age_of_listing(&ledger, FULL_FOR);
        assert!(ledger.check_commit().await.is_err());
    }
}

#[tokio::test]
async fn object_that_a_plugin_creates_takes_room_until_it_is_released() {
    let store = Store::memory();
    let ledger = ledger(&store);
    let space = |bytes| Space { objects: 1, bytes };
    let of = |key: &str, rights| ObjectQuota::of(&ledger, key, rights);
    let (append, batch) = (Rights::none().and(Right::Append), "errors/batch_1");
    let objects = of(batch, append);
    objects.reserve(space(8_000)).await.unwrap();
    objects.reserve(space(8_000)).await.unwrap();
    let refused = objects.reserve(space(1)).await.unwrap_err();
    assert_eq!(refused.kind, StoreErrorKind::PermissionDenied);
    assert!(refused.message.contains("the log errors has 16,000 bytes"), "{}", refused.message);
    objects.release(space(8_000));
    objects.reserve(space(8_000)).await.unwrap();
    // What makes room, and positions, have a limit of their own.
    for (key, rights, is_granted) in [
        (batch, Rights::all(), false),
        ("errors/segment_1", append, false),
        ("errors/segment_1", append.and(Right::Compact), true),
        ("errors/segment_1", append.and(Right::Trim), true),
        ("errors/position_app_1", append, true),
    ] {
        let reserved = of(key, rights).reserve(space(1)).await;
        assert_eq!(reserved.is_ok(), is_granted, "{key}: {reserved:?}");
    }
}

#[tokio::test]
async fn positions_make_no_room_for_more_positions() {
    let store = Store::memory();
    let ledger = ledger(&store);
    let own = ledger.counting_store();
    let mut commits = 0;
    while ledger.check_commit().await.is_ok() {
        create(&own, &format!("position_{commits}"), 190).await;
        commits += 1;
        assert!(commits < 1_000, "no commit is refused");
    }
    let refused = ledger.check_commit().await.unwrap_err().to_string();
    let says = "the log errors has 97,660 bytes: quota_bytes = 16,000 bytes is reached";
    assert!(refused.contains(says), "{refused}");
    let used = ledger.usage().unwrap().bytes;
    assert!((2 * QUOTA + 64 * 1024..2 * QUOTA + 64 * 1024 + 200).contains(&used), "{used}");
}

#[tokio::test]
async fn logs_below_do_not_count() {
    let store = Store::memory();
    create(&store, "below/batch_1", 16_000).await;
    let ledger = ledger(&store);
    let share = WriterShare::open(&ledger).await.unwrap();
    let used = ledger.usage().unwrap();
    assert_eq!((used.objects, used.bytes), (0, 0));
    assert_eq!(fill(&share).await, 160);
}

#[test]
fn space_saturates() {
    let most = Space { objects: u64::MAX, bytes: u64::MAX };
    assert_eq!(most.and(most), most);
    assert_eq!(Space::default().without(most), Space::default());
}
