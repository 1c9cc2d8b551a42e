//! Parameters are checked before anything is sent, and every fault is told at once.
//!
//! What the model says is checked as botocore checks it, and a little more. Smallest values and lengths are checked.
//! Of the largest only those of numbers are, which are what a thing can be (a port, a percentage): the largest
//! lengths are quotas, which AWS raises before a model says so. Patterns and the values of enumerations are left to
//! AWS for the same reason.

mod check;
mod limits;
mod nearest;
mod place;

use std::fmt;

use serde_json::{Number, Value};

use crate::model::{Kind, View};
use check::Check;

pub(crate) use nearest::nearest;
pub(crate) use place::{Faults, Place, Step};

/// One thing that is wrong with the parameters. It names the place and never quotes a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where: `IpPermissions[0].FromPort`.
    pub path: String,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The operation has no such member.
    Unknown {
        /// The member that was perhaps meant.
        nearest: Option<String>,
    },
    /// It must be given.
    Missing,
    /// It is of another type.
    WrongType {
        /// The type that is wanted.
        wanted: Kind,
    },
    /// It is too little.
    TooSmall {
        /// The least that it may be.
        least: Number,
        /// Of what.
        measure: Measure,
    },
    /// It is too much.
    TooLarge {
        /// The most that it may be.
        most: Number,
    },
    /// It is part of the host, and no host can be called so.
    NotHost,
    /// One member of a union must be given, and no more.
    NotOne,
    /// Nested too deep.
    TooDeep,
}

/// What of a parameter is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The value of a number.
    Value,
    /// How many characters text has.
    Characters,
    /// How many bytes a blob has.
    Bytes,
    /// How many items a list or map has.
    Items,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path, self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { nearest: Some(n) } => {
                write!(f, "is not a parameter (did you mean {n}?)")
            }
            Self::Unknown { nearest: None } => f.write_str("is not a parameter"),
            Self::Missing => f.write_str("is missing"),
            Self::WrongType { wanted } => write!(f, "must be {wanted}"),
            Self::TooSmall { least, measure } => match measure {
                Measure::Value => write!(f, "must be at least {least}"),
                _ if least.as_u64() == Some(1) => f.write_str("must not be empty"),
                Measure::Characters => write!(f, "must have at least {least} characters"),
                Measure::Bytes => write!(f, "must have at least {least} bytes"),
                Measure::Items => write!(f, "must have at least {least} items"),
            },
            Self::TooLarge { most } => write!(f, "must be at most {most}"),
            Self::NotHost => f.write_str(
                "is part of the host: only letters, digits, hyphens and points are possible",
            ),
            Self::NotOne => f.write_str("must have exactly one member"),
            Self::TooDeep => f.write_str("is nested too deep"),
        }
    }
}

/// What is wrong with `params` for an operation whose input is `input`, sorted by place, 50 faults at most;
/// `null_items` says whether the protocol can send `null` within lists and maps.
pub fn faults(input: Option<View<'_>>, params: &Value, null_items: bool) -> Vec<Fault> {
    Check::new(null_items).run(input, params).sorted()
}

#[cfg(test)]
mod tests;
