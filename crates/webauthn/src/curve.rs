//! Whether a point lies on its curve. A registration without attestation is signed by nobody, so nothing else would notice
//! a point that does not. All values are public, so nothing here is in constant time.

use std::cmp::Ordering;

/// A short Weierstrass curve with a = -3: y² = x³ - 3x + b modulo p. Numbers are big-endian.
pub(crate) struct Curve<const N: usize> {
    p: [u8; N],
    b: [u8; N],
}

/// NIST P-256 (FIPS 186-5, SP 800-186).
pub(crate) const P256: Curve<32> = Curve {
    p: hex(b"ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"),
    b: hex(b"5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b"),
};

/// NIST P-384.
pub(crate) const P384: Curve<48> = Curve {
    p: hex(b"fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff"),
    b: hex(b"b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef"),
};

impl<const N: usize> Curve<N> {
    /// Whether x and y are numbers below p and solve the curve's equation.
    pub(crate) fn has(&self, x: &[u8], y: &[u8]) -> bool {
        let (Ok(x), Ok(y)) = (<[u8; N]>::try_from(x), <[u8; N]>::try_from(y)) else { return false };
        if x >= self.p || y >= self.p {
            return false;
        }
        let cube = self.multiply(&self.multiply(&x, &x), &x);
        let thrice = self.add(&self.add(&x, &x), &x);
        let right = self.subtract(&self.add(&cube, &self.b), &thrice);
        self.multiply(&y, &y) == right
    }

    fn add(&self, one: &[u8; N], other: &[u8; N]) -> [u8; N] {
        let mut sum = [0; N];
        let mut carry = 0_u16;
        for ((out, a), b) in sum.iter_mut().zip(one).zip(other).rev() {
            let [high, low] = (u16::from(*a) + u16::from(*b) + carry).to_be_bytes();
            (*out, carry) = (low, u16::from(high));
        }
        if carry == 1 || sum.cmp(&self.p) != Ordering::Less { minus(&sum, &self.p) } else { sum }
    }

    fn subtract(&self, one: &[u8; N], other: &[u8; N]) -> [u8; N] {
        self.add(one, &minus(&self.p, other))
    }

    /// Doubles and adds, from the highest bit down.
    fn multiply(&self, one: &[u8; N], other: &[u8; N]) -> [u8; N] {
        let mut product = [0; N];
        for byte in other {
            for bit in (0..8).rev() {
                product = self.add(&product, &product);
                if byte >> bit & 1 == 1 {
                    product = self.add(&product, one);
                }
            }
        }
        product
    }
}

/// The difference modulo 2^(8 N).
fn minus<const N: usize>(one: &[u8; N], other: &[u8; N]) -> [u8; N] {
    let mut difference = [0; N];
    let mut borrow = false;
    for ((out, a), b) in difference.iter_mut().zip(one).zip(other).rev() {
        let (value, first) = a.overflowing_sub(*b);
        let (value, second) = value.overflowing_sub(u8::from(borrow));
        (*out, borrow) = (value, first || second);
    }
    difference
}

#[expect(clippy::indexing_slicing, reason = "runs while it is compiled, where an index out of range is an error")]
const fn hex<const N: usize>(text: &[u8]) -> [u8; N] {
    const fn digit(character: u8) -> u8 {
        if character >= b'a' { character - b'a' + 10 } else { character - b'0' }
    }
    let mut bytes = [0; N];
    let mut at = 0;
    while at < N {
        bytes[at] = digit(text[2 * at]) << 4 | digit(text[2 * at + 1]);
        at += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const G256: ([u8; 32], [u8; 32]) = (
        hex(b"6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"),
        hex(b"4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"),
    );
    const G384: ([u8; 48], [u8; 48]) = (
        hex(b"aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7"),
        hex(b"3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f"),
    );

    #[test]
    fn the_generators_lie_on_their_curves_and_their_neighbours_do_not() {
        assert!(P256.has(&G256.0, &G256.1));
        assert!(P384.has(&G384.0, &G384.1));
        for at in 0..32 {
            let mut off = G256.1;
            off[at] ^= 1;
            assert!(!P256.has(&G256.0, &off), "{at}");
        }
        assert!(!P256.has(&G256.1, &G256.0));
        assert!(!P384.has(&G384.1, &G384.0));
    }

    #[test]
    fn attack_082_zero_and_what_is_too_big_or_too_long_are_no_points() {
        assert!(!P256.has(&[0; 32], &[0; 32]));
        assert!(!P256.has(&P256.p, &G256.1));
        assert!(!P256.has(&[0xff; 32], &[0xff; 32]));
        assert!(!P256.has(&G256.0[1..], &G256.1));
        assert!(!P256.has(&[], &[]));
    }
}
