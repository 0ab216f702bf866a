//! The part of CBOR (RFC 8949) that CTAP2 allows, and nothing more: definite lengths, shortest heads, no tags, no
//! floating-point numbers, no key twice, four levels at most. What an authenticator sends comes from a stranger.

use crate::error::Invalid;

/// The deepest nesting, as CTAP2 has it.
const DEEPEST: u8 = 4;
/// The most entries of a map. No authenticator sends half as many, and each is compared with all before it.
const MOST_ENTRIES: u64 = 64;

/// A value. Bytes and texts borrow from what was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// A whole number. CBOR's reach from -2^64 to 2^64 - 1.
    Int(i128),
    Bytes(&'a [u8]),
    Text(&'a str),
    Array(Vec<Value<'a>>),
    Map(Map<'a>),
    Bool(bool),
    Null,
}

/// A map in its order, no key twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Map<'a>(Vec<(Value<'a>, Value<'a>)>);

impl<'a> Map<'a> {
    /// The value under a text.
    pub(crate) fn text(&self, key: &str) -> Option<&Value<'a>> {
        self.0.iter().find(|(found, _)| matches!(found, Value::Text(found) if *found == key)).map(|(_, value)| value)
    }

    /// The value under a number.
    pub(crate) fn number(&self, key: i128) -> Option<&Value<'a>> {
        self.0.iter().find(|(found, _)| matches!(found, Value::Int(found) if *found == key)).map(|(_, value)| value)
    }

    /// How many entries there are.
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }
}

impl<'a> Value<'a> {
    pub(crate) const fn as_bytes(&self) -> Option<&'a [u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    pub(crate) const fn as_text(&self) -> Option<&'a str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(crate) const fn as_int(&self) -> Option<i128> {
        if let Self::Int(number) = self { Some(*number) } else { None }
    }

    pub(crate) fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(items) = self { Some(items) } else { None }
    }

    pub(crate) const fn as_map(&self) -> Option<&Map<'a>> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }
}

/// Reads one value; what comes behind it is given back.
pub(crate) fn read(bytes: &[u8]) -> Result<(Value<'_>, &[u8]), Invalid> {
    let mut reader = Reader { rest: bytes };
    let value = reader.value(0)?;
    Ok((value, reader.rest))
}

/// Reads one value behind which nothing comes.
pub(crate) fn read_all(bytes: &[u8]) -> Result<Value<'_>, Invalid> {
    let (value, rest) = read(bytes)?;
    if rest.is_empty() { Ok(value) } else { Err(Invalid::Cbor("trailing bytes")) }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: u8) -> Result<Value<'a>, Invalid> {
        if depth > DEEPEST {
            return Err(Invalid::Cbor("nested too deeply"));
        }
        let (major, info) = self.head()?;
        match major {
            0 => Ok(Value::Int(i128::from(self.argument(info)?))),
            1 => Ok(Value::Int(-1 - i128::from(self.argument(info)?))),
            2 => {
                let length = self.argument(info)?;
                Ok(Value::Bytes(self.take(length)?))
            }
            3 => {
                let length = self.argument(info)?;
                let text =
                    std::str::from_utf8(self.take(length)?).map_err(|_| Invalid::Cbor("a text that is not UTF-8"))?;
                Ok(Value::Text(text))
            }
            4 => {
                let length = self.argument(info)?;
                let mut items = Vec::new();
                for _ in 0..length {
                    items.push(self.value(depth + 1)?);
                }
                Ok(Value::Array(items))
            }
            5 => {
                let length = self.argument(info)?;
                if length > MOST_ENTRIES {
                    return Err(Invalid::Cbor("a map of too many entries"));
                }
                let mut entries: Vec<(Value<'a>, Value<'a>)> = Vec::new();
                for _ in 0..length {
                    let key = self.value(depth + 1)?;
                    if !matches!(key, Value::Int(_) | Value::Text(_)) {
                        return Err(Invalid::Cbor("a key that is neither number nor text"));
                    }
                    if entries.iter().any(|(known, _)| *known == key) {
                        return Err(Invalid::Cbor("a key twice"));
                    }
                    entries.push((key, self.value(depth + 1)?));
                }
                Ok(Value::Map(Map(entries)))
            }
            7 => match info {
                20 => Ok(Value::Bool(false)),
                21 => Ok(Value::Bool(true)),
                22 => Ok(Value::Null),
                _ => Err(Invalid::Cbor("a simple value or number with a point")),
            },
            _ => Err(Invalid::Cbor("a tag")),
        }
    }

    fn head(&mut self) -> Result<(u8, u8), Invalid> {
        let (first, rest) = self.rest.split_first().ok_or(Invalid::Cbor("cut off"))?;
        self.rest = rest;
        Ok((first >> 5, first & 0x1f))
    }

    /// The number in or behind a head, in its shortest form only.
    fn argument(&mut self, info: u8) -> Result<u64, Invalid> {
        let (length, least) = match info {
            0..=23 => return Ok(u64::from(info)),
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            _ => return Err(Invalid::Cbor("an indefinite length")),
        };
        let number = self.take(length)?.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        if number < least { Err(Invalid::Cbor("a number that is not in its shortest form")) } else { Ok(number) }
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Invalid> {
        let length = usize::try_from(length).map_err(|_| Invalid::Cbor("cut off"))?;
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Invalid::Cbor("cut off"))?;
        self.rest = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read() {
        let bytes = b"\xa2\x01\x82\x20\x18\x64\x61a\x44\x01\x02\x03\x04";
        let value = read_all(bytes).unwrap();
        let map = value.as_map().unwrap();
        assert_eq!(map.number(1), Some(&Value::Array(vec![Value::Int(-1), Value::Int(100)])));
        assert_eq!(map.text("a"), Some(&Value::Bytes(&[1, 2, 3, 4])));
        assert_eq!(map.len(), 2);
        assert_eq!(read(b"\xf5\x00").unwrap(), (Value::Bool(true), &b"\x00"[..]));
        assert_eq!(read_all(b"\xf6").unwrap(), Value::Null);
        assert_eq!(read_all(b"\x3b\xff\xff\xff\xff\xff\xff\xff\xff").unwrap(), Value::Int(-(1 << 64)));
    }

    #[test]
    fn attack_082_what_ctap2_does_not_allow_is_refused() {
        let deep = [0x81_u8; 6];
        let table: &[(&[u8], &str)] = &[
            (b"", "nothing"),
            (b"\x18\x17", "a long head for a small number"),
            (b"\x19\x00\xff", "the same with two bytes"),
            (b"\x5f\x41\x01\xff", "an indefinite length"),
            (b"\xc0\x00", "a tag"),
            (b"\xf9\x00\x00", "half a float"),
            (b"\xf7", "undefined"),
            (b"\xa2\x01\x00\x01\x00", "a key twice"),
            (b"\xa1\x80\x00", "an array as key"),
            (b"\x42\x00", "bytes cut off"),
            (b"\x61\xff", "not UTF-8"),
            (b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", "an array of 2^64 - 1 items"),
            (b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff", "bytes of that length"),
            (b"\x00\x00", "something behind it"),
            (b"\xb8\x41", "a map of 65 entries"),
            (&deep, "six levels"),
        ];
        for (bytes, name) in table {
            assert!(read_all(bytes).is_err(), "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn attack_082_no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = read_all(&bytes);
        }
    }
}
