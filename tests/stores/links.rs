//! A folder that others change while a store writes to it.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rig::backends::Backend;
use rustix::fs::{CWD, RenameFlags, renameat_with};

/// The number of creates that the folder permits, and of those that the link refuses.
const OF_EACH: usize = 100;

#[test]
fn create_never_follows_a_link_that_takes_the_place_of_a_folder() {
    for backend in [Backend::folder(), Backend::folder_adapter()] {
        let place = backend.place("log");
        let root = place.root.as_folder().unwrap();
        // Within the root: what leads out of it, the host of an adapter refuses anyway.
        let [log, link, other] = ["log", "link", "other"].map(|name| root.join(name));
        fs::create_dir_all(&log).unwrap();
        fs::create_dir(&other).unwrap();
        symlink("other", &link).unwrap();
        let is_done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                // In one step, so that the name is always there.
                while !is_done.load(Ordering::SeqCst) {
                    renameat_with(CWD, &log, CWD, &link, RenameFlags::EXCHANGE).unwrap();
                }
            });
            let store = backend.objects(&place);
            let (mut created, mut refused) = (0, 0);
            while created < OF_EACH || refused < OF_EACH {
                let key = format!("log/{}", created + refused);
                match store.create(&key, "bytes".into(), true) {
                    Ok(()) => created += 1,
                    Err(_) => refused += 1,
                }
            }
            is_done.store(true, Ordering::SeqCst);
        });
        let strays = fs::read_dir(&other).unwrap().count();
        assert_eq!(strays, 0, "{} wrote through a link", backend.name);
    }
}
