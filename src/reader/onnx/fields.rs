//! A model's bytes -> fields and names, within bounds.

use crate::{
    event::wire::{FieldValue, Span, next_field},
    reader::{contents::OpenError, input::Input, view::View},
};

/// The most fields that are looked at.
const MOST_FIELDS: usize = 20_000_000;
/// The most bytes of all names that are kept.
const MOST_NAME_BYTES: usize = 32 << 20;
/// The longest name.
const LONGEST_NAME: usize = 4 << 10;

/// A model that is read field by field.
pub(super) struct Fields<'a> {
    pub(super) view: View<'a>,
    n_fields: usize,
    n_name_bytes: usize,
}

impl<'a> Fields<'a> {
    pub(super) fn of(input: &'a dyn Input) -> Self {
        Self { view: View::new(input), n_fields: 0, n_name_bytes: 0 }
    }

    /// The next field of a message.
    pub(super) fn next(&mut self, span: &mut Span) -> Result<Option<(u32, FieldValue)>, OpenError> {
        self.count()?;
        Ok(next_field(&mut self.view, span)?)
    }

    /// Counts a field.
    pub(super) fn count(&mut self) -> Result<(), OpenError> {
        self.n_fields += 1;
        if self.n_fields > MOST_FIELDS {
            return Err(OpenError::NotRead(format!("it has more than {MOST_FIELDS} fields")));
        }
        Ok(())
    }

    /// A name that is kept.
    pub(super) fn name(&mut self, span: Span) -> Result<Box<str>, OpenError> {
        self.n_name_bytes += usize::try_from(span.len()).unwrap_or(usize::MAX).min(LONGEST_NAME) + 48;
        if self.n_name_bytes > MOST_NAME_BYTES {
            return Err(OpenError::NotRead("its names are too long, which is not read".to_owned()));
        }
        Ok(String::from_utf8_lossy(span.bytes(&mut self.view, LONGEST_NAME)?).into())
    }

    /// Whether a text is this one.
    pub(super) fn is_text(&mut self, span: Span, text: &str) -> Result<bool, OpenError> {
        Ok(span.len() == text.len() as u64 && span.bytes(&mut self.view, LONGEST_NAME)? == text.as_bytes())
    }

    /// A text of up to `longest` bytes; none if it is longer.
    pub(super) fn short_text(
        &mut self,
        span: Option<Span>,
        longest: usize,
    ) -> Result<Option<String>, OpenError> {
        let Some(span) = span.filter(|span| span.len() <= longest as u64) else { return Ok(None) };
        Ok(Some(String::from_utf8_lossy(span.bytes(&mut self.view, longest)?).into_owned()))
    }
}
