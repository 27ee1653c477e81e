//! The levels of log messages, and the variable that chooses which of them a component shows.
//!
//! A value that cannot be used is reported, and the default is used.

/// The variable of the environment that names the lowest level that is shown.
pub const LEVEL_VARIABLE: &str = "STRATALOG_LOG";

/// The lowest level that is shown without that variable.
pub const SHOWN_FROM_DEFAULT: Option<Level> = Some(Level::Warn);

/// The level of a message or a record, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Critical,
}

impl Level {
    /// All levels, lowest first.
    pub const ALL: [Self; 6] =
        [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Critical];

    /// Returns the name that events and settings have.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }

    /// Returns the word at the front of a message for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Warn => "warning",
            Self::Critical => "error",
            level => level.name(),
        }
    }

    /// Returns the level of a name, in capitals or not.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name().eq_ignore_ascii_case(name))
    }
}

/// Returns the lowest level that is shown; none to show nothing. An empty name is none.
///
/// # Errors
/// The report of a name that is not one of a level.
pub fn shown_from(named: Option<&str>) -> Result<Option<Level>, String> {
    let named = named.unwrap_or_default();
    let name = named.trim();
    if name.is_empty() {
        return Ok(SHOWN_FROM_DEFAULT);
    }
    if name.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    match Level::parse(name) {
        Some(level) if level <= Level::Error => Ok(Some(level)),
        _ => Err(format!(
            "cannot use {LEVEL_VARIABLE}={named}: it is not off or one of trace, debug, info, \
             warn, error; the default is used: warn"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_shown_from_the_named_one_on() {
        for (named, from) in [
            (None, Some(Level::Warn)),
            (Some(" "), Some(Level::Warn)),
            (Some("Info "), Some(Level::Info)),
            (Some("warn"), Some(Level::Warn)),
            (Some("OFF"), None),
        ] {
            assert_eq!(shown_from(named), Ok(from), "{named:?}");
        }
        assert!(Level::Critical > Level::Error && Level::Info < Level::Warn);
    }

    #[test]
    fn level_that_does_not_exist_is_reported() {
        for named in ["nope", "stratalog=debug", "warn,info", "3", "critical"] {
            let report = shown_from(Some(named)).unwrap_err();
            assert!(report.starts_with(&format!("cannot use STRATALOG_LOG={named}: ")), "{report}");
            assert!(report.ends_with("; the default is used: warn"), "{report}");
        }
    }
}
