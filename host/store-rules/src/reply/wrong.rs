//! Answers that are not the reply to their request.

use std::fmt;

use crate::numbers::{size, to_u64};
use crate::reply::xml::Fault;

/// An answer that is not the reply to its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongReply {
    /// The expected answer, such as `a listing`.
    pub expected: &'static str,
    /// The difference that was found.
    pub found: String,
    /// The answer is cut short, so the next one may be whole.
    pub is_broken: bool,
}

impl WrongReply {
    /// Describes a whole answer that is something else.
    pub fn other(expected: &'static str, found: impl Into<String>) -> Self {
        Self { expected, found: found.into(), is_broken: false }
    }

    /// Describes an answer that is cut short.
    pub fn broken(expected: &'static str, found: impl Into<String>) -> Self {
        Self { expected, found: found.into(), is_broken: true }
    }

    /// Describes an answer that is larger than the caller accepts.
    pub fn too_large(bytes_max: usize) -> Self {
        Self::other(
            "an answer of a store",
            format!("the body has more than {}", size(to_u64(bytes_max))),
        )
    }

    /// Describes an answer that cannot be read as XML.
    pub fn not_xml(expected: &'static str, fault: Fault) -> Self {
        match fault {
            Fault::Empty => Self::broken(expected, "the body is empty"),
            Fault::CutShort => Self::broken(expected, "the body is cut short"),
            Fault::NotXml => Self::other(expected, "the body is not XML"),
            Fault::TwoRoots => Self::other(expected, "the body has a second root element"),
            Fault::Comment => Self::other(expected, "the body contains a comment"),
        }
    }
}

impl fmt::Display for WrongReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { expected, found, is_broken } = self;
        write!(f, "the server's answer is not {expected}: {found}")?;
        match is_broken {
            true => f.write_str("; try again"),
            false => f.write_str("; check the endpoint, and for a login page or a proxy before it"),
        }
    }
}

impl std::error::Error for WrongReply {}
