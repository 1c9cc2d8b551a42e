//! Where in the parameters a value is, and what is wrong there.

use std::fmt::Write as _;

use super::{Fault, Problem};

/// Parameters nested deeper than this are refused; no operation of AWS comes near.
const DEPTH_MAX: usize = 64;
/// More faults than this help nobody.
const FAULTS_MAX: usize = 50;

/// The faults that are found.
#[derive(Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, place: &Place<'_>, problem: Problem) {
        if self.0.len() < FAULTS_MAX {
            let path = place.path();
            self.0.push(Fault { path, problem });
        }
    }

    /// All of them, sorted by place: one order, whatever order the parameters came in.
    pub(crate) fn sorted(self) -> Vec<Fault> {
        let mut faults = self.0;
        faults.sort_by(|a, b| a.path.cmp(&b.path));
        faults
    }
}

/// One step on the way to a value. The way is written out only when something is wrong there.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    depth: usize,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
pub(crate) enum Step<'a> {
    Root,
    Name(&'a str),
    Index(usize),
}

impl<'a> Place<'a> {
    pub(crate) const ROOT: Place<'static> = Place {
        parent: None,
        depth: 0,
        step: Step::Root,
    };

    pub(crate) fn then(&'a self, step: Step<'a>) -> Place<'a> {
        Place {
            parent: Some(self),
            depth: self.depth + 1,
            step,
        }
    }

    pub(crate) fn is_too_deep(&self) -> bool {
        self.depth > DEPTH_MAX
    }

    /// The way in words: `IpPermissions[0].FromPort`.
    fn path(&self) -> String {
        let mut path = String::new();
        self.write(&mut path);
        if path.is_empty() {
            path.push_str("the input");
        }
        path
    }

    fn write(&self, path: &mut String) {
        if let Some(parent) = self.parent {
            parent.write(path);
        }
        match self.step {
            Step::Root => {}
            Step::Name(name) if path.is_empty() => path.push_str(name),
            Step::Name(name) => {
                path.push('.');
                path.push_str(name);
            }
            Step::Index(index) => {
                let _ = write!(path, "[{index}]");
            }
        }
    }
}
