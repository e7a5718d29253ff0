//! Rows of cells -> CSV as defined in RFC 4180: a header, commas, lines that end in CR LF, quotes where a cell needs them.

use bytes::Bytes;

/// The media type of CSV.
pub(crate) const MEDIA_TYPE: &str = "text/csv; charset=utf-8; header=present";

/// Lines of text.
pub(super) struct Csv(String);

impl Csv {
    pub(super) fn with_header(names: &[&str]) -> Self {
        let mut csv = Self(String::new());
        csv.line(names.iter().map(|name| (*name).to_owned()));
        csv
    }

    pub(super) fn line(&mut self, cells: impl IntoIterator<Item = String>) {
        for (at, cell) in cells.into_iter().enumerate() {
            if at > 0 {
                self.0.push(',');
            }
            if cell.contains(['"', ',', '\r', '\n']) {
                self.0.push('"');
                self.0.push_str(&cell.replace('"', "\"\""));
                self.0.push('"');
            } else {
                self.0.push_str(&cell);
            }
        }
        self.0.push_str("\r\n");
    }

    pub(super) fn bytes(self) -> Bytes {
        self.0.into()
    }
}

/// The shortest text that parses to this number; empty for `None`, NaN and infinities.
pub(super) fn cell(number: Option<f64>) -> String {
    number.filter(|number| number.is_finite()).map_or_else(String::new, |number| format!("{number:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 4180, section 2.
    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let mut csv = Csv::with_header(&["aaa", "bbb"]);
        csv.line(["zzz", "b\"b,b\r\n"].map(str::to_owned));
        assert_eq!(csv.bytes(), "aaa,bbb\r\nzzz,\"b\"\"b,b\r\n\"\r\n");
        assert_eq!([Some(0.1), Some(-1e-300), Some(f64::NAN), None].map(cell), ["0.1", "-1e-300", "", ""]);
    }
}
