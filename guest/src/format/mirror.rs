//! The bytes of a mirror mark: the only place that encodes and decodes them.
//!
//! 1. It ends with a digest of all bytes before it, as a manifest does.
//! 2. The source's name is a note for people. Nothing depends on it.

use serde::{Deserialize, Serialize};

use crate::error::{Damage, Error};
use crate::format::manifest::{FORMAT, is_whole, with_digest};
use crate::format::names::{LogId, MirrorMark};

/// The contents of a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// The log that is copied, as its caller names it.
    pub source: String,
    /// Its identity, if it had one at that time.
    pub log: Option<LogId>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MirrorText {
    format: u64,
    source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log: Option<String>,
    /// Decoded separately, and written behind the other fields.
    #[serde(skip_serializing)]
    digest: Option<String>,
}

#[derive(Deserialize)]
struct FormatText {
    format: u64,
}

impl Mirror {
    /// # Errors
    /// A message if it cannot be written as JSON, which does not happen.
    pub fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let bytes = serde_json::to_vec(&MirrorText {
            format: FORMAT,
            source: self.source.clone(),
            log: self.log.as_ref().map(LogId::to_string),
            digest: None,
        })?;
        Ok(with_digest(bytes))
    }

    /// # Errors
    /// [`Error::Damaged`] that names the object, or [`Error::Unsupported`] for a newer format.
    pub fn decode(mark: MirrorMark, bytes: &[u8]) -> Result<Self, Error> {
        let damage =
            |expected: &str, found: String| Error::Damaged(Damage::new(mark, expected, found));
        let json = |error: serde_json::Error| damage("a mirror mark", error.to_string());
        if !is_whole(bytes) {
            let expected = "the digest of the text before it at the end";
            return Err(damage(expected, "another".to_owned()));
        }
        let FormatText { format } = serde_json::from_slice(bytes).map_err(json)?;
        if format != FORMAT {
            return Err(Error::Unsupported(format!(
                "cannot read {mark}: it has format {format}, and this version supports format \
                 {FORMAT}; use a newer version"
            )));
        }
        let MirrorText { source, log, digest, .. } = serde_json::from_slice(bytes).map_err(json)?;
        if digest.is_none() {
            return Err(damage("a digest", "none".to_owned()));
        }
        let log = match log {
            Some(text) => Some(
                LogId::parse(text.as_bytes())
                    .ok_or_else(|| damage("an identity of 16 digits", text))?,
            ),
            None => None,
        };
        Ok(Self { source, log })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mark_is_read_as_written_or_damaged() {
        for log in [None, Some(LogId(7))] {
            let mirror = Mirror { source: "s3://bucket/log".to_owned(), log };
            let bytes = mirror.encode().unwrap();
            assert_eq!(Mirror::decode(MirrorMark::Begun, &bytes), Ok(mirror));
            for at in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[at] ^= 1;
                assert!(Mirror::decode(MirrorMark::Begun, &changed).is_err(), "byte {at}");
            }
        }
        let later = with_digest(br#"{"format":3,"source":"x"}"#.to_vec());
        let error = Mirror::decode(MirrorMark::Begun, &later).unwrap_err();
        assert!(matches!(error, Error::Unsupported(_)), "{error}");
    }
}
