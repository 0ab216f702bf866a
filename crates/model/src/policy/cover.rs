//! Whether somebody is allowed all that others are: then he gains nothing by what he does to them.

use super::{Effect, Statement, Steps};

/// Whether everything that `theirs` allow, `own` allow as well, and nothing that `own` deny is left open to them.
///
/// Their denials are not counted in favour of `own`, and a denial of `own` must stand among theirs word by word. So the
/// answer may be no where a closer look would find yes; it is never yes where it should be no.
#[must_use]
pub fn is_covered(theirs: &[&Statement], own: &[&Statement]) -> bool {
    let mut steps = Steps::default();
    let allowed = |statement: &&&Statement| statement.effect == Effect::Allow;
    if !theirs.iter().any(|statement| allowed(&statement)) {
        return true;
    }
    let denials_shared = own.iter().filter(|one| one.effect == Effect::Deny).all(|denial| theirs.contains(denial));
    denials_shared
        && theirs.iter().filter(allowed).all(|wanted| is_allowed_by(wanted, own, &mut steps))
        && !steps.are_over()
}

fn is_allowed_by(wanted: &Statement, own: &[&Statement], steps: &mut Steps) -> bool {
    let usable: Vec<_> = own
        .iter()
        // A condition that binds `own` must bind them too.
        .filter(|one| one.conditions.iter().all(|condition| wanted.conditions.contains(condition)))
        .filter(|one| one.effect == Effect::Allow)
        .collect();
    if usable.iter().any(|one| **one == wanted) {
        return true;
    }
    wanted.actions.iter().all(|action| {
        wanted.resources.iter().all(|resource| {
            usable.iter().any(|one| {
                one.actions.iter().any(|pattern| pattern.covers(action, steps))
                    && one.resources.iter().any(|pattern| pattern.covers(resource, steps))
            })
        })
    })
}
