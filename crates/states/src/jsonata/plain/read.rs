//! Syntax trees to plain expressions.

use super::Plain;
use super::matching::{self, Pattern};
use super::node::{Callee, Each, Filter, Item, Lambda, Node, Step};
use super::{functions, names};
use jsonata_core::ast::{AstNode, BinaryOp, PathStep, Stage, UnaryOp};
use serde_json::Value;
use std::collections::BTreeSet;

/// How deep a plain expression may nest: evaluating it recurses.
const DEPTH_MAX: usize = 48;

pub(super) fn read(tree: &AstNode) -> Option<Plain> {
    let mut reader = Reader::default();
    let root = reader.node(tree, DEPTH_MAX)?;
    reader.is_unambiguous().then_some(Plain {
        root,
        locals: reader.locals,
        lambdas: reader.lambdas,
        functions: reader.functions.into_iter().collect(),
    })
}

#[derive(Default)]
struct Reader {
    /// The names that are bound where the reader stands; the last is found first.
    scope: Vec<(String, Bound)>,
    locals: usize,
    lambdas: Vec<Lambda>,
    functions: BTreeSet<String>,
    /// Names that are assigned, that are parameters, and that are neither where they are read.
    assigned: BTreeSet<String>,
    parameters: BTreeSet<String>,
    free: BTreeSet<String>,
    /// A name was assigned twice.
    reassigned: bool,
}

#[derive(Clone, Copy)]
enum Bound {
    Local(usize),
    Lambda(usize),
}

impl Reader {
    /// Whether each name means one thing only. What else a name means is told by the moment at which it is read.
    fn is_unambiguous(&self) -> bool {
        let bound = |name: &String| self.assigned.contains(name) || self.parameters.contains(name);
        !self.reassigned
            && !self.functions.iter().any(bound)
            && self.assigned.is_disjoint(&self.parameters)
            && self.assigned.is_disjoint(&self.free)
    }

    fn node(&mut self, tree: &AstNode, depth: usize) -> Option<Node> {
        let depth = depth.checked_sub(1)?;
        Some(match tree {
            AstNode::Undefined => Node::Nothing,
            AstNode::Null => Node::Literal(Value::Null),
            AstNode::Boolean(flag) => Node::Literal(Value::from(*flag)),
            AstNode::String(text) => Node::Literal(Value::from(text.as_str())),
            AstNode::Number(number) => Node::Literal(Value::from(*number)),
            AstNode::Name(name) => Node::Field(name.clone()),
            AstNode::ParentVariable(_) => Node::Document,
            AstNode::Variable(name) => self.variable(name)?,
            AstNode::Path { steps } => self.path(steps, depth)?,
            AstNode::Unary { op, operand } => self.unary(*op, operand, depth)?,
            AstNode::Function {
                name,
                args,
                is_builtin: true,
            } => self.call(name, &args.iter().collect::<Vec<_>>(), depth)?,
            AstNode::Array(items) => self.array(items, depth)?,
            AstNode::Object(pairs) => Node::Object(self.pairs(pairs, depth)?),
            AstNode::ObjectTransform { input, pattern } => {
                Node::Grouped(self.list(input, depth)?, self.pairs(pattern, depth)?)
            }
            AstNode::Sort { input, terms } => {
                let list = self.list(input, depth)?;
                let terms = terms
                    .iter()
                    .map(|(term, is_rising)| Some((self.node(term, depth)?, *is_rising)));
                Node::Ordered(list, terms.collect::<Option<_>>()?)
            }
            AstNode::Wildcard => Node::Wildcard,
            AstNode::Binary {
                op: BinaryOp::ChainPipe,
                lhs,
                rhs,
            } => self.chain(lhs, rhs, depth)?,
            AstNode::Binary { op, lhs, rhs } => self.binary(*op, lhs, rhs, depth)?,
            AstNode::Conditional {
                condition,
                then_branch,
                else_branch,
            } => Node::Choose(Box::new([
                self.node(condition, depth)?,
                self.node(then_branch, depth)?,
                match else_branch {
                    Some(branch) => self.node(branch, depth)?,
                    None => Node::Nothing,
                },
            ])),
            AstNode::Block(nodes) => self.block(nodes, depth)?,
            AstNode::FunctionApplication(inner) => self.node(inner, depth)?,
            _ => return None,
        })
    }

    fn variable(&mut self, name: &str) -> Option<Node> {
        if name.is_empty() {
            return Some(Node::Context);
        }
        match self.bound(name) {
            Some(Bound::Local(local)) => Some(Node::Local(local)),
            Some(Bound::Lambda(_)) => None,
            None if names::is_name(name) => None,
            None => {
                self.free.insert(name.to_owned());
                Some(Node::Variable(name.to_owned()))
            }
        }
    }

    fn bound(&self, name: &str) -> Option<Bound> {
        let mut scope = self.scope.iter().rev();
        scope.find(|(own, _)| own == name).map(|(_, bound)| *bound)
    }

    /// What is put in order or together: whether it stays a list is not known of one that is kept.
    fn list(&mut self, tree: &AstNode, depth: usize) -> Option<Box<Node>> {
        match self.node(tree, depth)? {
            Node::List(_) => None,
            Node::Path(steps) if steps.iter().any(|step| step.is_list) => None,
            node => Some(Box::new(node)),
        }
    }

    fn pairs(&mut self, pairs: &[(AstNode, AstNode)], depth: usize) -> Option<Vec<(Node, Node)>> {
        let pairs = pairs
            .iter()
            .map(|(key, value)| Some((self.node(key, depth)?, self.node(value, depth)?)));
        pairs.collect()
    }

    /// `value ~> $function` and `value ~> $function(more)`: the value is the first argument.
    fn chain(&mut self, value: &AstNode, function: &AstNode, depth: usize) -> Option<Node> {
        match function {
            AstNode::Function {
                name,
                args,
                is_builtin: true,
            } => {
                let args: Vec<&AstNode> = std::iter::once(value).chain(args).collect();
                self.call(name, &args, depth)
            }
            AstNode::Variable(name) => self.call(name, &[value], depth),
            _ => None,
        }
    }

    fn path(&mut self, steps: &[PathStep], depth: usize) -> Option<Node> {
        let is_kept = |step: &PathStep| matches!(step.stages.last(), Some(Stage::KeepArray));
        let is_list = steps.iter().any(is_kept);
        let read = self.steps(steps, depth)?;
        match (is_list, steps) {
            (false, _) => Some(Node::Path(read)),
            // What is no path by itself becomes no list, and a list in a list has its own rules.
            (true, [_]) => None,
            (true, _) if read.last().is_some_and(|step| step.is_list) => None,
            (true, _) => Some(Node::List(read)),
        }
    }

    fn steps(&mut self, steps: &[PathStep], depth: usize) -> Option<Vec<Step>> {
        // Lists are known as the last thing that a path makes only.
        let (_, but_last) = steps.split_last()?;
        if but_last
            .iter()
            .any(|step| matches!(step.node, AstNode::ArrayGroup(_)))
        {
            return None;
        }
        let mut steps = steps.iter().map(|step| self.step(step, depth));
        let mut read = steps.by_ref().collect::<Option<Vec<Step>>>()?;
        // `$states.name`: the members of `$states` can be had one by one.
        let is_states = matches!(read.as_slice(), [first, second, ..]
            if first.filters.is_empty()
                && matches!(&first.node, Node::Variable(name) if name == "states")
                && matches!(second.node, Node::Field(_)));
        if is_states {
            read.remove(0);
            if let Some(Step { node, .. }) = read.first_mut()
                && let Node::Field(name) = node
            {
                *node = Node::Member(std::mem::take(name));
            }
        }
        Some(read)
    }

    fn step(&mut self, step: &PathStep, depth: usize) -> Option<Step> {
        let is_simple = step.focus.is_none()
            && step.index_var.is_none()
            && step.ancestor_label.is_none()
            && !step.is_tuple
            && !step.inner_tuple;
        let stages = match step.stages.as_slice() {
            [stages @ .., Stage::KeepArray] => stages,
            stages => stages,
        };
        let filters = stages.iter().map(|stage| match stage {
            Stage::Filter(test) => Some(match self.node(test, depth)? {
                Node::Literal(Value::Number(index)) => Filter::Index(index.as_f64()?.floor()),
                test => Filter::Test(test),
            }),
            Stage::KeepArray | Stage::Index(_) => None,
        });
        let filters = filters.collect::<Option<_>>()?;
        let is_list = matches!(step.node, AstNode::ArrayGroup(_));
        let is_simple = is_simple && (!is_list || step.stages.is_empty());
        is_simple.then_some(Step {
            node: match &step.node {
                AstNode::ArrayGroup(items) => self.array(items, depth)?,
                node => self.node(node, depth)?,
            },
            filters,
            is_list,
        })
    }

    fn binary(&mut self, op: BinaryOp, lhs: &AstNode, rhs: &AstNode, depth: usize) -> Option<Node> {
        let sides = Box::new([self.node(lhs, depth)?, self.node(rhs, depth)?]);
        Some(match op {
            BinaryOp::Add
            | BinaryOp::Subtract
            | BinaryOp::Multiply
            | BinaryOp::Divide
            | BinaryOp::Modulo => Node::Arithmetic(op, sides),
            BinaryOp::LessThan
            | BinaryOp::LessThanOrEqual
            | BinaryOp::GreaterThan
            | BinaryOp::GreaterThanOrEqual => Node::Order(op, sides),
            BinaryOp::Equal => Node::Equal(sides),
            BinaryOp::NotEqual => Node::Unequal(sides),
            BinaryOp::And => Node::And(sides),
            BinaryOp::Or => Node::Or(sides),
            BinaryOp::Concatenate => Node::Join(sides),
            BinaryOp::In => Node::In(sides),
            BinaryOp::Default => Node::Default(sides),
            BinaryOp::Coalesce => Node::Coalesce(sides),
            _ => return None,
        })
    }

    fn unary(&mut self, op: UnaryOp, operand: &AstNode, depth: usize) -> Option<Node> {
        match (op, operand) {
            (UnaryOp::Negate, AstNode::Number(number)) => Some(Node::Literal(Value::from(-number))),
            (UnaryOp::Negate, operand) => Some(Node::Negate(Box::new(self.node(operand, depth)?))),
            (UnaryOp::Not, _) => None,
        }
    }

    fn array(&mut self, items: &[AstNode], depth: usize) -> Option<Node> {
        let items = items.iter().map(|item| self.item(item, depth));
        Some(Node::Array(items.collect::<Option<_>>()?))
    }

    fn item(&mut self, item: &AstNode, depth: usize) -> Option<Item> {
        Some(match item {
            AstNode::Array(_) => Item::Whole(self.node(item, depth)?),
            AstNode::Binary {
                op: BinaryOp::Range,
                lhs,
                rhs,
            } => Item::Range(self.node(lhs, depth)?, self.node(rhs, depth)?),
            _ => Item::Spread(self.node(item, depth)?),
        })
    }

    /// A block: what is assigned in it is known to what follows in it.
    fn block(&mut self, nodes: &[AstNode], depth: usize) -> Option<Node> {
        let outside = self.scope.len();
        let mut read = Vec::new();
        for node in nodes {
            read.push(match node {
                AstNode::Binary {
                    op: BinaryOp::ColonEqual,
                    lhs,
                    rhs,
                } => self.assignment(lhs, rhs, depth)?,
                node => self.node(node, depth)?,
            });
        }
        self.scope.truncate(outside);
        // A function is no value here.
        let ends_in_function = matches!(read.last(), Some(Node::Define(_)));
        (!ends_in_function).then_some(Node::Block(read))
    }

    fn assignment(&mut self, target: &AstNode, value: &AstNode, depth: usize) -> Option<Node> {
        let AstNode::Variable(name) = target else {
            return None;
        };
        let (node, bound) = match value {
            AstNode::Lambda { .. } => {
                let lambda = self.lambda(value, depth)?;
                (Node::Define(lambda), Bound::Lambda(lambda))
            }
            value => {
                let value = Box::new(self.node(value, depth)?);
                let local = self.local();
                (Node::Assign(local, value), Bound::Local(local))
            }
        };
        self.reassigned |= !self.assigned.insert(name.clone());
        self.scope.push((name.clone(), bound));
        Some(node)
    }

    fn local(&mut self) -> usize {
        self.locals += 1;
        self.locals - 1
    }

    fn call(&mut self, name: &str, args: &[&AstNode], depth: usize) -> Option<Node> {
        if let Some(Bound::Lambda(lambda)) = self.bound(name) {
            let args = args.iter().map(|arg| self.node(arg, depth));
            return Some(Node::Apply(lambda, args.collect::<Option<_>>()?));
        }
        self.functions.insert(name.to_owned());
        if let ("reduce", [over, by, first]) = (name, args) {
            let over = [self.node(over, depth)?, self.node(first, depth)?];
            return Some(Node::Reduce(Box::new(over), self.callee(by, depth)?));
        }
        match (name, args) {
            ("millis", []) => return Some(Node::Millis),
            ("now", []) => return Some(Node::Now),
            (_, [text, AstNode::Regex { pattern, flags }, rest @ ..]) => {
                let matching = matching::find(name, args.len())?;
                let args = std::iter::once(text).chain(rest);
                let args = args.map(|arg| self.node(arg, depth));
                let pattern = Pattern::new(pattern, flags);
                return Some(Node::Matching(
                    matching,
                    pattern,
                    args.collect::<Option<_>>()?,
                ));
            }
            _ => {}
        }
        let each = match name {
            "each" => Some(Each::Members),
            "filter" => Some(Each::Filter),
            "map" => Some(Each::Map),
            "sift" => Some(Each::Sift),
            "single" => Some(Each::Single),
            "sort" => Some(Each::Sort),
            _ => None,
        };
        if let (Some(each), [over, by]) = (each, args) {
            let over = self.node(over, depth)?;
            return Some(Node::Each(each, Box::new(over), self.callee(by, depth)?));
        }
        let function = functions::find(name, args.len())?;
        let args = args.iter().map(|arg| self.node(arg, depth));
        Some(Node::Call(function, args.collect::<Option<_>>()?))
    }

    fn callee(&mut self, tree: &AstNode, depth: usize) -> Option<Callee> {
        match tree {
            AstNode::Variable(name) => match self.bound(name)? {
                Bound::Lambda(lambda) => Some(Callee::Defined(lambda)),
                Bound::Local(_) => None,
            },
            tree => self.lambda(tree, depth).map(Callee::Here),
        }
    }

    fn lambda(&mut self, tree: &AstNode, depth: usize) -> Option<usize> {
        let AstNode::Lambda {
            params,
            body,
            signature: None,
            ..
        } = tree
        else {
            return None;
        };
        let outside = self.scope.len();
        let parameters: Vec<usize> = params.iter().map(|_| self.local()).collect();
        for (name, local) in params.iter().zip(&parameters) {
            self.scope.push((name.clone(), Bound::Local(*local)));
        }
        self.parameters.extend(params.iter().cloned());
        let body = self.node(body, depth)?;
        self.scope.truncate(outside);
        self.lambdas.push(Lambda { parameters, body });
        Some(self.lambdas.len() - 1)
    }
}
