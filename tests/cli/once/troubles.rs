//! Stores and disks that take nothing for a while.

use std::fs;
use std::io::BufReader;

use rig::waits::until;

use super::Place;
use crate::binary::{end_of, numbered, signal, wait_for_line};
use crate::disks::on_a_disk_with;

/// Runs `change` while the log cannot be written.
fn outage(place: &Place, change: impl FnOnce()) {
    let aside = place.at("aside");
    fs::rename(&place.log, &aside).unwrap();
    fs::write(&place.log, "no folder").unwrap();
    change();
    fs::remove_file(&place.log).unwrap();
    fs::rename(&aside, &place.log).unwrap();
}

#[test]
fn lines_of_an_outage_wait_in_their_files() {
    let place = Place::new();
    place.add(&numbered(0..2));
    assert_eq!(place.append(&[]).code, 0);
    outage(&place, || {
        place.add(&numbered(2..4));
        let ran = place.append(&[]);
        assert_ne!(ran.code, 0, "{}", ran.stderr);
        place.add(&numbered(4..5));
    });
    let ran = place.append(&[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(place.read(), numbered(0..5));
}

#[test]
fn batch_whose_lines_are_gone_is_reported() {
    let place = Place::new();
    place.add(&numbered(0..1));
    assert_eq!(place.append(&[]).code, 0);
    let saved = fs::read_to_string(&place.state).unwrap();
    place.add(&numbered(1..5));
    assert_eq!(place.append(&["--flush-threshold", "1", "--creates-max", "1"]).code, 0);
    // As if the process had been killed before the creates of its last two batches. The lines of
    // the first of these have changed since.
    let mut batches: Vec<_> = crate::binary::batches(&place.log).into_keys().collect();
    let lost = batches.split_off(3);
    assert_eq!(lost.len(), 2);
    lost.iter().for_each(|batch| fs::remove_file(place.at("log").join(batch)).unwrap());
    let mut state: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&place.state).unwrap()).unwrap();
    let file = state["files"][0]["number"].clone();
    let stretch = |n: u64| serde_json::json!([{"file": file, "from": n * 8, "to": n * 8 + 8}]);
    let sealed: Vec<_> = lost
        .iter()
        .zip([2, 4])
        .map(|(name, line)| {
            serde_json::json!({
                "name": name, "events": 1, "event_bytes_max": 1_048_576, "binary": false,
                "stretches": stretch(line),
            })
        })
        .collect();
    state["sealed"] = sealed.into();
    fs::write(&place.state, state.to_string()).unwrap();
    let ran = place.append(&[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("1 event may be missing in the log"), "{}", ran.stderr);
    assert!(ran.stderr.contains(&lost[0]), "{}", ran.stderr);
    assert_eq!(place.read(), [numbered(0..3), numbered(4..5)].concat());
    assert!(saved.len() < fs::read_to_string(&place.state).unwrap().len() * 2);
}

#[test]
fn full_disk_of_state_and_log_is_waited_out() {
    let script = r#"
        run() { "$stratalog" --cache-dir "$cache" "$@"; }
        cat >"$disk/big"
        mv "$disk/big" "$source"
        dd if=/dev/zero of="$disk/filler" bs=1k 2>/dev/null || true
        "$stratalog" --cache-dir "$cache" append --follow --state "$disk/state" "$disk/log" \
            "$source" 2>"$source.err" &
        until grep -q "No space left" "$source.err"; do sleep 0.05; done
        rm "$disk/filler"
        until [ "$(run read "$disk/log" 2>/dev/null | wc -l)" = 500 ]; do sleep 0.05; done
        kill -TERM $!
        wait $! || true
        run append -q --state "$disk/state" "$disk/log" "$source"
        run read "$disk/log" | cmp - "$source" && echo equal
    "#;
    let place = Place::new();
    let events = numbered(0..500);
    let paths = [("source", place.source.as_path())];
    let Some(ran) = on_a_disk_with("256k", script, events.as_bytes(), &paths) else { return };
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "equal\n"), "{}", ran.stderr);
}

#[test]
fn path_without_a_file_is_waited_for() {
    let place = Place::new();
    let mut following = place.follow(&[]);
    let mut stderr = BufReader::new(following.stderr.take().unwrap());
    wait_for_line(&mut stderr, "it does not exist; waiting for it");
    place.add(&numbered(0..2));
    until("the file is found", || place.read() == numbered(0..2));
    signal(&following, "TERM");
    end_of(&mut following);
}
