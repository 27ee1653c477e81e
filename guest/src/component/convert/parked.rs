//! The states of parked writers and readers, to the bindings and back.

use crate::component::bindings::exports::stratalog::log::{parking, types};
use crate::component::imports::BytesHandle;
use crate::decide::buffer::OpenEvents;
use crate::drive::catalog::LastLoad;
use crate::drive::named::ParkedName;
use crate::drive::reader::parked::{Next, ParkedReader};
use crate::drive::writer::Written;
use crate::drive::writer::parked::Parked;

impl From<Parked<BytesHandle>> for parking::Parked {
    fn from(parked: Parked<BytesHandle>) -> Self {
        let Parked { options, writer, last_time, batches, written, generation, open, due_in } =
            parked;
        let open = open.map(|OpenEvents { lines, events, opened }| parking::OpenEvents {
            lines: lines.into_handle(),
            events,
            opened,
            due_in,
        });
        let (options, written) = (options.into(), written.into());
        Self { options, writer, last_time, batches, written, generation, open }
    }
}

impl From<parking::Parked> for Parked<BytesHandle> {
    fn from(parked: parking::Parked) -> Self {
        let parking::Parked { options, writer, last_time, batches, written, generation, open } =
            parked;
        let due_in = open.as_ref().and_then(|open| open.due_in);
        let open = open.map(|open| OpenEvents {
            lines: open.lines.into(),
            events: open.events,
            opened: open.opened,
        });
        let (options, written) = (options.into(), written.into());
        Self { options, writer, last_time, batches, written, generation, open, due_in }
    }
}

impl From<types::Written> for Written {
    fn from(written: types::Written) -> Self {
        Self { batches: written.batches, events: written.events, bytes: written.bytes }
    }
}

impl From<ParkedReader> for parking::ParkedReader {
    fn from(parked: ParkedReader) -> Self {
        let ParkedReader { last_load: LastLoad { since, digest, listed }, named, .. } = parked;
        let last_load = parking::LastLoad { since, digest, listed };
        let named = named.map(|ParkedName { name, number, attempt }| parking::ParkedName {
            name,
            number,
            attempt,
        });
        Self {
            position: parked.position,
            last: parked.last,
            left: parked.left,
            since: parked.since,
            until: parked.until,
            skips_damaged: parked.skips_damaged,
            is_fresh: parked.is_fresh,
            must_exist: parked.must_exist,
            is_placed: parked.is_placed,
            next: parked.next.into(),
            generation: parked.generation,
            last_load,
            polls: parked.polls,
            named,
        }
    }
}

impl From<parking::ParkedReader> for ParkedReader {
    fn from(parked: parking::ParkedReader) -> Self {
        let parking::LastLoad { since, digest, listed } = parked.last_load;
        let named = parked.named.map(|parking::ParkedName { name, number, attempt }| ParkedName {
            name,
            number,
            attempt,
        });
        Self {
            position: parked.position,
            last: parked.last,
            left: parked.left,
            since: parked.since,
            until: parked.until,
            skips_damaged: parked.skips_damaged,
            is_fresh: parked.is_fresh,
            must_exist: parked.must_exist,
            is_placed: parked.is_placed,
            next: parked.next.into(),
            generation: parked.generation,
            last_load: LastLoad { since, digest, listed },
            polls: parked.polls,
            named,
        }
    }
}

impl From<Next> for parking::ParkedNext {
    fn from(next: Next) -> Self {
        match next {
            Next::Load => Self::Load,
            Next::End => Self::End,
            Next::Poll => Self::Poll,
        }
    }
}

impl From<parking::ParkedNext> for Next {
    fn from(next: parking::ParkedNext) -> Self {
        match next {
            parking::ParkedNext::Load => Self::Load,
            parking::ParkedNext::End => Self::End,
            parking::ParkedNext::Poll => Self::Poll,
        }
    }
}
