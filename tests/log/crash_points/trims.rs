//! Trims, ended or left in doubt at each of their calls.

use super::*;

fn trim_at(
    point: fn() -> TrimPoint,
    first: usize,
    lazy: bool,
) -> impl Fn(&Crashing, &NativeSystem) -> Operation {
    move |store, system| {
        let (store, system) = (store.clone(), system.clone());
        Box::new(move |expected| {
            let options = TrimOptions { lazy, keep_unread: false };
            match trimmer::trim(store.clone(), &system, log(), point(), options) {
                Ok(trimmed) => {
                    assert_eq!(trimmed.first_position, u64::try_from(first).unwrap());
                    assert!(lazy || manifest(&store.memory).trimmed_events() == 0);
                    expected.first = first;
                }
                Err(Error::Damaged(damage)) => panic!("{damage}"),
                Err(_) => expected.perhaps_first = Some(first),
            }
        })
    }
}

/// Returns a point inside a batch, which is cut.
fn in_a_batch() -> TrimPoint {
    TrimPoint::Position("11".to_owned())
}

#[test]
fn trim_within_a_segment() {
    at_every_call(12, &trim_at(in_a_batch, 11, false));
    at_every_call(12, &trim_at(|| TrimPoint::Position("12".to_owned()), 12, false));
}

#[test]
fn trim_between_segments() {
    at_every_call(8, &trim_at(|| TrimPoint::Position("13".to_owned()), 13, false));
}

#[test]
fn lazy_trim_within_a_segment() {
    at_every_call(8, &trim_at(in_a_batch, 11, true));
    at_every_call(8, &trim_at(|| TrimPoint::Position("12".to_owned()), 12, true));
}

#[test]
fn trim_of_the_remains_of_a_lazy_trim() {
    at_every_call(12, &trim_at(|| TrimPoint::Position("9".to_owned()), 9, false));
}

#[test]
fn trim_of_all_segments_and_of_live_batches() {
    let end = Expected::SEQUENCED + 6;
    at_every_call(20, &trim_at(|| TrimPoint::KeepEvents(0), end, false));
    at_every_call(25, &trim_at(|| TrimPoint::KeepEvents(3), end - 3, false));
    at_every_call(20, &trim_at(|| TrimPoint::KeepEvents(3), end - 3, true));
}

#[test]
fn trim_that_loses_the_race() {
    at_every_call(12, &|store, system| {
        let (memory, others) = (store.memory.clone(), system.clone());
        store.before("create-exclusive log/manifest_", move || compact_others(&memory, &others));
        trim_at(in_a_batch, 11, false)(store, system)
    });
}

#[test]
fn trim_of_a_segment_that_others_compact_meanwhile() {
    at_every_call(12, &|store, system| {
        let (memory, others) = (store.memory.clone(), system.clone());
        store.before("read log/segment_", move || {
            let options = CompactInput { full: true, ..CompactInput::default() };
            compactor::compact(memory, &others, log(), options).unwrap();
        });
        trim_at(in_a_batch, 11, false)(store, system)
    });
}

#[test]
fn trim_that_commits_a_number_long_passed() {
    at_every_call(12, &|store, system| {
        let appended: Rc<RefCell<Vec<String>>> = Rc::default();
        store.before("create-exclusive log/manifest_", {
            let (memory, system, appended) =
                (store.memory.clone(), system.clone(), appended.clone());
            move || {
                for time in 0..11 {
                    compact_others(&memory, &system);
                    for event in [format!("others {time}"), format!("more {time}")] {
                        append(&memory, &system, std::slice::from_ref(&event));
                        appended.borrow_mut().push(event);
                    }
                }
            }
        });
        let trim = trim_at(in_a_batch, 11, false)(store, system);
        Box::new(move |expected| {
            trim(expected);
            expected.events.extend(appended.take());
        })
    });
}
