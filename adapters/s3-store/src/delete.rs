//! Deleting objects.
//!
//! 1. A key without an object counts as deleted.
//! 2. Every key whose object may still exist is reported.

use std::collections::VecDeque;
use std::rc::Rc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use md5::{Digest as _, Md5};
use stratalog_store_rules::error::DeleteFailure;
use stratalog_store_rules::key;
use stratalog_store_rules::reply::document::error_in;

use crate::engine::{End, Engine, Flight};
use crate::exchange::Transport;
use crate::failure::{Doing, is_blank};
use crate::reply::{check_bare, deletes};
use crate::request::{Method, Request};

/// The most keys of one request: the limit of S3.
const BULK_KEYS_MAX: usize = 1_000;

/// The most requests in flight.
const IN_FLIGHT_MAX: usize = 16;

/// Deletes objects, and returns those that may still exist.
pub fn delete<T: Transport>(engine: &Rc<Engine<T>>, keys: Vec<String>) -> Vec<DeleteFailure> {
    let (mut failures, mut wanted) = (Vec::new(), Vec::new());
    for key in keys {
        match key::check(&key) {
            Ok(()) => wanted.push(key),
            Err(error) => failures.push(DeleteFailure { key, error }),
        }
    }
    let in_bulk = engine.settings().deletes_in_bulk;
    let size = if in_bulk { BULK_KEYS_MAX } else { 1 };
    let mut waiting = wanted.chunks(size);
    let mut in_flight: VecDeque<(&[String], Flight<T>)> = VecDeque::new();
    loop {
        while in_flight.len() < IN_FLIGHT_MAX
            && let Some(keys) = waiting.next()
        {
            let flight = if in_bulk { start_bulk(engine, keys) } else { start_one(engine, keys) };
            in_flight.push_back((keys, flight));
        }
        let Some((keys, flight)) = in_flight.pop_front() else { return failures };
        let end = flight.end();
        if in_bulk {
            judge_bulk(engine, keys, &end, &mut failures);
        } else {
            judge_one(engine, keys, &end, &mut failures);
        }
    }
}

fn start_bulk<T: Transport>(engine: &Rc<Engine<T>>, keys: &[String]) -> Flight<T> {
    let prefix = &engine.settings().prefix;
    let keys: Vec<_> = keys.iter().map(|key| format!("{prefix}{key}")).collect();
    let body = deletes::body(keys.iter().map(String::as_str));
    // S3 requires this digest.
    let digest = BASE64_STANDARD.encode(Md5::digest(body.as_bytes()));
    let request = Request::bucket(Method::Post)
        .query("delete", "")
        .header("content-type", "application/xml")
        .header("content-md5", digest)
        .body(vec![Bytes::from(body)]);
    engine.start_repeating(request, deletes::transient)
}

fn start_one<T: Transport>(engine: &Rc<Engine<T>>, keys: &[String]) -> Flight<T> {
    let key = keys.first().map_or("", String::as_str);
    engine.start(Request::object(Method::Delete, key))
}

fn judge_bulk<T: Transport>(
    engine: &Rc<Engine<T>>,
    keys: &[String],
    end: &End,
    failures: &mut Vec<DeleteFailure>,
) {
    let settings = engine.settings();
    let prefix = &settings.prefix;
    let doing = |key| Doing { settings, action: "delete", key };
    let whole: Vec<_> = keys.iter().map(|key| format!("{prefix}{key}")).collect();
    let results = match &end.result {
        Ok(answer) if answer.is_success() => Some(deletes::read(&whole, answer)),
        _ => None,
    };
    for (key, whole) in keys.iter().zip(&whole) {
        let error = match &results {
            None => doing(key).failed(end),
            Some(Err(wrong)) => doing(key).wrong(wrong),
            Some(Ok(results)) => match results.failure(whole) {
                Some(failure) if failure.code != "NoSuchKey" => doing(key).coded_failure(&failure),
                _ => continue,
            },
        };
        failures.push(DeleteFailure { key: key.clone(), error });
    }
}

fn judge_one<T: Transport>(
    engine: &Rc<Engine<T>>,
    keys: &[String],
    end: &End,
    failures: &mut Vec<DeleteFailure>,
) {
    for key in keys {
        let doing = Doing { settings: engine.settings(), action: "delete", key };
        let error = match &end.result {
            Ok(answer) if answer.is_success() => {
                match check_bare("the result of a delete", answer) {
                    Ok(()) => continue,
                    Err(wrong) => doing.wrong(&wrong),
                }
            }
            // After a blank answer the object may still exist.
            Ok(answer) if answer.status == 404 && !is_blank(answer) => {
                match error_in(&answer.body) {
                    Some((code, _)) if code == "NoSuchKey" => continue,
                    _ => doing.refused(answer),
                }
            }
            _ => doing.failed(end),
        };
        failures.push(DeleteFailure { key: key.clone(), error });
    }
}
