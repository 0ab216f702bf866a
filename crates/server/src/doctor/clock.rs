//! The clock: not behind a time already seen, and of one mind with the database's.

use super::Line;
use countersign_core::operator::Look;
use countersign_model::Timestamp;
use std::time::Duration;

const CHECK: &str = "clock";
/// From this on logons are refused.
const BEHIND: Duration = Duration::from_mins(1);
/// A code is taken a step early or late: two clocks that differ by more disagree about it.
const APART: Duration = Duration::from_secs(5);

pub(super) fn check(now: Timestamp, database: Option<Timestamp>, look: Option<&Look>) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(look) = look {
        lines.push(against_mark(now, look.high_water));
    }
    if let Some(database) = database {
        let apart = now.since(database).max(database.since(now));
        if apart > APART {
            let found = format!("the database's clock is {} s off from this machine's", apart.as_secs());
            lines.push(Line::warn(
                CHECK,
                found,
                "see that both follow a time server (`timedatectl`, `chronyc tracking`)",
            ));
        } else {
            lines.push(Line::ok(CHECK, "agrees with the database's"));
        }
    }
    lines
}

fn against_mark(now: Timestamp, mark: Timestamp) -> Line {
    let behind = mark.since(now);
    if behind > BEHIND {
        return Line::fail(
            CHECK,
            format!("it says {}, but {} was seen already: logons are refused", now.to_rfc3339(), mark.to_rfc3339()),
            "set it right; if it is right and ran ahead before, run `countersign account clock-reset --yes`",
        );
    }
    Line::ok(CHECK, format!("it says {}, which is not behind a time already seen", now.to_rfc3339()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    const NOON: Timestamp = Timestamp::from_seconds(1_800_000_000);

    #[test]
    fn a_clock_is_behind_after_a_minute_and_apart_after_five_seconds() {
        let status = |now, database| -> Vec<Status> {
            let (keys_match, keys) = (None, Vec::new());
            let look = Look {
                high_water: NOON,
                set_up: true,
                sealed: true,
                keys_match,
                keys,
                key_hosts: vec![],
                unrooted_keys: 0,
                broken_logs: 0,
            };
            check(now, database, Some(&look)).iter().map(|line| line.status).collect()
        };
        assert_eq!(status(NOON, None), [Status::Ok]);
        assert_eq!(status(NOON.minus(Duration::from_mins(1)), None), [Status::Ok]);
        assert_eq!(status(NOON.minus(Duration::from_secs(61)), None), [Status::Fail]);
        assert_eq!(status(NOON, Some(NOON.plus(Duration::from_secs(5)))), [Status::Ok, Status::Ok]);
        assert_eq!(status(NOON, Some(NOON.minus(Duration::from_secs(6)))), [Status::Ok, Status::Warn]);
    }
}
