//! A host whose store returns wrong listings. The logic reports an error. It neither takes the log
//! for shorter than it is nor deletes any object of it.

use rig::altered::{Alter, Altered};
use rig::memory::{Memory, log};
use rig::native::NativeSystem;
use stratalog_guest as guest;
use stratalog_guest::decide::options::{CompactInput, OptionsInput};
use stratalog_guest::error::Error;
use stratalog_guest::ports::{EntryKind, ListPage, ListedObject, Store, System};

/// A change of a page.
type Lie = fn(&mut ListPage);

/// A store that lies in its listings and in nothing else.
#[derive(Clone)]
struct Lying(Lie);

impl Alter for Lying {
    fn listed(&self, _: &str, _: Option<&str>, page: &mut ListPage) {
        (self.0)(page);
    }
}

/// Appends batches of one event each.
fn append<S: Store, Y: System>(store: S, system: &Y, events: &[&str])
where
    S::Bytes: 'static,
{
    let options = OptionsInput { flush_interval_ms: Some(0), ..OptionsInput::default() };
    let mut writer =
        guest::drive::writer::Writer::open(store, system.clone(), "log", options).unwrap();
    for event in events {
        writer.append(event.as_bytes()).unwrap();
        writer.flush().unwrap();
    }
    writer.close().unwrap();
}

fn read(store: Altered<Lying>) -> Result<usize, Error> {
    let mut reader = guest::drive::reader::Reader::new(store, log(), Default::default())?;
    let mut pages = 0;
    while reader.next_page()?.is_some() {
        pages += 1;
    }
    Ok(pages)
}

#[test]
fn listing_that_was_not_asked_for_is_an_error() {
    let lies: [(&str, Lie); 4] = [
        ("has no object although more follow", |page| {
            *page = ListPage { objects: Vec::new(), more: true }
        }),
        ("\" follows \"", |page| page.objects.reverse()),
        ("\" follows \"", |page| {
            page.objects = page.objects.iter().flat_map(|o| [o.clone(), o.clone()]).collect();
        }),
        ("does not begin with the prefix", |page| {
            page.objects.push(ListedObject {
                kind: EntryKind::Object,
                key: "other/x".to_owned(),
                size: 1,
            });
        }),
    ];
    let (truth, system) = <(Memory, NativeSystem)>::default();
    append(truth.clone(), &system, &["a", "b", "c"]);
    guest::drive::compactor::compact(truth.clone(), &system, log(), CompactInput::default())
        .unwrap();
    append(truth.clone(), &system, &["d", "e"]);
    let before = truth.objects();
    assert_eq!(read(Altered::new(&truth, Lying(|_| {}))), Ok(1));
    for (words, lie) in lies {
        let lying = Altered::new(&truth, Lying(lie));
        let full = CompactInput { full: true, ..CompactInput::default() };
        let done = [
            ("read", read(lying.clone()).map(drop)),
            ("stat", guest::drive::stat::stat(lying.clone(), log()).map(drop)),
            (
                "verify",
                guest::drive::verifier::Verifier::new(lying.clone(), log()).step().map(drop),
            ),
            ("compact", guest::drive::compactor::compact(lying, &system, log(), full).map(drop)),
        ];
        for (what, done) in done {
            let Err(Error::StoreFailed { message, .. }) = &done else {
                panic!("{what}, {words}: {done:?}");
            };
            assert!(message.contains(words), "{what}: {message}");
        }
        assert_eq!(truth.objects(), before, "{words}");
    }
}
