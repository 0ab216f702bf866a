//! HOTP (RFC 4226): the code of a counter under a shared secret.
//!
//! TOTP is HOTP with the number of the time step as the counter, so this is the one place that computes codes. The
//! HMAC is keyed once, when a [`Hotp`] is made; each code starts from a copy of that state and allocates nothing.

use std::fmt;

use hmac::digest::{Key, Output};
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use zeroize::Zeroize;

use crate::{Algorithm, Code, Digits, Secret};

/// Computes the codes of one secret. It keeps the keyed HMAC, not the secret, and overwrites it when dropped.
#[derive(Clone)]
pub struct Hotp {
    mac: KeyedMac,
    digits: Digits,
}

impl Hotp {
    /// Keys the HMAC with `secret`.
    #[must_use]
    pub fn new(secret: &Secret, algorithm: Algorithm, digits: Digits) -> Self {
        let mac = match algorithm {
            Algorithm::Sha1 => KeyedMac::Sha1(keyed(secret)),
            Algorithm::Sha256 => KeyedMac::Sha256(keyed(secret)),
            Algorithm::Sha512 => KeyedMac::Sha512(keyed(secret)),
        };
        Self { mac, digits }
    }

    /// The code of `counter` (RFC 4226 section 5.3).
    #[must_use]
    pub fn code_at(&self, counter: u64) -> Code {
        let truncated = match &self.mac {
            KeyedMac::Sha1(mac) => truncated(&hmac_of(mac, counter)),
            KeyedMac::Sha256(mac) => truncated(&hmac_of(mac, counter)),
            KeyedMac::Sha512(mac) => truncated(&hmac_of(mac, counter)),
        };
        Code::last_digits_of(truncated, self.digits)
    }

    /// How many digits the codes have.
    #[must_use]
    pub fn digits(&self) -> Digits {
        self.digits
    }
}

impl fmt::Debug for Hotp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hotp([REDACTED])")
    }
}

#[derive(Clone)]
enum KeyedMac {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha512(Hmac<Sha512>),
}

/// A secret is never longer than a block, so the key of the HMAC is the secret and zeros (RFC 2104 section 2).
fn keyed<H: EagerHash>(secret: &Secret) -> Hmac<H>
where
    Hmac<H>: KeyInit,
{
    let mut key = Key::<Hmac<H>>::default();
    for (place, byte) in key.iter_mut().zip(secret.expose()) {
        *place = *byte;
    }
    let mac = Hmac::new(&key);
    key.zeroize();
    mac
}

fn hmac_of<M: Mac + Clone>(keyed: &M, counter: u64) -> Output<M> {
    let mut mac = keyed.clone();
    mac.update(&counter.to_be_bytes());
    mac.finalize().into_bytes()
}

/// Dynamic truncation (RFC 4226 section 5.3): the low four bits of the last byte say where 31 bits are taken from.
fn truncated(hmac: &[u8]) -> u32 {
    let offset = hmac.last().map_or(0, |last| usize::from(last & 0x0f));
    let word = hmac.iter().skip(offset).take(4).fold(0, |word, byte| (word << 8) | u32::from(*byte));
    word & 0x7fff_ffff
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;

    /// RFC 4226 appendix D: the HMAC, its truncation in decimal, and the code of the counters 0 to 9.
    const RFC_4226_APPENDIX_D: [(&str, u32, &str); 10] = [
        ("cc93cf18508d94934c64b65d8ba7667fb7cde4b0", 1_284_755_224, "755224"),
        ("75a48a19d4cbe100644e8ac1397eea747a2d33ab", 1_094_287_082, "287082"),
        ("0bacb7fa082fef30782211938bc1c5e70416ff44", 137_359_152, "359152"),
        ("66c28227d03a2d5529262ff016a1e6ef76557ece", 1_726_969_429, "969429"),
        ("a904c900a64b35909874b33e61c5938a8e15ed1c", 1_640_338_314, "338314"),
        ("a37e783d7b7233c083d4f62926c7a25f238d0316", 868_254_676, "254676"),
        ("bc9cd28561042c83f219324d3c607256c03272ae", 1_918_287_922, "287922"),
        ("a4fb960c0bc06e1eabb804e5b397cdc4b45596fa", 82_162_583, "162583"),
        ("1b3c89f65e6c9e883012052823443f048b4332db", 673_399_871, "399871"),
        ("1637409809a679dc698207310c8c7fc07290d9e5", 645_520_489, "520489"),
    ];

    fn rfc_secret() -> Secret {
        Secret::from_bytes(b"12345678901234567890").unwrap()
    }

    #[test]
    fn v01_rfc_4226_appendix_d_intermediate_values() {
        let mac = keyed::<Sha1>(&rfc_secret());
        for (counter, (hmac, truncation, _)) in (0..).zip(RFC_4226_APPENDIX_D) {
            let computed = hmac_of(&mac, counter);
            assert_eq!(HEXLOWER.encode(&computed), hmac, "counter {counter}");
            assert_eq!(truncated(&computed), truncation, "counter {counter}");
        }
    }

    #[test]
    fn v01_rfc_4226_appendix_d_codes() {
        let hotp = Hotp::new(&rfc_secret(), Algorithm::Sha1, Digits::Six);
        for (counter, (_, truncation, code)) in (0..).zip(RFC_4226_APPENDIX_D) {
            assert_eq!(hotp.code_at(counter).expose().expose_secret(), code);
            assert_eq!(hotp.code_at(counter), Code::last_digits_of(truncation, Digits::Six));
        }
    }

    #[test]
    fn v01_rfc_4226_section_5_4_example_of_truncation() {
        let hmac = HEXLOWER.decode(b"1f8698690e02ca16618550ef7f19da8e945b555a").unwrap();
        assert_eq!(truncated(&hmac), 0x50ef_7f19);
        assert_eq!(Code::last_digits_of(0x50ef_7f19, Digits::Six), Code::new(872_921, Digits::Six).unwrap());
    }

    #[test]
    fn a_keyed_hotp_is_not_printed_by_accident() {
        let hotp = Hotp::new(&rfc_secret(), Algorithm::Sha1, Digits::Six);
        assert_eq!(format!("{hotp:?}"), "Hotp([REDACTED])");
    }

    proptest! {
        #[test]
        fn v01_codes_are_those_of_another_implementation(
            secret in prop::collection::vec(any::<u8>(), 10..=64),
            counter in any::<u64>(),
            algorithm in 0usize..3,
            length in 0usize..3,
        ) {
            let digits = Digits::ALL[length];
            let theirs = totp_rs::Builder::new()
                .with_algorithm([totp_rs::Algorithm::SHA1, totp_rs::Algorithm::SHA256, totp_rs::Algorithm::SHA512][algorithm])
                .with_digits(digits.count())
                .with_step_duration(1)
                .with_secret(secret.clone())
                .build_noncompliant()
                .generate(counter)
                .to_string();
            let ours = Hotp::new(&Secret::from_bytes(&secret).unwrap(), Algorithm::ALL[algorithm], digits).code_at(counter);
            let ours = ours.expose();
            prop_assert_eq!(ours.expose_secret(), theirs);
        }
    }
}
