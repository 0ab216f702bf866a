//! The placeholders of a statement.

/// Whether `$1`, `$2`, … first appear in that order. PostgreSQL goes by the number; SQLite numbers its named parameters by
/// their first appearance. Where the two agree, a statement means the same to both. Repeats are free.
#[must_use]
pub fn placeholders_ascend(sql: &str) -> bool {
    let mut highest = 0;
    for number in placeholders(sql) {
        if number == highest + 1 {
            highest = number;
        } else if number == 0 || number > highest {
            return false;
        }
    }
    true
}

/// The numbers of the placeholders outside quotes, as they stand.
fn placeholders(sql: &str) -> impl Iterator<Item = u32> {
    sql.split('\'').step_by(2).flat_map(|unquoted| {
        unquoted.split('$').skip(1).map(|after| {
            let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().unwrap_or(0)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::placeholders_ascend;

    #[test]
    fn first_appearances_ascend_from_one() {
        for good in [
            "SELECT 1",
            "SELECT a FROM t WHERE b = $1 AND c = $2 AND (d = $1 OR e = $3)",
            "INSERT INTO t VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11) ON CONFLICT DO UPDATE SET a = $10",
            "SELECT '$7' FROM t WHERE a = $1",
        ] {
            assert!(placeholders_ascend(good), "{good}");
        }
        for bad in ["SELECT $2", "SELECT $2, $1", "SELECT $1, $3", "SELECT $0", "SELECT $name", "SELECT '' || $2"] {
            assert!(!placeholders_ascend(bad), "{bad}");
        }
    }
}
