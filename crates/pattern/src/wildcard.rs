//! `wildcard`: text in which `*` stands for any characters or none.

use crate::error::Fault;

/// The literal pieces between the stars: one more than there are stars.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Wildcard {
    pieces: Vec<String>,
}

impl Wildcard {
    /// Reads a wildcard: `\*` is a star, `\\` a backslash; stars may not touch. Positions in the fault count bytes from
    /// the opening quote, as AWS counts them.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let mut pieces = vec![String::new()];
        let mut characters = text.char_indices().peekable();
        while let Some((at, c)) = characters.next() {
            let next = characters.peek().map(|(_, next)| *next);
            let literal = match (c, next) {
                ('*', Some('*')) => return Err(Fault::ConsecutiveWildcards { position: at + 1 }),
                ('*', _) => {
                    pieces.push(String::new());
                    continue;
                }
                ('\\', Some(escaped @ ('*' | '\\'))) => {
                    characters.next();
                    escaped
                }
                ('\\', _) => return Err(Fault::WildcardEscape { position: at + 1 }),
                _ => c,
            };
            if let Some(piece) = pieces.last_mut() {
                piece.push(literal);
            }
        }
        Ok(Self { pieces })
    }

    /// Whether `text` matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.search(text, &mut |_| ())
    }

    /// The wildcard as a pattern writes it.
    pub(crate) fn text(&self) -> String {
        let escaped = |piece: &String| piece.replace('\\', "\\\\").replace('*', "\\*");
        self.pieces
            .iter()
            .map(escaped)
            .collect::<Vec<_>>()
            .join("*")
    }

    /// The literal pieces between the stars.
    pub(crate) fn pieces(&self) -> &[String] {
        &self.pieces
    }

    /// The first piece must stand at the start and the last at the end; each piece between is taken where it first
    /// occurs, for if any place of it leads to a match the first does. Nothing is ever tried again, so each byte is
    /// searched once; `searched` is told how many bytes each search went over.
    fn search(&self, text: &str, searched: &mut impl FnMut(usize)) -> bool {
        let Some((first, others)) = self.pieces.split_first() else {
            return false;
        };
        let Some((last, middle)) = others.split_last() else {
            return text == first;
        };
        let Some(inner) = text
            .strip_prefix(first.as_str())
            .and_then(|rest| rest.strip_suffix(last.as_str()))
        else {
            return false;
        };
        let mut rest = inner;
        for piece in middle {
            let found = rest.split_once(piece.as_str());
            let after = found.map_or("", |(_, after)| after);
            searched(rest.len() - after.len());
            if found.is_none() {
                return false;
            }
            rest = after;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Wildcard::parse(pattern).unwrap().matches(text)
    }

    #[test]
    fn stars_stand_for_anything_or_nothing() {
        for (pattern, text) in [
            ("*bc", "abcbc"),
            ("d*f", "df"),
            ("*", ""),
            ("a*a", "aa"),
            ("12*4*", "12345"),
            ("/Users/*/dir/dir/doc.txt", "/Users/dir/dir/dir/doc.txt"),
            (r"\*\\*", r"*\x"),
            ("*データ*", "prefix_データ_suffix"),
            ("", ""),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("a*a", "a"),
            ("", "x"),
            ("d*ff", "dexef"),
            ("12*4*", "1235"),
            ("*ab*ab", "ab"),
            (r"\*", "x"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn refuses_touching_stars_and_unknown_escapes() {
        let fault = |text: &str| Wildcard::parse(text).unwrap_err();
        assert_eq!(
            fault("foo**bar"),
            Fault::ConsecutiveWildcards { position: 4 }
        );
        assert_eq!(fault(r"a\b"), Fault::WildcardEscape { position: 2 });
        assert_eq!(fault(r"a\"), Fault::WildcardEscape { position: 2 });
    }

    #[test]
    fn searches_each_byte_once_however_hostile_the_pattern() {
        let pattern = Wildcard::parse(&format!("{}b", "*a".repeat(1_000))).unwrap();
        let mut steps = 0;
        assert!(!pattern.search(&"a".repeat(100_000), &mut |bytes| steps += bytes));
        let stubborn = Wildcard::parse(&format!("*{}*", "ab*".repeat(1_000) + "c")).unwrap();
        assert!(!stubborn.search(&"ab".repeat(50_000), &mut |bytes| steps += bytes));
        assert!(steps <= 200_000, "{steps}");
        assert!(
            steps >= 100_000,
            "the second search reads to the end: {steps}"
        );
    }

    /// The textbook definition: exponential, and obviously right.
    fn slow(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|skip| slow(rest, &text[skip..])),
            Some((c, rest)) => text.first() == Some(c) && slow(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_textbook(pattern in "([abé]{0,3}\\*){0,3}[abé]{0,3}", text in "[abé]{0,8}") {
            prop_assume!(!pattern.contains("**"));
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&pattern, &text), slow(&chars(&pattern), &chars(&text)));
        }
    }
}
