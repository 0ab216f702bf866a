//! Time. It comes in through [`Clock`], so that a test holds it in its hand, and is kept as microseconds UTC.

use std::time::Duration;

/// An instant, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Timestamp(i64);

impl Timestamp {
    /// An instant from its microseconds since the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// An instant from its whole seconds since the epoch.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since the epoch, rounded down.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Whole seconds since the epoch; instants before it count as the epoch itself.
    #[must_use]
    pub fn unix_seconds(self) -> u64 {
        u64::try_from(self.0.div_euclid(1_000_000)).unwrap_or(0)
    }

    /// The instant `span` later.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(micros_of(span)))
    }

    /// The instant `span` earlier.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(micros_of(span)))
    }

    /// How long after `earlier` this instant is; nothing when it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// RFC 3339 in UTC with whole seconds: `2026-01-02T03:04:05Z`.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        jiff::Timestamp::from_second(self.0.div_euclid(1_000_000)).unwrap_or_default().to_string()
    }

    /// RFC 3339 in UTC with microseconds: `2026-01-02T03:04:05.000006Z`. Nothing of the instant is lost, unless it lies
    /// before the year -9999 or after the year 9999.
    #[must_use]
    pub fn to_rfc3339_micros(self) -> String {
        format!("{:.6}", jiff::Timestamp::from_microsecond(self.0).unwrap_or_default())
    }

    /// An instant of RFC 3339, of any offset. What is finer than a microsecond is cut off.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|instant| Self(instant.as_microsecond()))
    }
}

fn micros_of(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// Where time comes from.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
    fn now(&self) -> Timestamp {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(micros_of(since_epoch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_add_subtract_and_print() {
        let start = Timestamp::from_seconds(1_767_323_045);
        assert_eq!(start.to_rfc3339(), "2026-01-02T03:04:05Z");
        assert_eq!(start.plus(Duration::from_secs(30)).since(start), Duration::from_secs(30));
        assert_eq!(start.since(start.plus(Duration::from_secs(1))), Duration::ZERO);
        assert_eq!(Timestamp::from_micros(-1).unix_seconds(), 0);
    }

    #[test]
    fn what_is_printed_in_full_is_read_again() {
        for micros in [0, 1, -1, 1_767_323_045_000_006, 1_767_323_045_999_999, -1_000_000_000_000_001] {
            let instant = Timestamp::from_micros(micros);
            assert_eq!(Timestamp::parse_rfc3339(&instant.to_rfc3339_micros()), Some(instant));
        }
        assert_eq!(Timestamp::from_micros(1_767_323_045_000_006).to_rfc3339_micros(), "2026-01-02T03:04:05.000006Z");
        assert_eq!(Timestamp::parse_rfc3339("2026-01-02T04:04:05+01:00"), Some(Timestamp::from_seconds(1_767_323_045)));
        for junk in ["", "now", "2026-01-02", "2026-13-02T00:00:00Z", "99999999999"] {
            assert_eq!(Timestamp::parse_rfc3339(junk), None, "{junk}");
        }
    }
}
