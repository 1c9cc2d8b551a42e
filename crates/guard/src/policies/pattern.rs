//! Texts with `*` and `?` as policies write them, and when one stands for all that another stands for.

/// One place of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    /// This character.
    Char(char),
    /// Any one character: `?`.
    One,
    /// Any text inside one segment of an ARN: a `*` with more of its segment after it. In plain texts there are none.
    Within,
    /// Any text: a `*` that ends a segment. AWS lets it go on over the colons.
    Any,
}

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    tokens: Vec<Token>,
    /// It has a policy variable, `${…}`. What that will be is known at the request only.
    is_variable: bool,
}

/// How a pattern is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Of an action: upper and lower case are one.
    Action,
    /// Of a resource, with variables where the version of the policy knows them.
    Resource {
        /// Whether `${…}` is a variable.
        variables: bool,
    },
}

impl Pattern {
    pub(super) fn of(text: &str, form: Form) -> Self {
        let is_variable = form == Form::Resource { variables: true } && text.contains("${");
        let chars: Vec<char> = match form {
            Form::Action => text.to_lowercase().chars().collect(),
            Form::Resource { .. } => text.chars().collect(),
        };
        let token = |(at, c): (usize, &char)| match (c, chars.get(at + 1)) {
            // Several in a row are one.
            ('*', Some('*')) => None,
            ('*', None | Some(':')) => Some(Token::Any),
            ('*', Some(_)) => Some(Token::Within),
            ('?', _) => Some(Token::One),
            (other, _) => Some(Token::Char(*other)),
        };
        Self {
            tokens: chars.iter().enumerate().filter_map(token).collect(),
            is_variable,
        }
    }

    /// Whether it stands for every text: `*`.
    pub(super) fn is_everything(&self) -> bool {
        !self.tokens.is_empty() && self.tokens.iter().all(|t| *t == Token::Any)
    }

    /// Whether everything that `other` stands for is surely among what this stands for.
    pub(super) fn covers(&self, other: &Self) -> bool {
        if self.is_everything() || self == other {
            return true;
        }
        if self.is_variable || other.is_variable {
            // What a variable becomes is not known; a text that everything stands for was answered above.
            return false;
        }
        // reached: up to which tokens of `other` those of this so far can stand for.
        let mut reached = vec![false; other.tokens.len() + 1];
        if let Some(first) = reached.first_mut() {
            *first = true;
        }
        for token in &self.tokens {
            reached = step(*token, &reached, &other.tokens);
            if !reached.contains(&true) {
                return false;
            }
        }
        reached.last() == Some(&true)
    }

    /// Whether there may be a text that both stand for.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        if self.is_variable || other.is_variable {
            return true;
        }
        let is_star = |token: Option<&Token>| matches!(token, Some(Token::Any | Token::Within));
        // From the ends to the beginnings: whether what is left of both has a text in common.
        let columns = other.tokens.len() + 1;
        let mut below = vec![false; columns];
        for at in (0..=self.tokens.len()).rev() {
            let mine = self.tokens.get(at);
            let mut row = vec![false; columns];
            for to in (0..columns).rev() {
                let theirs = other.tokens.get(to);
                let down = mine.is_some() && is_set(&below, to);
                let right = theirs.is_some() && is_set(&row, to + 1);
                let both = mine.is_some() && theirs.is_some() && is_set(&below, to + 1);
                let here = match (mine, theirs) {
                    (None, None) => true,
                    (Some(Token::Char(a)), Some(Token::Char(b))) => a == b && both,
                    _ if is_star(mine) => down || right,
                    _ if is_star(theirs) => right || down,
                    (Some(_), Some(_)) => both,
                    _ => false,
                };
                if let Some(place) = row.get_mut(to) {
                    *place = here;
                }
            }
            below = row;
        }
        is_set(&below, 0)
    }

    /// Whether it stands for this text, under the wider reading of `*`.
    pub(super) fn matches(&self, text: &Self) -> bool {
        self.overlaps(text)
    }

    pub(super) fn is_variable(&self) -> bool {
        self.is_variable
    }
}

fn is_set(row: &[bool], at: usize) -> bool {
    row.get(at) == Some(&true)
}

/// Up to where one more token of the covering pattern reaches.
fn step(token: Token, reached: &[bool], other: &[Token]) -> Vec<bool> {
    let mut next = vec![false; reached.len()];
    let is_repeated = matches!(token, Token::Any | Token::Within);
    for at in 0..reached.len() {
        let from_before = is_repeated && is_set(reached, at);
        let took = at.checked_sub(1).is_some_and(|before| {
            let whence = match is_repeated {
                true => is_set(&next, before),
                false => is_set(reached, before),
            };
            whence && other.get(before).is_some_and(|t| takes(token, *t))
        });
        if let Some(place) = next.get_mut(at) {
            *place = from_before || took;
        }
    }
    next
}

/// Whether a token of the covering pattern takes in one of the other. Inside a segment nothing that may be a colon is taken.
fn takes(token: Token, other: Token) -> bool {
    match (token, other) {
        (Token::Any, _) => true,
        (Token::Within | Token::One, Token::Char(c)) => c != ':',
        (Token::Within, Token::Within) | (Token::One, Token::One) => true,
        (Token::Char(a), Token::Char(b)) => a == b,
        (Token::Within | Token::One | Token::Char(_), _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::of(text, Form::Resource { variables: true })
    }

    #[test]
    fn what_is_narrower_is_covered_and_what_is_wider_is_not() {
        for (wide, narrow) in [
            ("*", "arn:aws:s3:::a/*"),
            ("*", "${aws:username}"),
            ("arn:aws:s3:::*", "arn:aws:s3:::a/b"),
            ("arn:aws:iam::*:role/*", "arn:aws:iam::1:role/a*"),
            ("arn:aws:s3:::a*c", "arn:aws:s3:::abbc"),
            ("a?", "ab"),
            ("a**", "ab*"),
            ("x${aws:username}", "x${aws:username}"),
        ] {
            assert!(pattern(wide).covers(&pattern(narrow)), "{wide} {narrow}");
            assert!(pattern(wide).overlaps(&pattern(narrow)), "{wide} {narrow}");
        }
        for (wide, narrow) in [
            ("a", "A"),
            ("a?", "a*"),
            ("a?", "a"),
            ("arn:aws:s3:::a", "arn:aws:s3:::a*"),
            ("arn:*a", "arn:b:a"),
            ("x${aws:username}", "x${aws:userid}"),
            ("arn:aws:s3:::home/*", "arn:aws:s3:::${aws:username}/*"),
            ("", "a"),
            ("a", ""),
        ] {
            assert!(!pattern(wide).covers(&pattern(narrow)), "{wide} {narrow}");
        }
        let action = |text: &str| Pattern::of(text, Form::Action);
        assert!(action("IAM:Create*").covers(&action("iam:createuser")));
        assert!(!action("iam:Get*").overlaps(&action("iam:create*")));
        assert!(!pattern("a*b").overlaps(&pattern("a*c")));
        assert!(pattern("a*").overlaps(&pattern("*b")));
        assert!(!pattern("").overlaps(&pattern("?")));
        assert!(pattern("").overlaps(&pattern("*")));
    }
}
