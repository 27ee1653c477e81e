//! The files of a log: their bytes are what a reader is shown.

use super::memory::{End, Fixed, Memory};
use super::{World, log};
use crate::decide::options::OptionsInput;
use crate::drive::files::{File, Files};
use crate::drive::reader::{ReadOptions, Reader};
use crate::drive::repair::repair;
use crate::drive::trimmer::{TrimOptions, TrimPoint, trim};
use crate::drive::writer::Writer;
use crate::error::Error;
use crate::format::names::ObjectName;
use crate::ports::Store as _;

fn list(store: &Memory, since: Option<u64>, until: Option<u64>) -> Result<Vec<File>, Error> {
    let mut files = Files::list(store.clone(), log(), since, until)?;
    let pages = std::iter::from_fn(|| Some(files.next_page()).filter(|page| !page.is_empty()));
    Ok(pages.flatten().collect())
}

fn read(store: &Memory, options: ReadOptions) -> Result<String, Error> {
    let mut reader = Reader::new(store.clone(), log(), options)?;
    let mut lines = Vec::new();
    while let Some(page) = reader.next_page()? {
        lines.extend(page.lines.unwrap_or_default());
    }
    Ok(String::from_utf8(lines).unwrap())
}

fn count(text: &str) -> u64 {
    u64::try_from(text.lines().count()).unwrap()
}

/// Returns the events of a file, and those before it in its object.
fn content(store: &Memory, file: &File) -> (String, String) {
    let bytes = store.get(&log().key(file.object)).unwrap();
    assert_eq!(u64::try_from(bytes.len()).unwrap(), file.size);
    let [start, length] = [file.offset, file.bytes].map(|n| usize::try_from(n).unwrap());
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&bytes[start..start + length]), text(&bytes[..start]))
}

/// Compares the files with what a reader is shown.
pub(super) fn check(store: &Memory, since: Option<u64>, until: Option<u64>) {
    let options = ReadOptions { since, until, ..<_>::default() };
    let (files, shown) = match (list(store, since, until), read(store, options)) {
        (Ok(files), Ok(shown)) => (files, shown),
        (Err(Error::NoLog(_)), Err(Error::NoLog(_))) => return,
        (files, shown) => panic!("{files:?}, {shown:?}"),
    };
    let mut found = String::new();
    for file in files {
        let (events, before) = content(store, &file);
        assert_eq!((Some(count(&events)), count(&before)), (file.events, file.events_before));
        assert!(file.bytes > 0 && file.first_time <= file.last_time, "{file:?}");
        let is_sequenced = matches!(file.object, ObjectName::Segment(_));
        assert_eq!(file.position.is_some(), is_sequenced, "{file:?}");
        if let Some(position) = file.position {
            let (start, limit) = (Some(position.to_string()), file.events);
            let options = ReadOptions { start, limit, ..<_>::default() };
            assert_eq!(read(store, options).unwrap(), events, "{file:?}");
        }
        found += &events;
    }
    assert_eq!(found, shown, "{since:?} {until:?}");
}

/// A log with a segment of 40 events in batches of four, and two live batches.
fn world() -> World {
    let (store, system) = (Memory::default(), Fixed::default());
    system.now.set(1_000);
    let options = OptionsInput { flush_threshold: Some(4), ..OptionsInput::default() };
    let writer = Writer::open(store.clone(), system.clone(), "log", options).unwrap();
    let mut world = World { store, system, writer };
    append(&mut world, 40);
    world.compact();
    append(&mut world, 8);
    world
}

fn append(world: &mut World, events: usize) {
    for event in 0..events {
        let created = world.store.started();
        world.append(event * event);
        (created..world.store.started()).for_each(|create| world.store.end(create, End::Stored));
    }
}

fn trim_lazily(world: &World, events: u64) {
    let (point, lazy) =
        (TrimPoint::KeepEvents(events), TrimOptions { lazy: true, keep_unread: false });
    trim(world.store.clone(), &world.system, log(), point, lazy).unwrap();
}

#[test]
fn files_are_what_a_reader_is_shown_after_a_trim_at_any_event() {
    for kept in 0..=48 {
        let world = world();
        trim_lazily(&world, kept);
        for since in [None, Some(1_000), Some(1_170), Some(1_235), Some(9_000)] {
            check(&world.store, since, None);
            check(&world.store, since, Some(1_300));
        }
    }
}

#[test]
fn files_leave_out_lost_events_and_have_positions_without_gaps() {
    let world = world();
    let names = world.store.names("segment_");
    let segment = names.iter().find(|name| name.ends_with(".jsonl")).unwrap();
    world.store.0.objects.borrow_mut().get_mut(&log().key(segment)).unwrap()[50] ^= 1;
    repair(world.store.clone(), &world.system, log(), false).unwrap();
    check(&world.store, None, None);
    let files = list(&world.store, None, None).unwrap();
    assert!(files.iter().filter(|file| file.position.is_some()).count() > 1, "{files:?}");
}
