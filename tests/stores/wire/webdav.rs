//! Answers of a WebDAV server that are temporary, or that concurrent first writes get.

use rig::servers::{Server, require_or_skip};

use stratalog::store::Store;
use tokio::runtime::Runtime;

use super::*;

/// Starts a WebDAV server with a proxy before it; returns nothing where there is none.
fn webdav() -> Option<(Server, Proxy)> {
    let server = require_or_skip(Server::rclone())?;
    let proxy = Proxy::start(&server.base);
    Some((server, proxy))
}

/// Opens a store in a folder that does not exist yet, through the proxy.
fn store(server: &Server, proxy: &Proxy, retry_max: usize) -> Store {
    let url = server.url("log").replace(&server.base, &proxy.endpoint);
    let place = Location::parse(&url).unwrap();
    Store::open(&place.root, &StoreOptions::new().with_retry_max(retry_max)).unwrap()
}

fn first_of(
    method: &'static str,
    fault: WireFault,
) -> impl FnMut(&Seen) -> WireFault + Send + 'static {
    first_attempts(fault, move |seen| seen.method == method)
}

#[test]
fn first_write_gets_past_the_locks_and_folders_of_others() {
    let Some((server, proxy)) = webdav() else { return };
    let runtime = Runtime::new().unwrap();
    let table = [
        ("MKCOL", WireFault::Status("423 Locked")),
        // The repeated request hears that the folder is there.
        ("MKCOL", WireFault::DoneButStatus("503 Service Unavailable")),
        ("PUT", WireFault::Status("423 Locked")),
    ];
    for (method, fault) in table {
        let store = store(&server, &proxy, 3);
        proxy.play(first_of(method, fault));
        let created = runtime.block_on(store.create("log/a", "bytes".into(), false));
        assert_eq!(fate_of(&created), Fate::Durable, "{method} {fault:?}");
        assert!(proxy.faults() > 0, "{method} {fault:?} never happened");
        let found = runtime.block_on(store.get("log/a", None)).unwrap();
        assert_eq!(found, "bytes", "{method} {fault:?}");
    }
}

#[test]
fn write_that_always_meets_a_lock_fails_with_its_fate() {
    let Some((server, proxy)) = webdav() else { return };
    let runtime = Runtime::new().unwrap();
    // The conflict that asks for a folder does not prove that nothing was written.
    let table =
        [("PUT", Fate::NotWritten(Kind::Unavailable)), ("MKCOL", Fate::Unknown(Kind::Unavailable))];
    for (method, fate) in table {
        let store = store(&server, &proxy, 2);
        proxy.play(move |seen| match seen.method == method {
            true => WireFault::Status("423 Locked"),
            false => WireFault::None,
        });
        let created = runtime.block_on(store.create("log/a", "bytes".into(), false));
        assert_eq!(fate_of(&created), fate, "{method}");
        assert!(proxy.faults() >= 3, "{method} was not repeated: {:?}", proxy.seen());
    }
}
