//! The component: its exports, over the one sink of an instance.

use std::cell::RefCell;

use stratalog_store_rules::log_level::Level;

use crate::bindings;
use crate::bindings::exports::stratalog::adapters::log_sink;
use crate::bindings::exports::wasi::logging::logging;
use crate::settings::Settings;
use crate::sink::{Sink, line};
use crate::system::{Wasi, say};

thread_local! {
    static SINK: RefCell<Option<Sink<Wasi>>> = const { RefCell::new(None) };
}

struct Component;

impl logging::Guest for Component {
    fn log(level: logging::Level, context: String, message: String) {
        let level = converted(level);
        SINK.with(|sink| match sink.try_borrow_mut() {
            Ok(mut sink) => {
                let variable = |name: &str| std::env::var(name).ok();
                let sink = sink.get_or_insert_with(|| Sink::new(Wasi::new(), variable));
                sink.record(level, &context, &message);
            }
            // The log called back while it was called: the message must not go into it.
            Err(_) => {
                let (settings, _) = Settings::read(|name| std::env::var(name).ok());
                if settings.shown_from.is_some_and(|from| level >= from) {
                    say(&line(level, &context, &message));
                }
            }
        });
    }
}

impl log_sink::Guest for Component {
    fn flush() {
        // A sink that is in a call is flushed by nobody: the log has called back.
        SINK.with(|sink| {
            if let Ok(mut sink) = sink.try_borrow_mut()
                && let Some(sink) = sink.as_mut()
            {
                sink.end();
            }
        });
    }
}

fn converted(level: logging::Level) -> Level {
    match level {
        logging::Level::Trace => Level::Trace,
        logging::Level::Debug => Level::Debug,
        logging::Level::Info => Level::Info,
        logging::Level::Warn => Level::Warn,
        logging::Level::Error => Level::Error,
        logging::Level::Critical => Level::Critical,
    }
}

bindings::export!(Component with_types_in bindings);
