//! Comparing texts as `rsigma-eval` does, without copying them.

use aho_corasick::AhoCorasick;
use memchr::memmem::Finder;
use rsigma_eval::CompiledMatcher;
use rsigma_eval::matcher::GroupMode;

/// What a text is asked.
#[derive(Debug)]
pub(crate) enum Asked {
    Equal(Needle),
    Prefix(Needle),
    Suffix(Needle),
    Contains(Box<Finder<'static>>, Needle),
    /// Has one of several in it.
    ContainsAny {
        automaton: AhoCorasick,
        folds: bool,
    },
    Any(Vec<Asked>),
    All(Vec<Asked>),
}

/// What a text is compared with: in lower case when case does not count.
#[derive(Debug)]
pub(crate) struct Needle {
    text: String,
    folds: bool,
    is_ascii: bool,
}

/// A text that is asked several things: its lower case is made once.
pub(crate) struct Haystack<'t> {
    text: &'t str,
    is_ascii: bool,
    lower: Option<String>,
}

impl Asked {
    /// What a matcher asks of a single text; `None` when it is more than comparing. What is asked of a list of texts is asked of each in
    /// turn, so all of several things may be asked of one text only when a group says so.
    pub(crate) fn of(matcher: &CompiledMatcher) -> Option<Self> {
        let needle = |value: &String, folds: &bool| Needle {
            text: value.clone(),
            folds: *folds,
            is_ascii: value.is_ascii(),
        };
        let each =
            |list: &[CompiledMatcher]| -> Option<Vec<Self>> { list.iter().map(Self::of).collect() };
        Some(match matcher {
            CompiledMatcher::Exact {
                value,
                case_insensitive,
            } => Self::Equal(needle(value, case_insensitive)),
            CompiledMatcher::StartsWith {
                value,
                case_insensitive,
            } => Self::Prefix(needle(value, case_insensitive)),
            CompiledMatcher::EndsWith {
                value,
                case_insensitive,
            } => Self::Suffix(needle(value, case_insensitive)),
            CompiledMatcher::Contains {
                value,
                case_insensitive,
            } => {
                let finder = Finder::new(value).into_owned();
                Self::Contains(Box::new(finder), needle(value, case_insensitive))
            }
            CompiledMatcher::AhoCorasickSet {
                automaton,
                case_insensitive,
                ..
            } => Self::ContainsAny {
                automaton: automaton.clone(),
                folds: *case_insensitive,
            },
            CompiledMatcher::AnyOf(list)
            | CompiledMatcher::CaseInsensitiveGroup {
                children: list,
                mode: GroupMode::Any,
            } => Self::Any(each(list)?),
            CompiledMatcher::AllOf(list)
            | CompiledMatcher::CaseInsensitiveGroup {
                children: list,
                mode: GroupMode::All,
            } => Self::All(each(list)?),
            _ => return None,
        })
    }

    /// Whether a text is what is asked.
    pub(crate) fn holds(&self, text: &mut Haystack<'_>) -> bool {
        match self {
            Self::Equal(needle) => needle.compare(
                text,
                |text, needle| text.eq_ignore_ascii_case(needle),
                |text, needle| text == needle,
            ),
            Self::Prefix(needle) => needle.compare(
                text,
                |text, needle| {
                    let begin = text.get(..needle.len());
                    begin.is_some_and(|begin| begin.eq_ignore_ascii_case(needle))
                },
                |text, needle| text.starts_with(needle),
            ),
            Self::Suffix(needle) => needle.compare(
                text,
                |text, needle| {
                    let at = text.len().checked_sub(needle.len());
                    let end = at.and_then(|at| text.get(at..));
                    end.is_some_and(|end| end.eq_ignore_ascii_case(needle))
                },
                |text, needle| text.ends_with(needle),
            ),
            Self::Contains(finder, needle) => {
                let text = if needle.folds {
                    text.lower()
                } else {
                    text.text
                };
                finder.find(text.as_bytes()).is_some()
            }
            Self::ContainsAny { automaton, folds } => {
                automaton.is_match(if *folds { text.lower() } else { text.text })
            }
            Self::Any(list) => list.iter().any(|asked| asked.holds(text)),
            Self::All(list) => list.iter().all(|asked| asked.holds(text)),
        }
    }
}

impl Needle {
    /// Compares bytes without regard to the case of ASCII's letters where both are ASCII, else texts, in lower case if case does not
    /// count.
    #[inline]
    fn compare(
        &self,
        text: &mut Haystack<'_>,
        folded: impl Fn(&[u8], &[u8]) -> bool,
        plain: impl Fn(&str, &str) -> bool,
    ) -> bool {
        if !self.folds {
            return plain(text.text, &self.text);
        }
        if self.is_ascii && text.is_ascii {
            return folded(text.text.as_bytes(), self.text.as_bytes());
        }
        plain(text.lower(), &self.text)
    }
}

impl<'t> Haystack<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self {
            text,
            is_ascii: text.is_ascii(),
            lower: None,
        }
    }

    fn lower(&mut self) -> &str {
        let (text, is_ascii) = (self.text, self.is_ascii);
        self.lower.get_or_insert_with(|| match is_ascii {
            true => text.to_ascii_lowercase(),
            false => text.to_lowercase(),
        })
    }
}
