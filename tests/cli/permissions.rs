//! Commands of a user who may not do everything.

#![cfg(unix)]

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use crate::binary::{Ran, fresh, numbered, ok, skipped, stratalog_caching_in};

/// A user without rights on the files of others, whose only group has the same number.
const USER: u32 = 12_345;

/// Runs a command as that user, with a cache below `folder`. Returns `None`, with a message, where
/// these tests may not become that user.
fn as_user(folder: &Path, arguments: &[&str], stdin: &str) -> Option<Ran> {
    use std::io::Write as _;
    if !rustix::process::geteuid().is_root() {
        skipped("another user", "only root can become one");
        return None;
    }
    let cache = folder.join("cache");
    if !cache.exists() {
        fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(&cache).unwrap();
        chown(&cache, Some(USER), Some(USER)).unwrap();
    }
    let mut command = stratalog_caching_in(&cache, arguments);
    let mut child = match command.uid(USER).gid(USER).spawn() {
        Ok(child) => child,
        Err(error) => {
            skipped("another user", &error.to_string());
            return None;
        }
    };
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).ok();
    Some(child.wait_with_output().unwrap().into())
}

#[test]
fn folder_without_permission_is_one_cause_with_one_action() {
    let (folder, log) = fresh();
    ok(&["append", &log], "a\n");
    let closed = format!("{log}/closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o700)).unwrap();
    let new = format!("{log}/new");
    let below = format!("{closed}/log");
    for (arguments, action) in [
        (["append", &log], format!("allow this user to write in {log}")),
        (["append", &new], format!("allow this user to write in {log}")),
        (["read", &closed], format!("allow this user to read {closed}")),
        (["read", &below], format!("allow this user to read {closed}")),
    ] {
        let Some(ran) = as_user(folder.path(), &arguments, "b\n") else { return };
        assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{arguments:?}: {}", ran.stderr);
        let end = format!(": Permission denied (os error 13); {action}\n");
        assert!(ran.stderr.ends_with(&end), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.matches("cannot").count() <= 2, "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn position_file_of_a_foreign_group_is_replaced_with_a_warning() {
    let (folder, log) = fresh();
    ok(&["append", &log], &numbered(0..10));
    let own = folder.path().join("own");
    fs::create_dir(&own).unwrap();
    chown(&own, Some(USER), Some(USER)).unwrap();
    let file = own.join("position");
    let position = file.to_str().unwrap();
    let read = ["read", "--limit", "2", "--position-file", position, &log];
    let Some(ran) = as_user(folder.path(), &read, "") else { return };
    assert_eq!((ran.code, ran.stdout), (0, numbered(0..2)), "{}", ran.stderr);
    fs::set_permissions(&file, Permissions::from_mode(0o664)).unwrap();
    chown(&file, None, Some(54_321)).unwrap();
    let ran = as_user(folder.path(), &read, "").unwrap();
    assert_eq!((ran.code, ran.stdout), (0, numbered(2..4)), "{}", ran.stderr);
    let warning = "no longer belongs to group 54321, of which this user is not a member; ";
    assert_eq!(ran.stderr.matches(warning).count(), 1, "{}", ran.stderr);
    let metadata = file.metadata().unwrap();
    assert_eq!((metadata.uid(), metadata.gid()), (USER, USER));
    // The other group does not get the right to write.
    assert_eq!(metadata.mode() & 0o7777, 0o644);
    let ran = as_user(folder.path(), &read, "").unwrap();
    assert_eq!((ran.stdout, ran.stderr.as_str()), (numbered(4..6), ""));

    // A file of another user is not taken from that user.
    chown(&file, Some(0), None).unwrap();
    let ran = as_user(folder.path(), &read, "").unwrap();
    assert_eq!((ran.code, ran.stdout.as_str()), (5, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("the file belongs to user 0 ("), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("; run as that user\n"), "{}", ran.stderr);
}

#[test]
fn output_in_a_folder_without_permission_is_named_itself() {
    let (folder, _) = fresh();
    let file = folder.path().join("log.wasm").display().to_string();
    let Some(ran) = as_user(folder.path(), &["component", "export", &file], "") else { return };
    let expected = format!(
        "error: cannot write {file}: Permission denied (os error 13); allow this user to write in \
         its folder, or name another file\n"
    );
    assert_eq!((ran.code, ran.stderr), (5, expected));
}

#[test]
fn ls_reports_folders_that_may_not_be_listed_and_lists_the_rest() {
    let (folder, log) = fresh();
    let root = folder.path().join("root");
    let at = |name: &str| root.join(name).to_str().unwrap().to_owned();
    fs::create_dir(&root).unwrap();
    for name in ["a", "b", "c"] {
        ok(&["append", &at(name)], "a\n");
    }
    fs::set_permissions(at("b"), Permissions::from_mode(0o700)).unwrap();
    for arguments in [["ls", "--json"], ["ls", "--shallow"]] {
        let arguments = [&arguments[..], &[root.to_str().unwrap()]].concat();
        let Some(ran) = as_user(folder.path(), &arguments, "") else { return };
        assert_eq!(ran.code, 3, "{arguments:?}: {}", ran.stderr);
        let lines: Vec<&str> = ran.stdout.lines().collect();
        assert!(lines.len() == 2 && lines[0].contains(&at("a")) && lines[1].contains(&at("c")));
        for part in [&*at("b"), "1 folder may not be listed", "2 logs printed", "allow listing"] {
            assert!(ran.stderr.contains(part), "no {part:?}: {}", ran.stderr);
        }
    }
    drop(log);
}
