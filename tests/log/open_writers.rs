//! The writers that a program leaves open, flushed when it ends.

use std::cell::RefCell;
use std::rc::Rc;

use rig::crashing::Crashing;
use rig::faults::Fault;
use rig::memory::{LOG, Memory, log};
use rig::native::NativeSystem;
use stratalog_guest::decide::options::OptionsInput;
use stratalog_guest::drive::open_writers::OpenWriters;
use stratalog_guest::drive::reader::Reader;
use stratalog_guest::drive::writer::Writer;
use stratalog_guest::error::Error;

type Handle = Rc<RefCell<Writer<Crashing, NativeSystem>>>;

/// A program with open writers.
struct Program {
    store: Crashing,
    system: NativeSystem,
    open: OpenWriters<Crashing, NativeSystem>,
    options: OptionsInput,
}

impl Program {
    fn new() -> Self {
        let (store, system) = (Crashing::new(Memory::default()), NativeSystem::default());
        let mut open = OpenWriters::default();
        open.keep();
        Self { store, system, open, options: OptionsInput::default() }
    }

    /// Opens the log and appends an event.
    fn append(&mut self, event: &str) -> Handle {
        self.append_to(LOG, event)
    }

    fn append_to(&mut self, log: &str, event: &str) -> Handle {
        let (store, system) = (self.store.clone(), self.system.clone());
        let mut writer = Writer::open(store, system, log, self.options).unwrap();
        writer.append(event.as_bytes()).unwrap();
        let handle = Rc::new(RefCell::new(writer));
        self.open.add(&handle);
        handle
    }

    fn read(&self) -> String {
        let mut reader = Reader::new(self.store.memory.clone(), log(), Default::default()).unwrap();
        let mut text = String::new();
        while let Some(page) = reader.next_page().unwrap() {
            text += std::str::from_utf8(&page.lines.unwrap()).unwrap();
        }
        text
    }
}

#[test]
fn writers_are_flushed_in_the_order_of_their_opening() {
    let logs = ["d", "b", "c", "a"];
    for (at, log) in logs.into_iter().enumerate() {
        let mut program = Program::new();
        let handles = logs.map(|log| program.append_to(log, "event"));
        let open: Vec<_> = handles.into_iter().skip(1).step_by(2).collect();
        // Each flush is one create: this one fails, and so does the next try.
        program.store.arm(at, &[Fault::Refused, Fault::Refused]);
        let (failures, is_all_flushed) = program.open.end();
        let [failure] = &failures[..] else { panic!("{failures:?}") };
        assert!(
            failure.starts_with(&format!("cannot flush the log {log} at the end")),
            "{failure}"
        );
        assert!(!is_all_flushed);
        assert_eq!(program.store.memory.objects().len(), logs.len() - 1);
        drop(open);
    }
}

#[test]
fn closed_writer_is_left_alone_at_the_end() {
    let mut program = Program::new();
    let closed = program.append("a");
    closed.borrow_mut().close().unwrap();
    assert_eq!(program.open.end(), (Vec::new(), true));
    drop(closed);
    assert_eq!(program.open.end(), (Vec::new(), true));
    assert_eq!(program.read(), "a\n");
}

#[test]
fn failure_at_the_end_is_reported_once_it_is_repeated() {
    for is_dropped in [false, true] {
        let mut program = Program::new();
        let handle = program.append("a");
        let handle = (!is_dropped).then_some(handle);
        program.store.arm(0, &[Fault::Refused]);
        assert_eq!(program.open.end(), (Vec::new(), true));
        assert_eq!(program.read(), "a\n");
        drop(handle);

        let handle = program.append("b");
        let handle = (!is_dropped).then_some(handle);
        program.store.arm(0, &[Fault::Refused, Fault::Refused]);
        let (failures, is_all_flushed) = program.open.end();
        assert!(!is_all_flushed);
        let [failure] = &failures[..] else { panic!("{failures:?}") };
        assert!(failure.starts_with("cannot flush the log log at the end of the program: "));
        assert!(failure.ends_with("; 1 event is lost"), "{failure}");
        drop(handle);
    }
}

#[test]
fn failure_that_the_program_has_had_is_not_repeated() {
    for is_dropped in [false, true] {
        let mut program = Program::new();
        let handle = program.append("a");
        program.store.arm(0, &[Fault::Refused, Fault::Refused, Fault::Refused]);
        let Err(Error::WriteFailed(failure)) = handle.borrow_mut().flush() else { panic!() };
        let handle = (!is_dropped).then_some(handle);
        let (failures, is_all_flushed) = program.open.end();
        assert!(!is_all_flushed);
        let end = "the write that failed before failed again; 1 event is lost";
        let expected = format!("cannot flush the log log at the end of the program: {end}");
        assert_eq!(failures, [expected], "{failure}");
        drop(handle);
    }
}

#[test]
fn failure_that_the_log_has_logged_is_not_repeated() {
    let mut program = Program::new();
    program.options.flush_threshold = Some(1);
    // The first call is the listing of the open.
    program.store.arm(1, &[Fault::Refused, Fault::Refused, Fault::Refused]);
    let handle = program.append("a");
    handle.borrow_mut().tick();
    assert_eq!(program.system.warnings.lock().unwrap().len(), 1);
    let (failures, _) = program.open.end();
    let [failure] = &failures[..] else { panic!("{failures:?}") };
    assert!(failure.contains("failed before failed again"), "{failure}");
    drop(handle);
}

#[test]
fn failure_of_a_dropped_writer_fails_the_end_once() {
    let mut program = Program::new();
    drop(program.append("a"));
    program.store.arm(0, &[Fault::Refused, Fault::Refused]);
    let failures = program.open.close_dropped();
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(failures[0].contains("after its handle was dropped: "), "{failures:?}");
    assert_eq!(program.open.end(), (Vec::new(), false));
    assert_eq!(program.open.end(), (Vec::new(), true));
    // It was reported, and not as a writer that was dropped without a word.
    assert_eq!(*program.system.warnings.lock().unwrap(), Vec::<String>::new());
}

#[test]
fn writer_of_a_host_that_keeps_none_is_not_flushed() {
    let mut program = Program::new();
    program.open = OpenWriters::default();
    drop(program.append("a"));
    assert_eq!(program.open.close_dropped(), Vec::<String>::new());
    assert_eq!(program.open.end(), (Vec::new(), true));
    assert!(program.store.memory.objects().is_empty());
    let warnings = program.system.warnings.lock().unwrap();
    assert!(warnings[0].contains("was dropped without close: 1 event was not flushed"));
}
