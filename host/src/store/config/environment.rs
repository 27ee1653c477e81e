//! The environment variables of the process.
//!
//! Owns: their reading. Must not know: the meaning of a variable.

/// The environment variables that a store may read.
pub(crate) type Environment = Vec<(String, String)>;

/// Reads the process's environment, sorted. Bytes that are not UTF-8 are replaced by marks, so that
/// the value is refused where it would be used.
pub(crate) fn process_environment() -> Environment {
    let mut variables: Environment = std::env::vars_os()
        .filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        })
        .collect();
    variables.sort();
    variables
}

/// Returns the value of a variable, if it is set and not empty.
pub(crate) fn variable<'a>(environment: &'a Environment, name: &str) -> Option<&'a str> {
    let found = environment.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
}
