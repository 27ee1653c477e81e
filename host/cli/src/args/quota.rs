//! Parses the quota of a granted log.

use stratalog::plugin::Quota;

use crate::args::sizes::{number_within, parse_size};

/// A label, and the quota of the log behind it.
#[derive(Clone, Debug)]
pub(crate) struct LabelledQuota {
    pub(crate) label: String,
    pub(crate) quota: Quota,
}

/// Parses `LABEL=SIZE` or `LABEL=SIZE,OBJECTS`.
pub(crate) fn parse_quota(text: &str) -> Result<LabelledQuota, String> {
    let parts = text.split_once('=').filter(|(label, _)| !label.is_empty());
    let (label, limits) = parts.ok_or("write --quota LABEL=SIZE or LABEL=SIZE,OBJECTS")?;
    let (bytes, objects) = match limits.split_once(',') {
        Some((bytes, objects)) => (bytes, Some(objects)),
        None => (limits, None),
    };
    let bytes_max = parse_size(bytes)?;
    if bytes_max == 0 {
        return Err("give a size from 1 byte; to allow no append, give other rights with --grant"
            .to_owned());
    }
    let mut quota = Quota::bytes(bytes_max);
    if let Some(objects) = objects {
        let objects_max = number_within::<u64>(1..=u64::MAX)(objects);
        quota = quota.objects(objects_max.map_err(|error| format!("OBJECTS: {error}"))?);
    }
    Ok(LabelledQuota { label: label.to_owned(), quota })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quota_has_bytes_and_perhaps_objects() {
        let parsed = |text| parse_quota(text).map(|parsed| (parsed.label, parsed.quota));
        let quota = Quota::bytes(2 << 30);
        assert_eq!(parsed("errors=2GiB"), Ok(("errors".to_owned(), quota)));
        assert_eq!(parsed("a=2G,1000"), Ok(("a".to_owned(), quota.objects(1000))));
        for bad in ["", "a", "=1K", "a=", "a=0", "a=,7", "a=1K,", "a=1K,0", "a=1K,1K", "a=1,2,3"] {
            assert!(parsed(bad).is_err(), "{bad}");
        }
    }
}
