//! Detects arguments in the wrong order: the log comes first, then the files.

use std::path::{Path, PathBuf};

use stratalog::store::Location;

use crate::process::exit::Failure;
use crate::shell::word as shell_word;

/// Refuses a log that is a file, and a file that is a log or a folder. Suggests the right command.
pub(crate) fn check(log: &str, location: &Location, files: &[PathBuf]) -> Result<(), Failure> {
    let folder = location.root.as_folder();
    let log_is_file = folder.is_some_and(|folder| folder.join(&location.name).is_file());
    let misplaced = files.iter().find(|file| is_log(file));
    let right = misplaced.map(|misplaced| {
        let others = files.iter().filter(|file| *file != misplaced).map(|file| file.as_path());
        let words = [misplaced.as_path(), Path::new(log)].into_iter().chain(others);
        let words: Vec<String> = words.map(shell_word).collect();
        format!("stratalog append {}", words.join(" "))
    });
    let message = match (log_is_file, misplaced, right) {
        (true, Some(_), Some(right)) => {
            format!("{log} is a file; write the log first, as in `{right}`")
        }
        (true, ..) => format!(
            "{log} is a file, and a log is a folder; write the log first, then the files, as in \
             `stratalog append LOG {}`",
            shell_word(Path::new(log))
        ),
        (false, Some(misplaced), Some(right)) => {
            let misplaced = misplaced.display();
            format!(
                "{misplaced} is not a file of lines; if it is the log, write the log first, as \
                 in `{right}`"
            )
        }
        (false, ..) => return Ok(()),
    };
    Err(Failure::input(format!("cannot append: {message}")))
}

/// Returns whether an argument is a folder or the URL of a store, which no file is.
fn is_log(file: &Path) -> bool {
    file.is_dir()
        || file.to_str().is_some_and(|text| {
            text.contains("://") && !file.exists() && Location::parse(text).is_ok()
        })
}
