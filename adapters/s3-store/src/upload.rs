//! Uploads of large objects, in parts.
//!
//! 1. An object of one part is a create. The parts of a larger one are sent as they fill.
//! 2. Nothing is visible until the last step, so failures before it are certain.
//! 3. An upload that is dropped, or fails before its last step, removes its parts.

use std::collections::VecDeque;
use std::mem;
use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use stratalog_store_exports::logging::log;
use stratalog_store_exports::store::{PendingCreate as _, Upload};
use stratalog_store_rules::error::{Outcome, StoreErrorKind, WriteError};
use stratalog_store_rules::key;
use stratalog_store_rules::log_level::Level;
use stratalog_store_rules::numbers::to_u64;

use crate::create::{Create, is_there};
use crate::engine::{Engine, Flight};
use crate::exchange::Transport;
use crate::failure::Doing;
use crate::reply::uploads;
use crate::request::{Method, Request};

/// The size of all parts but the last.
const PART_BYTES: usize = 8 * 1024 * 1024;

/// The most parts of an object: the limit of S3.
const PARTS_MAX: usize = 10_000;

/// The most parts in flight.
const IN_FLIGHT_MAX: usize = 2;

/// An object that is uploaded.
pub struct BucketUpload<T: Transport> {
    engine: Rc<Engine<T>>,
    key: String,
    /// The bytes of the next part.
    part: BytesMut,
    /// The size of the object so far.
    bytes: u64,
    /// The identity of the upload, once a part was sent.
    id: Option<String>,
    tags: Vec<String>,
    flights: VecDeque<Flight<T>>,
    /// True after a request without an answer: the server may be gone.
    is_given_up: bool,
}

impl<T: Transport> BucketUpload<T> {
    /// Starts an upload, and requests nothing.
    ///
    /// # Errors
    /// A key that cannot be used.
    pub fn start(engine: Rc<Engine<T>>, key: String) -> Result<Self, WriteError> {
        key::check(&key).map_err(WriteError::NotWritten)?;
        let (part, tags, flights) = (BytesMut::new(), Vec::new(), VecDeque::new());
        Ok(Self { engine, key, part, bytes: 0, id: None, tags, flights, is_given_up: false })
    }

    fn doing<'a>(&'a self, action: &'a str) -> Doing<'a> {
        Doing { settings: self.engine.settings(), action, key: &self.key }
    }

    /// Returns the key of the bucket.
    fn whole_key(&self) -> String {
        format!("{}{}", self.engine.settings().prefix, self.key)
    }

    /// Returns the identity of the upload. The first call begins it.
    fn id(&mut self) -> Result<String, WriteError> {
        if let Some(id) = &self.id {
            return Ok(id.clone());
        }
        let request = Request::object(Method::Post, &self.key).query("uploads", "").creating();
        let end = self.engine.start(request).end();
        let doing = self.doing("start writing");
        let id = match &end.result {
            Ok(answer) if answer.is_success() => {
                uploads::id(&self.whole_key(), answer).map_err(|wrong| doing.wrong(&wrong))
            }
            _ => Err(doing.failed(&end)),
        };
        let id = id.map_err(WriteError::NotWritten)?;
        Ok(self.id.insert(id).clone())
    }

    fn send_part(&mut self, part: Bytes) -> Outcome {
        let number = self.tags.len() + self.flights.len() + 1;
        if number > PARTS_MAX {
            let reason =
                format!("the object is larger than {PARTS_MAX} parts of {PART_BYTES} bytes");
            let error = self.doing("write").error(StoreErrorKind::Invalid, reason);
            return Err(WriteError::NotWritten(error));
        }
        let id = self.id()?;
        while self.flights.len() >= IN_FLIGHT_MAX {
            self.wait_for_part()?;
        }
        let request = Request::object(Method::Put, &self.key)
            .query("partNumber", number.to_string())
            .query("uploadId", id)
            .body(vec![part]);
        self.flights.push_back(self.engine.start(request));
        Ok(())
    }

    fn wait_for_part(&mut self) -> Outcome {
        let Some(flight) = self.flights.pop_front() else { return Ok(()) };
        let end = flight.end();
        self.is_given_up |= end.result.is_err();
        let doing = self.doing("write a part of");
        let tag = match &end.result {
            Ok(answer) if answer.is_success() => {
                uploads::tag(answer).map_err(|wrong| doing.wrong(&wrong))
            }
            _ => Err(doing.failed(&end)),
        };
        self.tags.push(tag.map_err(WriteError::NotWritten)?);
        Ok(())
    }

    /// Sends the rest, and passes if the object does not exist: the last step would replace it.
    fn prepare_end(&mut self) -> Outcome {
        let rest = mem::take(&mut self.part).freeze();
        self.send_part(rest)?;
        while !self.flights.is_empty() {
            self.wait_for_part()?;
        }
        let end = self.engine.start(Request::object(Method::Head, &self.key)).end();
        match is_there(&end) {
            Some(false) => Ok(()),
            Some(true) => Err(WriteError::AlreadyExists),
            None => Err(WriteError::NotWritten(self.doing("finish writing").failed(&end))),
        }
    }

    fn complete(&mut self) -> Outcome {
        let id = self.id()?;
        let body = Bytes::from(uploads::parts(&self.tags));
        let request = Request::object(Method::Post, &self.key)
            .query("uploadId", id)
            .header("content-type", "application/xml")
            .body(vec![body]);
        let end = self.engine.start(request).end();
        let doing = self.doing("finish writing");
        let checked = match &end.result {
            Ok(answer) if answer.is_success() => uploads::check_end(&self.whole_key(), answer)
                .map_err(|wrong| WriteError::Unknown(doing.wrong(&wrong))),
            _ => Err(doing.fate(&end)),
        };
        // A last step that was sent again after a lost answer finds no upload any more. Some
        // servers leave out the object's tag. No other writer creates the key.
        match checked {
            Err(error) if !end.had_no_effect && self.is_complete() => {
                drop(error);
                self.id = None;
                Ok(())
            }
            Err(error @ WriteError::NotWritten(_)) => Err(error),
            // Its parts may be those of the object.
            other => {
                self.id = None;
                other
            }
        }
    }

    /// Returns whether the object exists with all its bytes.
    fn is_complete(&self) -> bool {
        let end = self.engine.start(Request::object(Method::Head, &self.key)).end();
        match &end.result {
            Ok(answer) if answer.status == 200 => {
                answer.header("content-length").and_then(|size| size.parse().ok())
                    == Some(self.bytes)
            }
            _ => false,
        }
    }
}

impl<T: Transport> Upload for BucketUpload<T> {
    fn write(&mut self, bytes: Bytes) -> Outcome {
        self.bytes += to_u64(bytes.len());
        let mut rest = bytes;
        while !rest.is_empty() {
            // `finish` sends the last part, so it is never empty.
            if self.part.len() == PART_BYTES {
                let part = mem::take(&mut self.part).freeze();
                self.send_part(part)?;
            }
            let fits = rest.len().min(PART_BYTES - self.part.len());
            self.part.extend_from_slice(&rest.split_to(fits));
        }
        Ok(())
    }

    fn finish(mut self) -> Outcome {
        if self.id.is_none() {
            let content = mem::take(&mut self.part).freeze();
            return Create::start(&self.engine, self.key.clone(), vec![content]).wait();
        }
        self.prepare_end()?;
        self.complete()
    }
}

impl<T: Transport> Drop for BucketUpload<T> {
    fn drop(&mut self) {
        // A part that arrives after the upload was removed would stay.
        let flights: Vec<_> = self.flights.drain(..).collect();
        let is_reached = flights.into_iter().all(|flight| flight.end().result.is_ok());
        let Some(id) = self.id.take() else { return };
        let request = Request::object(Method::Delete, &self.key).query("uploadId", id);
        let flight = self.engine.start(request);
        if self.is_given_up || !is_reached {
            flight.release();
            return;
        }
        let end = flight.end();
        if !matches!(&end.result, Ok(answer) if answer.is_success()) {
            let error = self.doing("abort writing").failed(&end);
            log(Level::Warn, "store", &format!("{}: its parts may stay", error.message));
        }
    }
}
