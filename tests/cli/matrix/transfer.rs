//! The logs that rows write, read by every other row.

use serde_json::Value;

use super::holding::on_all;
use super::rows::Row;

/// A log that a row has written: its objects by key, and the row's description.
struct Written {
    objects: Vec<(String, Vec<u8>)>,
    described: Value,
}

/// Returns the name of the log that a row writes.
fn log_of(row: &Row) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    format!("written-by-{}", row.name.chars().map(plain).collect::<String>())
}

/// Every row writes a log, and describes the logs of all rows. Returns the number of logs of others
/// that each row has described as their writers do.
pub(super) fn read_by_all(rows: &[Row]) -> Vec<usize> {
    let written = on_all(rows, |row| row.writes().then(|| write(row)));
    let written: Vec<(&Row, Written)> =
        rows.iter().zip(written).filter_map(|(row, written)| Some((row, written?))).collect();
    on_all(rows, |row| {
        let others = written.iter().filter(|(writer, _)| writer.name != row.name);
        let others: Vec<_> = others.collect();
        for (key, bytes) in others.iter().flat_map(|(_, written)| &written.objects) {
            row.objects.put(key, bytes.clone());
        }
        let logs: Vec<String> = others.iter().map(|(writer, _)| log_of(writer)).collect();
        for ((writer, written), found) in others.iter().zip(described(row, &logs)) {
            assert_eq!(found, written.described, "{} reads what {} wrote", row.name, writer.name);
        }
        others.len()
    })
}

fn write(row: &Row) -> Written {
    let log = log_of(row);
    let said = row.run(&["write", &log], std::slice::from_ref(&log));
    assert!(said.concat().ends_with("\"failure\":null}"), "{}: {said:?}", row.name);
    let keys = row.objects.keys(&log, "").into_iter();
    let objects: Vec<_> = keys.map(|key| (key.clone(), row.objects.get(&key))).collect();
    for kind in ["/batch_", "/manifest_", ".jsonl", ".index"] {
        assert!(objects.iter().any(|(key, _)| key.contains(kind)), "{}: no {kind}", row.name);
    }
    let described = described(row, &[log]).remove(0);
    let counts = ["events", "findings"].map(|name| described[name].as_u64());
    assert_eq!(counts, [Some(125), Some(0)], "{}: {described}", row.name);
    Written { objects, described }
}

/// Returns the descriptions of logs by a row.
fn described(row: &Row, logs: &[String]) -> Vec<Value> {
    let names = logs.iter().map(String::as_str);
    let words: Vec<&str> = std::iter::once("read").chain(names).collect();
    let said = row.run(&words, logs);
    assert_eq!(said.len(), logs.len(), "{}: {said:?}", row.name);
    said.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}
