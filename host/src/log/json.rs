//! Events as values of serde, for the feature `serde`.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::Stream;
use futures::stream::FusedStream;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, JsonError, Result};
use crate::log::Log;
use crate::log::events::{Event, Events};
use crate::log::follow::Follow;
use crate::log::reader::Reader;

impl Log {
    /// Appends a value as one event of JSON. Otherwise as [`Log::append`].
    ///
    /// # Errors
    /// As [`Log::append`]; [`Error::Json`] if the value does not serialize. Nothing is appended
    /// then.
    pub async fn append_json(&self, value: &(impl Serialize + ?Sized)) -> Result<()> {
        let event = serde_json::to_vec(value)
            .map_err(|error| Error::Json(JsonError { event: None, source: Arc::new(error) }))?;
        self.append(event).await
    }
}

/// The events of a stream as values. Made by [`Events::values`].
///
/// An event that is not the JSON of a `T` is an [`Error::Json`] with its position, and the stream
/// continues behind it. Otherwise as [`Events`].
#[must_use = "streams do nothing unless polled"]
pub struct Values<T> {
    events: Events,
    value: PhantomData<fn() -> T>,
}

impl Events {
    /// Returns the events as values, each with the event that it is of.
    pub fn values<T: DeserializeOwned>(self) -> Values<T> {
        Values { events: self, value: PhantomData }
    }
}

impl Reader {
    /// Returns this pass as a stream of values of JSON, each with its event.
    ///
    /// ```
    /// # use futures::TryStreamExt as _;
    /// # use stratalog::{Host, LogOptions, store::Store};
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Failure {
    ///     error: String,
    /// }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), stratalog::Error> {
    /// # let (host, store) = (Host::new()?, Store::memory());
    /// # let log = host.open(&store, "errors", LogOptions::new()).await?;
    /// log.append_json(&Failure { error: "disk full".to_owned() }).await?;
    /// log.flush().await?;
    ///
    /// let mut failures = host.read(&store, "errors").await?.events_as::<Failure>();
    /// while let Some((failure, event)) = failures.try_next().await? {
    ///     println!("{} before {:?}", failure.error, event.position());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn events_as<T: DeserializeOwned>(self) -> Values<T> {
        self.into_events().values()
    }
}

impl Follow {
    /// Returns this follower as a stream of values without end: see [`Reader::events_as`].
    pub fn events_as<T: DeserializeOwned>(self) -> Values<T> {
        self.into_events().values()
    }
}

impl Event {
    /// Returns the value of which this event is the JSON.
    ///
    /// # Errors
    /// [`Error::Json`], with the position of the event.
    pub fn json<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T> {
        serde_json::from_slice(self.bytes()).map_err(|error| {
            let event = self.position().map(str::to_owned).unwrap_or_default();
            Error::Json(JsonError { event: Some(event), source: Arc::new(error) })
        })
    }
}

impl<T> Values<T> {
    /// Commits the position behind an event of this stream: see [`Events::commit`].
    ///
    /// # Errors
    /// As [`Events::commit`].
    pub async fn commit(&mut self, event: &Event) -> Result<()> {
        self.events.commit(event).await
    }
}

impl<T: DeserializeOwned> Stream for Values<T> {
    type Item = Result<(T, Event)>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<(T, Event)>>> {
        let event = ready!(Pin::new(&mut self.events).poll_next(context));
        Poll::Ready(event.map(|event| {
            let event = event?;
            let value = event.json()?;
            Ok((value, event))
        }))
    }
}

impl<T: DeserializeOwned> FusedStream for Values<T> {
    fn is_terminated(&self) -> bool {
        self.events.is_terminated()
    }
}

impl<T> fmt::Debug for Values<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Values").field(&self.events).finish()
    }
}
