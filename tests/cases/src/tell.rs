//! The results as lines of JSON.

use crate::logs::Outcome;

/// Prints the outcome of a case: its failure, or null.
pub(crate) fn failure(name: &str, outcome: Outcome) {
    let failure = match outcome {
        Ok(()) => "null".to_owned(),
        Err(failure) => text(&failure.0),
    };
    println!("{{\"name\":{},\"failure\":{failure}}}", text(name));
}

/// Returns a text as JSON.
pub(crate) fn text(text: &str) -> String {
    let plain = |letter: char| match letter {
        '"' => '\'',
        '\\' => '/',
        letter if letter.is_control() => ' ',
        letter => letter,
    };
    format!("\"{}\"", text.chars().map(plain).collect::<String>())
}
