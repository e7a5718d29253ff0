//! Texts and numbers that stand in a pickle -> objects.

use super::{
    Machine,
    cursor::{Fault, Outcome},
};
use crate::reader::pytorch::value::{Node, Span, Value};

impl Machine<'_> {
    pub(super) fn text(&mut self, n_bytes: usize) -> Outcome<Value> {
        let span = self.cursor.sized(n_bytes)?;
        self.node(Node::Text(span))
    }

    pub(super) fn raw(&mut self, n_bytes: usize) -> Outcome<Value> {
        let span = self.cursor.sized(n_bytes)?;
        self.node(Node::Bytes(span))
    }

    /// A text of protocol 0 in quotes. What it escapes stays so.
    pub(super) fn quoted(&mut self) -> Outcome<Value> {
        let span = self.cursor.line()?;
        let inner = match self.cursor.slice(span) {
            [b'\'', .., b'\''] | [b'"', .., b'"'] => Span { start: span.start + 1, len: span.len - 2 },
            _ => return Err(Fault::Damaged("a text has no quotes")),
        };
        self.node(Node::Text(inner))
    }

    /// A number of protocol 0: `12`, `12L`, `01` for true, `1.5`.
    pub(super) fn number(&mut self) -> Outcome<Value> {
        let span = self.cursor.line()?;
        let text = std::str::from_utf8(self.cursor.slice(span)).unwrap_or_default().trim();
        if text == "00" || text == "01" {
            return Ok(Value::Bool(text == "01"));
        }
        let integer = text.strip_suffix('L').unwrap_or(text).parse().map(Value::Int);
        let number = integer.ok().or_else(|| text.parse().ok().map(Value::Float));
        Ok(number.unwrap_or(Value::Unknown))
    }

    /// A number of any length, in two's complement.
    pub(super) fn long(&mut self, n_bytes: usize) -> Outcome<Value> {
        let span = self.cursor.sized(n_bytes)?;
        let bytes = self.cursor.slice(span);
        if bytes.len() > 8 {
            return self.node(Node::Long(span));
        }
        let is_negative = bytes.last().is_some_and(|last| last & 0x80 != 0);
        let mut all = [if is_negative { 0xff } else { 0 }; 8];
        all[..bytes.len()].copy_from_slice(bytes);
        Ok(Value::Int(i64::from_le_bytes(all)))
    }

    pub(super) fn span(&self, value: Value) -> Outcome<Span> {
        match value {
            Value::Node(at) => match self.nodes.get(at as usize) {
                Some(Node::Text(span)) => Ok(*span),
                _ => Err(Fault::Damaged("the name of a class is no text")),
            },
            _ => Err(Fault::Damaged("the name of a class is no text")),
        }
    }
}
