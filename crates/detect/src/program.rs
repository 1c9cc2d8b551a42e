//! The conditions of all rules as one program. What several rules ask of a record is answered once.

use std::collections::HashMap;

use quell_normalize::{Kind, Part, Top};
use rsigma_eval::{CompiledDetectionItem, CompiledMatcher, CompiledRule, Event, evaluate_rule};

use crate::condition::Condition;
use crate::text::{Asked, Haystack};
use crate::tree::{Found, Path, Tree};

/// What rules ask, each thing once.
#[derive(Debug, Default)]
pub(crate) struct Program {
    paths: Vec<Path>,
    questions: Vec<Question>,
}

/// Gives equal questions of rules one number.
#[derive(Debug, Default)]
pub(crate) struct Compiler {
    program: Program,
    paths: HashMap<String, usize>,
    questions: HashMap<String, usize>,
}

/// What one item of a rule asks.
#[derive(Debug)]
struct Question {
    /// The number of its field's path; `None` when it asks all texts.
    path: Option<usize>,
    /// Whether that is the user agent.
    is_of_agent: bool,
    /// The short way to the answer, where there is one.
    asked: Short,
    item: CompiledDetectionItem,
}

#[derive(Debug)]
enum Short {
    /// Whether the field is there, and not null.
    There(bool),
    /// What its text is.
    Text(Asked),
    /// Which truth value it is.
    Bool(bool),
    /// Whether it is null, or not there.
    Null,
    None,
}

/// When a rule matches.
#[derive(Debug)]
pub(crate) enum Check {
    All(Vec<Check>),
    Any(Vec<Check>),
    AtLeast(u64, Vec<Check>),
    Not(Box<Check>),
    /// The answer to a question.
    Is(usize),
    Other(Box<CompiledRule>),
}

/// What is known of a record so far. Its memory is used again for the next.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    /// The number of the record. What bears another is not known yet.
    record: u32,
    places: Vec<(u32, Place)>,
    answers: Vec<(u32, bool)>,
    /// Records of one client come one after the other: what was answered about its name, which is long, holds for the next too.
    agent: Agent,
}

/// The last user agent that was asked for.
#[derive(Debug, Default)]
struct Agent {
    text: String,
    /// Its number. An answer that bears another is of another.
    number: u32,
    answers: Vec<(u32, bool)>,
    /// The record that was last found to have it.
    record: u32,
}

impl Agent {
    /// Makes this the last user agent.
    #[inline]
    fn be(&mut self, text: &str, record: u32) {
        if self.record == record {
            return;
        }
        self.record = record;
        if self.text != text {
            self.text.clear();
            self.text.push_str(text);
            self.number = self.number.wrapping_add(1);
            if self.number == 0 {
                self.answers.fill((0, false));
                self.number = 1;
            }
        }
    }
}

/// [`Found`] without the record.
#[derive(Clone, Copy, Debug)]
enum Place {
    Absent,
    One(u32),
    Several,
}

impl Memo {
    /// Forgets the last record.
    pub(crate) fn begin(&mut self, program: &Program) {
        self.record = self.record.wrapping_add(1);
        let (paths, questions) = (program.paths.len(), program.questions.len());
        if self.record == 0 || self.places.len() != paths || self.answers.len() != questions {
            self.record = 1;
            self.places.clear();
            self.places.resize(paths, (0, Place::Absent));
            self.answers.clear();
            self.answers.resize(questions, (0, false));
            self.agent = Agent {
                number: 1,
                answers: vec![(0, false); questions],
                ..Agent::default()
            };
        }
    }
}

impl Compiler {
    pub(crate) fn check(&mut self, condition: &Condition) -> Check {
        let mut all = |list: &[Condition]| -> Vec<Check> {
            list.iter().map(|condition| self.check(condition)).collect()
        };
        match condition {
            Condition::All(list) | Condition::Any(list) if list.len() == 1 => {
                all(list).pop().unwrap_or(Check::All(Vec::new()))
            }
            Condition::All(list) => {
                let mut out = Vec::new();
                for check in all(list) {
                    match check {
                        Check::All(inner) => out.extend(inner),
                        other => out.push(other),
                    }
                }
                Check::All(out)
            }
            Condition::Any(list) => Check::Any(all(list)),
            Condition::AtLeast(wanted, list) => Check::AtLeast(*wanted, all(list)),
            Condition::Not(inner) => Check::Not(Box::new(self.check(inner))),
            Condition::Item(item) => Check::Is(self.question(item)),
            Condition::Other(rule) => Check::Other(rule.clone()),
        }
    }

    pub(crate) fn program(self) -> Program {
        self.program
    }

    fn question(&mut self, item: &CompiledDetectionItem) -> usize {
        let mut written = format!("{:?} {:?} ", item.field, item.exists);
        write(&item.matcher, &mut written);
        if let Some(at) = self.questions.get(&written) {
            return *at;
        }
        let path = item.field.as_ref().map(|field| self.path(field));
        let at = self.program.questions.len();
        self.program.questions.push(Question {
            path,
            is_of_agent: item.field.as_deref() == Some("userAgent"),
            asked: Short::of(item),
            item: item.clone(),
        });
        self.questions.insert(written, at);
        at
    }

    fn path(&mut self, field: &str) -> usize {
        if let Some(at) = self.paths.get(field) {
            return *at;
        }
        let at = self.program.paths.len();
        self.program.paths.push(Path::new(field));
        self.paths.insert(field.to_owned(), at);
        at
    }
}

/// Writes what a matcher is: the same for those that match the same. An automaton would print all of its states.
fn write(matcher: &CompiledMatcher, out: &mut String) {
    use CompiledMatcher as M;
    let mut list = |name: &str, list: &[CompiledMatcher]| {
        out.push_str(name);
        out.push('[');
        for matcher in list {
            write(matcher, out);
            out.push(',');
        }
        out.push(']');
    };
    match matcher {
        M::AnyOf(of) => list("any", of),
        M::AllOf(of) => list("all", of),
        M::CaseInsensitiveGroup { children, mode } => list(&format!("group {mode:?}"), children),
        M::Not(inner) => list("not", std::slice::from_ref(inner)),
        M::AhoCorasickSet {
            needles,
            case_insensitive,
            ..
        } => out.push_str(&format!("set {needles:?} {case_insensitive}")),
        M::TimestampPart { part, inner } => list(&format!("{part:?}"), std::slice::from_ref(inner)),
        other => out.push_str(&format!("{other:?}")),
    }
}

impl Short {
    fn of(item: &CompiledDetectionItem) -> Self {
        if item.field.is_none() {
            return Self::None;
        }
        if let Some(wanted) = item.exists {
            return Self::There(wanted);
        }
        match &item.matcher {
            CompiledMatcher::Null => Self::Null,
            CompiledMatcher::BoolEq(wanted) => Self::Bool(*wanted),
            matcher => Asked::of(matcher).map_or(Self::None, Self::Text),
        }
    }

    /// The answer for one value that is there; `None` where it takes the long way.
    #[inline]
    fn answer(&self, part: Part<'_>) -> Option<bool> {
        let kind = part.kind();
        match (self, kind) {
            (Self::There(wanted), _) => Some((kind != Kind::Null) == *wanted),
            (Self::Null, _) => Some(kind == Kind::Null),
            (Self::Bool(wanted), Kind::True) => Some(*wanted),
            (Self::Bool(wanted), Kind::False) => Some(!*wanted),
            (Self::Text(asked), Kind::Text) => {
                let text = part.plain()?;
                Some(asked.holds(&mut Haystack::new(text)))
            }
            (Self::Text(asked), Kind::True) => Some(asked.holds(&mut Haystack::new("true"))),
            (Self::Text(asked), Kind::False) => Some(asked.holds(&mut Haystack::new("false"))),
            _ => None,
        }
    }
}

impl Question {
    /// As [`Short::answer`], for the user agent.
    fn of_agent(&self, number: usize, part: Part<'_>, memo: &mut Memo) -> Option<bool> {
        let (Short::Text(_), Some(text)) = (&self.asked, part.plain()) else {
            return self.asked.answer(part);
        };
        let agent = &mut memo.agent;
        agent.be(text, memo.record);
        let known = agent.answers.get_mut(number)?;
        if known.0 != agent.number {
            *known = (agent.number, self.asked.answer(part)?);
        }
        Some(known.1)
    }
}

impl Program {
    /// Whether a record matches.
    pub(crate) fn holds(&self, check: &Check, tree: &Tree<'_>, memo: &mut Memo) -> bool {
        match check {
            Check::Is(question) => self.answer(*question, tree, memo),
            Check::All(all) => all.iter().all(|check| self.holds(check, tree, memo)),
            Check::Any(any) => any.iter().any(|check| self.holds(check, tree, memo)),
            Check::AtLeast(wanted, of) => {
                let mut left = *wanted;
                left == 0
                    || of.iter().any(|check| {
                        left -= u64::from(self.holds(check, tree, memo));
                        left == 0
                    })
            }
            Check::Not(inner) => !self.holds(inner, tree, memo),
            Check::Other(rule) => evaluate_rule(rule, tree).is_some(),
        }
    }

    /// A question to which a check wants yes, and most records say no.
    pub(crate) fn guard(&self, check: &Check) -> Option<usize> {
        let all = match check {
            Check::All(all) => all.as_slice(),
            one => std::slice::from_ref(one),
        };
        let asks = |check: &Check| match check {
            Check::Is(question) => Some(*question),
            _ => None,
        };
        let rank = |question: &usize| {
            let path = self.questions.get(*question).and_then(|q| q.path);
            match path.and_then(|path| self.paths.get(path)).map(Path::top) {
                Some(Some(Top::EventName)) => 0,
                Some(Some(Top::EventSource)) => 2,
                _ => 1,
            }
        };
        let questions = all.iter().filter_map(asks);
        questions.min_by_key(rank).filter(|q| rank(q) < 2)
    }

    /// The answer to a question.
    #[inline]
    pub(crate) fn answer(&self, question: usize, tree: &Tree<'_>, memo: &mut Memo) -> bool {
        match memo.answers.get(question) {
            Some((record, answer)) if *record == memo.record => *answer,
            _ => self.find_answer(question, tree, memo),
        }
    }

    fn find_answer(&self, number: usize, tree: &Tree<'_>, memo: &mut Memo) -> bool {
        let Some(question) = self.questions.get(number) else {
            return false;
        };
        let short = match question.path.map(|path| self.found(path, tree, memo)) {
            Some(Found::Absent) => Some(match question.asked {
                Short::There(wanted) => !wanted,
                _ => matches!(question.item.matcher, CompiledMatcher::Null),
            }),
            Some(Found::One(part)) if question.is_of_agent => question.of_agent(number, part, memo),
            Some(Found::One(part)) => question.asked.answer(part),
            Some(Found::Several) | None => None,
        };
        let answer = short.unwrap_or_else(|| by_evaluator(&question.item, tree));
        if let Some(known) = memo.answers.get_mut(number) {
            *known = (memo.record, answer);
        }
        answer
    }

    /// What the record has at a path.
    fn found<'t>(&self, path: usize, tree: &Tree<'t>, memo: &mut Memo) -> Found<'t> {
        let place = match memo.places.get(path) {
            Some((record, place)) if *record == memo.record => *place,
            _ => {
                let found = self.paths.get(path).map(|path| tree.find(path));
                let place = match found {
                    Some(Found::Absent) => Place::Absent,
                    Some(Found::One(part)) => Place::One(part.place()),
                    Some(Found::Several) | None => Place::Several,
                };
                if let Some(known) = memo.places.get_mut(path) {
                    *known = (memo.record, place);
                }
                place
            }
        };
        match place {
            Place::Absent => Found::Absent,
            Place::One(at) => match tree.reading().body().of_place(at) {
                Some(part) => Found::One(part),
                None => Found::Several,
            },
            Place::Several => Found::Several,
        }
    }
}

/// What `rsigma-eval` says of an item.
fn by_evaluator(item: &CompiledDetectionItem, tree: &Tree<'_>) -> bool {
    let Some(field) = &item.field else {
        return match item.exists {
            Some(wanted) => !wanted,
            None => item.matcher.matches_keyword(tree),
        };
    };
    if let Some(wanted) = item.exists {
        return tree.has(field) == wanted;
    }
    match tree.get_field(field) {
        Some(value) => item.matcher.matches(&value, tree),
        None => matches!(item.matcher, CompiledMatcher::Null),
    }
}
