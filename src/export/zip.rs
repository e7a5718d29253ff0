//! Files one after the other -> a ZIP archive without compression, written from front to back.
//!
//! After PKWARE's APPNOTE 6.3: for each member a local header and its bytes, then the central directory. Sizes are known
//! before, so nothing is written twice. Sizes, offsets and counts beyond 32 and 16 bits are written as ZIP64.

use std::io::{self, Write};

const LOCAL_HEADER: u32 = 0x0403_4b50;
const CENTRAL_HEADER: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const ZIP64_END: u32 = 0x0606_4b50;
const ZIP64_LOCATOR: u32 = 0x0706_4b50;
const VERSION_ZIP64: u16 = 45;
/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;
const STORED: u16 = 0;
/// Midnight of 1 January 1980, the earliest there is: the same tensors make the same file.
const TIME_AND_DATE: [u16; 2] = [0, 0x21];
const ZIP64_EXTRA: u16 = 1;

/// An archive that is being written.
pub struct Archive<W> {
    out: W,
    len: u64,
    members: Vec<Member>,
}

struct Member {
    name: String,
    crc: u32,
    size: u64,
    offset: u64,
}

impl<W: Write> Archive<W> {
    /// An empty archive.
    pub fn new(out: W) -> Self {
        Self { out, len: 0, members: Vec::new() }
    }

    /// Adds a member with these bytes and their CRC-32. Names of members are shorter than 64 KiB.
    ///
    /// # Errors
    /// As the writer's.
    pub fn add(&mut self, name: String, bytes: &[u8], crc: u32) -> io::Result<()> {
        let size = bytes.len() as u64;
        let member = Member { name, crc, size, offset: self.len };
        let mut header = Vec::new();
        header.extend(LOCAL_HEADER.to_le_bytes());
        // Both sizes, as a local header has them both or none.
        let extra = if fits(size) { Vec::new() } else { zip64_extra(&[size, size]) };
        member.common(&mut header, &extra);
        header.extend(member.name.as_bytes());
        header.extend(extra);
        self.write(&header)?;
        self.write(bytes)?;
        self.members.push(member);
        Ok(())
    }

    /// Writes the directory and gives the writer back.
    ///
    /// # Errors
    /// As the writer's.
    pub fn finish(mut self) -> io::Result<W> {
        let start = self.len;
        let members = std::mem::take(&mut self.members);
        for member in &members {
            self.write(&member.central())?;
        }
        let (n, size) = (members.len() as u64, self.len - start);
        let mut end = Vec::new();
        if n >= u64::from(u16::MAX) || !fits(start) || !fits(size) {
            zip64_end(&mut end, (n, start, size), self.len);
        }
        end.extend(END.to_le_bytes());
        end.extend([0; 4]);
        let count = u16::try_from(n).unwrap_or(u16::MAX);
        end.extend([count, count].map(u16::to_le_bytes).concat());
        end.extend([size, start].map(|n| capped(n).to_le_bytes()).concat());
        end.extend([0; 2]);
        self.write(&end)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.len += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

impl Member {
    /// What local and central headers share, from the version needed up to the lengths of name and extra field.
    fn common(&self, out: &mut Vec<u8>, extra: &[u8]) {
        let [time, date] = TIME_AND_DATE;
        out.extend([VERSION_ZIP64, FLAGS, STORED, time, date].map(u16::to_le_bytes).concat());
        out.extend([self.crc, capped(self.size), capped(self.size)].map(u32::to_le_bytes).concat());
        let name_len = u16::try_from(self.name.len()).unwrap_or(u16::MAX);
        out.extend([name_len, extra.len() as u16].map(u16::to_le_bytes).concat());
    }

    fn central(&self) -> Vec<u8> {
        let mut wide = if fits(self.size) { Vec::new() } else { vec![self.size, self.size] };
        wide.extend((!fits(self.offset)).then_some(self.offset));
        let extra = if wide.is_empty() { Vec::new() } else { zip64_extra(&wide) };
        let mut out = Vec::new();
        out.extend(CENTRAL_HEADER.to_le_bytes());
        out.extend(VERSION_ZIP64.to_le_bytes());
        self.common(&mut out, &extra);
        // No comment, first disk, no attributes.
        out.extend([0; 10]);
        out.extend(capped(self.offset).to_le_bytes());
        out.extend(self.name.as_bytes());
        out.extend(extra);
        out
    }
}

fn zip64_end(out: &mut Vec<u8>, (n, start, size): (u64, u64, u64), at: u64) {
    out.extend(ZIP64_END.to_le_bytes());
    // The length of what follows this number.
    out.extend(44_u64.to_le_bytes());
    out.extend([VERSION_ZIP64, VERSION_ZIP64].map(u16::to_le_bytes).concat());
    out.extend([0; 8]);
    out.extend([n, n, size, start].map(u64::to_le_bytes).concat());
    out.extend(ZIP64_LOCATOR.to_le_bytes());
    out.extend([0; 4]);
    out.extend(at.to_le_bytes());
    out.extend(1_u32.to_le_bytes());
}

fn zip64_extra(numbers: &[u64]) -> Vec<u8> {
    let mut out = [ZIP64_EXTRA, (8 * numbers.len()) as u16].map(u16::to_le_bytes).concat();
    out.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    out
}

fn fits(number: u64) -> bool {
    number < u64::from(u32::MAX)
}

/// The largest number says that the real one is in the extra field.
fn capped(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
