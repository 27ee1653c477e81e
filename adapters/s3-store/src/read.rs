//! Reading objects: one of them whole, a range of one, or many in order.
//!
//! Owns: the pieces in flight, and their order. Must not know: the content of the objects.
//!
//! 1. A read yields exactly the bytes of the range, or fails.
//! 2. Objects are read in pieces. So memory is bounded, and a retry repeats one piece.
//! 3. Pieces are requested ahead of the reader, as far as the limits allow.
//! 4. The first piece of an object tells its size. Until then no other piece of a whole object is
//!    requested.

mod piece;

use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;
use std::vec;

use bytes::Bytes;
use stratalog_store_exports::store::OrderedRead;
use stratalog_store_rules::error::{OrderedReadError, StoreError, StoreErrorKind};
use stratalog_store_rules::key;
use stratalog_store_rules::limits::GET_BYTES_MAX;
use stratalog_store_rules::objects::{Chunk, ObjectRange};

use crate::engine::{Engine, Flight};
use crate::exchange::Transport;
use crate::failure::Doing;
use crate::read::piece::Piece;
use crate::request::{Method, Request};

/// The most bytes of one request.
const PIECE_BYTES: u64 = 4 * 1024 * 1024;

/// The most requests in flight, and with their bytes the most that is held ahead of the reader.
const IN_FLIGHT_MAX: usize = 16;

/// A read of many objects in order.
pub struct Fetch<T: Transport> {
    engine: Rc<Engine<T>>,
    waiting: vec::IntoIter<ObjectRange>,
    /// The number of ranges that were taken from those waiting.
    begun: usize,
    /// The objects that are being read; the first one is the reader's.
    open: VecDeque<Object<T>>,
}

/// A range of an object in progress.
struct Object<T: Transport> {
    number: usize,
    key: String,
    /// True if the whole object is wanted.
    is_whole: bool,
    start: u64,
    /// The end of the range, once it is known.
    end: Option<u64>,
    /// The offset of the next piece to request.
    next: u64,
    flights: VecDeque<(Range<u64>, Flight<T>)>,
    tag: Option<String>,
    /// Bytes that were received and not returned.
    ready: Bytes,
    /// The reason why nothing is requested.
    refused: Option<StoreError>,
}

/// Returns the bytes of an object, or of a range of it.
///
/// # Errors
/// Kind `invalid` also for more bytes than one call returns.
pub fn get<T: Transport>(
    engine: &Rc<Engine<T>>,
    key: &str,
    range: Option<Range<u64>>,
) -> Result<Vec<u8>, StoreError> {
    let ranges = vec![ObjectRange { key: key.to_owned(), range }];
    let mut fetch = Fetch::new(Rc::clone(engine), ranges);
    let mut all = Vec::new();
    loop {
        let chunk = fetch.next(usize::MAX).map_err(|failure| failure.error)?;
        if let Some(object) = fetch.open.front()
            && let Some(end) = object.end
            && end - object.start > GET_BYTES_MAX
        {
            let doing = Doing { settings: engine.settings(), action: "read", key };
            let reason = format!(
                "{} bytes are more than the {GET_BYTES_MAX} of one read; read a range",
                end - object.start
            );
            return Err(doing.error(StoreErrorKind::Invalid, reason));
        }
        let Some(chunk) = chunk else { return Ok(all) };
        if all.is_empty() && chunk.last {
            return Ok(chunk.bytes.into());
        }
        all.extend_from_slice(&chunk.bytes);
    }
}

impl<T: Transport> Fetch<T> {
    /// Makes a read that has requested nothing.
    pub fn new(engine: Rc<Engine<T>>, ranges: Vec<ObjectRange>) -> Self {
        Self { engine, waiting: ranges.into_iter(), begun: 0, open: VecDeque::new() }
    }

    /// Requests pieces, as far as the limits allow.
    fn fill(&mut self) {
        let in_flight = |object: &Object<T>| object.flights.len();
        let mut count: usize = self.open.iter().map(in_flight).sum();
        let mut at = 0;
        while count < IN_FLIGHT_MAX {
            if at == self.open.len() {
                if at >= IN_FLIGHT_MAX {
                    return;
                }
                let Some(range) = self.waiting.next() else { return };
                self.open.push_back(Object::new(&self.engine, self.begun, range));
                self.begun += 1;
            }
            let Some(object) = self.open.get_mut(at) else { return };
            match object.next_piece() {
                Some(piece) => {
                    object.request(&self.engine, piece);
                    count += 1;
                }
                None => at += 1,
            }
        }
    }
}

impl<T: Transport> OrderedRead for Fetch<T> {
    fn next(&mut self, bytes_max: usize) -> Result<Option<Chunk>, OrderedReadError> {
        loop {
            self.fill();
            let Some(object) = self.open.front_mut() else { return Ok(None) };
            let number = object.number;
            if object.ready.is_empty() {
                let received = object.receive(&self.engine);
                received.map_err(|error| OrderedReadError { number, error })?;
            }
            let bytes = object.ready.split_to(object.ready.len().min(bytes_max));
            let last = object.ready.is_empty() && object.is_received();
            if bytes.is_empty() && !last {
                continue;
            }
            if last {
                self.open.pop_front();
            }
            return Ok(Some(Chunk { number, bytes, last }));
        }
    }
}

impl<T: Transport> Object<T> {
    fn new(engine: &Rc<Engine<T>>, number: usize, wanted: ObjectRange) -> Self {
        let ObjectRange { key, range } = wanted;
        let doing = Doing { settings: engine.settings(), action: "read", key: &key };
        let refused = match (&range, key::check(&key)) {
            (_, Err(error)) => Some(error),
            (Some(Range { start, end }), _) if start >= end => {
                let reason = format!("the range {start}..{end} is empty");
                Some(doing.error(StoreErrorKind::Invalid, reason))
            }
            // Servers count in signed numbers.
            (Some(Range { start, .. }), _) if i64::try_from(*start).is_err() => {
                Some(doing.error(StoreErrorKind::Invalid, piece::BEYOND))
            }
            _ => None,
        };
        let (start, end) = range.map_or((0, None), |range| (range.start, Some(range.end)));
        Self {
            number,
            key,
            is_whole: end.is_none(),
            start,
            end,
            next: start,
            flights: VecDeque::new(),
            tag: None,
            ready: Bytes::new(),
            refused,
        }
    }

    /// Returns the next piece to request, if it is known.
    fn next_piece(&self) -> Option<Range<u64>> {
        let most = self.next.saturating_add(PIECE_BYTES);
        match self.end {
            _ if self.refused.is_some() => None,
            None if self.next > self.start => None,
            None => Some(self.next..most),
            Some(end) if self.next < end => Some(self.next..most.min(end)),
            Some(_) => None,
        }
    }

    fn request(&mut self, engine: &Rc<Engine<T>>, piece: Range<u64>) {
        let range = format!("bytes={}-{}", piece.start, piece.end - 1);
        let request = Request::object(Method::Get, &self.key).header("range", range);
        self.next = piece.end;
        self.flights.push_back((piece, engine.start(request)));
    }

    /// Receives the next piece.
    fn receive(&mut self, engine: &Rc<Engine<T>>) -> Result<(), StoreError> {
        if let Some(error) = &self.refused {
            return Err(error.clone());
        }
        let Some((wanted, flight)) = self.flights.pop_front() else { return Ok(()) };
        let doing = Doing { settings: engine.settings(), action: "read", key: &self.key };
        let is_first = self.is_whole && wanted.start == 0;
        let end = flight.end();
        let piece = match &end.result {
            // No byte of an empty object is in a range.
            Ok(answer) if answer.status == 416 && is_first => {
                let whole = engine.start(Request::object(Method::Get, &self.key)).end();
                Piece::read(&doing, &wanted, true, &whole)?
            }
            _ => Piece::read(&doing, &wanted, is_first, &end)?,
        };
        let Piece { bytes, size, tag } = piece;
        if self.tag.is_some() && tag.is_some() && tag != self.tag {
            let reason = "the object was replaced while it was read; read it again";
            return Err(doing.error(StoreErrorKind::Unavailable, reason));
        }
        self.tag = self.tag.take().or(tag);
        match self.end {
            None => {
                self.end = Some(size);
                self.next = self.next.min(size);
            }
            Some(end) if end > size => {
                let start = self.start;
                let reason = format!(
                    "the range {start}..{end} reaches beyond the {size} bytes of the object"
                );
                return Err(doing.error(StoreErrorKind::Invalid, reason));
            }
            Some(_) => {}
        }
        self.ready = bytes;
        Ok(())
    }

    /// Returns whether all pieces were received.
    fn is_received(&self) -> bool {
        self.flights.is_empty() && self.end.is_some_and(|end| self.next >= end)
    }
}
