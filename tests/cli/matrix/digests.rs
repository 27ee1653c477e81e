//! The log's component in the files of the rows.

use std::fs;

use sha2::{Digest as _, Sha256};
use stratalog::Host;
use wasmparser::{Parser, Payload};

use super::rows::Row;

/// Checks that all rows run the same component of the log. Returns its digest.
pub(super) fn common(rows: &[Row]) -> String {
    let embedded = Host::embedded_component();
    for row in rows {
        let Some(file) = &row.file else { continue };
        let bytes = fs::read(file).unwrap();
        let found = parts(&bytes).filter(|part| *part == embedded).count();
        assert_eq!(found, 1, "{}: the log's component is not in its file", row.name);
    }
    Sha256::digest(embedded).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the components within a component.
fn parts(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    Parser::new(0).parse_all(bytes).filter_map(|payload| match payload.unwrap() {
        Payload::ComponentSection { unchecked_range, .. } => Some(&bytes[unchecked_range]),
        _ => None,
    })
}
