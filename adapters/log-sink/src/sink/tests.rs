use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::settings::{FLUSH_LEVEL, INTERVAL, LEVEL};

/// A system whose clock moves by hand, and whose log fails on request.
#[derive(Default)]
struct World {
    millis: u64,
    buffer: Vec<String>,
    durable: Vec<String>,
    said: Vec<String>,
    opens: Vec<String>,
    flushes: u32,
    ticks: u32,
    fails_open: bool,
    fails_append: bool,
    fails_flush: bool,
    /// The time that a failing call takes.
    failing_millis: u64,
    refused_name: Option<&'static str>,
}

impl World {
    fn fail(&mut self, fails: bool) -> Result<(), Failure> {
        if fails {
            self.millis += self.failing_millis;
            return Err(Failure { is_of_input: false, message: "no\ndisk".to_owned() });
        }
        Ok(())
    }
}

#[derive(Clone, Default)]
struct Fake(Rc<RefCell<World>>);

impl Log for Fake {
    fn append(&mut self, event: &[u8]) -> Result<(), Failure> {
        let mut world = self.0.borrow_mut();
        let fails = world.fails_append;
        world.fail(fails)?;
        world.buffer.push(String::from_utf8(event.to_vec()).unwrap());
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let mut world = self.0.borrow_mut();
        world.flushes += 1;
        let fails = world.fails_flush;
        world.fail(fails)?;
        let mut events = std::mem::take(&mut world.buffer);
        world.durable.append(&mut events);
        Ok(())
    }

    fn tick(&mut self) {
        self.0.borrow_mut().ticks += 1;
    }

    fn pending(&self) -> u64 {
        self.0.borrow().buffer.len().try_into().unwrap()
    }
}

impl System for Fake {
    type Log = Self;

    fn open(&mut self, name: &str, age_ms: u32) -> Result<Self, Failure> {
        let mut world = self.0.borrow_mut();
        world.opens.push(format!("{name} {age_ms}"));
        if world.refused_name == Some(name) {
            return Err(Failure { is_of_input: true, message: "no such name".to_owned() });
        }
        let fails = world.fails_open;
        world.fail(fails)?;
        drop(world);
        Ok(self.clone())
    }

    fn unix_micros(&self) -> u64 {
        self.0.borrow().millis * 1_000
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.0.borrow().millis)
    }

    fn say(&mut self, line: &str) {
        self.0.borrow_mut().said.push(line.to_owned());
    }
}

fn sink(values: &'static [(&str, &str)]) -> (Sink<Fake>, Fake) {
    let fake = Fake::default();
    let variable = |name: &str| {
        let found = values.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    (Sink::new(fake.clone(), variable), fake)
}

impl Fake {
    fn wait(&self, millis: u64) {
        self.0.borrow_mut().millis += millis;
    }

    fn set(&self, change: impl FnOnce(&mut World)) {
        change(&mut self.0.borrow_mut());
    }

    /// Numbers of durable and buffered events, of flushes and of ticks.
    fn counts(&self) -> (usize, usize, u32, u32) {
        let world = self.0.borrow();
        (world.durable.len(), world.buffer.len(), world.flushes, world.ticks)
    }

    fn said(&self) -> String {
        self.0.borrow().said.join("\n")
    }
}

fn info(sink: &mut Sink<Fake>) {
    sink.record(Level::Info, "app", "hello");
}

#[test]
fn first_record_and_each_after_a_quiet_interval_are_flushed() {
    let (mut sink, fake) = sink(&[]);
    info(&mut sink);
    assert_eq!(fake.counts(), (1, 0, 1, 0));
    fake.wait(100);
    info(&mut sink);
    assert_eq!(fake.counts(), (1, 1, 1, 0));
    fake.wait(1_000);
    info(&mut sink);
    assert_eq!(fake.counts(), (3, 0, 2, 0));
    assert_eq!(fake.0.borrow().opens, ["log 750"]);
}

#[test]
fn frequent_records_tick_four_times_in_an_interval() {
    let (mut sink, fake) = sink(&[(INTERVAL, "400")]);
    for _ in 0..401 {
        info(&mut sink);
        fake.wait(10);
    }
    assert_eq!(fake.counts(), (1, 400, 1, 40));
}

#[test]
fn errors_are_flushed_immediately_with_all_before() {
    let (mut sink, fake) = sink(&[]);
    for level in [Level::Info, Level::Info, Level::Warn] {
        sink.record(level, "app", "x");
    }
    assert_eq!(fake.counts(), (1, 2, 1, 0));
    sink.record(Level::Error, "app", "x");
    assert_eq!(fake.counts(), (4, 0, 2, 0));
    sink.record(Level::Critical, "app", "x");
    assert_eq!(fake.counts(), (5, 0, 3, 0));
}

#[test]
fn settings_choose_what_is_recorded_and_flushed() {
    let (mut quiet, fake) = sink(&[(LEVEL, "warn"), (FLUSH_LEVEL, "trace"), (INTERVAL, "0")]);
    for level in Level::ALL {
        quiet.record(level, "", "x");
    }
    assert_eq!(fake.counts(), (3, 0, 3, 0));
    assert!(fake.said().starts_with("warning: log sink: cannot use STRATALOG_SINK_INTERVAL_MS=0"));
    let (mut off, fake) = sink(&[(LEVEL, "off")]);
    off.record(Level::Critical, "", "x");
    assert!(fake.0.borrow().opens.is_empty());
    let (mut never, fake) = sink(&[(FLUSH_LEVEL, "off")]);
    info(&mut never);
    never.record(Level::Critical, "", "x");
    assert_eq!(fake.counts(), (1, 1, 1, 0));
}

#[test]
fn messages_of_the_log_itself_go_to_stderr() {
    let (mut sink, fake) = sink(&[]);
    sink.record(Level::Warn, "stratalog", "slow\nstore");
    assert!(fake.0.borrow().opens.is_empty());
    assert_eq!(fake.said(), "warning: stratalog: slow\u{fffd}store");
}

#[test]
fn log_that_does_not_open_drops_and_reports_once_each() {
    let (mut sink, fake) = sink(&[]);
    fake.set(|world| world.fails_open = true);
    for _ in 0..5 {
        info(&mut sink);
        fake.wait(100);
    }
    assert_eq!(fake.0.borrow().opens.len(), 1, "it does not rest");
    assert_eq!(
        fake.said(),
        "warning: log sink: cannot append to the log log: no\u{fffd}disk; records are dropped and \
         counted until it works again"
    );
    fake.wait(1_000);
    info(&mut sink);
    assert_eq!(fake.0.borrow().opens.len(), 2);
    fake.wait(1_000);
    fake.set(|world| world.fails_open = false);
    sink.record(Level::Info, "app", "again");
    fake.set(|world| {
        let [first, second] = &world.durable[..] else { panic!("{:?}", world.durable) };
        assert!(first.contains("6 records were dropped since 1970-01-01T00:00:00.000000Z: no"));
        assert!(first.ends_with(",\"dropped\":6}") && second.contains("again"), "{first}");
        assert_eq!(world.said.len(), 2, "{:?}", world.said);
    });
}

#[test]
fn full_buffer_drops_until_a_flush_succeeds() {
    let (mut sink, fake) = sink(&[]);
    info(&mut sink);
    fake.set(|world| (world.fails_append, world.fails_flush) = (true, true));
    info(&mut sink);
    fake.wait(1_000);
    fake.set(|world| world.fails_append = false);
    info(&mut sink);
    assert_eq!(fake.counts(), (1, 0, 2, 0));
    fake.wait(1_000);
    fake.set(|world| world.fails_flush = false);
    sink.record(Level::Error, "app", "x");
    assert_eq!(fake.counts(), (3, 0, 4, 0));
    assert!(fake.0.borrow().durable[1].ends_with(",\"dropped\":2}"));
}

#[test]
fn records_are_kept_while_flushes_fail() {
    let (mut sink, fake) = sink(&[]);
    fake.set(|world| (world.fails_flush, world.failing_millis) = (true, 2_000));
    for _ in 0..10 {
        sink.record(Level::Error, "app", "x");
        fake.wait(100);
    }
    assert_eq!(fake.counts(), (0, 10, 1, 3), "an error waits although the log rests");
    fake.wait(8_000);
    sink.record(Level::Info, "app", "x");
    assert_eq!(fake.counts(), (0, 11, 2, 3));
    assert_eq!(fake.0.borrow().said.len(), 1);
    fake.set(|world| world.fails_flush = false);
    fake.wait(8_000);
    info(&mut sink);
    assert_eq!(fake.counts(), (12, 0, 3, 3));
    let said = fake.said();
    assert!(said.contains("cannot flush the log log: no\u{fffd}disk; records are kept"), "{said}");
    assert!(said.ends_with("works again; all kept records are in it"), "{said}");
}

#[test]
fn name_that_no_log_can_have_is_replaced_by_the_default() {
    let (mut sink, fake) = sink(&[(LOG, "a//b")]);
    fake.set(|world| world.refused_name = Some("a//b"));
    info(&mut sink);
    assert_eq!(fake.counts(), (1, 0, 1, 0));
    assert_eq!(
        fake.said(),
        "warning: log sink: cannot use STRATALOG_SINK_LOG=a//b: no such name; the default is \
         used: log"
    );
}

#[test]
fn end_makes_all_records_durable_also_while_the_log_rests() {
    let (mut sink, fake) = sink(&[]);
    sink.end();
    assert!(fake.0.borrow().opens.is_empty());
    for _ in 0..3 {
        info(&mut sink);
    }
    assert_eq!(fake.counts(), (1, 2, 1, 0));
    sink.end();
    assert_eq!(fake.counts(), (3, 0, 2, 0));
    fake.set(|world| world.fails_flush = true);
    sink.record(Level::Error, "app", "x");
    fake.set(|world| world.fails_flush = false);
    sink.end();
    assert_eq!(fake.counts(), (4, 0, 4, 0));
    let said = fake.said();
    assert!(said.ends_with("the log log works again; all kept records are in it"), "{said}");
    assert_eq!(fake.0.borrow().said.len(), 2);
}

#[test]
fn end_reports_the_number_of_lost_records() {
    let (mut sink, fake) = sink(&[]);
    fake.set(|world| world.fails_flush = true);
    for _ in 0..3 {
        info(&mut sink);
    }
    fake.set(|world| world.fails_append = true);
    for _ in 0..5 {
        info(&mut sink);
    }
    // Before the disk was full, a batch of it was written.
    fake.set(|world| world.durable.extend(world.buffer.drain(..1)));
    sink.end();
    let said = fake.said();
    let end = "error: log sink: cannot flush the log log at the end of the program: it fails as \
               before; 7 records are lost";
    assert!(said.ends_with(end), "{said}");
}

#[test]
fn end_opens_a_log_that_did_not_open_and_reports_what_it_dropped() {
    let (mut sink, fake) = sink(&[]);
    fake.set(|world| world.fails_open = true);
    info(&mut sink);
    info(&mut sink);
    fake.set(|world| world.fails_open = false);
    sink.end();
    assert_eq!(fake.counts().0, 1);
    assert!(fake.0.borrow().durable[0].ends_with(",\"dropped\":2}"));
    let (mut sink, fake) = self::sink(&[]);
    fake.set(|world| world.fails_open = true);
    info(&mut sink);
    sink.end();
    let said = fake.said();
    assert!(said.ends_with("it fails as before; 1 record is lost"), "{said}");
}

#[test]
fn failure_that_is_new_at_the_end_is_reported_with_its_cause() {
    let (mut sink, fake) = sink(&[]);
    info(&mut sink);
    info(&mut sink);
    fake.set(|world| world.fails_flush = true);
    sink.end();
    let said = fake.said();
    let end = "at the end of the program: no\u{fffd}disk; 1 record is lost";
    assert!(said.ends_with(end) && said.starts_with("error: "), "{said}");
}

#[test]
fn messages_are_shown_from_the_level_of_the_variable_on() {
    for (level, shown) in [
        ("off", &[][..]),
        ("error", &["error: stratalog: x", "error: stratalog: x", "error: log sink: cannot"]),
        ("Debug", &["debug: ", "info: ", "warning: ", "error: ", "error: ", "warning: log sink: "]),
    ] {
        let fake = Fake::default();
        let variable = |name: &str| (name == "STRATALOG_LOG").then(|| level.to_owned());
        let mut sink = Sink::new(fake.clone(), variable);
        for level in Level::ALL {
            sink.record(level, "stratalog", "x");
        }
        fake.set(|world| world.fails_open = true);
        info(&mut sink);
        sink.end();
        let said = fake.0.borrow().said.clone();
        assert!(said.len() >= shown.len() && (level != "off" || said.is_empty()), "{said:?}");
        for (line, start) in said.iter().zip(shown) {
            assert!(line.starts_with(start), "{level}: {said:?}");
        }
    }
}
