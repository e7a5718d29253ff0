//! A pickle -> its objects, as data.
//!
//! Source: `Lib/pickletools.py` of CPython 3.14, protocols 0 to 5. Nothing is executed and no name is looked up: a call of a
//! function is an [`Object`] that holds the function's name and the arguments.

mod cursor;
mod literals;

pub(super) use cursor::Fault;
use cursor::{Cursor, Outcome};

use super::value::{MOST_BYTES, MOST_NODES, Node, Object, Value, Values};

/// The deepest nesting of what has begun and not ended.
const MOST_MARKS: usize = 10_000;

/// What the allocator adds to what it is asked for, in bytes.
const OF_ALLOCATOR: usize = 16;

/// How far the numbers of the memo may run ahead of how many there are.
const MEMO_GAP: usize = 256;

/// Reads the pickle that begins with the first byte.
pub(super) fn read(bytes: Vec<u8>) -> Outcome<Values> {
    if u32::try_from(bytes.len()).is_err() {
        return Err(Fault::TooMany("bytes"));
    }
    let mut machine = Machine::new(&bytes);
    let root = machine.run()?;
    let Machine { nodes, cursor, .. } = machine;
    let len = cursor.at;
    Ok(Values { bytes, nodes, root, len })
}

struct Machine<'a> {
    cursor: Cursor<'a>,
    nodes: Vec<Node>,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: Vec<Value>,
    n_puts: usize,
    /// The longest that the stack was.
    highest: usize,
    /// The memory that all of it takes.
    n_bytes: usize,
}

impl<'a> Machine<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let (nodes, stack, marks, memo) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let n_bytes = bytes.len();
        Self { cursor: Cursor::new(bytes), nodes, stack, marks, memo, n_puts: 0, highest: 0, n_bytes }
    }

    fn run(&mut self) -> Outcome<Value> {
        loop {
            match self.cursor.take(1)?[0] {
                b'.' => return self.pop(),
                op => self.obey(op)?,
            }
        }
    }

    fn obey(&mut self, op: u8) -> Outcome<()> {
        if let Some(value) = self.constant(op)? {
            return self.push(value);
        }
        match op {
            // Protocol and frame: nothing follows from them.
            0x80 => self.cursor.take(1).map(drop),
            0x95 => self.cursor.take(8).map(drop),
            b'(' => self.mark(),
            b'0' => self.discard(),
            b'1' => self.since_mark().map(drop),
            b'2' => self.top().and_then(|top| self.push(top)),
            b'p' | b'q' | b'r' | 0x94 => self.put(op),
            b'g' | b'h' | b'j' => self.get(op),
            b'a' | b'e' | 0x90 => self.append(op),
            b's' | b'u' => self.set(op),
            b')' | b't' | b'l' | b'd' | 0x85..=0x87 | 0x91 => self.collect(op),
            b'c' | 0x93 | b'P' | b'Q' | 0x82..=0x84 => self.name(op),
            b'R' | 0x81 | 0x92 | b'i' | b'o' | b'b' => self.call(op),
            0x98 => Ok(()),
            _ => Err(Fault::Damaged("it has an unknown instruction")),
        }
    }

    /// The value of an instruction that only pushes one.
    fn constant(&mut self, op: u8) -> Outcome<Option<Value>> {
        let value = match op {
            b'N' => Value::None,
            0x88 => Value::Bool(true),
            0x89 => Value::Bool(false),
            b'K' => Value::Int(self.cursor.size(1)? as i64),
            b'M' => Value::Int(self.cursor.size(2)? as i64),
            b'J' => Value::Int(i64::from(self.cursor.size(4)? as u32 as i32)),
            b'G' => Value::Float(f64::from_bits(self.cursor.size(8)?.swap_bytes())),
            b'I' | b'L' | b'F' => self.number()?,
            0x8a => self.long(1)?,
            0x8b => self.long(4)?,
            b'S' => self.quoted()?,
            b'V' => self.cursor.line().and_then(|span| self.node(Node::Text(span)))?,
            b'T' | b'X' => self.text(4)?,
            b'U' | 0x8c => self.text(1)?,
            0x8d => self.text(8)?,
            b'C' => self.raw(1)?,
            b'B' => self.raw(4)?,
            0x8e | 0x96 => self.raw(8)?,
            b']' | 0x8f => self.node(Node::List(Vec::new()))?,
            b'}' => self.node(Node::Dict(Vec::new()))?,
            0x97 => Value::Unknown,
            _ => return Ok(None),
        };
        Ok(Some(value))
    }

    /// Lists, tuples, sets and dictionaries of what is on the stack.
    fn collect(&mut self, op: u8) -> Outcome<()> {
        let items = match op {
            b')' => Vec::new(),
            0x85..=0x87 => self.top_items(usize::from(op) - 0x84)?,
            _ => self.since_mark()?,
        };
        self.take_for::<Value>(items.len())?;
        let node = match op {
            b'l' => Node::List(items),
            b'd' => Node::Dict(pairs(&items)?),
            _ => Node::Tuple(items.into()),
        };
        let value = self.node(node)?;
        self.push(value)
    }

    /// Classes, functions, and names of what is outside.
    fn name(&mut self, op: u8) -> Outcome<()> {
        let node = match op {
            b'c' => Node::Global(self.cursor.line()?, self.cursor.line()?),
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                Node::Global(self.span(module)?, self.span(name)?)
            }
            b'P' => {
                let text = self.cursor.line().and_then(|span| self.node(Node::Text(span)))?;
                Node::Persistent(text)
            }
            b'Q' => Node::Persistent(self.pop()?),
            // Numbers of a registry that the file does not contain.
            _ => {
                self.cursor.take(1 << (op - 0x82))?;
                return self.push(Value::Unknown);
            }
        };
        let value = self.node(node)?;
        self.push(value)
    }

    /// Calls, and what restores an object's attributes.
    fn call(&mut self, op: u8) -> Outcome<()> {
        if op == b'b' {
            return self.build();
        }
        let (class, args) = match op {
            b'i' => {
                let class = Node::Global(self.cursor.line()?, self.cursor.line()?);
                (self.node(class)?, self.since_mark()?)
            }
            b'o' => {
                let items = self.since_mark()?;
                let (class, args) = items.split_first().ok_or(Fault::Damaged("a call has no function"))?;
                (*class, args.to_vec())
            }
            _ => {
                // The last one of NEWOBJ_EX is a dictionary of arguments by name.
                let by_name = if op == 0x92 { Some(self.pop()?) } else { None };
                let (args, class) = (self.pop()?, self.pop()?);
                return self.object(class, args, by_name.unwrap_or(Value::None));
            }
        };
        self.take_for::<Value>(args.len())?;
        let args = self.node(Node::Tuple(args.into()))?;
        self.object(class, args, Value::None)
    }

    fn object(&mut self, class: Value, args: Value, state: Value) -> Outcome<()> {
        let object = Object { class, args, state, items: Vec::new(), pairs: Vec::new() };
        self.take_for::<Object>(1)?;
        let value = self.node(Node::Object(Box::new(object)))?;
        self.push(value)
    }

    fn build(&mut self) -> Outcome<()> {
        let state = self.pop()?;
        if let Some(Node::Object(object)) = self.top_node()? {
            object.state = state;
        }
        Ok(())
    }

    fn append(&mut self, op: u8) -> Outcome<()> {
        let items = if op == b'a' { vec![self.pop()?] } else { self.since_mark()? };
        let n_more = match self.top_node()? {
            Some(Node::List(list)) => extend(list, items),
            Some(Node::Object(object)) => extend(&mut object.items, items),
            _ => 0,
        };
        self.take_for::<Value>(n_more)
    }

    fn set(&mut self, op: u8) -> Outcome<()> {
        let items = if op == b's' { self.top_items(2)? } else { self.since_mark()? };
        let pairs = pairs(&items)?;
        drop(items);
        let n_more = match self.top_node()? {
            Some(Node::Dict(dict)) => extend(dict, pairs),
            Some(Node::Object(object)) => extend(&mut object.pairs, pairs),
            _ => 0,
        };
        self.take_for::<(Value, Value)>(n_more)
    }

    fn put(&mut self, op: u8) -> Outcome<()> {
        let at = if op == 0x94 { self.memo.len() } else { self.memo_number(op)? };
        self.n_puts += 1;
        if self.n_puts > MOST_NODES {
            return Err(Fault::TooMany("objects"));
        }
        if at > self.n_puts + MEMO_GAP {
            return Err(Fault::Damaged("the numbers of its objects are not in order"));
        }
        if at >= self.memo.len() {
            self.take(size_of::<Value>() * (at + 1 - self.memo.len()))?;
            self.memo.resize(at + 1, Value::Unknown);
        }
        self.memo[at] = self.top()?;
        Ok(())
    }

    fn get(&mut self, op: u8) -> Outcome<()> {
        let at = match op {
            b'g' => self.memo_number(b'p')?,
            b'h' => self.memo_number(b'q')?,
            _ => self.memo_number(b'r')?,
        };
        let value = self.memo.get(at).copied();
        self.push(value.ok_or(Fault::Damaged("it names an object that it does not have"))?)
    }

    fn memo_number(&mut self, op: u8) -> Outcome<usize> {
        match op {
            b'p' => {
                let span = self.cursor.line()?;
                let text = std::str::from_utf8(self.cursor.slice(span))
                    .ok()
                    .and_then(|text| text.trim().parse().ok());
                text.ok_or(Fault::Damaged("the number of an object is none"))
            }
            b'q' => Ok(self.cursor.size(1)? as usize),
            _ => Ok(self.cursor.size(4)? as usize),
        }
    }
}

/// The stack, the marks, and the counts that bound them.
impl Machine<'_> {
    fn push(&mut self, value: Value) -> Outcome<()> {
        if self.stack.len() >= self.highest {
            self.highest += 1;
            self.take(size_of::<Value>())?;
        }
        self.stack.push(value);
        Ok(())
    }

    /// The lowest part of the stack that an instruction may take from.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Outcome<Value> {
        if self.stack.len() <= self.floor() {
            return Err(Fault::Damaged("an instruction has no object"));
        }
        self.stack.pop().ok_or(Fault::Damaged("an instruction has no object"))
    }

    fn top(&self) -> Outcome<Value> {
        self.stack.last().copied().ok_or(Fault::Damaged("an instruction has no object"))
    }

    fn top_node(&mut self) -> Outcome<Option<&mut Node>> {
        match self.top()? {
            Value::Node(at) => Ok(self.nodes.get_mut(at as usize)),
            _ => Ok(None),
        }
    }

    fn top_items(&mut self, count: usize) -> Outcome<Vec<Value>> {
        let from = self.stack.len().checked_sub(count).filter(|from| *from >= self.floor());
        Ok(self.stack.split_off(from.ok_or(Fault::Damaged("an instruction has no object"))?))
    }

    fn mark(&mut self) -> Outcome<()> {
        if self.marks.len() >= MOST_MARKS {
            return Err(Fault::TooMany("nested objects"));
        }
        self.marks.push(self.stack.len());
        Ok(())
    }

    fn since_mark(&mut self) -> Outcome<Vec<Value>> {
        let from = self.marks.pop().ok_or(Fault::Damaged("an end has no beginning"))?;
        if from > self.stack.len() {
            return Err(Fault::Damaged("an end has no beginning"));
        }
        Ok(self.stack.split_off(from))
    }

    /// `POP` takes away a mark if that is what is on top.
    fn discard(&mut self) -> Outcome<()> {
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
            return Ok(());
        }
        self.pop().map(drop)
    }

    fn node(&mut self, node: Node) -> Outcome<Value> {
        if self.nodes.len() >= MOST_NODES {
            return Err(Fault::TooMany("objects"));
        }
        self.take(size_of::<Node>())?;
        self.nodes.push(node);
        Ok(Value::Node(self.nodes.len() as u32 - 1))
    }

    /// Counts memory for so many of something, if there are any.
    fn take_for<T>(&mut self, count: usize) -> Outcome<()> {
        self.take(if count > 0 { size_of::<T>() * count + OF_ALLOCATOR } else { 0 })
    }

    fn take(&mut self, n_bytes: usize) -> Outcome<()> {
        self.n_bytes += n_bytes;
        if self.n_bytes > MOST_BYTES { Err(Fault::TooMany("objects")) } else { Ok(()) }
    }
}

/// Appends items, and returns for how many more there is room now.
fn extend<T>(list: &mut Vec<T>, items: Vec<T>) -> usize {
    let before = list.capacity();
    list.extend(items);
    list.capacity() - before
}

fn pairs(items: &[Value]) -> Outcome<Vec<(Value, Value)>> {
    let (pairs, rest) = items.as_chunks::<2>();
    if rest.is_empty() {
        Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect())
    } else {
        Err(Fault::Damaged("a key has no value"))
    }
}
