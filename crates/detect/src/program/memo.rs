//! What is known of a record so far.

use quell_normalize::Part;

use super::Program;
use crate::tree::Found;

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

/// [`Found`] without the record.
#[derive(Clone, Copy, Debug)]
enum Place {
    Absent,
    One(u32),
    Several,
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

impl Memo {
    /// For a program.
    pub(crate) fn new(program: &Program) -> Self {
        let (paths, questions) = (program.paths.len(), program.questions.len());
        Self {
            record: 0,
            places: vec![(0, Place::Absent); paths],
            answers: vec![(0, false); questions],
            agent: Agent {
                text: String::new(),
                number: 1,
                answers: vec![(0, false); questions],
                record: 0,
            },
        }
    }

    /// Forgets the last record.
    pub(crate) fn begin(&mut self) {
        self.record = self.record.wrapping_add(1);
        if self.record == 0 {
            self.record = 1;
            self.agent.record = 0;
            self.places.fill((0, Place::Absent));
            self.answers.fill((0, false));
        }
    }

    /// The answer to a question.
    #[inline]
    pub(super) fn answer(&self, question: usize) -> Option<bool> {
        let known = self.answers.get(question);
        let (_, answer) = known.filter(|(record, _)| *record == self.record)?;
        Some(*answer)
    }

    pub(super) fn keep_answer(&mut self, question: usize, answer: bool) {
        if let Some(known) = self.answers.get_mut(question) {
            *known = (self.record, answer);
        }
    }

    /// What a record has at a path; `body` is all of it.
    #[inline]
    pub(super) fn found<'t>(&self, path: usize, body: Part<'t>) -> Option<Found<'t>> {
        let known = self.places.get(path);
        let (_, place) = known.filter(|(record, _)| *record == self.record)?;
        Some(match place {
            Place::Absent => Found::Absent,
            Place::One(at) => Found::One(body.of_place(*at)?),
            Place::Several => Found::Several,
        })
    }

    pub(super) fn keep_found(&mut self, path: usize, found: Found<'_>) {
        let place = match found {
            Found::Absent => Place::Absent,
            Found::One(part) => Place::One(part.place()),
            Found::Several => Place::Several,
        };
        if let Some(known) = self.places.get_mut(path) {
            *known = (self.record, place);
        }
    }

    /// The answer to a question about this record's user agent, which `find` finds if it is not known.
    pub(super) fn of_agent(
        &mut self,
        question: usize,
        text: &str,
        find: impl FnOnce() -> Option<bool>,
    ) -> Option<bool> {
        self.agent.be(text, self.record);
        let known = self.agent.answers.get_mut(question)?;
        if known.0 != self.agent.number {
            *known = (self.agent.number, find()?);
        }
        Some(known.1)
    }
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
