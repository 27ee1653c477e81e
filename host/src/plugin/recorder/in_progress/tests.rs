use std::time::Duration;

use super::*;

fn label() -> Arc<str> {
    "errors".into()
}

/// Takes what was recorded: outcomes, with their counts, events, bytes and numbers.
fn taken(recorder: &Recorder) -> Vec<(String, u64, (u64, u64), u64)> {
    let groups = recorder.take(Instant::now()).calls.into_iter();
    let seen = groups.map(|group| {
        let outcome = match &group.key.outcome {
            CallOutcome::Failed(kind, message) => format!("{kind}: {message}"),
            outcome => outcome.name().to_owned(),
        };
        (outcome, group.count, (group.amount.events, group.amount.bytes), group.first.0)
    });
    seen.collect()
}

#[test]
fn call_is_recorded_with_its_outcome_or_as_unfinished() {
    let recorder = Recorder::new();
    let begin = || CallRecord::begin(&recorder, Call::Flush, &label(), Some(1), Instant::now());
    let mut call = begin();
    assert_eq!(call.number(), 1);
    call.moved(2, 30);
    call.end(&Ok(()));
    assert_eq!(taken(&recorder), [("ok".to_owned(), 1, (2, 30), 1)]);
    begin().end::<()>(&Err(Error::Conflict("a conflict".to_owned())));
    assert_eq!(taken(&recorder), [("conflict: a conflict".to_owned(), 1, (0, 0), 2)]);
    drop(begin());
    assert_eq!(taken(&recorder), [("unfinished".to_owned(), 1, (0, 0), 3)]);
}

#[test]
fn call_that_waits_for_long_is_recorded_once_before_its_outcome() {
    let recorder = Recorder::new();
    let begun = Instant::now();
    let begin = |begun| CallRecord::begin(&recorder, Call::Flush, &label(), None, begun);
    let take = |millis| {
        let calls = recorder.take(begun + Duration::from_millis(millis)).calls;
        calls.iter().map(|call| (call.key.outcome.name(), call.first.0)).collect::<Vec<_>>()
    };
    let call = begin(begun);
    assert_eq!(take(199), []);
    assert_eq!(take(200), [("waiting", 1)]);
    assert_eq!(take(900), []);
    call.end(&Ok(()));
    assert_eq!(take(901), [("ok", 1)]);
    assert_eq!(take(902), []);
    // One that has ended waits no more, however much later the record is written.
    begin(begun).end(&Ok(()));
    assert_eq!(take(5_000), [("ok", 2)]);
    // The next one is another call, and the outcome of one before does not end it.
    let call = begin(begun);
    recorder.refused(Call::Open, "x", None, &Error::Closed);
    assert_eq!(take(1_000), [("closed", 4), ("waiting", 3)]);
    drop(call);
    assert_eq!(take(1_001), [("unfinished", 3)]);
}

#[test]
fn texts_of_a_refused_call_are_cut() {
    let recorder = Recorder::new();
    let error = Error::Denied("d".repeat(2 * MESSAGE_CHARACTERS_MAX));
    recorder.refused(Call::Open, &"l".repeat(100), Some(7), &error);
    let calls = recorder.take(Instant::now()).calls;
    let Key { label, handle, outcome, .. } = &calls[0].key;
    assert_eq!((label.chars().count(), *handle), (LABEL_CHARACTERS_MAX + 1, Some(7)));
    let CallOutcome::Failed("denied", message) = outcome else { panic!("{outcome:?}") };
    assert_eq!(message.chars().count(), MESSAGE_CHARACTERS_MAX + 1);
    assert_eq!(calls[0].first.0, 1);
}

#[test]
fn steps_of_a_call_on_objects_count_each_and_what_it_writes_once() {
    let recorder = Recorder::new();
    let begin = |bytes| {
        let (call, now) = (Call::CreateObject, Instant::now());
        ObjectCall::begin(&recorder, call, &label(), bytes, now)
    };
    let call = begin(100);
    call.ended(1, None);
    call.ended(20, None);
    call.ended(0, Some(("unknown", &"m".repeat(2 * MESSAGE_CHARACTERS_MAX))));
    drop(call);
    let cut = format!("unknown: {}…", "m".repeat(MESSAGE_CHARACTERS_MAX));
    assert_eq!(taken(&recorder), [("ok".to_owned(), 2, (0, 121), 1), (cut, 1, (0, 0), 1)]);
    drop(begin(100));
    assert_eq!(taken(&recorder), [("unfinished".to_owned(), 1, (0, 0), 2)]);
}
