//! The settings of the server.

use super::{frame_origin::FrameOrigin, limits::ConnectionLimits};

/// The settings of the server, as the user chose them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The logdir, as users see it.
    pub logdir: String,
    /// The directory that the recipes on the page log into.
    pub log_into: String,
    /// Whether the logdir is the bundled recording.
    pub is_demo: bool,
    /// The memory of all caches together, in bytes.
    pub cache_bytes: u64,
    /// The memory that reading and drawing may use at a time, in bytes.
    pub work_bytes: u64,
    /// The token that clients must send, if any.
    pub token: Option<String>,
    /// Host names, besides `localhost`, under which clients may reach this server.
    pub allowed_hosts: Vec<String>,
    /// Origins, besides our own, whose pages may show the page in a frame.
    pub allowed_frames: Vec<FrameOrigin>,
    /// The most connections.
    pub limits: ConnectionLimits,
}
