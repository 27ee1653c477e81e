//! The settings, from variables of the environment.
//!
//! A value that cannot be used is reported, and the default is used.
//!
//! The level of the sink's own messages is that of all components of a program.

use stratalog_store_rules::log_level::{LEVEL_VARIABLE, Level, SHOWN_FROM_DEFAULT, shown_from};

/// The name of the log.
pub const LOG: &str = "STRATALOG_SINK_LOG";
/// The lowest level that is recorded, or `off`.
pub const LEVEL: &str = "STRATALOG_SINK_LEVEL";
/// The lowest level that is flushed immediately, or `off`.
pub const FLUSH_LEVEL: &str = "STRATALOG_SINK_FLUSH_LEVEL";
/// The time within which records become durable, in milliseconds.
pub const INTERVAL: &str = "STRATALOG_SINK_INTERVAL_MS";

/// The name of the log without a setting.
pub const LOG_DEFAULT: &str = "log";

/// All that is logged is recorded: a program that logs too much can say so.
const LEVEL_DEFAULT: Level = Level::Trace;

const FLUSH_LEVEL_DEFAULT: Level = Level::Error;

/// Default and largest interval: those of the log.
const INTERVAL_MS_DEFAULT: u32 = 1_000;
const INTERVAL_MS_MAX: u32 = 86_400_000;

/// The settings of a sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub log: String,
    /// None: nothing is recorded.
    pub level: Option<Level>,
    /// None: no level is flushed immediately.
    pub flush_level: Option<Level>,
    pub interval_ms: u32,
    /// The lowest level of the messages that go to stderr. None: none does.
    pub shown_from: Option<Level>,
}

impl Settings {
    /// Reads the settings, and returns the reports of those that cannot be used.
    ///
    /// An empty value is none.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> (Self, Vec<String>) {
        let mut reports = Vec::new();
        let value = |name| variable(name).filter(|value| !value.trim().is_empty());
        let mut level = |name, default: Level| {
            let Some(value) = value(name) else { return Some(default) };
            if value.trim().eq_ignore_ascii_case("off") {
                return None;
            }
            let level = Level::parse(value.trim());
            if level.is_none() {
                let names = Level::ALL.map(Level::name).join(", ");
                let cause = format!("it is not off or one of {names}");
                reports.push(unusable(name, &value, &cause, default.name()));
            }
            Some(level.unwrap_or(default))
        };
        let (from, flush_level) =
            (level(LEVEL, LEVEL_DEFAULT), level(FLUSH_LEVEL, FLUSH_LEVEL_DEFAULT));
        let interval = value(INTERVAL).map(|value| {
            let millis = value.trim().parse().ok();
            millis.filter(|millis| (1..=INTERVAL_MS_MAX).contains(millis)).ok_or(value)
        });
        let interval_ms = match interval {
            None => INTERVAL_MS_DEFAULT,
            Some(Ok(millis)) => millis,
            Some(Err(value)) => {
                let cause = format!("it is not a number from 1 to {INTERVAL_MS_MAX}");
                let default = INTERVAL_MS_DEFAULT.to_string();
                reports.push(unusable(INTERVAL, &value, &cause, &default));
                INTERVAL_MS_DEFAULT
            }
        };
        let log = value(LOG).unwrap_or_else(|| LOG_DEFAULT.to_owned());
        let shown_from = shown_from(variable(LEVEL_VARIABLE).as_deref()).unwrap_or_else(|report| {
            reports.push(report);
            SHOWN_FROM_DEFAULT
        });
        (Self { log, level: from, flush_level, interval_ms, shown_from }, reports)
    }
}

/// Returns the report of a setting that cannot be used.
pub fn unusable(name: &str, value: &str, cause: &str, default: &str) -> String {
    format!("cannot use {name}={value}: {cause}; the default is used: {default}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&str, &str)]) -> (Settings, Vec<String>) {
        Settings::read(|name| {
            let found = values.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn defaults_stand_without_values() {
        let (settings, reports) = read(&[(LOG, ""), (LEVEL, " "), (INTERVAL, "")]);
        assert_eq!((settings.log.as_str(), settings.interval_ms), ("log", 1_000));
        assert_eq!(settings.level, Some(Level::Trace));
        assert_eq!(settings.flush_level, Some(Level::Error));
        assert_eq!(settings.shown_from, Some(Level::Warn));
        assert!(reports.is_empty(), "{reports:?}");
    }

    #[test]
    fn values_replace_the_defaults() {
        let values =
            [(LOG, "app/log"), (LEVEL, "Warn"), (FLUSH_LEVEL, "off"), (INTERVAL, "86400000")];
        let (settings, reports) = read(&values);
        assert_eq!((settings.log.as_str(), settings.interval_ms), ("app/log", 86_400_000));
        assert_eq!((settings.level, settings.flush_level), (Some(Level::Warn), None));
        assert!(reports.is_empty(), "{reports:?}");
    }

    #[test]
    fn unusable_values_are_reported_and_the_defaults_used() {
        let (defaults, _) = read(&[]);
        for (name, value) in [
            (LEVEL, "loud"),
            (LEVEL, "warning"),
            (FLUSH_LEVEL, "5"),
            (INTERVAL, "0"),
            (INTERVAL, "86400001"),
            (INTERVAL, "1s"),
            (INTERVAL, "-1"),
            (LEVEL_VARIABLE, "loud"),
        ] {
            let (settings, reports) = read(&[(name, value)]);
            assert_eq!(settings, defaults, "{name}={value}");
            assert!(
                matches!(&reports[..], [only] if only.contains(&format!("{name}={value}:"))),
                "{reports:?}"
            );
        }
    }
}
