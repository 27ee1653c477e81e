//! Names of interfaces and their versions, as in `stratalog:log/append-log@0.1.0`.

/// Splits a name into the interface and its version, which may be empty.
pub(super) fn split(name: &str) -> (&str, &str) {
    name.split_once('@').unwrap_or((name, ""))
}

/// Returns true if an interface of one version can be taken for the other.
pub(super) fn are_compatible(one: &str, other: &str) -> bool {
    one == other || series(one).is_some_and(|series_of_one| series(other) == Some(series_of_one))
}

/// Returns the numbers that compatible versions share: up to the first that is not zero. None for a
/// draft, which is compatible with no other version.
fn series(version: &str) -> Option<&str> {
    if version.contains('-') {
        return None;
    }
    let first = version.find(|digit: char| digit.is_ascii_digit() && digit != '0')?;
    let rest = version.get(first..)?;
    let length = rest.find('.').unwrap_or(rest.len());
    version.get(..first + length)
}

#[cfg(test)]
mod tests {
    use super::are_compatible;

    #[test]
    fn first_number_that_is_not_zero_decides_compatibility() {
        let table = [
            ("0.1.0", "0.1.7", true),
            ("0.1.0", "0.2.0", false),
            ("0.10.0", "0.10.1", true),
            ("0.10.0", "0.1.0", false),
            ("1.2.0", "1.0.5", true),
            ("1.2.0", "2.2.0", false),
            ("0.0.3", "0.0.4", false),
            ("0.1.0-draft", "0.1.0-draft", true),
            ("0.1.0-draft", "0.1.0", false),
            ("", "", true),
            ("", "0.1.0", false),
        ];
        for (one, other, compatible) in table {
            assert_eq!(are_compatible(one, other), compatible, "{one} {other}");
            assert_eq!(are_compatible(other, one), compatible, "{other} {one}");
        }
    }
}
