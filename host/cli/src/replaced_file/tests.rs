use super::*;

fn keep(path: &Path) -> ReplacedFile {
    match ReplacedFile::keep(path) {
        Ok(file) => file,
        Err(NotKept::Locked) => panic!("{} is locked", path.display()),
        Err(NotKept::Error(error)) => panic!("{}: {error}", path.display()),
    }
}

#[test]
fn file_is_kept_by_one_until_it_is_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let first = keep(&path);
    assert!(matches!(ReplacedFile::keep(&path), Err(NotKept::Locked)));
    first.probe().unwrap();
    first.replace(b"first").unwrap();
    // Replacing does not open the lock.
    assert!(matches!(ReplacedFile::keep(&path), Err(NotKept::Locked)));
    drop(first);
    keep(&path).replace(b"second").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"second");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something is left");
}

#[test]
fn file_of_a_killed_process_is_no_lock_and_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(sibling(&path, "lock"), "").unwrap();
    fs::write(sibling(&path, "new"), "torn").unwrap();
    keep(&path).replace(b"whole").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"whole");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something is left");
}

#[cfg(unix)]
#[test]
fn links_modes_and_planted_links_stay_as_they_are() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("real")).unwrap();
    fs::write(at("real/file"), "old").unwrap();
    fs::set_permissions(at("real/file"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real/file", at("link")).unwrap();
    symlink("link", at("link to link")).unwrap();
    let file = keep(&at("link to link"));
    assert!(matches!(ReplacedFile::keep(&at("real/file")), Err(NotKept::Locked)));
    file.replace(b"new").unwrap();
    drop(file);
    assert!(at("link").symlink_metadata().unwrap().is_symlink());
    assert_eq!(fs::read(at("real/file")).unwrap(), b"new");
    let mode = at("real/file").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o640);

    // If the target of a link is missing, it is created.
    symlink("real/fresh", at("dangling")).unwrap();
    keep(&at("dangling")).replace(b"new").unwrap();
    assert_eq!(fs::read(at("real/fresh")).unwrap(), b"new");

    fs::write(at("victim"), "precious").unwrap();
    for role in ["lock", "new"] {
        symlink(at("victim"), sibling(&at("file"), role)).unwrap();
        let refused = match ReplacedFile::keep(&at("file")) {
            Ok(file) => file.replace(b"new").is_err(),
            Err(_) => true,
        };
        assert!(refused, "{role}");
        fs::remove_file(sibling(&at("file"), role)).unwrap();
        assert_eq!(fs::read(at("victim")).unwrap(), b"precious", "{role}");
    }
    // A hard link to another file is only a name.
    fs::hard_link(at("victim"), sibling(&at("file"), "new")).unwrap();
    keep(&at("file")).replace(b"new").unwrap();
    assert_eq!(fs::read(at("victim")).unwrap(), b"precious");
    symlink("circle", at("circle")).unwrap();
    for path in [at("circle"), at("real"), at("missing/file"), PathBuf::from("/dev/null")] {
        assert!(matches!(ReplacedFile::keep(&path), Err(NotKept::Error(_))), "{path:?}");
    }
}

#[cfg(unix)]
#[test]
fn file_is_written_whole_as_soon_as_nobody_keeps_it() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("file"), "old").unwrap();
    fs::set_permissions(at("file"), fs::Permissions::from_mode(0o604)).unwrap();
    // A process that has the old file open keeps it.
    fs::hard_link(at("file"), at("old")).unwrap();
    symlink("file", at("link")).unwrap();
    check(&at("link")).unwrap();
    let kept = keep(&at("file"));
    check(&at("link")).unwrap();
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| write(&at("link"), b"new"));
        kept.replace(b"of who keeps it").unwrap();
        drop(kept);
        writing.join().unwrap().unwrap();
    });
    assert_eq!(fs::read(at("file")).unwrap(), b"new");
    assert_eq!(fs::read(at("old")).unwrap(), b"old");
    assert!(at("link").symlink_metadata().unwrap().is_symlink());
    assert_eq!(at("file").metadata().unwrap().permissions().mode() & 0o7777, 0o604);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "something is left");

    write(Path::new("/dev/null"), b"thrown away").unwrap();
    check(Path::new("/dev/null")).unwrap();
    for path in [folder.path(), &at("missing/file")] {
        assert!(check(path).is_err() && write(path, b"new").is_err(), "{path:?}");
    }
}

#[cfg(unix)]
#[test]
fn group_that_was_not_meant_gets_no_right_of_its_own() {
    for (mode, expected) in [(0o640, 0o600), (0o664, 0o644), (0o2775, 0o755), (0o604, 0o604)] {
        assert_eq!(mode_for_another_group(mode), expected, "{mode:o}");
    }
}
