//! Compiled components between runs: the modules that are loaded, those that are refused, and the
//! influence of other users.

use std::fs;
use std::path::{Path, PathBuf};

use crate::binary::{Ran, fresh, ok, stratalog_caching_in};

/// A log of one event, and a cache folder that has the component.
struct Warm {
    folder: tempfile::TempDir,
    log: String,
}

impl Warm {
    fn new() -> Self {
        let (folder, log) = fresh();
        ok(&["append", &log], "event\n");
        let warm = Self { folder, log };
        let ran = warm.read(&["-vv"]);
        assert!(ran.stderr.contains("compiled the embedded component in"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("warning: "), "{}", ran.stderr);
        warm
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    fn read(&self, options: &[&str]) -> Ran {
        let arguments = [&["read", &self.log], options].concat();
        let ran = Ran::from(stratalog_caching_in(&self.cache(), &arguments).output().unwrap());
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "event\n"), "{}", ran.stderr);
        ran
    }

    /// Checks that the next read succeeds and reports this in one line.
    fn check_warned(&self, path: &Path, reason: &str) {
        let said = self.read(&[]).stderr;
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.starts_with("warning: "), "{said}");
        assert!(said.contains(&format!("{} {reason}", path.display())), "{said}");
    }

    /// Checks that the next read reports nothing and compiles nothing.
    fn check_warm(&self) {
        let said = self.read(&["-vv"]).stderr;
        assert!(said.contains("loaded the embedded component from "), "{said}");
        assert!(
            !said.contains("compiled the embedded component") && !said.contains("warning: "),
            "{said}"
        );
        assert_eq!(self.read(&[]).stderr, "");
    }
}

/// Lists the files of a cache.
fn modules(cache: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(cache.join("compiled")).unwrap();
    files.map(|file| file.unwrap().path()).collect()
}

fn module(cache: &Path) -> PathBuf {
    let modules = modules(cache);
    assert_eq!(modules.len(), 1, "{modules:?}");
    modules.first().unwrap().clone()
}

#[test]
fn damaged_module_is_compiled_again_with_one_warning() {
    let warm = Warm::new();
    warm.check_warm();
    let module = module(&warm.cache());
    let bytes = fs::read(&module).unwrap();
    for at in [3, 40, bytes.len() / 2, bytes.len() - 1] {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        fs::write(&module, changed).unwrap();
        warm.check_warned(&module, "is damaged: the ");
        warm.check_warm();
    }
}

#[cfg(unix)]
#[test]
fn planted_module_is_not_run() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let warm = Warm::new();
    let module = module(&warm.cache());
    let set_mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    set_mode(&module, 0o664);
    warm.check_warned(
        &module,
        "can be written by others (its mode is 0664): run `chmod go-w` on it",
    );
    warm.check_warm();

    let elsewhere = warm.folder.path().join("elsewhere");
    fs::rename(&module, &elsewhere).unwrap();
    symlink(&elsewhere, &module).unwrap();
    warm.check_warned(&module, "is a link, which is not followed");
    warm.check_warm();

    for folder in [warm.cache().join("compiled"), warm.cache()] {
        set_mode(&folder, 0o777);
        for _ in 0..2 {
            warm.check_warned(&folder, "can be written by others (its mode is 0777)");
        }
        set_mode(&folder, 0o700);
        warm.check_warm();
    }
}

#[cfg(unix)]
#[test]
fn cache_is_private_to_its_user_by_any_umask() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::{Command, Stdio};

    let (folder, log) = fresh();
    ok(&["append", &log], "event\n");
    let cache = folder.path().join("cache");
    let read = stratalog_caching_in(&cache, &["read", &log]);
    let mut command = Command::new("sh");
    command.args(["-c", "umask 000; exec \"$0\" \"$@\""]).arg(read.get_program());
    let output = command.args(read.get_args()).stdin(Stdio::null()).output().unwrap();
    let ran = Ran::from(output);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let mode = |path: &Path| path.symlink_metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(&cache), mode(&cache.join("compiled"))), (0o700, 0o700));
    assert_eq!(mode(&module(&cache)), 0o600);
}

#[test]
fn processes_that_fill_one_cache_do_not_disturb_each_other() {
    let (folder, log) = fresh();
    ok(&["append", &log], "event\n");
    let cache = folder.path().join("cache");
    let start = || stratalog_caching_in(&cache, &["read", &log]).spawn().unwrap();
    let children = [start(), start(), start(), start()];
    for child in children {
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "event\n", ""));
    }
    module(&cache);
}

#[test]
fn cache_that_cannot_be_made_costs_a_warning() {
    let (folder, log) = fresh();
    ok(&["append", &log], "event\n");
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for (cache, reason) in
        [(file.clone(), "is not a folder"), (file.join("below"), "Not a directory")]
    {
        let output = stratalog_caching_in(&cache, &["read", &log]).output().unwrap();
        let ran = Ran::from(output);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "event\n"), "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        assert!(ran.stderr.contains(cache.to_str().unwrap()), "{}", ran.stderr);
        assert!(ran.stderr.contains(reason), "{}", ran.stderr);
    }
}
