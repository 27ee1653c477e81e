//! One record as a line of JSON, with its fields in the order in which they are added.

use std::fmt::{Display, Write as _};
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use stratalog_store_rules::text::is_invisible;

/// A JSON object that grows.
pub(super) struct Object(String);

impl Object {
    pub(super) fn new() -> Self {
        Self("{".to_owned())
    }

    fn key(&mut self, name: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&quoted(name));
        self.0.push(':');
    }

    /// Adds a number, or a JSON value that is written already.
    pub(super) fn raw(&mut self, name: &str, value: impl Display) -> &mut Self {
        self.key(name);
        // A string takes everything.
        write!(self.0, "{value}").ok();
        self
    }

    pub(super) fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.raw(name, quoted(value))
    }

    pub(super) fn time(&mut self, name: &str, time: SystemTime) -> &mut Self {
        let time = DateTime::<Utc>::from(time);
        self.text(name, &time.to_rfc3339_opts(SecondsFormat::Micros, true))
    }

    pub(super) fn list(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = String>,
    ) -> &mut Self {
        let values: Vec<String> = values.into_iter().collect();
        self.raw(name, format_args!("[{}]", values.join(",")))
    }

    pub(super) fn object(&mut self, name: &str, fill: impl FnOnce(&mut Self)) -> &mut Self {
        let mut inner = Self::new();
        fill(&mut inner);
        self.raw(name, inner.end())
    }

    /// Returns the whole object.
    pub(super) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// Returns a text as JSON, in quotes. What cannot be seen is escaped, so that a record cannot drive
/// the terminal of its reader.
pub(super) fn quoted(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    let mut visible = String::with_capacity(quoted.len());
    for character in quoted.chars() {
        if is_invisible(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // A string takes everything.
                write!(visible, "\\u{unit:04x}").ok();
            }
        } else {
            visible.push(character);
        }
    }
    visible
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn object_has_its_fields_in_order() {
        let mut object = Object::new();
        object.text("b", "\"\n\u{7f}\u{202e}\u{e0041}é").raw("a", 1).time("t", UNIX_EPOCH);
        object.list("l", [quoted("x"), "2".to_owned()]).object("o", |inner| {
            inner.raw("n", 0);
        });
        let line = object.end();
        let expected = r#"{"b":"\"\n\u007f\u202e\udb40\udc41é","a":1,"t":"1970-01-01T00:00:00.000000Z","l":["x",2],"o":{"n":0}}"#;
        assert_eq!(line, expected);
        assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok());
    }
}
