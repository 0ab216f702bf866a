//! Whether statements allow an action on a resource.
//!
//! What cannot be told goes against the asker: a condition on an address that is not known makes no Allow hold and every
//! Deny.

use super::{Context, Effect, Pattern, Statement, Steps};

/// What statements say of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// One allows it and none denies it.
    Allowed,
    /// One denies it.
    Denied,
    /// None says anything of it, which denies it as well.
    NotMentioned,
}

impl Decision {
    /// Whether it may be done.
    #[must_use]
    pub const fn is_allowed(self) -> bool {
        match self {
            Self::Allowed => true,
            Self::Denied | Self::NotMentioned => false,
        }
    }
}

/// Whether an action may be done to a resource.
pub fn decide<'a>(
    statements: impl IntoIterator<Item = &'a Statement>,
    action: &Pattern,
    resource: &Pattern,
    context: &Context,
) -> Decision {
    weigh(statements, action, context, |statement, steps| {
        statement.resources.iter().any(|pattern| pattern.covers(resource, steps))
    })
}

/// Whether an action may be done to anything at all. Asked before it is known to what: whoever may do it to nothing does
/// not learn what there is.
pub fn decide_at_all<'a>(
    statements: impl IntoIterator<Item = &'a Statement>,
    action: &Pattern,
    context: &Context,
) -> Decision {
    weigh(statements, action, context, |statement, _| {
        statement.effect == Effect::Allow || statement.resources.iter().any(Pattern::is_everything)
    })
}

fn weigh<'a>(
    statements: impl IntoIterator<Item = &'a Statement>,
    action: &Pattern,
    context: &Context,
    touches: impl Fn(&Statement, &mut Steps) -> bool,
) -> Decision {
    let mut steps = Steps::default();
    let mut decision = Decision::NotMentioned;
    for statement in statements {
        let mut held = statement.conditions.iter().map(|condition| condition.holds(context));
        let holds = match statement.effect {
            Effect::Allow => held.all(|held| held == Some(true)),
            Effect::Deny => held.all(|held| held != Some(false)),
        };
        let matches = holds
            && statement.actions.iter().any(|pattern| pattern.covers(action, &mut steps))
            && touches(statement, &mut steps);
        if steps.are_over() {
            return Decision::Denied;
        }
        match statement.effect {
            Effect::Deny if matches => return Decision::Denied,
            Effect::Allow if matches => decision = Decision::Allowed,
            Effect::Allow | Effect::Deny => {}
        }
    }
    decision
}
