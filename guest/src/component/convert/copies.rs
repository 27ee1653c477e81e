//! The progress of a copy and the state of a mirror to the bindings.

use crate::component::bindings::exports::stratalog::log::copies;
use crate::drive::copier::{CopyProgress, MirrorState};

impl From<CopyProgress> for copies::CopyProgress {
    fn from(progress: CopyProgress) -> Self {
        let CopyProgress { objects, bytes, objects_total, bytes_total, generation } = progress;
        Self { objects, bytes, objects_total, bytes_total, generation }
    }
}

impl From<MirrorState> for copies::MirrorState {
    fn from(MirrorState { source, ended }: MirrorState) -> Self {
        Self { source, ended }
    }
}
