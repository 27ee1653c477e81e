//! Readers and verifications that remember what they saw.

use super::*;

#[test]
fn reader_that_follows_notices_another_log_of_the_same_generation() {
    let (memory, system) = log_of(1);
    let mut reader = Reader::new(memory.clone(), log(), ReadOptions::default()).unwrap();
    assert_eq!(rest(&mut reader).unwrap().len(), 4);
    memory.objects().keys().for_each(|key| memory.delete_one(key));
    append(&memory, &system, ["other-a", "other-b"]);
    compact(memory.clone(), &system, log(), CompactInput::default()).unwrap();
    append(&memory, &system, ["other-c", "other-d"]);
    match rest(&mut reader) {
        Err(Error::InvalidInput(why)) => {
            assert!(why.contains("the position belongs to the log"), "{why}")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn reader_that_saw_a_manifest_does_not_believe_that_it_is_gone() {
    let (memory, _) = log_of(3);
    let follow = || {
        // A first pass sees everything; the second is shown nothing.
        let liar = Liar::new(&memory, |key| key.contains("manifest_"), 2, ALWAYS);
        let mut reader = Reader::new(liar.clone(), log(), ReadOptions::default()).unwrap();
        assert_eq!(rest(&mut reader).unwrap().len(), 8);
        let outcome = rest(&mut reader);
        // When the listings are honest again, it continues as if nothing had happened.
        liar.alter.lies.set(0);
        (outcome, rest(&mut reader))
    };
    let (refused, after) = follow();
    is_store_failed(refused, "manifest_0000000000000000003.json existed before");
    assert_eq!(after, Ok(Vec::new()));
    mutants::set(Some(Mutant::AcceptVanished));
    let (broken, _) = follow();
    mutants::set(None);
    assert!(!matches!(broken, Err(Error::StoreFailed { .. })), "{broken:?}");
}

#[test]
fn verification_that_saw_a_manifest_does_not_believe_its_absence() {
    let (memory, _) = log_of(3);
    memory.delete_one("log/manifest_0000000000000000002.json");
    let liar = Liar::new(&memory, |key| key.contains("manifest_"), 2, ALWAYS);
    let mut verifier = Verifier::new(liar, log());
    is_store_failed(verifier.step(), "manifest_0000000000000000003.json existed before");
}

#[test]
fn position_of_a_log_that_was_removed_and_recreated_is_refused() {
    let (memory, system) = log_of(2);
    let mut reader = Reader::new(memory.clone(), log(), ReadOptions::default()).unwrap();
    rest(&mut reader).unwrap();
    let position = reader.position().unwrap();
    let (identity, _) = position.split_once('@').unwrap();
    memory.objects().keys().for_each(|key| memory.delete_one(key));
    let from = || {
        let options = ReadOptions { start: Some(position.clone()), ..ReadOptions::default() };
        rest(&mut Reader::new(memory.clone(), log(), options).unwrap())
    };
    let refused = |outcome: Result<Vec<String>, Error>, found: &str| match outcome {
        Err(Error::InvalidInput(message)) => {
            assert!(message.contains(identity) && message.contains(found), "{message}");
        }
        other => panic!("{other:?}"),
    };
    append(&memory, &system, ["live-a", "live-b"]);
    refused(from(), "no identity");
    for _ in 0..3 {
        append(&memory, &system, ["new-a", "new-b"]);
        compact(memory.clone(), &system, log(), CompactInput::default()).unwrap();
    }
    let new = Manifest::decode(Generation(3), &memory.objects()[&log().key(Generation(3))]);
    let new = new.unwrap().log.unwrap().to_string();
    assert_ne!(identity, new);
    refused(from(), &new);
    match trim(
        memory.clone(),
        &system,
        log(),
        TrimPoint::Position(position.clone()),
        TrimOptions::default(),
    ) {
        Err(Error::InvalidInput(message)) => assert!(message.contains(identity), "{message}"),
        other => panic!("{other:?}"),
    }
    // Without the rule, the reader silently skips the beginning of the new log.
    mutants::set(Some(Mutant::SkipIdentity));
    let broken = from();
    mutants::set(None);
    assert!(broken.unwrap().len() < 6);
}
