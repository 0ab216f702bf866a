//! The one form that equal requests have: percent-encoding by RFC 3986, parameters sorted by name.
//!
//! Clients write a space as `+` or `%20` and sign it as `%20`; so a query is decoded first, and encoded again for the
//! signature. Decoding is strict: what is no UTF-8 or a broken escape is refused, because two programs would read it
//! differently.

/// A query or form that cannot be read in one way only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// A `%` without two hexadecimal digits behind it.
    Escape,
    /// Bytes that are no UTF-8.
    Utf8,
}

/// Encodes a text by RFC 3986 section 2.3: all but `A-Z a-z 0-9 - _ . ~` becomes `%XX`.
#[must_use]
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    encode_to(&mut encoded, text);
    encoded
}

fn encode_to(encoded: &mut String, text: &str) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or('0');
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(['%', digit(byte >> 4), digit(byte & 0xf)]);
        }
    }
}

/// Decodes a name or value of a query or form: `%XX` and `+`.
pub fn decode(text: &str) -> Result<String, Malformed> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut nibble = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
                let (high, low) = nibble().zip(nibble()).ok_or(Malformed::Escape)?;
                u8::try_from(high << 4 | low).map_err(|_| Malformed::Escape)?
            }
            _ => byte,
        });
    }
    String::from_utf8(decoded).map_err(|_| Malformed::Utf8)
}

/// The pairs of a query or form in their order, decoded. Empty pieces (`&&`) are no pairs; a piece without `=` is a name
/// with an empty value.
pub fn pairs(text: &str) -> impl Iterator<Item = Result<(String, String), Malformed>> {
    text.split('&').filter(|piece| !piece.is_empty()).map(|piece| {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        Ok((decode(name)?, decode(value)?))
    })
}

/// The canonical query: the pairs sorted by name byte by byte, encoded, `name=value` joined by `&`. Of equal names the
/// values are sorted too, so that no order of arrival shows.
#[must_use]
pub fn query<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut sorted: Vec<(&str, &str)> = pairs.collect();
    sorted.sort_unstable();
    let mut canonical = String::new();
    for (name, value) in sorted {
        if !canonical.is_empty() {
            canonical.push('&');
        }
        encode_to(&mut canonical, name);
        canonical.push('=');
        encode_to(&mut canonical, value);
    }
    canonical
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Vec<(String, String)> {
        pairs(text).collect::<Result<_, _>>().unwrap()
    }

    fn canonical(pairs: &[(String, String)]) -> String {
        query(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }

    #[test]
    fn letters_digits_and_four_signs_stay() {
        assert_eq!(encode("AZaz09-_.~"), "AZaz09-_.~");
        assert_eq!(encode(" *+/:=&%ä"), "%20%2A%2B%2F%3A%3D%26%25%C3%A4");
    }

    #[test]
    fn a_plus_is_a_space_and_is_signed_as_one() {
        let pairs = read("b=x+y%20z&a=%2B&c&=v&&d=1=2");
        let expected = [("b", "x y z"), ("a", "+"), ("c", ""), ("", "v"), ("d", "1=2")];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(canonical(&pairs), "=v&a=%2B&b=x%20y%20z&c=&d=1%3D2");
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for (text, expected) in [
            ("%", Malformed::Escape),
            ("%4", Malformed::Escape),
            ("%4g", Malformed::Escape),
            ("%+1", Malformed::Escape),
            ("%ff", Malformed::Utf8),
            ("%c3%28", Malformed::Utf8),
            ("%C0%AF", Malformed::Utf8),
        ] {
            assert_eq!(decode(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn names_are_sorted_byte_by_byte() {
        let pairs = read("b=1&A=2&a=3&B=4&a.1=5&a10=6");
        assert_eq!(canonical(&pairs), "A=2&B=4&a=3&a.1=5&a10=6&b=1");
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_as_it_was(text in ".*") {
            prop_assert_eq!(decode(&encode(&text)), Ok(text));
        }

        #[test]
        fn a_canonical_query_stays_as_it_is(pairs in prop::collection::vec(("[^\u{0}]{1,8}", ".{0,8}"), 0..8)) {
            let canonical_once = canonical(&pairs);
            let mut again = read(&canonical_once);
            prop_assert_eq!(&canonical(&again), &canonical_once);
            let mut sorted = pairs;
            sorted.sort_unstable();
            again.sort_unstable();
            prop_assert_eq!(again, sorted);
        }

        #[test]
        fn no_text_breaks_the_reader(text in ".*") {
            for pair in pairs(&text) {
                let _ = pair;
            }
        }
    }
}
