//! The end of a plugin's output.

use std::time::Duration;

use super::Output;

/// The time that the reader of a stopped plugin's output has to take the rest of it.
const LAST_OUTPUT: Duration = Duration::from_millis(100);

/// Passes on a plugin's remaining output, as far as its reader takes it promptly. Returns the
/// number of bytes not taken.
pub(in crate::plugin) async fn last_of(outputs: &[Output]) -> u64 {
    let written = async {
        for output in outputs {
            output.written().await;
        }
    };
    // After a timeout, the remaining bytes are counted.
    tokio::time::timeout(LAST_OUTPUT, written).await.ok();
    outputs.iter().map(Output::give_up).sum()
}
