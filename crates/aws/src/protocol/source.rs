//! Answers of JSON and CBOR, read by the model in one pass over their bytes.

use time::OffsetDateTime;

use super::Malformed;
use super::bounds::DEPTH_MAX;
use super::order::{Key, Order};
use crate::model::{Kind, View};
use crate::output::{Builder, Dialect, Fields, Label};
use crate::scalar::{Integer, from_seconds, parse_integer, parse_time_text, text_to_double};

/// What a value begins with. That of a scalar is the whole value.
pub(super) enum Token<'s> {
    Null,
    Bool(bool),
    Integer(i64),
    Unsigned(u64),
    Float(f64),
    Text(&'s str),
    List(Left),
    Map(Left),
}

/// What is left of an open list or map.
pub(super) enum Left {
    /// So many items or entries.
    Count(u64),
    /// Whatever comes before its end, of which nothing was seen yet.
    First,
    /// Whatever comes before its end.
    More,
}

/// Where values come from.
pub(super) trait Source {
    /// Begins the next value.
    fn next(&mut self) -> Result<Token<'_>, Malformed>;

    /// Whether an open list has another item.
    fn has_item(&mut self, left: &mut Left) -> Result<bool, Malformed>;

    /// The key of the next entry of an open map; `None` at its end.
    fn key(&mut self, left: &mut Left) -> Result<Option<&str>, Malformed>;

    /// Whether the next entry's key is `key`, which is read then. A source may say no without a look.
    fn key_is(&mut self, _left: &mut Left, _key: &Key) -> bool {
        false
    }

    /// Whether the next value is one as `kind` mostly is, which is put into `out` then. A source may say no without a
    /// look.
    fn scalar(&mut self, _: Kind, _: &mut Builder, _: Label) -> Result<bool, Malformed> {
        Ok(false)
    }

    /// That nothing follows.
    fn end(self) -> Result<(), Malformed>;
}

/// A source that is read into an output.
pub(super) struct ByModel<'b, S> {
    pub(super) source: S,
    pub(super) out: &'b mut Builder,
    depth: usize,
}

/// Whether a value was one, or null.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Was {
    Value,
    Null,
}

impl<'b, S: Source> ByModel<'b, S> {
    pub(super) fn new(source: S, out: &'b mut Builder) -> Self {
        Self {
            source,
            out,
            depth: 0,
        }
    }

    /// The next value, which the model calls `view`.
    #[inline(always)]
    pub(super) fn value(&mut self, view: View<'_>, label: Label) -> Result<Was, Malformed> {
        if self.source.scalar(view.kind(), self.out, label)? {
            return Ok(Was::Value);
        }
        self.other(view, label)
    }

    /// The next value, which may be none as its kind mostly is.
    #[inline(never)]
    fn other(&mut self, view: View<'_>, label: Label) -> Result<Was, Malformed> {
        let kind = view.kind();
        let out = &mut *self.out;
        if kind == Kind::Structure && view.is_document() {
            return self.any(label);
        }
        match (kind, self.source.next()?) {
            (_, Token::Null) => {
                out.null(label)?;
                return Ok(Was::Null);
            }
            (Kind::Structure, Token::Map(left)) => {
                self.structure(view, label, left, &mut Order::none())?;
            }
            (Kind::List, Token::List(left)) => self.list(view, label, left)?,
            (Kind::Map, Token::Map(left)) => self.map(view, label, left)?,
            (Kind::Structure | Kind::List | Kind::Map, _) | (_, Token::List(_) | Token::Map(_)) => {
                return Err(wrong(view));
            }
            // An odd time is no reason to lose the rest of the answer: it is given as it came.
            (Kind::Timestamp, Token::Text(text)) => match parse_time_text(text) {
                Some(time) => out.time(label, time)?,
                None => out.text(label, text)?,
            },
            (Kind::Timestamp, Token::Unsigned(seconds)) => match time_of(seconds) {
                Some(time) => out.time(label, time)?,
                None => out.unsigned(label, seconds)?,
            },
            (Kind::Timestamp, Token::Integer(seconds)) => match time_of(seconds) {
                Some(time) => out.time(label, time)?,
                None => out.integer(label, seconds)?,
            },
            (Kind::Timestamp, Token::Float(seconds)) => match time_of_double(seconds) {
                Some(time) => out.time(label, time)?,
                None => out.float(label, seconds)?,
            },
            (Kind::Float, Token::Text(text)) => {
                let number = text_to_double(text).ok_or_else(|| wrong(view))?;
                out.float(label, number)?;
            }
            (Kind::Integer, Token::Text(text)) => {
                let number = parse_integer(text).ok_or_else(|| wrong(view))?;
                integer(out, label, number)?;
            }
            (Kind::Boolean, Token::Text(text)) => match text {
                "true" => out.bool(label, true)?,
                "false" => out.bool(label, false)?,
                _ => return Err(wrong(view)),
            },
            // Each by itself: to move a token as a whole takes longer than to read it.
            (_, Token::Text(text)) => out.text(label, text)?,
            (_, Token::Unsigned(value)) => out.unsigned(label, value)?,
            (_, Token::Integer(value)) => out.integer(label, value)?,
            (_, Token::Float(value)) => out.float(label, value)?,
            (_, Token::Bool(value)) => out.bool(label, value)?,
        }
        Ok(Was::Value)
    }

    /// Everything within one of them is deeper than it.
    fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<T, Malformed> {
        if self.depth >= DEPTH_MAX {
            return Err(Malformed::new("the answer is too deep"));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn structure<'m>(
        &mut self,
        view: View<'m>,
        label: Label,
        left: Left,
        order: &mut Order<'m>,
    ) -> Result<(), Malformed> {
        let mut fields = self.out.structure(label, view)?;
        let unknown = self.members(view, &mut fields, left, order, |_| true)?;
        match unknown {
            Some(name) if self.out.has_none(&fields) => self.out.close_unknown(fields, &name),
            _ => {
                self.out.close(fields, Dialect::Json);
                Ok(())
            }
        }
    }

    /// The members of a structure which is open, those of them that are `wanted`. What a union has that the model
    /// does not know is given back.
    fn members<'m>(
        &mut self,
        view: View<'m>,
        fields: &mut Fields,
        mut left: Left,
        order: &mut Order<'m>,
        wanted: impl Fn(View<'_>) -> bool,
    ) -> Result<Option<String>, Malformed> {
        let mut unknown = None;
        let mut place = 0;
        self.deeper(|this| {
            loop {
                if let Some(step) = order.at(place)
                    && this.source.key_is(&mut left, &step.key)
                {
                    place += 1;
                    this.member(fields, step.label, step.member)?;
                    continue;
                }
                let Some(key) = this.source.key(&mut left)? else {
                    return Ok(());
                };
                if let Some(index) = view.find_in_json(key)
                    && let Some((name, member)) = view.json_member_at(index)
                    && wanted(member)
                {
                    let label = Label(index);
                    place = order.learn(place, label, name, member);
                    this.member(fields, label, member)?;
                    continue;
                }
                let named = view.is_union() && unknown.is_none() && key != "__type";
                let name = named.then(|| key.to_owned());
                if this.skip()? == Was::Value {
                    unknown = unknown.take().or(name);
                }
            }
        })?;
        Ok(unknown)
    }

    /// A member that is null is not there; but when it came before, it is not there any more.
    #[inline(always)]
    fn member(
        &mut self,
        fields: &mut Fields,
        label: Label,
        member: View<'_>,
    ) -> Result<(), Malformed> {
        let is_first = self.out.begin(fields, label);
        let mark = self.out.mark();
        if self.value(member, label)? == Was::Null && is_first {
            self.out.forget(fields, label, mark);
        }
        Ok(())
    }

    fn list(&mut self, view: View<'_>, label: Label, mut left: Left) -> Result<(), Malformed> {
        let item = view.item().ok_or_else(|| wrong(view))?;
        let list = self.out.list(label)?;
        self.deeper(|this| {
            if item.kind() == Kind::Structure && !item.is_document() {
                return this.structures(item, left);
            }
            while this.source.has_item(&mut left)? {
                this.value(item, Label::NONE)?;
            }
            Ok(())
        })?;
        self.out.end(list);
        Ok(())
    }

    /// The items of an open list. Their members mostly come in one order.
    fn structures(&mut self, item: View<'_>, mut left: Left) -> Result<(), Malformed> {
        let mut order = Order::new();
        while self.source.has_item(&mut left)? {
            match self.source.next()? {
                Token::Map(left) => self.structure(item, Label::NONE, left, &mut order)?,
                Token::Null => self.out.null(Label::NONE)?,
                _ => return Err(wrong(item)),
            }
        }
        Ok(())
    }

    /// An entry that is null is not there, as with the members of a structure.
    fn map(&mut self, view: View<'_>, label: Label, mut left: Left) -> Result<(), Malformed> {
        let item = view.value().ok_or_else(|| wrong(view))?;
        let map = self.out.map(label)?;
        self.deeper(|this| {
            while let Some(key) = this.source.key(&mut left)? {
                this.out.key(key)?;
                this.value(item, Label::NONE)?;
            }
            Ok(())
        })?;
        self.out.end_map(map, false);
        Ok(())
    }

    /// The next value, of which the model says nothing.
    pub(super) fn any(&mut self, label: Label) -> Result<Was, Malformed> {
        match self.source.next()? {
            Token::List(mut left) => {
                let list = self.out.list(label)?;
                self.deeper(|this| {
                    while this.source.has_item(&mut left)? {
                        this.any(Label::NONE)?;
                    }
                    Ok(())
                })?;
                self.out.end(list);
            }
            Token::Map(mut left) => {
                let map = self.out.map(label)?;
                self.deeper(|this| {
                    while let Some(key) = this.source.key(&mut left)? {
                        this.out.key(key)?;
                        this.any(Label::NONE)?;
                    }
                    Ok(())
                })?;
                self.out.end_map(map, true);
            }
            Token::Null => {
                self.out.null(label)?;
                return Ok(Was::Null);
            }
            Token::Text(text) => self.out.text(label, text)?,
            Token::Unsigned(value) => self.out.unsigned(label, value)?,
            Token::Integer(value) => self.out.integer(label, value)?,
            Token::Float(value) => self.out.float(label, value)?,
            Token::Bool(value) => self.out.bool(label, value)?,
        }
        Ok(Was::Value)
    }

    /// Leaves a value out, which counts all the same.
    fn skip(&mut self) -> Result<Was, Malformed> {
        self.out.spend()?;
        match self.source.next()? {
            Token::List(mut left) => self.deeper(|this| {
                while this.source.has_item(&mut left)? {
                    this.skip()?;
                }
                Ok(Was::Value)
            }),
            Token::Map(mut left) => self.deeper(|this| {
                while this.source.key(&mut left)?.is_some() {
                    this.skip()?;
                }
                Ok(Was::Value)
            }),
            Token::Null => Ok(Was::Null),
            _ => Ok(Was::Value),
        }
    }

    /// The members of a structure which is open, those of them that are `wanted`, from a body that is an object or
    /// null.
    pub(super) fn body(
        &mut self,
        view: View<'_>,
        fields: &mut Fields,
        wanted: impl Fn(View<'_>) -> bool,
    ) -> Result<(), Malformed> {
        match self.source.next()? {
            Token::Null => Ok(()),
            Token::Map(left) => {
                let order = &mut Order::none();
                self.members(view, fields, left, order, wanted).map(drop)
            }
            _ => Err(wrong(view)),
        }
    }
}

fn wrong(view: View<'_>) -> Malformed {
    let name = view.shape_name();
    Malformed::new(format!("{name} should be {}", view.kind()))
}

fn integer(out: &mut Builder, label: Label, number: Integer) -> Result<(), Malformed> {
    match number {
        Integer::Signed(value) => out.integer(label, value),
        Integer::Unsigned(value) => out.unsigned(label, value),
    }
}

fn time_of(seconds: impl TryInto<i64>) -> Option<OffsetDateTime> {
    let seconds = seconds.try_into().ok()?;
    OffsetDateTime::from_unix_timestamp(seconds).ok()
}

/// By the number's decimal digits, so that a fraction is what was written.
fn time_of_double(seconds: f64) -> Option<OffsetDateTime> {
    let seconds = serde_json::Number::from_f64(seconds)?;
    from_seconds(&seconds.to_string())
}
