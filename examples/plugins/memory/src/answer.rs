//! Formats the output: one JSON object per line.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::memory::{Effect, Item, Memory};

/// Formats a text with its history.
pub(crate) fn item(item: &Item) -> Value {
    let mut answer = json!({
        "id": item.id,
        "key": item.key,
        "text": item.text,
        "added": time(item.added_at),
        "replays": item.replays,
    });
    if let Some(parent) = &item.parent {
        set(&mut answer, "parent", json!(parent));
    }
    fate(&mut answer, item);
    answer
}

/// Formats the effect of a change.
pub(crate) fn effect(effect: &Effect, memory: &Memory) -> Value {
    match effect {
        Effect::Added(id) => json!({ "added": id }),
        Effect::Revised { parent, by } => json!({ "revised": parent, "by": by }),
        Effect::Retired(id) => json!({ "retired": id }),
        Effect::Replayed(id) => {
            let mut answer = json!({ "replayed": id });
            if let Ok(item) = memory.find(id.as_str()) {
                set(&mut answer, "replays", json!(item.replays));
                // Shows a caller who repeats a text that it is no longer valid.
                fate(&mut answer, item);
            }
            answer
        }
    }
}

fn fate(answer: &mut Value, item: &Item) {
    if let Some(stamp) = &item.superseded {
        set(answer, "superseded", json!({ "at": time(stamp.at), "by": stamp.by }));
    }
    if let Some(retired) = &item.retired {
        set(answer, "retired", json!({ "at": time(retired.at), "reason": retired.reason }));
    }
}

fn set(answer: &mut Value, name: &str, value: Value) {
    if let Value::Object(fields) = answer {
        fields.insert(name.to_owned(), value);
    }
}

/// Formats a time in UTC. A time outside the calendar stays a number.
fn time(micros: u64) -> Value {
    let time = i64::try_from(micros).ok().and_then(|time| Timestamp::from_microsecond(time).ok());
    match time {
        Some(time) => json!(format!("{time:.6}")),
        None => json!(micros),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Id};

    #[test]
    fn answers_report_what_happened() {
        let mut memory = Memory::default();
        let (key, a, b) = ("k".to_owned(), Id::of("k", "a"), Id::of("k", "b"));
        let upsert = Event::Upsert { at: 1, key: key.clone(), text: "a".to_owned() };
        memory.apply(upsert.clone()).unwrap();
        let text = "b".to_owned();
        memory.apply(Event::Revise { at: u64::MAX, parent: a.clone(), key, text }).unwrap();
        let id = b.clone();
        memory.apply(Event::Retire { at: 2_000_000, id, reason: "no".to_owned() }).unwrap();
        let retired = json!({ "at": "1970-01-01T00:00:02.000000Z", "reason": "no" });
        let expected = json!({
            "id": b, "key": "k", "text": "b", "added": u64::MAX, "replays": 0, "parent": a,
            "retired": retired,
        });
        assert_eq!(item(memory.find(b.as_str()).unwrap()), expected);
        let replayed = memory.apply(upsert).unwrap();
        let superseded = json!({ "at": u64::MAX, "by": b });
        let expected = json!({ "replayed": a, "replays": 1, "superseded": superseded });
        assert_eq!(effect(&replayed, &memory), expected);
    }
}
