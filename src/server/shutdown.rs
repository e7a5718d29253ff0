//! The signal that the program stops, for answers that are still open.

use tokio::sync::watch;

/// Waits until the program stops.
pub(super) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, so the program stops too.
    drop(stopping.wait_for(|stopping| *stopping).await);
}
