//! The world of a plugin in a test: its logs, a clock, and faults of the store.

use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use stratalog_guest::drive::reader::{ReadOptions, Reader};
use stratalog_guest::error::Error;
use stratalog_guest::format::names::LogName;
use stratalog_guest::ports::HostBytes as _;

use super::grants::{Grant, Right};
use super::host::Host;

/// The time between two ticks of the host, in microseconds.
const TICK_MICROS: u64 = 250_000;
/// The most ticks of one step of the clock.
const TICKS_MAX: u32 = 1000;

/// The logs of one plugin, in memory, with the faults of their store.
///
/// `World::new` makes the current world of the thread: all calls of the plugin act on it. If the
/// world is dropped, the plugin has no logs any more.
///
/// Methods that have a label panic if no log is granted under it.
pub struct World {
    host: Rc<Host>,
}

impl World {
    /// Makes a world without logs: grant those that the plugin opens.
    #[expect(clippy::new_without_default, reason = "it becomes the current world")]
    pub fn new() -> Self {
        Self { host: Host::install() }
    }

    /// Grants a log of the name of its label, to append and to read. A later grant under a label
    /// replaces an earlier one.
    ///
    /// # Panics
    /// A label that is not valid.
    #[track_caller]
    pub fn grant(&self, label: &str) {
        self.grant_log(label, label, &[Right::Append, Right::Read]);
    }

    /// Grants a log under a label, with these rights. Several labels may be those of one log.
    ///
    /// # Panics
    /// A label, or a name of a log, that is not valid.
    #[track_caller]
    pub fn grant_log(&self, label: &str, log: &str, rights: &[Right]) {
        if let Err(error) = LogName::parse(log) {
            panic!("{error}");
        }
        let rights: BTreeSet<Right> = rights.iter().copied().collect();
        let grant = Grant { label: label.to_owned(), log: log.to_owned(), rights };
        if let Err(reason) = self.host.grants.borrow_mut().add(grant) {
            panic!("{reason}");
        }
    }

    /// Takes a right back from the log under a label.
    #[track_caller]
    pub fn deny(&self, label: &str, right: Right) {
        self.granted(label);
        if let Some(grant) = self.host.grants.borrow_mut().get_mut(label) {
            grant.rights.remove(&right);
        }
    }

    /// Refuses the next calls, as if the plugin had made too many in a second.
    pub fn limit_calls(&self, calls: u32) {
        let limited = &self.host.calls_to_limit;
        limited.set(limited.get().saturating_add(calls));
    }

    /// Fails the next creates. Their objects are not written.
    pub fn fail_creates(&self, creates: u32) {
        self.host.store.faults().creates_to_fail += creates;
    }

    /// Loses the replies to the next creates. Their objects are written.
    pub fn lose_replies(&self, creates: u32) {
        self.host.store.faults().replies_to_lose += creates;
    }

    /// Delays the next create. Its fate is unknown, and its object appears with
    /// [`World::deliver`].
    pub fn delay_create(&self) {
        self.host.store.faults().creates_to_delay += 1;
    }

    /// Lets the delayed creates land. Returns the number of those that nothing has overtaken.
    pub fn deliver(&self) -> usize {
        self.host.store.deliver()
    }

    /// Fails the next reads and listings of the plugin.
    pub fn fail_reads(&self, reads: u32) {
        self.host.store.faults().reads_to_fail += reads;
    }

    /// Fails the next deletes. Their objects remain.
    pub fn fail_deletes(&self, deletes: u32) {
        self.host.store.faults().deletes_to_fail += deletes;
    }

    /// Changes one byte of the newest batch of a log. Returns the object as the plugin knows it.
    ///
    /// # Panics
    /// A log without a batch.
    #[track_caller]
    pub fn damage(&self, label: &str) -> String {
        let grant = self.granted(label);
        let Some(key) = self.host.store.damage_last(&format!("{}/batch_", grant.log)) else {
            panic!("the log {label} has no batch: flush one first");
        };
        grant.object(&key)
    }

    /// Returns the time of the world. It begins at 2026-01-01, and each look of the log at the
    /// clock takes a microsecond.
    pub fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_micros(self.host.clock.micros())
    }

    /// Moves the clock on. The host ticks meanwhile, so old buffers are written.
    pub fn advance(&self, time: Duration) {
        let clock = &self.host.clock;
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let end = clock.micros().saturating_add(micros);
        for _ in 0..TICKS_MAX {
            if !self.host.tick() || clock.micros().saturating_add(TICK_MICROS) > end {
                break;
            }
            clock.set(clock.micros() + TICK_MICROS);
        }
        clock.set(clock.micros().max(end));
        self.host.tick();
    }

    /// Ends the plugin: the host flushes and closes the logs that it has left open. Returns the
    /// labels of the logs whose events are lost, since that failed.
    pub fn end(&self) -> Vec<String> {
        self.host.end()
    }

    /// Ends the plugin and its host, without a flush. What the store has stays.
    pub fn crash(&self) {
        self.host.crash();
    }

    /// Returns the stored events of a log as texts, as a new reader gets them. It needs no right,
    /// and no fault hits it.
    ///
    /// # Panics
    /// A log that is damaged.
    #[track_caller]
    pub fn events(&self, label: &str) -> Vec<String> {
        let grant = self.granted(label);
        match self.lines(&grant) {
            Ok(lines) => {
                let texts = String::from_utf8_lossy(&lines);
                texts.lines().map(str::to_owned).collect()
            }
            Err(Error::NoLog(_)) => Vec::new(),
            Err(error) => panic!("cannot read the log {label}: {error}"),
        }
    }

    fn lines(&self, grant: &Grant) -> Result<Vec<u8>, Error> {
        let log = LogName::parse(&grant.log)?;
        let mut reader = Reader::new(self.host.store.of_test(), log, ReadOptions::default())?;
        let mut lines = Vec::new();
        while let Some(page) = reader.next_page()? {
            lines.extend(page.lines.map(|lines| lines.read()).unwrap_or_default());
        }
        Ok(lines)
    }

    #[track_caller]
    fn granted(&self, label: &str) -> Grant {
        match self.host.grants.borrow().find(label) {
            Ok(grant) => grant,
            Err(reason) => panic!("{reason}"),
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.host.uninstall();
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("now", &self.now()).finish_non_exhaustive()
    }
}
