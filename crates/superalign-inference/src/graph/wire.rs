//! The wire format of protocol buffers, as far as ONNX files need it: fields, borrowed and never copied.

use std::ops::Range;

/// One field of a message.
pub(super) struct Field<'a> {
    /// Its number in the message's definition.
    pub(super) number: u32,
    /// What it holds.
    pub(super) value: Value<'a>,
    /// Where field and key lie in the message.
    pub(super) whole: Range<usize>,
}

/// What a field holds.
pub(super) enum Value<'a> {
    /// A whole number.
    Number(u64),
    /// A string, bytes, a message or packed numbers.
    Bytes(&'a [u8]),
    /// Four or eight bytes, which nothing here reads.
    Fixed,
}

impl<'a> Field<'a> {
    /// The bytes, where it holds bytes.
    pub(super) fn bytes(&self) -> Option<&'a [u8]> {
        match self.value {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The text, where it holds text.
    pub(super) fn text(&self) -> Option<String> {
        self.bytes().and_then(|bytes| std::str::from_utf8(bytes).ok()).map(str::to_owned)
    }

    /// The number, where it holds one.
    pub(super) fn number(&self) -> Option<u64> {
        match self.value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }
}

/// The fields of a message, in order; ends after the first that is malformed, which is an error.
pub(super) fn fields(message: &[u8]) -> impl Iterator<Item = Result<Field<'_>, String>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= message.len() {
            return None;
        }
        let start = at;
        let field = next(message, &mut at).map(|(number, value)| Field { number, value, whole: start..at });
        if field.is_none() {
            at = message.len();
        }
        Some(field.ok_or_else(|| {
            format!("the part at byte {start} does not fit into its {} bytes; the file is cut short, or another kind", message.len())
        }))
    })
}

fn next<'a>(message: &'a [u8], at: &mut usize) -> Option<(u32, Value<'a>)> {
    let key = varint(message, at)?;
    let number = u32::try_from(key >> 3).ok().filter(|number| *number > 0)?;
    let value = match key & 7 {
        0 => Value::Number(varint(message, at)?),
        1 => fixed(message, at, 8)?,
        2 => {
            let length = usize::try_from(varint(message, at)?).ok()?;
            let end = at.checked_add(length)?;
            let bytes = message.get(*at..end)?;
            *at = end;
            Value::Bytes(bytes)
        }
        5 => fixed(message, at, 4)?,
        _ => return None,
    };
    Some((number, value))
}

fn fixed<'a>(message: &[u8], at: &mut usize, length: usize) -> Option<Value<'a>> {
    let end = at.checked_add(length).filter(|end| *end <= message.len())?;
    *at = end;
    Some(Value::Fixed)
}

pub(super) fn varint(message: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *message.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Appends a field of bytes.
pub(super) fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_varint(out, u64::from(number) << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a field that holds a whole number.
pub(super) fn put_number(out: &mut Vec<u8>, number: u32, value: u64) {
    put_varint(out, u64::from(number) << 3);
    put_varint(out, value);
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(parts in prop::collection::vec((1_u32..5000, prop::collection::vec(any::<u8>(), 0..300)), 0..8)) {
            let mut message = Vec::new();
            for (number, bytes) in &parts {
                put_bytes(&mut message, *number, bytes);
            }
            let read: Result<Vec<_>, _> =
                fields(&message).map(|field| field.map(|f| (f.number, f.bytes().map(<[u8]>::to_vec)))).collect();
            let expected: Vec<_> = parts.into_iter().map(|(number, bytes)| (number, Some(bytes))).collect();
            prop_assert_eq!(read, Ok(expected));
        }

        #[test]
        fn no_bytes_make_it_panic_or_loop(message in prop::collection::vec(any::<u8>(), 0..400)) {
            let count = fields(&message).count();
            prop_assert!(count <= message.len());
        }
    }
}
