//! What every reader of an answer keeps to, because answers come from outside.

use super::Malformed;

/// How deep an answer may be nested. No answer of AWS comes near it.
pub(super) const DEPTH_MAX: usize = 100;
/// How many values (or elements and attributes) an answer may have.
pub(super) const VALUES_MAX: usize = 2_000_000;

/// The values that may still be read.
pub(crate) struct Budget(usize);

impl Budget {
    pub(crate) fn new() -> Self {
        Self(VALUES_MAX)
    }

    /// For what is in memory already.
    pub(crate) fn unbounded() -> Self {
        Self(usize::MAX)
    }

    /// One value more.
    #[inline(always)]
    pub(crate) fn spend(&mut self) -> Result<(), Malformed> {
        match self.0.checked_sub(1) {
            Some(left) => {
                self.0 = left;
                Ok(())
            }
            None => Err(too_many()),
        }
    }
}

#[cold]
fn too_many() -> Malformed {
    Malformed::new(format!("more than {VALUES_MAX} values"))
}

/// Bytes that are read from the front, and never past their end.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The next `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_ends_and_a_cursor_stays_within() {
        let mut budget = Budget(2);
        assert!(budget.spend().is_ok() && budget.spend().is_ok());
        assert!(budget.spend().is_err());
        let mut cursor = Cursor(b"abc");
        assert_eq!(cursor.array::<2>(), Some(*b"ab"));
        assert_eq!(cursor.take(2), None);
        assert_eq!(cursor.take(1), Some(&b"c"[..]));
        assert!(cursor.is_empty());
    }
}
