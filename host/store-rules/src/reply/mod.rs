//! Checking that an answer of a store on the network is the reply to its request.
//!
//! Must not know: the sender of a request, or how often it is repeated.
//!
//! 1. No answer is used before it was checked. The checks cover its root element, the prefix or the
//!    keys that it names, and its statement of completeness.
//! 2. An answer that is cut short may be whole the next time. An answer that is whole and wrong is
//!    final: a login page, or another server, will answer the retry too.
//! 3. The name of the bucket is not checked: aliases and access points answer with another name.

pub mod deletes;
pub mod document;
pub mod head;
pub mod listing;
pub mod uploads;
pub mod wrong;
pub mod xml;
