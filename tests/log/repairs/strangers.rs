//! Foreign objects under names of the log's objects: renamed batches, and links.

use rig::memory::{Memory, log};
use stratalog_guest::drive::repair::{self, Action, Step};

use super::liar::Liar;
use super::{World, all_but, flip, read};

/// Makes a log with one of its three live batches renamed.
fn renamed(number: usize, events: &str) -> (World, String) {
    let mut world = World::new();
    let key = world.keys("batch_", ".jsonl")[number].clone();
    let (head, digest) = key.rsplit_once('_').unwrap();
    let (head, _) = head.rsplit_once('_').unwrap();
    let name = format!("{head}_{events}_{digest}");
    let mut objects = world.store.objects();
    let bytes = objects.remove(&key).unwrap();
    objects.insert(name.clone(), bytes);
    world.store = Memory::of(objects);
    (world, name)
}

#[test]
fn object_that_never_was_a_batch_is_set_aside_without_lost_events() {
    for events in ["18446744073709551615", "9000000000000000000", "3", "1", "4000000000"] {
        // It is the last of its writer, so nothing tells that there ever was such a batch.
        let (world, name) = renamed(2, events);
        let bytes = world.store.objects()[&name].clone();
        let dry = world.repair(true);
        let steps = world.repair(false);
        assert_eq!(steps, dry);
        let [step] = &steps[..] else { panic!("{steps:?}") };
        assert_eq!((&step.damage.object, step.events_lost), (&name, 0));
        assert_eq!(step.action, Action::SetAside);
        let found = step.damage.found.replace(',', "");
        assert!(found.contains(&format!("no batch has {events} event")), "{step:?}");
        let objects = world.store.objects();
        assert_eq!(objects.get(&name), None);
        assert_eq!(objects[&name.replace("log/", "log/set-aside_")], bytes);
        assert_eq!(world.verified(), Vec::<String>::new());
        assert_eq!(read(&mut world.reader(None)).unwrap(), (all_but(&[16, 17]), 0));
        world.compact();
        assert_eq!(read(&mut world.reader(None)).unwrap(), (all_but(&[16, 17]), 0));
        assert_eq!(world.repair(false), []);
    }
}

#[test]
fn batch_whose_name_only_a_stranger_has_is_gone() {
    for events in ["18446744073709551615", "3"] {
        for number in [0, 1] {
            let (world, name) = renamed(number, events);
            let bytes = world.store.objects()[&name].clone();
            let dry = world.repair(true);
            let steps = world.repair(false);
            assert_eq!(steps, dry);
            let [stranger, gone] = &steps[..] else { panic!("{steps:?}") };
            assert_eq!((&stranger.damage.object, stranger.events_lost), (&name, 0));
            assert_eq!(stranger.action, Action::SetAside);
            // The number of its events is in no place.
            assert_eq!((&gone.action, gone.events_lost), (&Action::Gone, 1));
            let begin = gone.damage.object.strip_suffix('*').unwrap();
            assert!(name.starts_with(begin), "{gone:?}");
            let objects = world.store.objects();
            assert_eq!(objects[&name.replace("log/", "log/set-aside_")], bytes);
            assert_eq!(world.verified(), Vec::<String>::new());
            let first = 12 + 2 * u32::try_from(number).unwrap();
            let left = all_but(&[first, first + 1]);
            assert_eq!(read(&mut world.reader(None)).unwrap(), (left.clone(), 0));
            world.compact();
            assert_eq!(read(&mut world.reader(None)).unwrap(), (left, 0));
            assert_eq!(world.repair(false), []);
        }
    }
}

#[test]
fn batch_that_was_cut_short_counts_the_events_of_its_name() {
    for length in [0, 3, 9] {
        let mut world = World::new();
        let key = world.keys("batch_", ".jsonl")[1].clone();
        world.damage(&key, |bytes| bytes.truncate(length));
        let steps = world.repair(false);
        assert_eq!((steps.len(), steps[0].events_lost), (1, 2), "{steps:?}");
        assert_eq!(read(&mut world.reader(None)).unwrap(), (all_but(&[14, 15]), 2));
    }
}

/// Repairs a log in which a link stands in an object's place.
fn repaired_with_link(world: &World, link: &str) -> Vec<Step> {
    let link = link.to_owned();
    let store = Liar::intruders(&world.store, move |key| key == link);
    repair::repair(store, &world.clock, log(), false).unwrap().steps
}

fn is_left(step: &Step, object: &str) {
    let Action::Nothing(why) = &step.action else { panic!("{step:?}") };
    assert_eq!(step.damage.object, object);
    assert_eq!(step.damage.found, "a symbolic link; move it away");
    assert!(why.contains("move the entry away") && !why.contains("remove"), "{why}");
}

#[test]
fn link_in_the_place_of_a_segment_or_an_index_stops_nothing_else() {
    for end in [".jsonl", ".index"] {
        let mut world = World::new();
        let link = world.keys("segment_", end)[0].clone();
        let segment = world.keys("segment_", ".jsonl").pop().unwrap();
        world.damage(&segment, flip(3));
        let manifest = "log/manifest_0000000000000000002.json";
        world.remove(manifest);
        let steps = repaired_with_link(&world, &link);
        is_left(&steps[0], &link);
        let actions: Vec<_> = steps[1..].iter().map(|step| &step.action).collect();
        assert_eq!(actions, [&Action::StandIn, &Action::SetAside], "{steps:?}");
        // Back in its place, it is the same object as before.
        assert_eq!(world.verified(), Vec::<String>::new());
        assert_eq!(read(&mut world.reader(None)).unwrap(), (all_but(&[8, 9]), 2));
    }
}

#[test]
fn link_in_the_place_of_a_batch_stops_events_before_it() {
    let world = || {
        let mut world = World::new();
        for at in [0, 2] {
            let batch = world.keys("batch_", ".jsonl")[at].clone();
            world.damage(&batch, flip(3));
        }
        (world.keys("batch_", ".jsonl"), world)
    };
    let (batches, world) = world();
    let steps = repaired_with_link(&world, &batches[1]);
    let [link, first, last] = &steps[..] else { panic!("{steps:?}") };
    is_left(link, &batches[1]);
    assert_eq!((&first.damage.object, &first.action), (&batches[0], &Action::SetAside));
    assert_eq!(last.damage.object, batches[2]);
    assert!(
        matches!(&last.action, Action::Nothing(why) if why.contains("an earlier batch")),
        "{last:?}"
    );
    // Restored, it stands where it was.
    let steps = world.repair(false);
    assert_eq!((steps.len(), &steps[0].damage.object), (1, &batches[2]));
    assert_eq!(world.verified(), Vec::<String>::new());
    assert_eq!(read(&mut world.reader(None)).unwrap(), (all_but(&[12, 13, 16, 17]), 4));
}

#[test]
fn link_in_the_place_of_a_current_manifest_stops_everything() {
    let mut world = World::new();
    let batch = world.keys("batch_", ".jsonl")[0].clone();
    world.damage(&batch, flip(3));
    let manifest = world.keys("manifest_", ".json").pop().unwrap();
    let before = world.store.objects();
    let steps = repaired_with_link(&world, &manifest);
    let [step] = &steps[..] else { panic!("{steps:?}") };
    is_left(step, &manifest);
    assert_eq!(world.store.objects(), before);
    // An older one is left alone.
    let steps = repaired_with_link(&world, "log/manifest_0000000000000000001.json");
    is_left(&steps[0], "log/manifest_0000000000000000001.json");
    assert_eq!((steps.len(), &steps[1].action), (2, &Action::SetAside));
    assert_eq!(world.verified(), Vec::<String>::new());
}
