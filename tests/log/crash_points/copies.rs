//! Copies, ended or left in doubt at each of their calls to either store. The next copy completes
//! the mirror, and once it is promoted, it continues as the log would.

use super::*;
use stratalog_guest::drive::copier::{Copier, CopyOptions, promote};
use stratalog_guest::format::names::MirrorMark;

/// A store with these objects, without faults.
fn store_of(objects: &Objects) -> Crashing {
    Crashing::new(Memory::of(objects.clone()))
}

fn copy(from: &Crashing, to: &Crashing, system: &NativeSystem) -> Result<(), Error> {
    let options = CopyOptions { source: "the source".to_owned(), dry_run: false };
    let (from, to) = ((from.clone(), log()), (to.clone(), log()));
    let mut copier = Copier::new(from, to, system.clone(), options)?;
    while copier.step()?.is_some() {}
    Ok(())
}

/// Returns the objects that a source and its mirror have in common.
fn common(objects: &Objects) -> Objects {
    let is_common = |key: &str| {
        let name = key.strip_prefix("log/").unwrap();
        MirrorMark::parse(name).is_none() && !name.starts_with("generation_")
    };
    let common = objects.iter().filter(|(key, _)| is_common(key));
    common.map(|(key, bytes)| (key.clone(), bytes.clone())).collect()
}

/// Copies a log to a target that has begun, with faults at the first call to one of the stores, at
/// the second, and so on until there are no more.
fn fails_anywhere(
    (source, begun): (&Objects, &Objects),
    expected: &Expected,
    system: &NativeSystem,
    calls_min: [usize; 2],
) {
    for (is_target, calls_min) in [(false, calls_min[0]), (true, calls_min[1])] {
        for faults in TROUBLES {
            let mut number = 0;
            loop {
                eprintln!("--- call {number} to the target ({is_target}): {faults:?}");
                let system = repeated(system);
                let (from, to) = (store_of(source), store_of(begun));
                let faulty = if is_target { &to } else { &from };
                faulty.arm(number, faults);
                if let Err(Error::Damaged(damage)) = copy(&from, &to, &system) {
                    panic!("{damage}");
                }
                let failed = faulty.failed();
                eprintln!("    {failed:?}");
                to.land();
                assert_eq!(from.memory.objects(), *source, "the source was written");
                let (from, to) = (Crashing::new(from.memory), Crashing::new(to.memory));
                copy(&from, &to, &system).unwrap();
                assert_eq!(common(&to.memory.objects()), common(source));
                assert!(promote(to.clone(), &system, log()).unwrap());
                expected.clone().check_all(&to.memory, &system);
                if failed.is_none() {
                    break;
                }
                number += 1;
            }
            assert!(number >= calls_min, "{number} calls: the copy did not do its work");
        }
    }
}

#[test]
fn copy_to_a_new_log() {
    let (objects, expected, system) = Expected::log_of_segments_and_batches();
    fails_anywhere((&objects, &Objects::new()), &expected, &system, [20, 20]);
}

#[test]
fn copy_to_a_mirror_whose_source_was_compacted_and_trimmed() {
    let (objects, mut expected, system) = Expected::log_of_segments_and_batches();
    let begun = store_of(&Objects::new());
    copy(&store_of(&objects), &begun, &system).unwrap();
    let source = Memory::of(objects);
    append(&source, &system, &["n1".to_owned()]);
    let full = CompactInput { full: true, ..<_>::default() };
    compactor::compact(source.clone(), &system, log(), full).unwrap();
    let point = TrimPoint::Position("11".to_owned());
    trimmer::trim(source.clone(), &system, log(), point, TrimOptions::default()).unwrap();
    append(&source, &system, &["n2".to_owned(), "n3".to_owned()]);
    expected.events.extend(["n1", "n2", "n3"].map(str::to_owned));
    expected.first = 11;
    fails_anywhere((&source.objects(), &begun.memory.objects()), &expected, &system, [10, 20]);
}

#[test]
fn promotion_that_fails_is_completed_by_the_next() {
    let (objects, expected, system) = Expected::log_of_segments_and_batches();
    let begun = store_of(&Objects::new());
    copy(&store_of(&objects), &begun, &system).unwrap();
    for faults in TROUBLES {
        let mut number = 0;
        loop {
            let system = repeated(&system);
            let store = store_of(&begun.memory.objects());
            store.arm(number, faults);
            promote(store.clone(), &system, log()).ok();
            let failed = store.failed();
            eprintln!("--- call {number}: {faults:?}: {failed:?}");
            store.land();
            promote(store.memory.clone(), &system, log()).unwrap();
            expected.clone().check_all(&store.memory, &system);
            if failed.is_none() {
                break;
            }
            number += 1;
        }
        assert!(number >= 4, "{number}");
    }
}
