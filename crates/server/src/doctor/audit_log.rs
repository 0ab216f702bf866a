//! The audit logs: whether the server found one that is not what was written. To look at every entry is the part of
//! `countersign audit verify`.

use super::Line;
use countersign_core::operator::Look;

const CHECK: &str = "audit log";

pub(super) fn check(look: &Look) -> Line {
    let found = match look.broken_logs {
        0 => return Line::ok(CHECK, "the server has found nothing wrong"),
        1 => "the log of one account is not what was written".to_owned(),
        logs => format!("the logs of {logs} accounts are not what was written"),
    };
    let advice = "run `countersign audit verify`, keep a copy, and have an administrator settle the finding";
    Line::fail(CHECK, found, advice)
}
