//! What a plain expression is, when it has been read.

use super::functions::Function;
use super::matching::{Matching, Pattern};
use jsonata_core::ast::BinaryOp;
use serde_json::Value;

/// A node of a plain expression.
#[derive(Debug)]
pub(super) enum Node {
    Nothing,
    Literal(Value),
    /// `$`
    Context,
    /// `$$`
    Document,
    /// What is bound outside.
    Variable(String),
    /// `$states.name`
    Member(String),
    /// What is bound inside.
    Local(usize),
    /// A field of the context.
    Field(String),
    Path(Vec<Step>),
    /// A path that is a list also when it finds one thing.
    List(Vec<Step>),
    /// `*`
    Wildcard,
    Arithmetic(BinaryOp, Box<[Node; 2]>),
    Order(BinaryOp, Box<[Node; 2]>),
    Equal(Box<[Node; 2]>),
    Unequal(Box<[Node; 2]>),
    And(Box<[Node; 2]>),
    Or(Box<[Node; 2]>),
    Join(Box<[Node; 2]>),
    In(Box<[Node; 2]>),
    /// `?:`
    Default(Box<[Node; 2]>),
    /// `??`
    Coalesce(Box<[Node; 2]>),
    Negate(Box<Node>),
    /// Condition, then, else.
    Choose(Box<[Node; 3]>),
    Array(Vec<Item>),
    Object(Vec<(Node, Node)>),
    Block(Vec<Node>),
    Assign(usize, Box<Node>),
    Call(Function, Vec<Node>),
    /// The call of a function with a regular expression, which the arguments are without.
    Matching(Matching, Pattern, Vec<Node>),
    /// `$millis()`
    Millis,
    /// `$now()`
    Now,
    /// `list^(term, >term)`; whether a term's values rise.
    Ordered(Box<Node>, Vec<(Node, bool)>),
    /// `list{name: value}`
    Grouped(Box<Node>, Vec<(Node, Node)>),
    /// `$name := function(...) {...}`
    Define(usize),
    /// The call of a function that the expression defines.
    Apply(usize, Vec<Node>),
    Each(Each, Box<Node>, Callee),
    /// Over what, by what, beginning with.
    Reduce(Box<[Node; 2]>, Callee),
}

/// A step of a path, and what is chosen of what it finds.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) node: Node,
    pub(super) filters: Vec<Filter>,
    /// It makes a list, which stays one: `path.[a, b]`.
    pub(super) is_list: bool,
}

#[derive(Debug)]
pub(super) enum Filter {
    Index(f64),
    Test(Node),
}

/// A part of an array constructor.
#[derive(Debug)]
pub(super) enum Item {
    /// Its items become items.
    Spread(Node),
    /// It becomes one item: it is written as an array.
    Whole(Node),
    /// The whole numbers from one to the other.
    Range(Node, Node),
}

/// Functions that call another.
#[derive(Clone, Copy, Debug)]
pub(super) enum Each {
    Map,
    Filter,
    Sift,
    /// `$each`
    Members,
    Single,
    Sort,
}

/// A function that another calls.
#[derive(Clone, Copy, Debug)]
pub(super) enum Callee {
    /// It is written there.
    Here(usize),
    /// It was defined before.
    Defined(usize),
}

/// A function that the expression has.
#[derive(Debug)]
pub(super) struct Lambda {
    /// The locals of its parameters.
    pub(super) parameters: Vec<usize>,
    pub(super) body: Node,
}
