//! A stand-in: an object with the name of an older manifest whose bytes are lost.
//!
//! 1. It has the generation and the log's identity, but no segments or positions. A reader of the
//!    manifest continues as if it were gone, as those of passed generations may be.
//! 2. It keeps the number in use, so no stalled compactor creates it again.
//! 3. Only a repair writes one, and only below a manifest that is whole.

use serde::{Deserialize, Serialize};

use super::text::{self, FORMAT};
use crate::format::names::{Generation, LogId};

/// The contents of a stand-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandIn {
    /// None in a log of format 1 that has no identity yet.
    pub log: Option<LogId>,
    pub generation: Generation,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StandInText {
    format: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<String>,
    generation: u64,
    stand_in: bool,
    /// Decoded separately, and written behind the other fields.
    #[serde(skip_serializing)]
    digest: Option<String>,
}

impl StandIn {
    /// # Errors
    /// A message if it cannot be written as JSON, which does not happen.
    pub fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let bytes = serde_json::to_vec(&StandInText {
            format: FORMAT,
            log: self.log.as_ref().map(LogId::to_string),
            generation: self.generation.0,
            stand_in: true,
            digest: None,
        })?;
        Ok(text::with_digest(bytes))
    }

    /// Decodes a stand-in. None for anything else, a damaged one included.
    pub fn decode(generation: Generation, bytes: &[u8]) -> Option<Self> {
        let text: StandInText =
            text::is_whole(bytes).then(|| serde_json::from_slice(bytes).ok())??;
        let log = match &text.log {
            Some(log) => Some(LogId::parse(log.as_bytes())?),
            None => None,
        };
        let is_this = text.generation == generation.0 && text.digest.is_some();
        let fits = text.format == FORMAT && text.stand_in && is_this;
        fits.then_some(Self { log, generation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::manifest::Manifest;

    #[test]
    fn stand_in_is_read_as_it_was_written_and_is_no_manifest() {
        for log in [None, Some(LogId(7))] {
            let stand_in = StandIn { log, generation: Generation(3) };
            let bytes = stand_in.encode().unwrap();
            assert_eq!(StandIn::decode(Generation(3), &bytes), Some(stand_in));
            assert_eq!(StandIn::decode(Generation(4), &bytes), None);
            assert!(Manifest::decode(Generation(3), &bytes).is_err());
            for at in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[at] ^= 1;
                assert_eq!(StandIn::decode(Generation(3), &changed), None, "byte {at}");
            }
        }
        let text = "{\"format\":2,\"log\":\"0000000000000007\",\"generation\":3,\"stand_in\":true,";
        let bytes = StandIn { log: Some(LogId(7)), generation: Generation(3) }.encode().unwrap();
        assert!(bytes.starts_with(text.as_bytes()), "{}", String::from_utf8_lossy(&bytes));
    }
}
