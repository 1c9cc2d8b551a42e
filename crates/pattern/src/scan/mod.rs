//! Reading the fields that patterns name straight from the bytes of an event.
//!
//! Two passes. The first looks at 64 bytes at a time and marks the quotes that begin and end strings; whatever can be
//! wrong inside a string it finds too. The second walks from token to token, from quote to quote, without looking into
//! strings again, checks the grammar, and keeps the values whose names some pattern asks for. Nothing else is built. Arrays
//! of numbers that nobody asks for it checks 64 bytes at a time too, without coming to each number.
//!
//! What is refused is exactly what [`crate::Event::parse`] refuses, which then says why.
//!
//! Of an event that is known to be in order only what is needed is read ([`Extent::Needed`]): the marks are made as the
//! walk comes to them, it ends when every name that is asked for has come, and objects and arrays that nobody asks for
//! are passed by their brackets alone.

mod blocks;
mod digits;
mod leaves;
mod marks;
mod names;
mod numbers;
mod paths;
mod walk;

pub(crate) use leaves::{Kind, Leaves, Seen};
pub(crate) use paths::Paths;
pub(crate) use walk::Extent;

use leaves::NONE;
use marks::Marks;
use walk::{Stacks, Walker};

/// What reading an event needs, kept from event to event.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    marks: Marks,
    stacks: Stacks,
    pub(crate) leaves: Leaves,
}

impl Scanner {
    /// Reads the leaves of `text` that `paths` name; `None` when it is no event.
    pub(crate) fn read(&mut self, text: &str, paths: &Paths, extent: Extent) -> Option<()> {
        u32::try_from(text.len()).ok().filter(|len| *len < NONE)?;
        self.leaves.begin(paths.fields());
        self.marks.begin();
        if extent == Extent::Whole {
            self.marks.check(text.as_bytes())?;
        }
        Walker::new(
            text,
            paths,
            extent,
            &mut self.marks,
            &mut self.stacks,
            &mut self.leaves,
        )
        .walk()
    }
}
