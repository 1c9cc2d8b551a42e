//! Where in the parameters a value is.

use std::fmt::Write as _;

/// One step on the way to a value. The way is written out only when something is wrong there.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    pub(crate) depth: usize,
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

    /// The way in words: `IpPermissions[0].FromPort`.
    pub(crate) fn path(&self) -> String {
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
