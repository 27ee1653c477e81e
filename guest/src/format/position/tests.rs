use super::*;
use crate::format::batch::name_for;
use crate::format::names::{BatchTime, Sequence, WriterId};

#[test]
fn position_decodes_to_what_was_encoded() {
    let name =
        |time| name_for(BatchTime::new(time).unwrap(), WriterId(10), None, &b"a\nb\nc\n".to_vec());
    let legacy = BatchName { time: BatchTime::new(7).unwrap(), origin: None };
    let position = Position {
        log: None,
        next: 42,
        yielded: [name(9), legacy].into(),
        partial: [(name(8), 2)].into(),
        writers: Map::new(),
    };
    let text = position.encode();
    let digest = name(8).origin.unwrap().digest;
    let expected = format!(
        "42,0000000000000000007,0000000000000000008_0000000a_3_{digest}+2,\
         0000000000000000009_0000000a_3_{digest}"
    );
    assert_eq!(text, expected);
    assert_eq!(Position::decode(&text), Ok(position.clone()));
    assert_eq!(Position::decode("0"), Ok(Position::default()));
    let position = Position { log: Some(LogId(0xfe)), ..position };
    assert_eq!(position.encode(), format!("00000000000000fe@{expected}"));
    assert_eq!(Position::decode(&position.encode()), Ok(position));
}

#[test]
fn position_of_another_log_is_refused_and_both_are_named() {
    let name = LogName::parse("app/log").unwrap();
    let of = |log| Position { log, ..Position::default() };
    let (one, other) = (Some(LogId(1)), Some(LogId(2)));
    for (position, log) in [(None, None), (None, one), (one, one)] {
        assert_eq!(of(position).check_log(&name, log), Ok(()));
    }
    for log in [other, None] {
        let Err(Error::InvalidInput(message)) = of(one).check_log(&name, log) else {
            panic!("taken by {log:?}");
        };
        let named = log.map_or("no identity".to_owned(), |log| log.to_string());
        for part in ["0000000000000001", "app/log", &named] {
            assert!(message.contains(part), "{message}");
        }
    }
}

#[test]
fn text_that_is_no_position_is_refused_and_shown() {
    let batch = "0000000000000000009";
    for bad in [
        "",
        "-1",
        "01",
        "+1",
        "1,",
        "1,x",
        "18446744073709551616",
        &format!("1,{batch},{batch}"),
        &format!("1,{batch}+0"),
        &format!("1,{batch}+"),
        &format!("1,{batch}+1,{batch}"),
        "1,0000000000000000009,0000000000000000008",
        "7\u{1b}[2J",
        "@7",
        "1@7",
        "00000000000000FE@7",
        "00000000000000fe@",
        "00000000000000fe@00000000000000fe@7",
    ] {
        let Err(Error::InvalidInput(message)) = Position::decode(bad) else {
            panic!("{bad} was taken");
        };
        assert!(message.contains("position") && !message.contains('\u{1b}'), "{message}");
    }
}

/// A numbered batch of writer 10, of three events.
fn numbered(number: u64) -> BatchName {
    let gap = if number == 0 { 0 } else { 5 };
    let sequence = Some(Sequence { number, gap, waiting: 0 });
    let time = BatchTime::new(100 + 5 * number).unwrap();
    name_for(time, WriterId(10), sequence, &b"a\nb\nc\n".to_vec())
}

#[test]
fn one_entry_stands_for_all_numbered_batches_of_a_writer() {
    let mut position = Position::default();
    (3..6).for_each(|number| position.yield_live(numbered(number), None));
    position.yield_live(numbered(6), Some(1));
    let text = "0,0000000000000000130_000000000000000a_6_10+1";
    assert_eq!(position.encode(), text);
    assert_eq!(Position::decode(text), Ok(position.clone()));
    let passed = [2, 5, 6, 7].map(|number| position.passed(&numbered(number)));
    assert_eq!(passed, [Passed::All, Passed::All, Passed::Some(1), Passed::None]);
    assert!(position.names(&numbered(6)) && !position.names(&numbered(5)));
    position.yield_live(numbered(6), None);
    assert_eq!(position.encode(), "0,0000000000000000130_000000000000000a_6_12");
    // What was yielded before counts once.
    position.yield_live(numbered(4), None);
    assert_eq!(position.encode(), "0,0000000000000000130_000000000000000a_6_12");
}

#[test]
fn entry_counts_what_was_not_passed_and_goes_with_its_batch() {
    let mut position = Position { next: 1, ..Position::default() };
    (0..3).for_each(|number| position.yield_live(numbered(number), None));
    // The first batch stands at 0 to 3, and the position is inside it already.
    position.pass_sequenced(&numbered(0), 0, 3);
    assert_eq!(position.encode(), "3,0000000000000000110_000000000000000a_2_7");
    position.pass_sequenced(&numbered(1), 3, 6);
    position.pass_sequenced(&numbered(1), 3, 6);
    assert_eq!(position.encode(), "6,0000000000000000110_000000000000000a_2_4");
    let mut other = position.clone();
    position.pass_sequenced(&numbered(2), 6, 9);
    assert_eq!(position.encode(), "9");
    // A repair has gone past the newest one.
    other.pass_sequenced(&numbered(3), 6, 9);
    assert_eq!(other.encode(), "9");
}

#[test]
fn entry_that_is_not_written_like_this_is_refused() {
    let time = "0000000000000000130";
    for bad in [
        format!("0,{time}_0000000a_6_12"),
        format!("0,{time}_000000000000000A_6_12"),
        format!("0,{time}_000000000000000a_06_12"),
        format!("0,{time}_000000000000000a_6_0"),
        format!("0,{time}_000000000000000a_6_12+0"),
        format!("0,{time}_000000000000000a_6_12+13"),
        format!("0,{time}_000000000000000a_6"),
        format!("0,{time}_000000000000000a_6_12_1"),
        format!("0,{time}_000000000000000b_6_12,{time}_000000000000000a_6_12"),
        format!("0,{time}_000000000000000a_6_12,{time}_000000000000000a_6_12"),
        format!("0,{time}_000000000000000a_6_12,0000000000000000007"),
        format!("0,{time}_000000000000000a_6_5_0_3_0000000000000123"),
    ] {
        assert!(matches!(Position::decode(&bad), Err(Error::InvalidInput(_))), "{bad}");
    }
}
