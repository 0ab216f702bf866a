//! Reads any text as an `otpauth` URI. What is read must be written so that it is read again as the same, by us.

#![no_main]

use countersign_otp::KeyUri;
use libfuzzer_sys::fuzz_target;
use secrecy::ExposeSecret;

fuzz_target!(|text: &str| {
    let Ok(uri) = KeyUri::parse(text) else { return };
    let written = uri.to_uri();
    assert_eq!(KeyUri::parse(written.expose_secret()), Ok(uri));
});
