//! The calls of the interface, each with the right that it needs.

use super::grants::Right;

/// A call, by its name in the WIT.
#[derive(Clone, Copy)]
pub(super) struct Call(pub(super) &'static str, pub(super) Right);

pub(super) const OPEN: Call = Call("log.open", Right::Append);
pub(super) const APPEND: Call = Call("log.append", Right::Append);
pub(super) const APPEND_LINES: Call = Call("log.append-lines", Right::Append);
pub(super) const FLUSH: Call = Call("log.flush", Right::Append);
pub(super) const TICK: Call = Call("log.tick", Right::Append);
pub(super) const PENDING: Call = Call("log.pending", Right::Append);
pub(super) const READ_ALL: Call = Call("log.read-all", Right::Read);
pub(super) const LOG_COMPACT: Call = Call("log.compact", Right::Compact);
pub(super) const FILE_COUNT: Call = Call("log.file-count", Right::Read);
pub(super) const CLOSE: Call = Call("log.close", Right::Append);
pub(super) const READ: Call = Call("read", Right::Read);
pub(super) const READER_NEXT: Call = Call("reader.next", Right::Read);
pub(super) const READER_POSITION: Call = Call("reader.position", Right::Read);
pub(super) const READER_BATCHES: Call = Call("reader.batches", Right::Read);
pub(super) const READER_POSITIONS: Call = Call("reader.positions", Right::Read);
pub(super) const READER_COMMIT: Call = Call("reader.commit", Right::Commit);
pub(super) const READ_NAMED: Call = Call("read-named", Right::Read);
pub(super) const NAMED_POSITIONS: Call = Call("named-positions", Right::Read);
pub(super) const FORGET_POSITION: Call = Call("forget-position", Right::Commit);
pub(super) const COMPACT: Call = Call("compact", Right::Compact);
pub(super) const PLAN_COMPACTION: Call = Call("plan-compaction", Right::Read);
pub(super) const PLAN_TRIM: Call = Call("plan-trim", Right::Read);
pub(super) const TRIM: Call = Call("trim", Right::Trim);
pub(super) const VERIFY: Call = Call("verify", Right::Read);
pub(super) const VERIFIER_NEXT: Call = Call("verifier.next", Right::Read);
pub(super) const STAT: Call = Call("stat", Right::Read);
