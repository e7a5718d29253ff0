//! The end of the program, as a signal for answers that are still open.

use tokio::sync::watch;

/// Waits until the program stops.
pub(super) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is the same news.
    drop(stopping.wait_for(|stopping| *stopping).await);
}
