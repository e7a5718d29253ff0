//! What is wrong in a file -> the kind of fault and its message.

use super::tags::MOST_TAGS;

use crate::{
    catalog::{batch::FoundFault, health::Fault},
    record::{place::Place, scan::Broken},
    source::window::Peek,
    types::count::{counted, is},
};

/// Bytes that are not records.
pub(super) struct Gap {
    /// The first byte.
    pub(super) offset: u64,
    /// Where the next whole record begins, if one was found.
    pub(super) resumed: Option<u64>,
    /// What is wrong at the first byte.
    pub(super) why: Broken,
}

/// The fault of a gap. The file is read to see what it begins with.
pub(super) fn gap(gap: &Gap, file: &mut impl Peek) -> FoundFault {
    let Gap { offset, resumed, why } = *gap;
    let cause = match why {
        Broken::LengthCrc if offset == 0 => match file.peek(0, 2) {
            Ok([0x1f, 0x8b] | [0x78, _]) => {
                "the file is compressed, which event writers never do: unpack it first".to_owned()
            }
            _ => "the file does not begin with a record: is it an event file?".to_owned(),
        },
        Broken::LengthCrc => format!("the CRC of the record's length at byte {offset} is wrong"),
        Broken::TooLong(len) => {
            format!(
                "the record at byte {offset} claims {}, more than --max-record-mb allows",
                counted(len, "byte")
            )
        }
        Broken::NoEnd(len) => {
            format!("the record at byte {offset} claims {}, after which no record ends", counted(len, "byte"))
        }
        Broken::Hole => format!("zeros at byte {offset}, where a record should begin"),
    };
    let message = match resumed {
        Some(resumed) => {
            let lost = resumed - offset;
            format!("{cause}; {} {} lost, reading goes on at byte {resumed}", counted(lost, "byte"), is(lost))
        }
        None => format!("{cause}; no whole record was found after it so far"),
    };
    let fault = if let Broken::TooLong(_) = why { Fault::TooLong } else { Fault::LengthCrc };
    FoundFault { fault, offset, message }
}

/// Zeros that may still be overwritten.
pub(super) fn hole(offset: u64) -> FoundFault {
    let message =
        format!("zeros from byte {offset} on, where a record should begin: waiting for them to be filled");
    FoundFault { fault: Fault::Hole, offset, message }
}

/// An intact record that is not an event.
pub(super) fn not_an_event(place: Place, reason: &str) -> FoundFault {
    let message = format!("the record at byte {} is whole, but no event: {reason}", place.offset);
    FoundFault { fault: Fault::NotAnEvent, offset: place.offset, message }
}

/// A file whose writer computes no CRCs.
pub(super) fn no_crcs() -> FoundFault {
    let message =
        "its writer computes no CRCs, all are zero: what it logged is shown without having been checked";
    FoundFault { fault: Fault::NoCrcs, offset: 0, message: message.to_owned() }
}

/// A file with too many tags; `place` is the first record with a tag beyond the limit.
pub(super) fn too_many_tags(place: Place) -> FoundFault {
    let message = format!(
        "the file names more than {MOST_TAGS} tags: what it logs under others from byte {} on is left out",
        place.offset
    );
    FoundFault { fault: Fault::TooManyTags, offset: place.offset, message }
}
