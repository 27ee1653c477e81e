//! The pages of a listing, checked before they are used.
//!
//! A store that returns another listing than requested must not look like a smaller log.
//!
//! 1. Keys begin with the requested prefix, rise, and come after the start of the page.
//! 2. A page with more to follow has a last key, after which the keys of the next page come.

use crate::error::Error;
use crate::ports::ListPage;

/// The pages of a listing: the request, and the last key so far.
pub(crate) struct Pages<'a> {
    prefix: &'a str,
    after: Option<String>,
}

impl<'a> Pages<'a> {
    /// A listing of the keys that begin with `prefix`, after the key `after`.
    pub(crate) fn new(prefix: &'a str, after: Option<String>) -> Self {
        Self { prefix, after }
    }

    /// Takes the next page. Returns false if it is the last.
    ///
    /// # Errors
    /// [`Error::StoreFailed`] if it is not the requested page.
    pub(crate) fn take(&mut self, page: &ListPage) -> Result<bool, Error> {
        let mut last = self.after.as_deref();
        for object in &page.objects {
            let key = object.key.as_str();
            if !key.starts_with(self.prefix) {
                return Err(self.refused(format!("{key:?} does not begin with the prefix")));
            }
            if let Some(last) = last.filter(|last| *last >= key) {
                return Err(self.refused(format!("{key:?} follows {last:?}")));
            }
            last = Some(key);
        }
        match (page.more, page.objects.last()) {
            (false, _) => Ok(false),
            (true, Some(last)) => {
                self.after = Some(last.key.clone());
                Ok(true)
            }
            (true, None) => {
                Err(self.refused("the page has no object although more follow".to_owned()))
            }
        }
    }

    fn refused(&self, why: String) -> Error {
        let message = format!(
            "cannot list {}: the store returned another listing than requested: {why}; check the \
             host and its store",
            self.prefix
        );
        Error::StoreFailed { message, transient: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::{EntryKind, ListedObject};

    fn page(keys: &[&str], more: bool) -> ListPage {
        let object =
            |key: &&str| ListedObject { key: (*key).to_owned(), size: 1, kind: EntryKind::Object };
        ListPage { objects: keys.iter().map(object).collect(), more }
    }

    #[test]
    fn pages_that_were_asked_for_are_taken_one_after_the_other() {
        let mut pages = Pages::new("log/b_", None);
        assert_eq!(pages.take(&page(&["log/b_1", "log/b_2"], true)), Ok(true));
        assert_eq!(pages.take(&page(&["log/b_3"], true)), Ok(true));
        assert_eq!(pages.take(&page(&[], false)), Ok(false));
        assert_eq!(Pages::new("log/", Some("log/c".into())).take(&page(&[], false)), Ok(false));
    }

    #[test]
    fn page_that_is_not_the_one_asked_for_is_refused() {
        let cases: [(&[&str], bool, &str); 8] = [
            (&["log/b_5", "other/b_6"], false, "\"other/b_6\" does not begin with the prefix"),
            (&["log/a_9"], false, "\"log/a_9\" does not begin with the prefix"),
            (&["log/b_7", "log/b_6"], false, "\"log/b_6\" follows \"log/b_7\""),
            (&["log/b_6", "log/b_6"], false, "\"log/b_6\" follows \"log/b_6\""),
            // A key of the previous page.
            (&["log/b_4"], true, "\"log/b_4\" follows \"log/b_4\""),
            (&["log/b_3"], false, "\"log/b_3\" follows \"log/b_4\""),
            (&[], true, "the page has no object although more follow"),
            (&["log/b_5", ""], true, "\"\" does not begin with the prefix"),
        ];
        for (keys, more, why) in cases {
            let mut pages = Pages::new("log/b_", Some("log/b_4".to_owned()));
            let Err(Error::StoreFailed { message, transient: false }) =
                pages.take(&page(keys, more))
            else {
                panic!("{keys:?} was taken");
            };
            assert!(message.contains(why) && message.contains("cannot list log/b_"), "{message}");
        }
    }
}
