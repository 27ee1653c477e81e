use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tracing::Level;

use super::entry::TAIL_BYTES;
use super::*;

#[cfg(target_os = "linux")]
mod mapped;
#[cfg(unix)]
mod trust;

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

    /// Returns the compiled component, from the folder if it is there.
    fn take(&self) -> Component {
        take(&self.engine, &self.component, &self.root)
    }

    /// Returns what wasmtime serializes, without the cache.
    fn code(&self) -> Vec<u8> {
        Component::from_binary(&self.engine, &self.component).unwrap().serialize().unwrap()
    }

    /// Checks that a compiled component runs.
    fn check_runs(&self, compiled: &Component) {
        let mut store = wasmtime::Store::new(&self.engine, ());
        let linker = wasmtime::component::Linker::new(&self.engine);
        let instance = linker.instantiate(&mut store, compiled).unwrap();
        let f = instance.get_typed_func::<(), (i32,)>(&mut store, "f").unwrap();
        assert_eq!(f.call(&mut store, ()).unwrap(), (7,));
    }

    /// Compiles the component, runs it and returns the messages.
    fn compile(&self) -> Vec<String> {
        messages_of(|| self.check_runs(&self.take()))
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

fn uncompiled(bytes: &[u8]) -> Uncompiled<'_> {
    Uncompiled { bytes, origin: "it", sha256: None, purpose: "a test" }
}

fn take(engine: &Engine, component: &[u8], root: &Path) -> Component {
    match find(engine, uncompiled(component), Some(root)) {
        Ok(compiled) => compiled,
        Err(missing) => missing.compile(engine).unwrap(),
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
        take(&cache.engine, &other, &cache.root);
    });
    assert!(messages.len() == 1 && messages[0].starts_with(COMPILED), "{messages:?}");
}

#[test]
fn damaged_file_is_not_run_and_is_replaced() {
    let cache = Cache::filled();
    let file = cache.file();
    let bytes = fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    let tail = bytes.len() - TAIL_BYTES;
    for at in [0, 15, bytes.len() / 2, tail - 1, tail, tail + 15, tail + 16, tail + 24, last] {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        fs::write(&file, changed).unwrap();
        cache.check_is_replaced(&file, "is damaged: the ");
    }
    for length in [0, 1, TAIL_BYTES - 1, TAIL_BYTES, bytes.len() / 2, tail, last] {
        fs::write(&file, &bytes[..length]).unwrap();
        cache.check_is_replaced(&file, "is damaged: the file ");
    }
    fs::write(&file, [&bytes[..], b"more"].concat()).unwrap();
    cache.check_is_replaced(&file, "is damaged: the file ");
}

#[test]
fn code_that_wasmtime_does_not_take_is_replaced() {
    let cache = Cache::filled();
    let file = cache.file();
    let key = Key::of(&cache.engine, &uncompiled(&cache.component));
    let code = b"not what wasmtime serializes";
    fs::write(&file, [code.to_vec(), entry::tail_of(&key, code)].concat()).unwrap();
    let warning = format!("WARN it is compiled again: {} is damaged: ", file.display());
    match cfg!(target_os = "linux") {
        true => cache.check(&["DEBUG cannot map ", &warning, COMPILED]),
        false => cache.check(&[&warning, COMPILED]),
    }
    cache.check(&[TAKEN]);
}

#[test]
fn file_is_taken_by_reading_where_it_cannot_be_mapped() {
    let cache = Cache::filled();
    let key = Key::of(&cache.engine, &uncompiled(&cache.component));
    let mut found = Folder::open(&cache.root).unwrap().find(&key).unwrap().unwrap();
    // The check before the mapping has read it.
    found.check(&key).unwrap();
    let code = found.read(&key).unwrap();
    assert!(code == cache.code());
}

#[test]
fn file_of_another_engine_or_purpose_is_not_taken() {
    let cache = Cache::filled();
    let changes: [fn(&mut wasmtime::Config); 3] = [
        |config| {
            config.consume_fuel(true);
        },
        |config| {
            config.cranelift_nan_canonicalization(true);
        },
        |config| {
            let other = wasmtime::ModuleVersionStrategy::Custom("another wasmtime".to_owned());
            config.module_version(other).unwrap();
        },
    ];
    for change in changes {
        let mut config = wasmtime::Config::new();
        change(&mut config);
        let engine = Engine::new(&config).unwrap();
        assert!(find(&engine, uncompiled(&cache.component), Some(&cache.root)).is_err());
    }
    let other = Uncompiled { purpose: "another", ..uncompiled(&cache.component) };
    assert!(find(&cache.engine, other, Some(&cache.root)).is_err());
    cache.check(&[TAKEN]);
}

#[test]
fn file_of_a_process_that_was_killed_while_it_wrote_is_ignored() {
    let cache = Cache::filled();
    let file = cache.file();
    let bytes = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let unfinished = format!("{}7-00.unfinished", file.display());
    fs::write(&unfinished, &bytes[..bytes.len() / 2]).unwrap();
    cache.check(&[COMPILED]);
    cache.check(&[TAKEN]);
    assert!(Path::new(&unfinished).exists(), "it may belong to a process that still writes");
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
