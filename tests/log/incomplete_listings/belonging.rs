//! Positions without identity, taken before a log's first manifest. They stay valid in their log in
//! every case. Another log refuses them wherever it can know.

use super::*;

/// Makes a log with two live batches of two events each.
fn live_log(events: [&str; 4]) -> (Memory, NativeSystem) {
    live_log_of(system(), events)
}

/// Makes such a log. Its writers are those that the system's random numbers give.
fn live_log_of(system: NativeSystem, events: [&str; 4]) -> (Memory, NativeSystem) {
    let memory = Memory::default();
    for pair in events.chunks(2) {
        append_batch(&memory, &system, pair);
    }
    (memory, system)
}

fn append_batch(memory: &Memory, system: &NativeSystem, events: &[&str]) {
    system.clock.advance(1_000);
    let options = OptionsInput::default();
    let mut log = Writer::open(memory.clone(), system.clone(), "log", options).unwrap();
    events.iter().for_each(|event| log.append(event.as_bytes()).unwrap());
    log.close().unwrap();
}

fn read_from<S: Store<Bytes = Vec<u8>>>(store: S, position: &str) -> Result<Vec<String>, Error> {
    let options = ReadOptions { start: Some(position.to_owned()), ..ReadOptions::default() };
    rest(&mut Reader::new(store, log(), options)?)
}

/// Returns the positions behind the first to the third event of a log without a manifest.
fn positions(memory: &Memory) -> Vec<String> {
    let marks = (1..=3).map(|limit| {
        let options = ReadOptions { limit: Some(limit), ..ReadOptions::default() };
        let mut reader = Reader::new(memory.clone(), log(), options).unwrap();
        rest(&mut reader).unwrap();
        reader.position().unwrap()
    });
    let marks: Vec<_> = marks.collect();
    assert!(marks.iter().all(|mark| mark.starts_with("0,")), "{marks:?}");
    marks
}

fn trim_to(memory: &Memory, system: &NativeSystem, point: &str) -> Result<(), Error> {
    let point = TrimPoint::Position(point.to_owned());
    trim(memory.clone(), system, log(), point, TrimOptions::default()).map(drop)
}

#[test]
fn position_without_identity_stays_valid_after_any_change_of_its_log() {
    let (memory, system) = live_log(["1", "2", "3", "4"]);
    let marks = positions(&memory);
    let check = |all: &[&str], trimmed: usize, when: &str| {
        for (passed, mark) in (1..).zip(&marks) {
            let found = read_from(memory.clone(), mark).unwrap_or_else(|e| panic!("{when}: {e}"));
            assert_eq!(found, all[trimmed.max(passed)..], "{when}, {mark}");
        }
    };
    check(&["1", "2", "3", "4"], 0, "live");
    compact(memory.clone(), &system, log(), FULL).unwrap();
    check(&["1", "2", "3", "4"], 0, "compacted");
    append_batch(&memory, &system, &["5"]);
    compact(memory.clone(), &system, log(), FULL).unwrap();
    check(&["1", "2", "3", "4", "5"], 0, "merged");
    trim_to(&memory, &system, "3").unwrap();
    check(&["1", "2", "3", "4", "5"], 3, "trimmed");
    // Repeated until no index knows the trimmed events any more.
    for _ in 0..70 {
        append_batch(&memory, &system, &["more"]);
        trim(memory.clone(), &system, log(), TrimPoint::KeepEvents(1), TrimOptions::default())
            .unwrap();
    }
    for mark in &marks {
        assert_eq!(read_from(memory.clone(), mark).unwrap(), ["more"]);
    }
}

#[test]
fn position_without_identity_is_refused_by_a_log_without_its_batches() {
    let (of, _) = live_log(["1", "2", "3", "4"]);
    // Writers of the same times, which are others.
    let others = system();
    *others.random.lock().unwrap() = 7;
    let (memory, system) = live_log_of(others, ["a", "b", "c", "d"]);
    let check = |named: &str| {
        let before = memory.objects();
        for mark in positions(&of) {
            let refused =
                [read_from(memory.clone(), &mark).map(drop), trim_to(&memory, &system, &mark)];
            for outcome in refused {
                let Err(Error::InvalidInput(message)) = outcome else {
                    panic!("{named}, {mark}: {outcome:?}")
                };
                let batch = mark.split(['_', ',']).nth(1).unwrap();
                assert!(message.contains(batch) && message.contains(named), "{message}");
            }
        }
        assert_eq!(memory.objects(), before);
    };
    check("no identity");
    compact(memory.clone(), &system, log(), FULL).unwrap();
    let manifest = Manifest::decode(Generation(1), &memory.objects()[&log().key(Generation(1))]);
    let identity = manifest.unwrap().log.unwrap().to_string();
    check(&identity);
    // The indexes of recently trimmed segments are kept.
    append_batch(&memory, &system, &["e"]);
    trim_to(&memory, &system, "3").unwrap();
    check(&identity);
    // Without the rule the position is accepted, and its place in the other log is lost.
    mutants::set(Some(Mutant::SkipIdentity));
    let broken = read_from(memory.clone(), &positions(&of)[2]);
    mutants::set(None);
    broken.unwrap();
}

#[test]
fn listing_that_omits_a_batch_once_keeps_its_position_right() {
    let (memory, system) = live_log(["1", "2", "3", "4"]);
    let marks = positions(&memory);
    for compacts in [false, true] {
        if compacts {
            compact(memory.clone(), &system, log(), FULL).unwrap();
        }
        for (_, hides) in HIDES {
            for honest in 0..6 {
                for mark in &marks {
                    let liar = Liar::new(&memory, hides, honest, 1);
                    if let Err(error) = read_from(liar, mark) {
                        assert!(!matches!(error, Error::InvalidInput(_)), "{error}");
                    }
                }
            }
        }
    }
}
