//! One-time passwords, without I/O and without a clock: HOTP (RFC 4226), TOTP (RFC 6238), the `otpauth` URIs that
//! carry their secrets into an app, and the QR codes that carry the URIs. Time and randomness are arguments.
//!
//! # The whole way of a device
//!
//! ```
//! use countersign_otp::{Code, Drift, KeyUri, Label, Qr, Secret, Steps, TimeStep, Totp};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let fill_with_random_bytes = |bytes: &mut [u8]| bytes.fill(0x5a);
//! // The server makes a secret and shows it once, as a picture and as text.
//! let secret = Secret::generate(fill_with_random_bytes);
//! let label = Label::new(Some("Countersign"), "alice@example.com")?;
//! let uri = KeyUri::totp(label, secret.clone()).to_uri();
//! # use secrecy::ExposeSecret;
//! let picture = Qr::encode(uri.expose_secret())?.to_svg("Scan this with your authenticator app");
//! let setup_key = secret.to_groups_of_four();
//!
//! // Two consecutive codes bind the device and show how far its clock is off: this one is 90 seconds ahead.
//! let totp = Totp::new(&secret);
//! let now = totp.step_at(1_700_000_000);
//! # let app = |step: TimeStep| totp.code_at(step).expose().expose_secret().to_owned();
//! # let (typed_first, typed_second) = (app(TimeStep::new(now.value() + 2)), app(TimeStep::new(now.value() + 3)));
//! let first = Code::parse(&typed_first, totp.digits())?;
//! let second = Code::parse(&typed_second, totp.digits())?;
//! let bound_at = totp.find_consecutive(&first, &second, Steps::wide(now, None)).ok_or("wrong codes")?;
//! let drift = Drift::measured(bound_at, now);
//! assert_eq!(drift.steps(), 3);
//!
//! // At a logon an hour later, one code is looked for where the clock of the device is by now.
//! let now = totp.step_at(1_700_003_600);
//! # let typed = app(TimeStep::new(now.value() + 2));
//! let code = Code::parse(&typed, totp.digits())?;
//! let step = totp.find_step(&code, drift.steps_around(now, Some(bound_at))).ok_or("wrong code")?;
//! let drift = drift.learn(step, now);
//! assert_eq!(drift.steps(), 2);
//!
//! // The accepted step is kept: neither it nor an earlier one is accepted again.
//! assert_eq!(totp.find_step(&code, drift.steps_around(now, Some(step))), None);
//! # Ok(())
//! # }
//! ```
//!
//! # The map
//!
//! | module | is about |
//! |---|---|
//! | [`mod@secret`] | the shared secret, and how people type it |
//! | [`algorithm`] | the hash and the number of digits |
//! | [`code`] | what a person types |
//! | [`hotp`] | the code of a counter; the only place that computes one |
//! | [`step`] | time in steps, and which steps are looked at |
//! | [`totp`] | the code of a step, and the step of a code |
//! | [`drift`] | how far the clock of a device is off |
//! | [`label`], [`uri`] | `otpauth` URIs |
//! | [`qr`] | QR codes as PNG and SVG |
//!
//! # How to add to it
//!
//! A hash: a variant of [`Algorithm`] and one of the keyed MACs in `hotp.rs`; the compiler shows the rest, and the
//! vectors of its RFC go into the tests of `totp.rs`. A parameter of the URI: a field of [`KeyUri`], a line in
//! `uri.rs` that writes it, a field of `Parameters` in `uri/parse.rs` that reads it, and its place in the strategy
//! `any_key_uri`, so that both are known to agree. Another scheme of codes, as OCRA (RFC 6287): a module beside
//! `totp.rs` over a [`Hotp`] of its own.
//!
//! What is decided here are facts about codes. What they are good for (how often a wrong one may be tried, what an
//! accepted one opens) is decided by who calls.

pub mod algorithm;
pub mod code;
pub mod drift;
pub mod hotp;
pub mod label;
pub mod qr;
pub mod secret;
pub mod step;
pub mod totp;
pub mod uri;

pub use self::algorithm::{Algorithm, Digits, UnknownAlgorithm, UnsupportedDigits};
pub use self::code::{Code, CodeError};
pub use self::drift::Drift;
pub use self::hotp::Hotp;
pub use self::label::{Label, LabelError, LabelPart};
pub use self::qr::{Qr, QrError, Scale};
pub use self::secret::{Secret, SecretError};
pub use self::step::{Period, Steps, TimeStep, Window};
pub use self::totp::Totp;
pub use self::uri::{KeyUri, KeyUriError, Kind};
