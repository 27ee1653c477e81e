//! A host whose store returns wrong listings. The logic reports an error. It neither takes the log
//! for shorter than it is nor deletes any object of it.

use rig::native::{NativeStore, NativeSystem};
use stratalog::store as host;
use stratalog_guest as guest;
use stratalog_guest::decide::options::{CompactInput, OptionsInput};
use stratalog_guest::error::Error;
use stratalog_guest::format::names::LogName;
use stratalog_guest::ports::{
    EntryKind, ListPage, ListedObject, ObjectRange, Store, StoreError, System, WriteError,
};
use tokio::runtime::Runtime;

/// A change of a page.
type Lie = fn(&mut ListPage);

/// A store that lies in its listings and in nothing else.
#[derive(Clone)]
struct Lying {
    truth: NativeStore,
    lie: Lie,
}

impl Store for Lying {
    type Bytes = <NativeStore as Store>::Bytes;
    type Create = <NativeStore as Store>::Create;
    type Read = <NativeStore as Store>::Read;
    type Upload = <NativeStore as Store>::Upload;

    fn create_exclusive(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError> {
        self.truth.create_exclusive(key, bytes)
    }
    fn create(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError> {
        self.truth.create(key, bytes)
    }
    fn start_create(&self, key: &str, bytes: &Self::Bytes) -> Self::Create {
        self.truth.start_create(key, bytes)
    }
    fn ensure_exclusive(&self, prefix: &str) -> Result<(), StoreError> {
        self.truth.ensure_exclusive(prefix)
    }
    fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        self.truth.get(key)
    }
    fn list(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<ListPage, StoreError> {
        let mut page = self.truth.list(prefix, after, limit)?;
        (self.lie)(&mut page);
        Ok(page)
    }
    fn delete(&self, keys: &[String]) -> Vec<(String, StoreError)> {
        self.truth.delete(keys)
    }
    fn read(&self, ranges: &[ObjectRange]) -> Self::Read {
        self.truth.read(ranges)
    }
    fn start_upload(&self, key: &str) -> Result<Self::Upload, WriteError> {
        self.truth.start_upload(key)
    }
}

fn name() -> LogName {
    LogName::parse("log").unwrap()
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

fn read(store: Lying) -> Result<usize, Error> {
    let mut reader = guest::drive::reader::Reader::new(store, name(), Default::default())?;
    let mut pages = 0;
    while reader.next_page()?.is_some() {
        pages += 1;
    }
    Ok(pages)
}

#[test]
fn a_listing_that_was_not_asked_for_is_an_error() {
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
    let runtime = Runtime::new().unwrap();
    let store = host::Store::memory();
    let truth = NativeStore { store: store.clone(), runtime: runtime.handle().clone() };
    let system = NativeSystem::default();
    append(truth.clone(), &system, &["a", "b", "c"]);
    guest::drive::compactor::compact(truth.clone(), &system, name(), CompactInput::default())
        .unwrap();
    append(truth.clone(), &system, &["d", "e"]);
    let keys = || runtime.block_on(store.list("log/", None, 100)).unwrap();
    let before = keys();
    assert_eq!(read(Lying { truth: truth.clone(), lie: |_| {} }), Ok(1));
    for (words, lie) in lies {
        let lying = Lying { truth: truth.clone(), lie };
        let full = CompactInput { full: true, ..CompactInput::default() };
        let done = [
            ("read", read(lying.clone()).map(drop)),
            ("stat", guest::drive::stat::stat(lying.clone(), name()).map(drop)),
            (
                "verify",
                guest::drive::verifier::Verifier::new(lying.clone(), name()).step().map(drop),
            ),
            ("compact", guest::drive::compactor::compact(lying, &system, name(), full).map(drop)),
        ];
        for (what, done) in done {
            let Err(Error::StoreFailed { message, .. }) = &done else {
                panic!("{what}, {words}: {done:?}");
            };
            assert!(message.contains(words), "{what}: {message}");
        }
        assert_eq!(keys(), before, "{words}");
    }
}
