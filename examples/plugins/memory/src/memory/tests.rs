use super::*;

fn upsert(at: u64, text: &str) -> Event {
    Event::Upsert { at, key: "k".to_owned(), text: text.to_owned() }
}

fn revise(at: u64, parent: &str, text: &str) -> Event {
    Event::Revise { at, parent: id(parent), key: "k".to_owned(), text: text.to_owned() }
}

fn retire(at: u64, text: &str) -> Event {
    Event::Retire { at, id: id(text), reason: "wrong".to_owned() }
}

fn id(text: &str) -> Id {
    Id::of("k", text)
}

fn of(events: impl IntoIterator<Item = Event>) -> Memory {
    let mut memory = Memory::default();
    for event in events {
        memory.apply(event).unwrap();
    }
    memory
}

fn texts(items: &[&Item]) -> Vec<String> {
    items.iter().map(|item| item.text.clone()).collect()
}

fn history(memory: &Memory, text: &str) -> Vec<String> {
    texts(&memory.history(id(text).as_str()).unwrap())
}

fn planned(memory: &Memory, change: Change) -> Result<Event, String> {
    memory.plan(change, 9)
}

fn revision(of: &str, text: &str) -> Change {
    Change::Revise { id: id(of).as_str().to_owned(), text: text.to_owned() }
}

#[test]
fn same_text_again_raises_its_replays_and_adds_nothing() {
    let mut memory = of([upsert(1, "a"), upsert(2, "b")]);
    assert_eq!(memory.apply(upsert(3, "a")), Ok(Effect::Replayed(id("a"))));
    assert_eq!(memory.apply(upsert(4, "a")), Ok(Effect::Replayed(id("a"))));
    assert_eq!(memory.items[&id("a")].replays, 2);
    assert_eq!(memory.items[&id("a")].added_at, 1);
    assert_eq!(memory.items[&id("b")].replays, 0);
    // The same text under another key is another item.
    let other = Event::Upsert { at: 5, key: "other".to_owned(), text: "a".to_owned() };
    assert!(matches!(memory.apply(other), Ok(Effect::Added(_))));
    assert_eq!(texts(&memory.live()), ["a", "b", "a"]);
}

#[test]
fn revision_stamps_its_parent_with_when_and_by_what() {
    let memory = of([upsert(1, "a"), revise(2, "a", "b"), revise(3, "b", "c")]);
    let stamp = |at, by: &str| Some(Superseded { at, by: id(by) });
    assert_eq!(memory.items[&id("a")].superseded, stamp(2, "b"));
    assert_eq!(memory.items[&id("b")].superseded, stamp(3, "c"));
    assert_eq!(memory.items[&id("c")].superseded, None);
    assert_eq!(memory.items[&id("c")].parent, Some(id("b")));
    assert_eq!(texts(&memory.live()), ["c"]);
    for version in ["a", "b", "c"] {
        assert_eq!(history(&memory, version), ["a", "b", "c"]);
    }
}

#[test]
fn two_revisions_of_one_version_both_stand_and_the_first_is_named() {
    let memory = of([upsert(1, "a"), revise(2, "a", "b"), revise(3, "a", "c")]);
    assert_eq!(texts(&memory.live()), ["b", "c"]);
    assert_eq!(memory.items[&id("a")].superseded, Some(Superseded { at: 2, by: id("b") }));
    assert_eq!(history(&memory, "b"), ["a", "b"]);
    assert_eq!(history(&memory, "c"), ["a", "c"]);
}

#[test]
fn text_that_comes_back_holds_again_and_its_history_ends() {
    let memory = of([upsert(1, "a"), revise(2, "a", "b"), revise(3, "b", "a")]);
    assert_eq!(texts(&memory.live()), ["a"]);
    assert_eq!(history(&memory, "a"), ["b", "a"]);
    assert_eq!(history(&memory, "b"), ["a", "b"]);
    let memory = of([
        upsert(1, "a"),
        revise(2, "a", "b"),
        revise(3, "b", "c"),
        revise(4, "c", "a"),
        revise(5, "a", "b"),
    ]);
    for version in ["a", "b", "c"] {
        let mut versions = history(&memory, version);
        versions.sort_unstable();
        assert_eq!(versions, ["a", "b", "c"]);
    }
}

#[test]
fn revision_of_itself_is_a_replay() {
    let mut memory = of([upsert(1, "a")]);
    assert_eq!(memory.apply(revise(2, "a", "a")), Ok(Effect::Replayed(id("a"))));
    assert_eq!(texts(&memory.live()), ["a"]);
}

#[test]
fn revision_of_what_was_trimmed_is_a_root() {
    let memory = of([revise(2, "gone", "b")]);
    assert_eq!(texts(&memory.live()), ["b"]);
    assert_eq!(history(&memory, "b"), ["b"]);
    assert_eq!(memory.items[&id("b")].parent, Some(id("gone")));
}

#[test]
fn retired_text_is_left_out_of_look_ups_permanently() {
    let mut memory = of([upsert(1, "a"), upsert(2, "b"), retire(3, "a")]);
    assert_eq!(texts(&memory.live()), ["b"]);
    assert_eq!(texts(&memory.look_up(&["a".to_owned()])), Vec::<String>::new());
    let retired = Some(Retired { at: 3, reason: "wrong".to_owned() });
    assert_eq!(memory.items[&id("a")].retired, retired);
    memory.apply(upsert(4, "a")).unwrap();
    memory.apply(retire(5, "a")).unwrap();
    memory.apply(revise(6, "b", "a")).unwrap();
    assert_eq!((memory.items[&id("a")].retired.clone(), memory.live().len()), (retired, 0));
    assert_eq!(history(&memory, "a"), ["b", "a"]);
}

#[test]
fn retiring_an_absent_text_is_an_error_that_changes_nothing() {
    let mut memory = of([upsert(1, "a")]);
    let before = memory.clone();
    let error = memory.apply(retire(2, "b")).unwrap_err();
    assert!(error.contains(id("b").as_str()), "{error}");
    assert_eq!(memory, before);
}

#[test]
fn texts_over_the_limit_are_refused() {
    let mut memory = of((0..ITEMS_MAX).map(|n| upsert(1, &n.to_string())));
    assert!(memory.apply(upsert(2, "one more")).unwrap_err().contains("100000"));
    assert_eq!(memory.apply(upsert(2, "7")), Ok(Effect::Replayed(id("7"))));
}

#[test]
fn look_up_wants_all_words_in_any_case() {
    let memory = of([upsert(1, "The disk is full"), upsert(2, "the DISK is slow")]);
    let found = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        texts(&memory.look_up(&words))
    };
    assert_eq!(found(&["disk"]).len(), 2);
    assert_eq!(found(&["DISK", "slow"]), ["the DISK is slow"]);
    assert_eq!(found(&["disk", "K"]).len(), 2);
    assert_eq!(found(&["disk", "network"]).len(), 0);
    assert_eq!(found(&[]).len(), 2);
}

#[test]
fn plan_is_accepted_by_apply() {
    let mut memory = of([upsert(1, "a")]);
    let event = planned(&memory, revision("a", "b")).unwrap();
    assert_eq!(event, revise(9, "a", "b"));
    memory.apply(event).unwrap();
    let change = Change::Retire { id: id("b").as_str().to_owned(), reason: "wrong".to_owned() };
    assert_eq!(planned(&memory, change), Ok(retire(9, "b")));
    let change = Change::Upsert { key: "k".to_owned(), text: "a".to_owned() };
    assert_eq!(planned(&memory, change), Ok(upsert(9, "a")));
}

#[test]
fn change_without_sense_is_refused_with_a_remedy() {
    let memory = of([upsert(1, "a"), revise(2, "a", "b"), upsert(3, "c"), retire(4, "c")]);
    let upsert =
        |key: &str, text: &str| Change::Upsert { key: key.to_owned(), text: text.to_owned() };
    let short = Change::Revise { id: "abc".to_owned(), text: "x".to_owned() };
    let table = [
        (revision("a", "x"), format!("was superseded by {}: give that", id("b"))),
        (revision("b", "b"), "says that already".to_owned()),
        (revision("b", "c"), "says that and was retired: wrong".to_owned()),
        (revision("c", "x"), "was retired: wrong".to_owned()),
        (revision("d", "x"), "there is no id that begins with".to_owned()),
        (revision("b", ""), "a text has 1 to 65536 bytes, this one has 0".to_owned()),
        (short, "too short for an id".to_owned()),
        (upsert("a\nb", "x"), "no control characters".to_owned()),
        (upsert("k", ""), "a text has 1".to_owned()),
        (upsert(&"k".repeat(257), "x"), "this one has 257".to_owned()),
    ];
    for (change, reason) in table {
        let error = planned(&memory, change.clone()).unwrap_err();
        assert!(error.contains(&reason), "{change:?}: {error}");
    }
}

#[test]
fn id_may_be_shortened_while_it_is_one_alone() {
    // Some of 70,000 ids share their first four digits, and none share all digits.
    let memory = of((0..70_000).map(|n| upsert(1, &n.to_string())));
    let whole = id("7");
    assert_eq!(memory.find(whole.as_str()).unwrap().text, "7");
    let four = whole.as_str().get(..4).unwrap();
    let matching = memory.items.keys().filter(|id| id.as_str().starts_with(four)).count();
    assert_eq!(memory.find(four).is_ok(), matching == 1);
}
