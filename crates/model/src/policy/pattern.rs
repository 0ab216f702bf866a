//! Patterns with `*` for any characters and `?` for one. Letter case does not count.
//!
//! A pattern goes back to its last `*` only, so a comparison takes at most as many steps as the product of both lengths;
//! and all comparisons of one decision share a budget.

/// How many steps a decision may take. Whoever runs out of it is denied.
const MOST_STEPS: u32 = 10_000_000;

/// The budget of one decision.
#[derive(Debug)]
pub struct Steps(u32);

impl Default for Steps {
    fn default() -> Self {
        Self(MOST_STEPS)
    }
}

impl Steps {
    /// Whether the budget is used up; then what was compared last is not to be relied on.
    #[must_use]
    pub const fn are_over(&self) -> bool {
        self.0 == 0
    }

    const fn take(&mut self) -> bool {
        self.0 = self.0.saturating_sub(1);
        self.0 > 0
    }
}

/// A pattern of actions or resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Box<[char]>);

impl Pattern {
    /// A pattern, or a text that is to be compared with patterns.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.chars().map(|c| c.to_ascii_lowercase()).collect())
    }

    /// Whether it matches everything.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|c| *c == '*')
    }

    /// Whether it matches all that `other` does. A text without wildcards is a pattern that matches itself alone; the
    /// `user/*` of a list is covered by who may list all users, and by nobody else.
    ///
    /// Sound, not complete: `?*` does not cover `*?`.
    #[must_use]
    pub fn covers(&self, other: &Self, steps: &mut Steps) -> bool {
        let (mut own, mut at) = (0, 0);
        // Behind the last `*`, and up to where it reaches.
        let mut last_star: Option<(usize, usize)> = None;
        while let Some(&c) = other.0.get(at) {
            if !steps.take() {
                return false;
            }
            match (self.0.get(own), last_star) {
                (Some('*'), _) => {
                    own += 1;
                    last_star = Some((own, at));
                }
                (Some(&p), _) if c != '*' && (p == '?' || p == c) => {
                    own += 1;
                    at += 1;
                }
                (_, Some((behind, reach))) => {
                    own = behind;
                    at = reach + 1;
                    last_star = Some((behind, at));
                }
                (_, None) => return false,
            }
        }
        self.0.iter().skip(own).all(|c| *c == '*')
    }
}
