//! Types that all modules share: run, tag, step, wall time.

pub(crate) mod count;
pub mod printable;

use std::{borrow::Borrow, fmt, fmt::Write as _, sync::Arc};

/// Makes text from bytes that should be UTF-8: each byte that is not becomes `\xNN`, so that two different
/// names never look the same.
#[must_use]
pub fn text_of_bytes(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            write!(text, "\\x{byte:02x}").expect("a String takes any text");
        }
    }
    text
}

/// Bytes as pairs of hexadecimal digits.
pub(crate) fn digits(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes any text");
    }
    text
}

/// The bytes that such a text takes.
#[must_use]
pub fn text_len(bytes: &[u8]) -> usize {
    bytes.utf8_chunks().map(|chunk| chunk.valid().len() + 4 * chunk.invalid().len()).sum()
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    };
}

name_type! {
    /// A directory that holds event files, relative to the logdir with `/` between the parts; `.` is the logdir.
    RunName
}

name_type! {
    /// The name of a series within its run, as the writer gave it; may be empty or very long.
    Tag
}

/// The training step of an event. Writers may log negative ones.
pub type Step = i64;

/// Seconds since 1970; always a finite number.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct WallTime(f64);

impl WallTime {
    /// From the seconds of an event; `None` for NaN and infinities, which faulty writers log.
    #[must_use]
    pub fn new(seconds: f64) -> Option<Self> {
        seconds.is_finite().then_some(Self(seconds))
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_not_utf8_stay_apart() {
        assert_eq!(text_of_bytes(b"conv\xff1"), "conv\\xff1");
        assert_eq!(text_of_bytes("größe".as_bytes()), "größe");
        assert_ne!(text_of_bytes(b"\xfe"), text_of_bytes(b"\xff"));
    }

    #[test]
    fn wall_time_is_a_number() {
        assert_eq!(WallTime::new(f64::NAN), None);
        assert_eq!(WallTime::new(1.5).map(WallTime::seconds), Some(1.5));
    }
}
