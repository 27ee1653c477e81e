//! Requests to a scripted server, on a clock that only waiting moves.

use std::collections::VecDeque;

use bytes::Bytes;
use stratalog_store_exports::store::{OrderedRead as _, PendingCreate as _};
use stratalog_store_rules::error::{StoreErrorKind, WriteError};
use stratalog_store_rules::objects::ObjectRange;

use super::*;
use crate::create::Create;
use crate::read::{self, Fetch};
use crate::request::Outgoing;

mod answers;

type Script = VecDeque<Option<Result<Answer, Broken>>>;

/// A server that answers requests in their order. None is no answer at all.
struct Scripted {
    clock: Cell<Duration>,
    answers: RefCell<Script>,
    sent: RefCell<Vec<Outgoing>>,
    /// The bytes that each request has moved.
    moved: Cell<u64>,
    /// The time that each request takes.
    takes: Cell<Duration>,
}

impl Transport for Rc<Scripted> {
    type Exchange = Option<Result<Answer, Broken>>;

    fn send(&self, request: Outgoing) -> Self::Exchange {
        self.sent.borrow_mut().push(request);
        self.clock.set(self.clock.get() + self.takes.get());
        self.answers.borrow_mut().pop_front().flatten()
    }

    fn advance(&self, exchange: &mut Self::Exchange) -> Option<Result<Answer, Broken>> {
        exchange.take()
    }

    fn moved(&self, _: &Self::Exchange) -> u64 {
        self.moved.get()
    }

    fn wait(&self, _: &[&Self::Exchange], at_most: Duration) {
        self.clock.set(self.clock.get() + at_most.max(Duration::from_millis(1)));
    }

    fn monotonic(&self) -> Duration {
        self.clock.get()
    }

    fn since_1970(&self) -> Duration {
        self.clock.get()
    }
}

fn engine(script: impl Into<Script>) -> (Rc<Scripted>, Rc<Engine<Rc<Scripted>>>) {
    let settings = Settings::read(|name| match name {
        "STRATALOG_ROOT" => Some("s3://logs/app".to_owned()),
        "AWS_ACCESS_KEY_ID" => Some("AKI".to_owned()),
        "AWS_SECRET_ACCESS_KEY" => Some("SEC".to_owned()),
        _ => None,
    });
    let server = Rc::new(Scripted {
        clock: Cell::default(),
        answers: RefCell::new(script.into()),
        sent: RefCell::default(),
        moved: Cell::default(),
        takes: Cell::default(),
    });
    let engine = Rc::new(Engine::new(Rc::clone(&server), settings.unwrap()));
    (server, engine)
}

fn status(status: u16) -> Option<Result<Answer, Broken>> {
    Some(Ok(Answer { status, ..Answer::default() }))
}

fn error(status: u16, code: &str) -> Option<Result<Answer, Broken>> {
    let body = format!("<Error><Code>{code}</Code></Error>").into();
    Some(Ok(Answer { status, body, ..Answer::default() }))
}

fn unsent() -> Option<Result<Answer, Broken>> {
    let broken = Broken { may_have_arrived: false, ..Broken::midway("connection refused") };
    Some(Err(broken))
}

fn create(script: impl Into<Script>) -> (Result<(), WriteError>, usize) {
    let (server, engine) = engine(script);
    let mut create = Create::start(&engine, "a".to_owned(), vec![Bytes::from_static(b"x")]);
    let outcome = create.wait();
    assert_eq!(create.wait(), outcome);
    let sent = server.sent.borrow().len();
    (outcome, sent)
}

#[test]
fn transient_failures_are_repeated() {
    let script = [error(503, "SlowDown"), unsent(), error(409, "OperationAborted"), status(200)];
    assert_eq!(create(script), (Ok(()), 4));
    // Amazon S3 may report a failure with the status of a success.
    assert_eq!(create([error(200, "InternalError"), status(200)]), (Ok(()), 2));
}

#[test]
fn refusal_is_certain_unless_an_earlier_attempt_may_have_written() {
    let refused = || error(403, "AccessDenied");
    let (outcome, sent) = create([refused()]);
    assert!(matches!(outcome, Err(WriteError::NotWritten(_))) && sent == 1, "{outcome:?}");
    let (outcome, _) = create([unsent(), refused()]);
    assert!(matches!(outcome, Err(WriteError::NotWritten(_))), "{outcome:?}");
    let (outcome, _) = create([Some(Err(Broken::midway("cut"))), refused()]);
    assert!(matches!(outcome, Err(WriteError::Unknown(_))), "{outcome:?}");
}

#[test]
fn conflict_is_checked_before_it_counts() {
    assert_eq!(create([error(412, "PreconditionFailed")]).0, Err(WriteError::AlreadyExists));
    for conflict in [status(412), status(409), error(409, "BucketNotEmpty")] {
        let (outcome, sent) = create([conflict.clone(), status(200)]);
        assert_eq!((outcome, sent), (Err(WriteError::AlreadyExists), 2));
        let (outcome, _) = create([conflict, status(404)]);
        assert!(matches!(outcome, Err(WriteError::Unknown(_))), "{outcome:?}");
    }
}

#[test]
fn operation_ends_at_its_time_limit() {
    let (server, engine) = engine([]);
    let mut create = Create::start(&engine, "a".to_owned(), Vec::new());
    assert_eq!(create.poll(), None);
    let outcome = create.wait();
    let Err(WriteError::Unknown(error)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.kind, StoreErrorKind::Unavailable);
    assert_eq!(server.clock.get(), engine.settings().timeout);
    let error = read::get(&engine, "a", None).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable);
}

#[test]
fn silent_attempt_is_repeated_and_one_that_moves_bytes_is_not() {
    assert_eq!(create([None, status(200)]), (Ok(()), 2));
    let (server, engine) = engine([]);
    let flight = engine.start(Request::object(Method::Put, "a"));
    let limit = engine.settings().timeout;
    for second in 0..limit.as_secs() {
        server.clock.set(Duration::from_secs(second));
        server.moved.set(second);
        assert!(!flight.has_ended());
        assert_eq!(server.sent.borrow().len(), 1, "second {second}");
    }
    assert!(flight.end().result.is_err());
    assert_eq!(server.clock.get(), limit);
}

#[test]
fn time_between_calls_does_not_count() {
    let (server, engine) = engine([]);
    let flight = engine.start(Request::object(Method::Put, "a"));
    server.clock.set(Duration::from_secs(3_600));
    assert!(!flight.has_ended());
    assert!(flight.end().result.is_err());
    let away = Duration::from_secs(3_599);
    assert_eq!(server.clock.get(), engine.settings().timeout + away);
}

#[test]
fn pauses_grow_until_the_time_limit() {
    let (server, engine) = engine(vec![error(500, "InternalError"); 10_000]);
    let end = engine.start(Request::object(Method::Get, "a")).end();
    assert!(end.result.is_err() && server.clock.get() <= engine.settings().timeout);
    assert!((12..200).contains(&end.attempts), "{}", end.attempts);
}

#[test]
fn dropped_create_continues_and_dropped_read_does_not() {
    let (server, engine) = engine([unsent(), status(200)]);
    drop(Create::start(&engine, "a".to_owned(), Vec::new()));
    server.clock.set(Duration::from_secs(9));
    engine.advance();
    assert_eq!(server.sent.borrow().len(), 2);
    assert!(engine.tasks.borrow().is_empty());
    let mut fetch = Fetch::new(Rc::clone(&engine), vec![range("a", None), range("b", None)]);
    server.answers.borrow_mut().push_back(error(404, "NoSuchKey"));
    assert_eq!(fetch.next(1).unwrap_err().number, 0);
    assert_eq!(engine.tasks.borrow().len(), 1);
    drop(fetch);
    assert!(engine.tasks.borrow().is_empty());
}

fn range(key: &str, range: Option<std::ops::Range<u64>>) -> ObjectRange {
    ObjectRange { key: key.to_owned(), range }
}

fn piece(range: std::ops::Range<usize>, size: usize) -> Option<Result<Answer, Broken>> {
    let headers = vec![
        ("content-range".to_owned(), format!("bytes {}-{}/{size}", range.start, range.end - 1)),
        ("etag".to_owned(), "\"1\"".to_owned()),
    ];
    let body = Bytes::from(vec![b'x'; range.len()]);
    Some(Ok(Answer { status: 206, headers, body }))
}

#[test]
fn large_objects_are_read_in_pieces() {
    const PIECE: usize = 4 * 1024 * 1024;
    let size = 2 * PIECE + 5;
    let (server, engine) =
        engine([piece(0..PIECE, size), piece(0..3, 3), piece(PIECE..2 * PIECE, size)]);
    server.answers.borrow_mut().push_back(piece(2 * PIECE..size, size));
    let mut fetch = Fetch::new(Rc::clone(&engine), vec![range("a", None), range("b", None)]);
    let (mut found, mut lasts) = ([0, 0], Vec::new());
    while let Some(chunk) = fetch.next(1_000_000).unwrap() {
        found[chunk.number] += chunk.bytes.len();
        lasts.extend(chunk.last.then_some(chunk.number));
    }
    assert_eq!((found, lasts), ([size, 3], vec![0, 1]));
    let ranges: Vec<_> = server.sent.borrow().iter().map(|sent| header(sent, "range")).collect();
    assert_eq!(ranges[2], format!("bytes={PIECE}-{}", 2 * PIECE - 1));
}

fn header(sent: &Outgoing, name: &str) -> String {
    sent.headers.iter().find(|(known, _)| known == name).unwrap().1.clone()
}

#[test]
fn wrong_pieces_are_refused() {
    let get = |answer, wanted| {
        let (_, engine) = engine([answer]);
        read::get(&engine, "a", wanted).map_err(|error| error.kind)
    };
    assert_eq!(get(piece(0..3, 3), None), Ok(b"xxx".to_vec()));
    assert_eq!(get(piece(0..3, 4), None), Err(StoreErrorKind::Other));
    assert_eq!(get(piece(1..3, 3), None), Err(StoreErrorKind::Other));
    assert_eq!(get(piece(1..3, 3), Some(1..3)), Ok(b"xx".to_vec()));
    assert_eq!(get(piece(1..3, 3), Some(1..4)), Err(StoreErrorKind::Invalid));
    assert_eq!(get(status(200), Some(0..1)), Err(StoreErrorKind::Unsupported));
    assert_eq!(get(status(200), None), Ok(Vec::new()));
    assert_eq!(get(error(416, "InvalidRange"), Some(9..10)), Err(StoreErrorKind::Invalid));
    assert_eq!(get(None, Some(3..3)), Err(StoreErrorKind::Invalid));
}
