//! Prints the messages of the library and the component, one short line each, on stderr.

use std::env::{self, VarError};
use std::fmt::{self, Write as _};
use std::io;

use stratalog::store::hide_secrets;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use crate::args::Shared;
use crate::process::exit::Failure;
use crate::terminal::stderr;

/// The variable that overrides `-v` and `-q`.
const FILTER_VARIABLE: &str = "STRATALOG_LOG";

/// Takes the spans of the library.
pub(crate) type SpanLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Starts printing messages at the level that the user chose. `spans` takes the spans, of any
/// level.
pub(crate) fn start(shared: &Shared, spans: Option<SpanLayer>) -> Result<(), Failure> {
    let typed = match env::var(FILTER_VARIABLE) {
        Ok(filter) if !filter.is_empty() => Some(filter),
        Ok(_) | Err(VarError::NotPresent) => None,
        Err(error) => {
            return Err(Failure::input(format!(
                "cannot read the environment variable {FILTER_VARIABLE}: {error}"
            )));
        }
    };
    let filter = typed.as_deref().unwrap_or(match (shared.quiet, shared.verbose) {
        (true, _) => "stratalog=error",
        (false, 0) => "stratalog=warn",
        (false, 1) => "stratalog=info,object_store=info",
        (false, _) => "debug",
    });
    let filter = parse_filter(filter)
        .map_err(|error| Failure::input(format!("{FILTER_VARIABLE}={filter}: {error}")))?;
    let registry = tracing_subscriber::registry();
    match spans {
        None => registry.with(filter).with(lines()).init(),
        Some(spans) => registry.with(spans).with(lines().with_filter(filter)).init(),
    }
    Ok(())
}

/// Returns the layer that prints messages.
fn lines<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_subscriber::fmt::layer().event_format(ShortLine).with_writer(|| Lines)
}

/// Parses levels and targets with a level. A target alone is refused, as it may be a level with a
/// typing error, which would silence all messages.
fn parse_filter(text: &str) -> Result<Targets, String> {
    const FORM: &str = "write error, warn, info, debug, trace or off, or a level for each target, \
         as in stratalog=debug,object_store=info";
    let directives = text.split(',').map(str::trim).filter(|directive| !directive.is_empty());
    for directive in directives {
        if !directive.contains('=') && directive.parse::<LevelFilter>().is_err() {
            return Err(format!("{directive} is not a level; {FORM}"));
        }
    }
    text.parse().map_err(|error| format!("{error}; {FORM}"))
}

/// The format of a message: `warning: the message key=value`.
struct ShortLine;

impl<S, N> FormatEvent<S, N> for ShortLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warning",
            Level::INFO => "info",
            Level::DEBUG => "debug",
            Level::TRACE => "trace",
        };
        let mut text = Text::default();
        event.record(&mut text);
        let line = format!("{level}: {}{}", text.message, text.fields);
        // Messages of libraries repeat requests and responses.
        writeln!(writer, "{}", hide_secrets(&line))
    }
}

/// The message of an event, and its other fields.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string does not fail.
        match field.name() {
            "message" => write!(self.message, "{value:?}").ok(),
            // The component's name for itself is redundant here.
            "context" => None,
            name => write!(self.fields, " {name}={value:?}").ok(),
        };
    }
}

/// Writes to stderr without breaking a progress line and without blocking.
struct Lines;

impl io::Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        stderr::say_bytes(line.to_vec());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filter_is_levels_and_targets_with_a_level() {
        for filter in
            ["debug", "ERROR", "off", "stratalog=debug,object_store=info", " info ,a=warn"]
        {
            assert!(parse_filter(filter).is_ok(), "{filter}");
        }
        for (filter, refused) in [("debg", "debg"), ("info,stratalog", "stratalog"), ("a=b", "a=b")]
        {
            let error = parse_filter(filter).unwrap_err();
            assert!(error.contains("stratalog=debug"), "{filter}: {error}");
            assert!(refused == "a=b" || error.contains(&format!("{refused} is not a level")));
        }
    }
}
