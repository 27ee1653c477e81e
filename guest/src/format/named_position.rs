//! A named position as an object's bytes: the only place that encodes and decodes them.
//!
//! 1. It ends with a digest of all bytes before it, as a manifest does.
//! 2. Without a position, the name was forgotten by this commit.

use serde::{Deserialize, Serialize, ser::Error as _};

use crate::error::{Damage, Error};
use crate::format::manifest::{FORMAT, is_whole, with_digest};
use crate::format::names::{PositionAttempt, PositionObject};

/// A commit under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPosition {
    pub object: PositionObject,
    pub attempt: PositionAttempt,
    /// The attempt of the commit before. None in the first.
    pub previous: Option<PositionAttempt>,
    /// None if the name was forgotten.
    pub position: Option<String>,
    /// Microseconds since 1970, by the clock of the reader.
    pub time: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PositionText {
    format: u64,
    name: String,
    number: u64,
    attempt: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    position: Option<String>,
    time: u64,
    /// Decoded separately, and written behind the other fields.
    #[serde(skip_serializing)]
    digest: Option<String>,
}

#[derive(Deserialize)]
struct FormatText {
    format: u64,
}

impl NamedPosition {
    /// # Errors
    /// A message if the attempt before is missing or must not be there.
    pub fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        if self.previous.is_some() != (self.object.number > 1) {
            let message = format!("cannot encode {}: `previous` does not fit", self.object);
            return Err(serde_json::Error::custom(message));
        }
        let bytes = serde_json::to_vec(&PositionText {
            format: FORMAT,
            name: self.object.name.as_str().to_owned(),
            number: self.object.number,
            attempt: self.attempt.to_string(),
            previous: self.previous.as_ref().map(PositionAttempt::to_string),
            position: self.position.clone(),
            time: self.time,
            digest: None,
        })?;
        Ok(with_digest(bytes))
    }

    /// # Errors
    /// [`Error::Damaged`] that names the object, or [`Error::Unsupported`] for a newer format.
    pub fn decode(object: PositionObject, bytes: &[u8]) -> Result<Self, Error> {
        let damage =
            |expected: &str, found: String| Error::Damaged(Damage::new(&object, expected, found));
        if !is_whole(bytes) {
            return Err(damage(
                "the digest of the text before it at the end",
                "another".to_owned(),
            ));
        }
        let json = |error: serde_json::Error| damage("a named position", error.to_string());
        let FormatText { format } = serde_json::from_slice(bytes).map_err(json)?;
        if format != FORMAT {
            return Err(Error::Unsupported(format!(
                "cannot read {object}: it has format {format}, and this version supports format \
                 {FORMAT}; use a newer version"
            )));
        }
        let text: PositionText = serde_json::from_slice(bytes).map_err(json)?;
        let is_this = text.name == object.name.as_str() && text.number == object.number;
        if !is_this || text.digest.is_none() {
            let found = format!("{} of {}", text.number, text.name);
            return Err(damage("the name and the number of its name", found));
        }
        let parse = |text: &str| {
            PositionAttempt::parse(text.as_bytes())
                .ok_or_else(|| damage("an attempt of 16 digits", text.to_owned()))
        };
        let attempt = parse(&text.attempt)?;
        let previous = text.previous.as_deref().map(parse).transpose()?;
        if previous.is_some() != (object.number > 1) {
            return Err(damage(
                "the attempt before, unless it is the first",
                format!("{previous:?}"),
            ));
        }
        let PositionText { position, time, .. } = text;
        Ok(Self { object, attempt, previous, position, time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::names::PositionName;

    #[test]
    fn named_position_is_read_as_written_or_damaged() {
        for (number, position) in [(1, None), (2, Some("7@12,".to_owned()))] {
            let object = PositionName::parse("app").unwrap().object(number).unwrap();
            let previous = (number > 1).then_some(PositionAttempt(4));
            let named = NamedPosition {
                object: object.clone(),
                attempt: PositionAttempt(3),
                previous,
                position,
                time: 5,
            };
            let bytes = named.encode().unwrap();
            assert_eq!(NamedPosition::decode(object.clone(), &bytes), Ok(named.clone()));
            for at in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[at] ^= 1;
                assert!(NamedPosition::decode(object.clone(), &changed).is_err(), "byte {at}");
            }
            let other = object.name.object(number + 1).unwrap();
            assert!(NamedPosition::decode(other, &bytes).is_err());
        }
        let object = PositionName::parse("app").unwrap().object(2).unwrap();
        let named = NamedPosition {
            object,
            attempt: PositionAttempt(3),
            previous: Some(PositionAttempt(2)),
            position: Some("9".to_owned()),
            time: 5,
        };
        let text = "{\"format\":2,\"name\":\"app\",\"number\":2,\"attempt\":\"0000000000000003\",\
                    \"previous\":\"0000000000000002\",\"position\":\"9\",\"time\":5,\"digest\":\"";
        let bytes = String::from_utf8(named.encode().unwrap()).unwrap();
        assert!(bytes.starts_with(text), "{bytes}");
        assert!(NamedPosition { previous: None, ..named }.encode().is_err());
    }
}
