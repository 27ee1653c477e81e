//! Journals the events of the `tracing` crate.

use std::collections::BTreeMap;
use std::fmt;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::Log;

/// A layer that journals each event into a log:
/// `tracing_subscriber::registry().with(Journal::new(log)).init()`.
///
/// An event is `{"time":"…","level":"…","context":"…","message":"…"}` and its fields, as text. The
/// context is the target. The options of the log decide when it is flushed. Events that the log
/// does not take are dropped, and the next one that it takes is preceded by their number.
pub struct Journal {
    journal: crate::journal::Journal,
}

#[derive(Default)]
struct Fields {
    message: String,
    others: BTreeMap<String, String>,
}

impl Journal {
    /// Returns the layer of a log.
    pub fn new(log: Log) -> Self {
        Self { journal: crate::journal::Journal::new(log) }
    }
}

impl<S: Subscriber> Layer<S> for Journal {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = event.metadata().level().as_str().to_ascii_lowercase();
        self.journal.add(&level, event.metadata().target(), &fields.message, &fields.others);
    }
}

impl Fields {
    fn add(&mut self, field: &Field, text: String) {
        match field.name() {
            "message" => self.message = text,
            // The names of the record itself.
            name @ ("time" | "level" | "context") => {
                self.others.insert(format!("field_{name}"), text);
            }
            name => {
                self.others.insert(name.to_owned(), text);
            }
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format!("{value:?}"));
    }
}
