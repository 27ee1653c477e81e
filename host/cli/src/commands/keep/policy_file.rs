//! The file of policies: TOML, and patterns of names.

use std::fs;
use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};
use serde::Deserialize;
use stratalog::keep::Policy;

use crate::args::durations::parse_duration;
use crate::args::keep::{NamedPolicy, parse_kept_age, parse_kept_bytes, parse_verify_every};
use crate::process::exit::Failure;
use crate::terminal::human;

/// The most bytes of a policy file.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Policies, in the order in which they are tried.
pub(super) struct Policies(Vec<(Vec<GlobMatcher>, Policy)>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    policy: Vec<Entry>,
}

/// A policy as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    logs: Vec<String>,
    compact: Option<bool>,
    compact_batches: Option<u64>,
    compact_age: Option<String>,
    keep_age: Option<String>,
    keep_events: Option<u64>,
    keep_bytes: Option<String>,
    keep_unread: Option<bool>,
    trim_every: Option<String>,
    verify_every: Option<String>,
}

impl Policies {
    /// Returns one policy for the logs whose names fit one of the patterns.
    pub(super) fn one(patterns: &[String], policy: Policy) -> Result<Self, String> {
        Ok(Self(vec![(matchers(patterns)?, policy)]))
    }

    /// Reads the policies of a file.
    pub(super) fn read(file: &Path) -> Result<Self, Failure> {
        let shown = file.display();
        let refuse =
            |why: String| Failure::input(format!("cannot use the policies {shown}: {why}"));
        let size = fs::metadata(file).map(|found| found.len());
        if size.is_ok_and(|size| size > FILE_BYTES_MAX) {
            return Err(refuse("the file has more than 1 MiB".to_owned()));
        }
        let text = fs::read_to_string(file).map_err(|error| refuse(human::cause(&error)))?;
        Self::parse(&text).map_err(refuse)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| {
            let place = error.span().and_then(|span| text.get(..span.start));
            let line = place.map_or(1, |before| before.matches('\n').count() + 1);
            format!("line {line}: {}", error.message().lines().collect::<Vec<_>>().join(" "))
        })?;
        if file.policy.is_empty() {
            return Err("it has no policy; write one below [[policy]]".to_owned());
        }
        let entries = file.policy.into_iter().zip(1..);
        let read = entries
            .map(|(entry, number)| entry.read().map_err(|why| format!("policy {number}: {why}")));
        read.collect::<Result<_, _>>().map(Self)
    }

    /// Returns the policy of the log with a name below the root.
    pub(super) fn of(&self, name: &str) -> Option<Policy> {
        let fits = |patterns: &[GlobMatcher]| patterns.iter().any(|it| it.is_match(name));
        let (_, policy) = self.0.iter().find(|(patterns, _)| fits(patterns))?;
        Some(policy.clone())
    }

    /// Returns whether any of the policies removes events.
    pub(super) fn remove_events(&self) -> bool {
        self.0.iter().any(|(_, policy)| policy.removes_events())
    }
}

impl Entry {
    /// Checks the policy as the options of the same names are checked.
    fn read(self) -> Result<(Vec<GlobMatcher>, Policy), String> {
        if self.logs.is_empty() {
            return Err("logs is empty; name the logs, as in logs = [\"app/*\"]".to_owned());
        }
        let no_compact = self.compact == Some(false);
        if no_compact && (self.compact_batches.is_some() || self.compact_age.is_some()) {
            return Err("compact = false, and yet says when to compact".to_owned());
        }
        if let Some(batches @ ..2) = self.compact_batches {
            return Err(format!("compact_batches = {batches}: give a number from 2 on"));
        }
        if self.keep_age.is_none() && self.trim_every.is_some() {
            return Err("trim_every has no effect without keep_age".to_owned());
        }
        if self.keep_events == Some(0) {
            return Err("keep_events = 0: to remove all events, use `stratalog trim`".to_owned());
        }
        let named = NamedPolicy {
            compact_batches: self.compact_batches,
            compact_age: field("compact_age", self.compact_age, parse_duration)?,
            no_compact,
            keep_age: field("keep_age", self.keep_age, parse_kept_age)?,
            keep_events: self.keep_events,
            keep_bytes: field("keep_bytes", self.keep_bytes, parse_kept_bytes)?,
            keep_unread: self.keep_unread == Some(true),
            trim_every: field("trim_every", self.trim_every, parse_duration)?,
            verify_every: field("verify_every", self.verify_every, parse_verify_every)?,
            logs: self.logs,
        };
        let policy = named.policy();
        if named.keep_unread && !policy.removes_events() {
            return Err("keep_unread has no effect without a retention".to_owned());
        }
        Ok((matchers(&named.logs)?, policy))
    }
}

/// Parses a value as the option of the same name does.
fn field<T>(
    name: &str,
    text: Option<String>,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, String> {
    let parsed = text.map(|text| parse(&text).map_err(|why| format!("{name} = {text:?}: {why}")));
    parsed.transpose()
}

fn matchers(patterns: &[String]) -> Result<Vec<GlobMatcher>, String> {
    let matcher = |pattern: &String| {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        match glob {
            Ok(glob) if !pattern.is_empty() => Ok(glob.compile_matcher()),
            Ok(_) => Err("a pattern is empty: write ** for all logs".to_owned()),
            Err(error) => Err(format!("the pattern {pattern:?} is not valid: {}", error.kind())),
        }
    };
    patterns.iter().map(matcher).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    #[test]
    fn first_policy_whose_pattern_fits_applies() {
        let text = r#"
            [[policy]]
            logs = ["app/*", "audit"]
            keep_age = "30d"
            keep_unread = true
            compact_batches = 7
            [[policy]]
            logs = ["**"]
            compact = false
            verify_every = "1w"
        "#;
        let policies = Policies::parse(text).unwrap();
        let app = Policy::new().keep_age(30 * DAY).keep_unread(true).compact_batches(Some(7));
        let rest = Policy::new().compact_batches(None).compact_age(None).verify_every(7 * DAY);
        for (name, policy) in
            [("app/errors", &app), ("audit", &app), ("app/a/b", &rest), ("audit2", &rest)]
        {
            assert_eq!(policies.of(name).as_ref(), Some(policy), "{name}");
        }
        assert!(policies.remove_events());
        let one = Policies::one(&["a?c".to_owned()], app).unwrap();
        assert!(one.of("abc").is_some() && one.of("a/c").is_none() && one.of("abcd").is_none());
    }

    #[test]
    fn fault_of_a_file_is_named_with_its_place() {
        let table = [
            ("", "it has no policy"),
            ("\n[[policy]]\nlogs = [\"a\"]\nkeep_days = 3", "line 4: unknown field `keep_days`"),
            ("[[policy]]\nlogs = \"a\"", "line 2: "),
            ("[[policy]]\nkeep_age = \"3d\"", "missing field `logs`"),
            ("[[policy]]\nlogs = []", "policy 1: logs is empty"),
            ("[[policy]]\nlogs = [\"\"]", "policy 1: a pattern is empty"),
            ("[[policy]]\nlogs = [\"[a\"]", "policy 1: the pattern \"[a\" is not valid"),
            ("[[policy]]\nlogs = [\"a\"]\nkeep_age = \"0\"", "policy 1: keep_age = \"0\": give a"),
            ("[[policy]]\nlogs = [\"a\"]\nkeep_age = \"1M\"", "may be minutes or months"),
            ("[[policy]]\nlogs = [\"a\"]\nkeep_events = 0", "keep_events = 0: to remove all"),
            ("[[policy]]\nlogs = [\"a\"]\nkeep_events = -1", "line 3: "),
            ("[[policy]]\nlogs = [\"a\"]\nkeep_bytes = \"x\"", "policy 1: keep_bytes = \"x\": "),
            ("[[policy]]\nlogs = [\"a\"]\nkeep_unread = true", "without a retention"),
            ("[[policy]]\nlogs = [\"a\"]\ntrim_every = \"1d\"", "without keep_age"),
            ("[[policy]]\nlogs = [\"a\"]\ncompact_batches = 1", "compact_batches = 1: give a"),
            ("[[policy]]\nlogs = [\"a\"]\ncompact = false\ncompact_age = \"1d\"", "and yet says"),
        ];
        for (text, expected) in table {
            let error = Policies::parse(text).err().unwrap();
            assert!(error.contains(expected) && !error.contains('\n'), "{text:?}: {error}");
        }
    }
}
