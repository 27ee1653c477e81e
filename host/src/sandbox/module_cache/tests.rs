use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tracing::Level;

use super::entry::HEAD_BYTES;
use super::*;

/// A cache folder into which one component is compiled, again and again.
struct Cache {
    _above: TempDir,
    root: PathBuf,
    engine: Engine,
    component: Vec<u8>,
}

impl Cache {
    /// Returns a folder that does not exist yet.
    fn new() -> Self {
        let above = TempDir::new().unwrap();
        let root = above.path().join("not/there/yet");
        let component = wat::parse_str(
            "(component (core module $m (func (export \"f\") (result i32) (i32.const 7)))
               (core instance $i (instantiate $m))
               (func (export \"f\") (result s32) (canon lift (core func $i \"f\"))))",
        );
        Self { _above: above, root, engine: Engine::default(), component: component.unwrap() }
    }

    /// Returns a cache that has the component.
    fn filled() -> Self {
        let cache = Self::new();
        cache.check(&[COMPILED]);
        cache
    }

    /// Returns the only file in the cache.
    fn file(&self) -> PathBuf {
        let files: Vec<PathBuf> = fs::read_dir(self.root.join("compiled"))
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files.into_iter().next().unwrap()
    }

    /// Compiles the component, runs it and returns the messages.
    fn compile(&self) -> Vec<String> {
        messages_of(|| {
            let compiled = compile(&self.engine, &self.component, "it", Some(&self.root)).unwrap();
            let mut store = wasmtime::Store::new(&self.engine, ());
            let linker = wasmtime::component::Linker::new(&self.engine);
            let instance = linker.instantiate(&mut store, &compiled).unwrap();
            let f = instance.get_typed_func::<(), (i32,)>(&mut store, "f").unwrap();
            assert_eq!(f.call(&mut store, ()).unwrap(), (7,));
        })
    }

    /// Checks the beginnings of the messages of a compilation.
    fn check(&self, expected: &[&str]) {
        let messages = self.compile();
        let fits = |(message, front): (&String, &&str)| message.starts_with(front);
        let all_fit = messages.iter().zip(expected).all(fits);
        assert!(messages.len() == expected.len() && all_fit, "{messages:?} and not {expected:?}");
    }

    /// Checks that it is compiled again, with one warning that names the thing and its fault.
    fn check_is_refused(&self, effect: &str, thing: &Path, reason: &str) {
        let messages = self.compile();
        let warning = format!("WARN {effect}: {} {reason}", thing.display());
        assert_eq!(messages.len(), 2, "{messages:?}");
        assert!(messages[0].starts_with(&warning), "{messages:?} and not {warning}");
        assert!(messages[1].starts_with(COMPILED), "{messages:?}");
    }

    /// Checks that the file is refused and replaced by one that is accepted.
    fn check_is_replaced(&self, file: &Path, reason: &str) {
        self.check_is_refused("it is compiled again", file, reason);
        assert_eq!(self.file(), file);
        self.check(&[TAKEN]);
    }
}

const COMPILED: &str = "DEBUG compiled it in ";
const TAKEN: &str = "DEBUG loaded it from ";

/// Returns the messages of this crate, in order, each with its level.
fn messages_of(run: impl FnOnce()) -> Vec<String> {
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::DEBUG)
        .with_ansi(false)
        .with_target(true)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, run);
    let lines = lines.0.lock().unwrap();
    let ours = "stratalog::sandbox::module_cache";
    String::from_utf8_lossy(&lines)
        .lines()
        .filter(|line| line.contains(ours))
        .map(|line| {
            let (level, message) = line.split_once(ours).unwrap();
            let message = message.split_once(": ").unwrap().1;
            format!("{} {message}", level.trim())
        })
        .collect()
}

#[test]
fn module_compiled_before_is_loaded_from_the_folder() {
    let cache = Cache::new();
    cache.check(&[COMPILED]);
    cache.check(&[TAKEN]);
    // The folder has nothing of another component.
    let other = wat::parse_str("(component)").unwrap();
    let messages = messages_of(|| {
        compile(&cache.engine, &other, "it", Some(&cache.root)).unwrap();
    });
    assert!(messages.len() == 1 && messages[0].starts_with(COMPILED), "{messages:?}");
}

#[test]
fn damaged_file_is_not_run_and_is_replaced() {
    let cache = Cache::filled();
    let file = cache.file();
    let bytes = fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    for at in [0, 15, 16, 23, 24, HEAD_BYTES - 1, HEAD_BYTES, bytes.len() / 2, last] {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        fs::write(&file, changed).unwrap();
        cache.check_is_replaced(&file, "is damaged: the ");
    }
    for length in [0, 1, HEAD_BYTES - 1, HEAD_BYTES, bytes.len() / 2, last] {
        fs::write(&file, &bytes[..length]).unwrap();
        cache.check_is_replaced(&file, "is damaged: the file has");
    }
    fs::write(&file, [&bytes[..], b"more"].concat()).unwrap();
    cache.check_is_replaced(&file, "is damaged: the file has");
}

#[test]
fn code_that_wasmtime_does_not_take_is_replaced() {
    let cache = Cache::filled();
    let file = cache.file();
    let key = Key::of(&cache.engine, &cache.component);
    let code = b"not what wasmtime serializes";
    fs::write(&file, [entry::head_of(&key, code), code.to_vec()].concat()).unwrap();
    cache.check_is_replaced(&file, "is damaged: ");
}

#[test]
fn cache_folder_that_is_a_file_is_one_warning() {
    let cache = Cache::new();
    fs::create_dir_all(cache.root.parent().unwrap()).unwrap();
    fs::write(&cache.root, "a file").unwrap();
    cache.check_is_refused(NOT_KEPT, &cache.root, "is not a folder");
    // The next component would log the same.
    cache.check(&[COMPILED]);
    assert_eq!(fs::read(&cache.root).unwrap(), b"a file");
}

const NOT_KEPT: &str = "the compiled form of it is not cached";

#[cfg(unix)]
mod trust {
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
}
