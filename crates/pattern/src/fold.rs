//! `equals-ignore-case`: text compared character by character, each in its lower or its upper case.
//!
//! As in EventBridge, a character beyond the Basic Multilingual Plane has one form only, and a form may be longer than
//! the character (`ß` accepts `SS`).

/// Text to be compared without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Folded(Vec<Forms>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Forms {
    lower: Box<str>,
    upper: Box<str>,
}

impl Folded {
    /// Prepares `text`.
    pub(crate) fn new(text: &str) -> Self {
        let forms = |c: char| {
            if c.len_utf16() > 1 {
                return Forms {
                    lower: c.to_string().into(),
                    upper: c.to_string().into(),
                };
            }
            Forms {
                lower: c.to_lowercase().collect(),
                upper: c.to_uppercase().collect(),
            }
        };
        Self(text.chars().map(forms).collect())
    }

    /// This text, in lower case.
    pub(crate) fn text(&self) -> String {
        self.0.iter().map(|forms| &*forms.lower).collect()
    }

    /// Whether it is of ASCII. Then so is what it accepts, and it accepts what is folded as it is.
    pub(crate) fn is_ascii(&self) -> bool {
        let both = |forms: &Forms| forms.lower.is_ascii() && forms.upper.is_ascii();
        self.0.iter().all(both)
    }

    /// Whether `text` is this text.
    pub(crate) fn equals(&self, text: &str) -> bool {
        self.strip_prefix(text) == Some("")
    }

    /// What follows this text at the start of `text`.
    pub(crate) fn strip_prefix<'t>(&self, text: &'t str) -> Option<&'t str> {
        self.0.iter().try_fold(text, |rest, forms| {
            rest.strip_prefix(&*forms.lower)
                .or_else(|| rest.strip_prefix(&*forms.upper))
        })
    }

    /// What precedes this text at the end of `text`.
    pub(crate) fn strip_suffix<'t>(&self, text: &'t str) -> Option<&'t str> {
        self.0.iter().rev().try_fold(text, |rest, forms| {
            rest.strip_suffix(&*forms.lower)
                .or_else(|| rest.strip_suffix(&*forms.upper))
        })
    }
}

/// Writes `text` to `folded` in a form that is the same for all texts a [`Folded`] accepts, and for its own: each character in the
/// lower case of the upper case of its lower case. Different texts may have the same form.
pub(crate) fn fold_into(text: &str, folded: &mut String) {
    folded.clear();
    if text.is_ascii() {
        folded.push_str(text);
        folded.make_ascii_lowercase();
    } else {
        let lower = text.chars().flat_map(char::to_lowercase);
        let upper = lower.flat_map(char::to_uppercase);
        folded.extend(upper.flat_map(char::to_lowercase));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_ignored_in_every_script() {
        assert!(Folded::new("AbÇd").equals("aBçD"));
        assert!(Folded::new("Ⱥ").equals("ⱥ"), "the forms differ in length");
        assert!(Folded::new("straße").equals("STRASSE"));
        assert!(!Folded::new("STRASSE").equals("straße"));
        assert!(
            !Folded::new("\u{10400}").equals("\u{10428}"),
            "beyond the basic plane"
        );
    }

    #[test]
    fn every_form_of_every_character_folds_to_the_same() {
        let fold = |text: &str| {
            let mut folded = String::new();
            fold_into(text, &mut folded);
            folded
        };
        let has_case = |c: &char| !c.to_lowercase().eq(c.to_uppercase());
        for c in ('\0'..=char::MAX).filter(has_case) {
            let Folded(forms) = Folded::new(c.encode_utf8(&mut [0; 4]));
            let whole = fold(&c.to_string());
            for form in [&forms[0].lower, &forms[0].upper] {
                assert_eq!(fold(form), whole, "{c:?} {form:?}");
            }
        }
    }

    #[test]
    fn prefixes_and_suffixes_leave_the_rest() {
        assert_eq!(Folded::new("zoo").strip_prefix("ZoOkeeper"), Some("keeper"));
        assert_eq!(Folded::new("EPER").strip_suffix("zookeeper"), Some("zooke"));
        assert_eq!(Folded::new("x").strip_suffix("zoo"), None);
        assert_eq!(Folded::new("").strip_prefix("a"), Some("a"));
    }
}
