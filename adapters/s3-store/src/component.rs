//! The component: the exports that all adapters share, over the store of this one.

use stratalog_store_exports::{Adapter, bindings};

use crate::store::BucketStore;

type Component = Adapter<BucketStore>;

bindings::export!(Component with_types_in bindings);
