//! Many processes on one log. Eight append, one compacts in a loop, and others read concurrently.
//! One writer is killed. In one case the server is also killed, repeatedly. Every acknowledged
//! event must be there once, those of a writer in their order, for every reader at any time. And
//! many logs and many followers in one process: see [`crowd`] and [`followers`].
//!
//! `STRATALOG_MANY_SECONDS=60` makes each case at least that long; the default is 10. The processes
//! are this program itself, so it has its own `main`. A part of a case's name runs that case alone.

mod crowd;
mod followers;

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead, BufReader, Read as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rig::servers::{S3Server, require_or_skip, shared_radosgw};
use rig::tools::cache_folder;
use rig::waits::NEVER;
use stratalog::store::{Location, Store, StoreOptions};
use stratalog::{CompactOptions, Error, Host, LogOptions, StoreFailure};
use tokio::runtime::Runtime;

const WRITERS: usize = 8;
/// The writer that is killed half way.
const KILLED: usize = 0;
/// The number of restarts of the server in a case.
const RESTARTS: u32 = 3;

const SECONDS: &str = "STRATALOG_MANY_SECONDS";
const LOCATION: &str = "STRATALOG_MANY_LOCATION";
const OPTIONS: &str = "STRATALOG_MANY_OPTIONS";

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("as-writer") => return write(&arguments[1]),
        Some("as-compactor") => return compact(),
        Some("as-crowd") => return runtime().block_on(crowd::run(host())),
        Some("as-followers") => return runtime().block_on(followers::run(host())),
        _ => {}
    }
    let filters: Vec<&String> = arguments.iter().filter(|text| !text.starts_with('-')).collect();
    let wanted = |name: &str| filters.is_empty() || filters.iter().any(|f| name.contains(*f));
    for (name, argument) in
        [("many_logs_in_a_process", "as-crowd"), ("many_followers_in_a_process", "as-followers")]
    {
        if wanted(name) {
            // In a process of its own, since its memory is measured.
            let mut crowd = Command::new(env::current_exe().unwrap());
            assert!(crowd.arg(argument).status().unwrap().success(), "{name}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    if wanted("many_on_a_folder") {
        let log = folder.path().join("log").display().to_string();
        run("many_on_a_folder", &log, &[], None);
    }
    for (name, restarts) in [("many_on_s3", false), ("many_on_s3_that_restarts", true)] {
        if wanted(name)
            && let Some(server) = require_or_skip(shared_radosgw())
        {
            let restarted = restarts.then_some(server);
            run(name, &server.url("log"), &server.store_options(), restarted);
        }
    }
    // The line that a test harness would print.
    println!("test result: ok. many processes on one log, and many logs");
}

fn seconds() -> u64 {
    env::var(SECONDS).map_or(10, |text| text.parse().expect("a number of seconds"))
}

fn run(
    name: &str,
    location: &str,
    options: &[(String, String)],
    restarted: Option<&'static S3Server>,
) {
    let duration = Duration::from_secs(seconds());
    eprintln!("--- {name}, {duration:?}");
    let place = Place::new(location, options);
    let writers: Vec<Process> = (0..WRITERS)
        .map(|number| Process::start(&["as-writer", &number.to_string()], &place))
        .collect();
    let compactor = Process::start(&["as-compactor"], &place);
    let runtime = runtime();
    let host = host();
    let store = place.open();

    let (start, mut passes, mut restarts) = (Instant::now(), 0, 0);
    let mut is_killed = false;
    let restarts_max = if restarted.is_some() { RESTARTS } else { 0 };
    let has_begun = |process: &Process| process.number() > 0;
    // A busy machine may take longer until everything has happened that must happen in that time.
    while start.elapsed() < duration
        || !is_killed
        || restarts < restarts_max
        || !writers.iter().chain([&compactor]).all(has_begun)
    {
        assert!(start.elapsed() < duration + NEVER, "{name}: not everything happens");
        let found = runtime.block_on(read(&host, &store));
        check_order(&found, name);
        passes += 1;
        if start.elapsed() > duration / 2 && !is_killed && has_begun(&writers[KILLED]) {
            writers[KILLED].child.lock().unwrap().kill().unwrap();
            is_killed = true;
        }
        if let Some(server) = restarted
            && start.elapsed() > duration * (restarts + 1) / (RESTARTS + 1)
            && restarts < restarts_max
        {
            restarts += 1;
            server.restart();
        }
    }
    let acknowledged: Vec<u64> = writers
        .into_iter()
        .enumerate()
        .map(|(number, writer)| writer.end(number != KILLED))
        .collect();
    let compactions = compactor.end(true);
    assert!(compactions > 0, "{name}: nothing was compacted");

    for after in ["the run", "one more compaction"] {
        let found = runtime.block_on(read(&host, &store));
        check_order(&found, name);
        for (number, acknowledged) in acknowledged.iter().enumerate() {
            let found = found.get(&number).map_or(0, Vec::len) as u64;
            let is_right = match number {
                // The batch in flight when it was killed may have landed.
                KILLED => found >= *acknowledged,
                _ => found == *acknowledged,
            };
            assert!(
                is_right,
                "{name}, after {after}: {acknowledged} events of writer {number} \
                were confirmed as durable, and {found} are there"
            );
            assert!(*acknowledged > 0, "{name}: writer {number} wrote nothing");
        }
        runtime.block_on(verify(&host, &store));
        let options = CompactOptions::new().full(true);
        runtime.block_on(host.compact(&store, "log", &options)).unwrap();
    }
    let events: u64 = acknowledged.iter().sum();
    eprintln!(
        "{name}: {events} events acknowledged, {compactions} compactions, {passes} passes, \
         {restarts} restarts"
    );
}

/// A log's place, and the instructions of the processes.
struct Place {
    location: String,
    options: String,
}

impl Place {
    fn new(location: &str, options: &[(String, String)]) -> Self {
        let lines = options.iter().map(|(key, value)| format!("{key}={value}"));
        Self { location: location.to_owned(), options: lines.collect::<Vec<_>>().join("\n") }
    }

    /// Reads the instructions of this process.
    fn of_environment() -> Self {
        let variable = |name| env::var(name).expect("this is a process of a test");
        Self { location: variable(LOCATION), options: variable(OPTIONS) }
    }

    fn open(&self) -> Store {
        let location = Location::parse(&self.location).unwrap();
        assert_eq!(location.name, "log");
        Store::open(&location.root, &StoreOptions::parse(self.options.lines()).unwrap()).unwrap()
    }
}

/// A process that works until its standard input ends, and prints a number now and then.
struct Process {
    child: Mutex<Child>,
    stdin: ChildStdin,
    /// The last number that it printed.
    number: Arc<AtomicU64>,
    reading: thread::JoinHandle<()>,
}

impl Process {
    fn start(arguments: &[&str], place: &Place) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(arguments)
            .env(LOCATION, &place.location)
            .env(OPTIONS, &place.options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let number = Arc::new(AtomicU64::new(0));
        let sets = Arc::clone(&number);
        let reading = thread::spawn(move || {
            // A process that is killed may cut its last line.
            for number in lines.map_while(Result::ok).filter_map(|line| line.parse().ok()) {
                sets.store(number, Ordering::SeqCst);
            }
        });
        Self { child: Mutex::new(child), stdin, number, reading }
    }

    /// Returns the last number that it has printed so far.
    fn number(&self) -> u64 {
        self.number.load(Ordering::SeqCst)
    }

    /// Lets the process end, and returns the last number that it printed.
    fn end(self, well: bool) -> u64 {
        drop(self.stdin);
        let status = self.child.into_inner().unwrap().wait().unwrap();
        assert_eq!(status.success(), well, "a process ended with {status}");
        self.reading.join().unwrap();
        self.number.load(Ordering::SeqCst)
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn host() -> Host {
    Host::builder().cache_folder(cache_folder()).build().unwrap()
}

/// Returns a flag that is set when standard input has ended.
fn ended() -> Arc<AtomicBool> {
    let ended = Arc::new(AtomicBool::new(false));
    let sets = Arc::clone(&ended);
    thread::spawn(move || {
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        sets.store(true, Ordering::SeqCst);
    });
    ended
}

/// Appends numbered events and prints the number of acknowledged ones.
fn write(number: &str) {
    let ended = ended();
    let store = Place::of_environment().open();
    runtime().block_on(async {
        let log = host().open(&store, "log", LogOptions::new()).await.unwrap();
        let mut appended = 0_u64;
        while !ended.load(Ordering::SeqCst) {
            for _ in 0..=appended % 19 {
                log.append(format!("{number} {appended}")).await.unwrap();
                appended += 1;
            }
            // A long absence of the store is no reason to forget anything.
            match log.flush().await {
                Ok(written) => println!("{}", written.events),
                Err(error) => assert!(error.is_transient(), "{error}"),
            }
            // Leaves the processor to the others.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let written = log.close().await.unwrap();
        assert_eq!(written.events, appended);
        println!("{appended}");
    });
}

/// Compacts repeatedly, and prints the number of effective compactions.
fn compact() {
    let ended = ended();
    let store = Place::of_environment().open();
    runtime().block_on(async {
        let host = host();
        let mut compactions = 0;
        while !ended.load(Ordering::SeqCst) {
            match host.compact(&store, "log", &CompactOptions::new()).await {
                Ok(done) if done.merged_files > 0 => {
                    compactions += 1;
                    println!("{compactions}");
                }
                Ok(_) | Err(Error::NoLog(_)) => {}
                Err(error) => assert!(error.is_transient(), "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
}

/// Returns the events of each writer, in the order in which they are read.
async fn read(host: &Host, store: &Store) -> BTreeMap<usize, Vec<u64>> {
    let mut found: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
    let mut reader = host.read(store, "log").await.unwrap();
    loop {
        let page = match reader.next().await {
            Ok(Some(page)) => page,
            Ok(None) => return found,
            Err(Error::StoreFailed(StoreFailure { transient: true, .. }) | Error::NoLog(_)) => {
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        for event in page.iter() {
            let text = std::str::from_utf8(event).unwrap();
            let (writer, number) = text.split_once(' ').unwrap();
            found.entry(writer.parse().unwrap()).or_default().push(number.parse().unwrap());
        }
    }
}

/// Checks that each writer's events begin with its first one, without repetition or gap.
fn check_order(found: &BTreeMap<usize, Vec<u64>>, name: &str) {
    for (writer, numbers) in found {
        for (place, number) in numbers.iter().enumerate() {
            assert_eq!(*number, place as u64, "{name}: writer {writer}, at {place}");
        }
    }
}

async fn verify(host: &Host, store: &Store) {
    let mut verifier = host.verify(store, "log").await.unwrap();
    while let Some(checked) = verifier.next().await.unwrap() {
        for finding in checked.findings {
            let is_damage = matches!(finding, stratalog::Finding::Damaged(_));
            assert!(!is_damage, "{finding:?}");
        }
    }
}
