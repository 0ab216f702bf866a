//! TOTP (RFC 6238): the code of a time step, and the step of a code.
//!
//! Which step a code belongs to is found without saying it through time: every step of the window is computed and
//! compared whatever the others gave. A step that was accepted before is never found again, because only later ones
//! count.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use crate::{Algorithm, Code, Digits, Hotp, Period, Secret, Steps, TimeStep};

/// Computes and finds the codes of one device. It keeps the keyed HMAC, not the secret.
#[derive(Debug, Clone)]
pub struct Totp {
    hotp: Hotp,
    period: Period,
}

impl Totp {
    /// The one-time password that every authenticator app knows: SHA-1, six digits, thirty seconds.
    #[must_use]
    pub fn new(secret: &Secret) -> Self {
        Self::with(secret, Algorithm::default(), Digits::default(), Period::default())
    }

    /// The one-time password with these choices. Not every app honours them: some compute the default in silence.
    #[must_use]
    pub fn with(secret: &Secret, algorithm: Algorithm, digits: Digits, period: Period) -> Self {
        Self { hotp: Hotp::new(secret, algorithm, digits), period }
    }

    /// The code of `step`.
    #[must_use]
    pub fn code_at(&self, step: TimeStep) -> Code {
        self.hotp.code_at(step.value())
    }

    /// The step among `steps` that has this code.
    ///
    /// When several have it, the latest is found: the earlier ones are spent with it, so that the same six digits are
    /// not accepted twice. The work does not depend on which steps match, nor on whether any does.
    #[must_use]
    pub fn find_step(&self, code: &Code, steps: Steps) -> Option<TimeStep> {
        let mut latest = Latest::none();
        for candidate in steps.candidates() {
            let matched = is_open(candidate) & self.code_of(candidate).ct_eq(code);
            latest.replace_if(matched, candidate);
        }
        latest.found()
    }

    /// The step among `steps` that has the code `second`, when the step right before it has the code `first`.
    ///
    /// The step of `second` lies in the window, that of `first` may be the one before the window; both are later than
    /// `steps.after`. Two consecutive codes are worth a window of [`Steps::wide`]. The work does not depend on which
    /// steps match.
    #[must_use]
    pub fn find_consecutive(&self, first: &Code, second: &Code, steps: Steps) -> Option<TimeStep> {
        let mut latest = Latest::none();
        let mut first_matched = Choice::from(0);
        for candidate in steps.candidates_and_one_before() {
            let expected = self.code_of(candidate);
            let open = is_open(candidate);
            latest.replace_if(first_matched & open & expected.ct_eq(second), candidate);
            first_matched = open & expected.ct_eq(first);
        }
        latest.found()
    }

    /// The step that the moment `unix_seconds` after the epoch lies in.
    #[must_use]
    pub fn step_at(&self, unix_seconds: u64) -> TimeStep {
        TimeStep::at(unix_seconds, self.period)
    }

    /// How long a code lasts.
    #[must_use]
    pub fn period(&self) -> Period {
        self.period
    }

    /// How many digits the codes have.
    #[must_use]
    pub fn digits(&self) -> Digits {
        self.hotp.digits()
    }

    /// A candidate that is not open costs the same as one that is: the code of some step is computed all the same.
    fn code_of(&self, candidate: Option<TimeStep>) -> Code {
        self.hotp.code_at(number_of(candidate))
    }
}

/// The last step that matched, kept without branching on any match.
struct Latest {
    number: u64,
    any: Choice,
}

impl Latest {
    fn none() -> Self {
        Self { number: 0, any: Choice::from(0) }
    }

    fn replace_if(&mut self, matched: Choice, candidate: Option<TimeStep>) {
        self.number.conditional_assign(&number_of(candidate), matched);
        self.any |= matched;
    }

    fn found(self) -> Option<TimeStep> {
        bool::from(self.any).then_some(TimeStep::new(self.number))
    }
}

fn is_open(candidate: Option<TimeStep>) -> Choice {
    Choice::from(u8::from(candidate.is_some()))
}

fn number_of(candidate: Option<TimeStep>) -> u64 {
    candidate.map_or(0, TimeStep::value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;
    use crate::Window;

    /// RFC 6238 appendix B: the second since the epoch, and the codes with SHA-1, SHA-256 and SHA-512.
    const RFC_6238_APPENDIX_B: [(u64, [&str; 3]); 6] = [
        (59, ["94287082", "46119246", "90693936"]),
        (1_111_111_109, ["07081804", "68084774", "25091201"]),
        (1_111_111_111, ["14050471", "67062674", "99943326"]),
        (1_234_567_890, ["89005924", "91819424", "93441116"]),
        (2_000_000_000, ["69279037", "90698825", "38618901"]),
        (20_000_000_000, ["65353130", "77737706", "47863826"]),
    ];

    /// The secrets of the vectors: the digits 1 to 0 over and over, as long as the output of the hash (erratum 2866).
    fn rfc_secret(algorithm: Algorithm) -> Secret {
        let length = match algorithm {
            Algorithm::Sha1 => 20,
            Algorithm::Sha256 => 32,
            Algorithm::Sha512 => 64,
        };
        let digits: Vec<u8> = b"1234567890".iter().copied().cycle().take(length).collect();
        Secret::from_bytes(&digits).unwrap()
    }

    fn totp() -> Totp {
        Totp::new(&rfc_secret(Algorithm::Sha1))
    }

    fn steps(around: u64, window: Window, after: Option<u64>) -> Steps {
        Steps { around: TimeStep::new(around), window, after: after.map(TimeStep::new) }
    }

    #[test]
    fn v01_rfc_6238_vectors() {
        for (algorithm, column) in Algorithm::ALL.into_iter().zip(0..) {
            let totp = Totp::with(&rfc_secret(algorithm), algorithm, Digits::Eight, Period::DEFAULT);
            for (second, codes) in RFC_6238_APPENDIX_B {
                let step = totp.step_at(second);
                let code = totp.code_at(step);
                assert_eq!(code.expose().expose_secret(), codes[column], "{algorithm} at {second}");
                let typed = Code::parse(codes[column], Digits::Eight).unwrap();
                assert_eq!(totp.find_step(&typed, Steps::wide(step, None)), Some(step));
            }
        }
    }

    #[test]
    fn v02_v03_a_device_has_six_digits_and_thirty_seconds_unless_told_otherwise() {
        assert_eq!(totp().digits(), Digits::Six);
        assert_eq!(totp().period().seconds(), 30);
        assert_eq!(totp().code_at(TimeStep::new(1)).expose().expose_secret(), "287082");
    }

    #[test]
    fn v01_a_code_is_found_in_the_window_only() {
        let totp = totp();
        let code = totp.code_at(TimeStep::new(1000));
        for (around, found) in [(998, false), (999, true), (1000, true), (1001, true), (1002, false)] {
            let step = totp.find_step(&code, steps(around, Window::NARROW, None));
            assert_eq!(step, found.then_some(TimeStep::new(1000)), "around {around}");
        }
    }

    #[test]
    fn v01_an_accepted_step_and_those_before_it_are_spent() {
        let totp = totp();
        let code = totp.code_at(TimeStep::new(1000));
        for (after, found) in [(998, true), (999, true), (1000, false), (1001, false)] {
            let step = totp.find_step(&code, steps(1000, Window::NARROW, Some(after)));
            assert_eq!(step, found.then_some(TimeStep::new(1000)), "after {after}");
        }
    }

    #[test]
    fn v02_a_code_of_another_length_is_not_found() {
        let code = Totp::with(&rfc_secret(Algorithm::Sha1), Algorithm::Sha1, Digits::Seven, Period::DEFAULT)
            .code_at(TimeStep::new(1000));
        assert_eq!(totp().find_step(&code, steps(1000, Window::NARROW, None)), None);
    }

    #[test]
    fn v01_the_latest_of_two_steps_with_one_code_is_found() {
        let totp = totp();
        // The first two steps of this secret that have one code and lie in one window.
        let (earlier, later) = (2386, 2394);
        let code = totp.code_at(TimeStep::new(later));
        assert_eq!(totp.code_at(TimeStep::new(earlier)), code);
        let found = totp.find_step(&code, steps(later, Window::WIDE, None));
        assert_eq!(found, Some(TimeStep::new(later)));
        assert_eq!(totp.find_step(&code, steps(earlier, Window::WIDE, Some(later))), None);
    }

    #[test]
    fn v12_two_consecutive_codes_give_the_step_of_the_second() {
        let totp = totp();
        let code = |step| totp.code_at(TimeStep::new(step));
        let find = |first, second, around, after| {
            totp.find_consecutive(&code(first), &code(second), steps(around, Window::WIDE, after)).map(TimeStep::value)
        };
        assert_eq!(find(1000, 1001, 1001, None), Some(1001));
        assert_eq!(find(1000, 1001, 991, None), Some(1001), "ten steps ahead");
        assert_eq!(find(1000, 1001, 990, None), None, "eleven steps ahead");
        assert_eq!(find(1000, 1001, 1011, None), Some(1001), "ten steps back");
        assert_eq!(find(1000, 1001, 1012, None), None, "eleven steps back");
        assert_eq!(find(1001, 1000, 1001, None), None, "in the wrong order");
        assert_eq!(find(1000, 1002, 1001, None), None, "not consecutive");
        assert_eq!(find(1000, 1000, 1001, None), None, "the same code twice");
        assert_eq!(find(1000, 1001, 1001, Some(999)), Some(1001));
        assert_eq!(find(1000, 1001, 1001, Some(1000)), None, "the first is spent");
        assert_eq!(find(1000, 1001, 1001, Some(1001)), None, "both are spent");
        assert_eq!(find(0, 1, 0, None), Some(1), "at the beginning of time");
    }

    proptest! {
        #[test]
        fn v01_exactly_the_open_steps_of_the_window_are_found(
            secret in prop::collection::vec(any::<u8>(), 10..=64),
            around in 100u64..1_000_000_000_000,
            back in 0u8..=10,
            ahead in 0u8..=10,
            offset in -13i64..=13,
            after in prop::option::of(-13i64..=13),
        ) {
            // Eight digits, so that the chance of two equal codes in a window is nothing to a test.
            let totp = Totp::with(&Secret::from_bytes(&secret).unwrap(), Algorithm::Sha1, Digits::Eight, Period::DEFAULT);
            let around = TimeStep::new(around);
            let steps = Steps {
                around,
                window: Window::new(back, ahead).unwrap(),
                after: after.and_then(|offset| around.checked_add(offset)),
            };
            let step = around.checked_add(offset).unwrap();
            let open = (-i64::from(back)..=i64::from(ahead)).contains(&offset) && steps.after.is_none_or(|after| step > after);
            prop_assert_eq!(totp.find_step(&totp.code_at(step), steps), open.then_some(step));

            let before = step.checked_sub(1).unwrap();
            let both_open = open && steps.after.is_none_or(|after| before > after);
            let found = totp.find_consecutive(&totp.code_at(before), &totp.code_at(step), steps);
            prop_assert_eq!(found, both_open.then_some(step));
        }

        #[test]
        fn v01_codes_are_those_of_another_implementation(
            secret in prop::collection::vec(any::<u8>(), 10..=64),
            second in 0u64..=1 << 40,
            period in 1u16..=3600,
        ) {
            let totp = Totp::with(
                &Secret::from_bytes(&secret).unwrap(),
                Algorithm::Sha1,
                Digits::Six,
                Period::new(period).unwrap(),
            );
            let oracle = totp_rs::Builder::new()
                .with_secret(secret)
                .with_step_duration(u64::from(period))
                .with_skew(1)
                .build_noncompliant();
            let now = totp.step_at(second);
            let theirs = oracle.generate(second).to_string();
            let code = Code::parse(&theirs, Digits::Six).unwrap();
            prop_assert_eq!(&totp.code_at(now), &code);

            let ours = totp.code_at(now.checked_add(1).unwrap()).expose();
            prop_assert!(oracle.check(ours.expose_secret(), second).is_some());
        }
    }
}
