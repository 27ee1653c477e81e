//! Parses the commands to a memory.

use crate::memory::Change;

pub(crate) const USAGE: &str = "\
commands:
  upsert KEY TEXT     keep a text under a key; the same text again counts as a replay
  revise ID TEXT      put a text in the place of another
  retire ID REASON    let a text hold no longer
  list                print what holds, one JSON object on a line
  find WORD...        print what holds and has all these words in its key or text
  history ID          print all versions of a text, the first one first
  compact             compact the log and read it again
An ID may be shortened to 4 digits or more. Without a command each line of stdin is one, as a JSON
array of words: [\"upsert\",\"KEY\",\"TEXT\"].";

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Change(Change),
    List,
    Find(Vec<String>),
    History(String),
    Compact,
}

impl Command {
    /// Parses the words of a command.
    ///
    /// # Errors
    /// The fault of the words.
    pub(crate) fn parse(words: Vec<String>) -> Result<Self, String> {
        let Some((name, arguments)) = words.split_first() else {
            return Err("there is no command".to_owned());
        };
        match (name.as_str(), arguments) {
            ("upsert", [key, text]) => {
                Ok(Self::Change(Change::Upsert { key: key.clone(), text: text.clone() }))
            }
            ("revise", [id, text]) => {
                Ok(Self::Change(Change::Revise { id: id.clone(), text: text.clone() }))
            }
            ("retire", [id, reason]) => {
                Ok(Self::Change(Change::Retire { id: id.clone(), reason: reason.clone() }))
            }
            ("list", []) => Ok(Self::List),
            ("find", [_, ..]) => Ok(Self::Find(arguments.to_vec())),
            ("history", [id]) => Ok(Self::History(id.clone())),
            ("compact", []) => Ok(Self::Compact),
            ("upsert" | "revise" | "retire", _) => {
                Err(format!("{name} takes 2 words, not {}", arguments.len()))
            }
            ("list" | "compact", _) => Err(format!("{name} takes no words")),
            ("find", _) => Err("find takes 1 word or more".to_owned()),
            ("history", _) => Err(format!("history takes 1 word, not {}", arguments.len())),
            _ => Err(format!("{name:?} is not a command")),
        }
    }

    /// Parses a line of stdin: a JSON array of words.
    ///
    /// # Errors
    /// The fault of the line.
    pub(crate) fn parse_line(line: &[u8]) -> Result<Self, String> {
        let words = serde_json::from_slice(line)
            .map_err(|error| format!("the line is not a JSON array of words: {error}"))?;
        Self::parse(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn commands_are_read() {
        let retire = Change::Retire { id: "abcd".to_owned(), reason: "old".to_owned() };
        assert_eq!(Command::parse(words("retire abcd old")), Ok(Command::Change(retire)));
        assert_eq!(Command::parse(words("find a b")), Ok(Command::Find(words("a b"))));
        let upsert = Change::Upsert { key: "k".to_owned(), text: "two\nlines".to_owned() };
        let line = br#"["upsert","k","two\nlines"]"#;
        assert_eq!(Command::parse_line(line), Ok(Command::Change(upsert)));
    }

    #[test]
    fn text_that_is_no_command_is_refused() {
        for (text, reason) in [
            ("", "there is no command"),
            ("drop", "\"drop\" is not a command"),
            ("upsert k", "upsert takes 2 words, not 1"),
            ("retire a b c", "retire takes 2 words, not 3"),
            ("list all", "list takes no words"),
            ("find", "find takes 1 word or more"),
            ("history", "history takes 1 word, not 0"),
        ] {
            assert_eq!(Command::parse(words(text)), Err(reason.to_owned()));
        }
        for line in ["", "list", "[1]", "{}"] {
            let error = Command::parse_line(line.as_bytes()).unwrap_err();
            assert!(error.contains("not a JSON array of words"), "{error}");
        }
    }
}
