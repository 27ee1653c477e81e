//! Files and folders that other users may have written.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};

use super::*;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().mode() & 0o7777
}

#[test]
fn created_files_are_private_to_the_user() {
    let cache = Cache::filled();
    let parent = cache.root.parent().unwrap();
    for folder in [parent, &cache.root, &cache.root.join("compiled")] {
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
    }
    assert_eq!(mode(&cache.file()), 0o600);
}

#[test]
fn file_that_others_may_write_is_not_run_and_is_replaced() {
    let cache = Cache::filled();
    let file = cache.file();
    for others in [0o620, 0o602, 0o666] {
        set_mode(&file, others);
        let reason = format!("can be written by others (its mode is {others:04o})");
        cache.check_is_replaced(&file, &reason);
        assert_eq!(mode(&file), 0o600);
    }
}

#[test]
fn folder_that_others_may_write_is_not_used() {
    let cache = Cache::filled();
    for folder in [cache.root.join("compiled"), cache.root.clone()] {
        for others in [0o770, 0o702, 0o1777] {
            set_mode(&folder, others);
            let reason = format!("can be written by others (its mode is {others:04o})");
            cache.check_is_refused(NOT_KEPT, &folder, &reason);
        }
        set_mode(&folder, 0o700);
        cache.check(&[TAKEN]);
    }
}

#[test]
fn files_of_another_user_are_not_used() {
    let cache = Cache::filled();
    let file = cache.file();
    let (root, other) = (cache.root.clone(), 65_534);
    if chown(&file, Some(other), None).is_err() {
        eprintln!("SKIPPED files of another user: only root can make them");
        return;
    }
    let reason = "belongs to the user 65534, and this process runs as the user 0";
    cache.check_is_replaced(&file, reason);
    assert_eq!(file.metadata().unwrap().uid(), 0);
    for folder in [root.join("compiled"), root] {
        chown(&folder, Some(other), None).unwrap();
        cache.check_is_refused(NOT_KEPT, &folder, reason);
        chown(&folder, Some(0), None).unwrap();
    }
    cache.check(&[TAKEN]);
}

#[test]
fn no_link_is_followed_below_the_cache_folder() {
    let cache = Cache::filled();
    let file = cache.file();
    let elsewhere = cache.root.join("elsewhere");
    fs::rename(&file, &elsewhere).unwrap();
    for target in [&elsewhere, Path::new("/dev/zero"), Path::new("nowhere")] {
        symlink(target, &file).unwrap();
        cache.check_is_replaced(&file, "is a link, which is not followed");
        assert!(!file.is_symlink());
        fs::remove_file(&file).unwrap();
    }
    let (folder, moved) = (cache.root.join("compiled"), cache.root.join("moved"));
    fs::rename(&folder, &moved).unwrap();
    symlink(&moved, &folder).unwrap();
    cache.check_is_refused(NOT_KEPT, &folder, "is a link, which is not followed");
    assert!(fs::read_dir(&moved).unwrap().next().is_none());
}

#[test]
fn link_to_the_cache_folder_is_its_owners_wish() {
    let cache = Cache::filled();
    let moved = cache.root.with_file_name("moved");
    fs::rename(&cache.root, &moved).unwrap();
    symlink(&moved, &cache.root).unwrap();
    cache.check(&[TAKEN]);
}

#[test]
fn entry_that_is_no_file_is_neither_read_nor_awaited() {
    let cache = Cache::filled();
    let file = cache.file();
    fs::remove_file(&file).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&file).status();
    assert!(made.is_ok_and(|status| status.success()));
    cache.check_is_replaced(&file, "is not a file");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    // A folder cannot be replaced: each compilation logs the one warning.
    let warning = format!("WARN it is compiled again: {} is not a file", file.display());
    let not_kept = format!("DEBUG {NOT_KEPT}: cannot write {}: ", file.display());
    for _ in 0..2 {
        cache.check(&[&warning, COMPILED, &not_kept]);
    }
}
