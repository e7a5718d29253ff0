//! What the user chose for the server.

use super::{frame_origin::FrameOrigin, limits::ConnectionLimits};

/// What the user chose.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The logdir, as it is shown.
    pub logdir: String,
    /// The directory that recipes log into.
    pub log_into: String,
    /// Whether it is the bundled recording.
    pub is_demo: bool,
    /// How much memory pictures and tensors may take to be had again quickly, in bytes.
    pub cache_bytes: u64,
    /// How much memory reading and drawing may take at a time, in bytes.
    pub work_bytes: u64,
    /// What clients must know, if anything.
    pub token: Option<String>,
    /// Names beside `localhost` by which clients may call this server.
    pub allowed_hosts: Vec<String>,
    /// Origins beside our own whose pages may show the page in a frame.
    pub allowed_frames: Vec<FrameOrigin>,
    /// How many clients may be connected.
    pub limits: ConnectionLimits,
}
