//! `TFRecord` framing: the bytes of an event file -> payloads, and back.
//!
//! A record is `u64 length | u32 masked CRC of those 8 bytes | payload | u32 masked CRC of the payload`, all
//! little-endian (TensorFlow, `core/lib/io/record_writer.h`). `event` reads the payloads.

pub mod check;
pub mod crc;
pub mod frame;
pub mod no_crcs;
pub mod place;
pub mod scan;
pub mod write;
