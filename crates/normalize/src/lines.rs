//! Logs of lines, as records. A record is a chunk of lines: a row in the store for each line would be a million rows an hour.
//!
//! The body of such a record is JSON of our own making,
//! `{"lineLog":{"kind":"flow","columns":["version",…],"firstLine":2},"lines":"2 1234… OK\n…"}`, with the lines as they were sent. What a
//! line means is asked when the record is assessed; a line that means nothing is counted and named then, and is still in the record.

use std::borrow::Cow;

use quell_model::{DnsQuery, Flow, Origin, Record, RecordId, WebRequest};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::dns::dns_query;
use crate::flow::{FlowLine, FlowReader};
use crate::split::{RawRecord, Split};
use crate::waf::web_request;

/// A record has at most so many lines: what is assessed in one go, and repeated after a crash.
pub const CHUNK_LINES_MAX: usize = 5_000;
/// And so many bytes of lines.
pub const CHUNK_BYTES_MAX: usize = 512 * 1024;
/// No log has longer lines: WAF's, with 8 KiB of headers, have the longest.
pub const LINE_BYTES_MAX: usize = 64 * 1024;
/// AWS has about sixty columns, and twenty more for tags.
pub const COLUMNS_MAX: usize = 128;
/// A fault names so many lines; the rest are counted.
const NAMED_MAX: usize = 5;

/// Which log the lines are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LineKind {
    /// Flow logs of VPCs and transit gateways: columns apart by spaces.
    Flow,
    /// Query logs of the Route 53 Resolver: JSON.
    Dns,
    /// Logs of AWS WAF: JSON.
    Waf,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    kind: LineKind,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    columns: Vec<Cow<'a, str>>,
    first_line: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(borrow)]
    line_log: Head<'a>,
    #[serde(borrow)]
    lines: Cow<'a, str>,
}

const PREFIX: &str = r#"{"lineLog":"#;

/// The lines of a record that is a chunk of a log.
#[derive(Debug)]
pub struct LineLog<'a> {
    /// Which log.
    pub kind: LineKind,
    /// The names of a flow log's columns, in order.
    pub columns: Vec<Cow<'a, str>>,
    /// Where in its file the first line stands, from 1.
    pub first_line: usize,
    text: Cow<'a, str>,
}

impl<'a> LineLog<'a> {
    /// Whether a record is one of lines.
    pub fn is(record: &Record) -> bool {
        record.envelope.is_none() && Self::is_body(record.body.get())
    }

    /// Whether a record that came without an envelope, and has this body, is one of lines.
    pub fn is_body(body: &str) -> bool {
        body.starts_with(PREFIX)
    }

    /// The lines of a record; `None` when it is a record of another kind. What came in an event's envelope is never one.
    pub fn of(record: &'a Record) -> Option<Self> {
        if !Self::is(record) {
            return None;
        }
        let Body { line_log, lines } = serde_json::from_str(record.body.get()).ok()?;
        Some(Self {
            kind: line_log.kind,
            columns: line_log.columns,
            first_line: line_log.first_line,
            text: lines,
        })
    }

    /// The lines that say something, with their numbers in the file.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        let lines = lines.map(|(at, line)| (self.first_line.saturating_add(at), line.trim()));
        lines.filter(|(_, line)| !line.is_empty())
    }
}

/// What the lines of a record say: accepted = things + nothing + faults, always.
#[derive(Debug)]
pub struct Lines<T> {
    /// What was understood, in order.
    pub things: Vec<T>,
    /// How many lines say that there is nothing to say (`NODATA`, `SKIPDATA`).
    pub nothing: u64,
    /// What could not be understood.
    pub faults: LineFaults,
}

impl LineLog<'_> {
    /// The flows of a flow log. Where the log has no column for account or Region, the place does in which AWS puts the file.
    pub fn flows<'s>(&'s self, origin: &'s Origin) -> Lines<Flow<'s>> {
        let reader = FlowReader::new(&self.columns);
        let (account, region) = place(origin);
        let mut out = Lines::new();
        for (number, line) in self.lines() {
            match reader.read(line) {
                Ok(FlowLine::Flow(mut flow)) => {
                    flow.account = flow.account.filter(|a| *a != "unknown").or(account);
                    flow.region = flow.region.or(region);
                    out.things.push(flow);
                }
                Ok(FlowLine::Nothing) => out.nothing += 1,
                Err(fault) => out.faults.push(number, &fault),
            }
        }
        out
    }

    /// The queries of a log of the Resolver.
    pub fn queries(&self) -> Lines<DnsQuery<'_>> {
        self.each(dns_query)
    }

    /// The requests of a log of AWS WAF.
    pub fn requests(&self) -> Lines<WebRequest<'_>> {
        self.each(web_request)
    }

    fn each<'s, T, E: std::fmt::Display>(
        &'s self,
        read: impl Fn(&'s str) -> Result<T, E>,
    ) -> Lines<T> {
        let mut out = Lines::new();
        for (number, line) in self.lines() {
            match read(line) {
                Ok(thing) => out.things.push(thing),
                Err(fault) => out.faults.push(number, &fault),
            }
        }
        out
    }
}

impl<T> Lines<T> {
    fn new() -> Self {
        Self {
            things: Vec::new(),
            nothing: 0,
            faults: LineFaults::default(),
        }
    }

    /// The counts, when so many different lines matched.
    pub fn counts(&self, matched: usize) -> LineCounts {
        let counts = LineCounts {
            accepted: self.things.len() as u64 + self.nothing + self.faults.count(),
            quarantined: self.faults.count(),
            ..LineCounts::default()
        };
        counts.with_matched(matched)
    }
}

/// The account and the Region in the key of a file of logs: `…/AWSLogs/ACCOUNT/vpcflowlogs/REGION/…`, or as Hive has it,
/// `…/aws-account-id=ACCOUNT/aws-service=vpcflowlogs/aws-region=REGION/…`.
fn place(origin: &Origin) -> (Option<&str>, Option<&str>) {
    let (Origin::Object { key: path, .. } | Origin::File { path }) = origin else {
        return (None, None);
    };
    let mut parts = path
        .split('/')
        .skip_while(|part| *part != "AWSLogs")
        .skip(1);
    let mut next = |prefix: &str| {
        let part = parts.next()?;
        Some(part.strip_prefix(prefix).unwrap_or(part))
    };
    let account = next("aws-account-id=");
    let _service = next("aws-service=");
    let region = next("aws-region=");
    let is_account = |text: &&str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    let is_region = |text: &&str| {
        text.len() <= 32 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    (account.filter(is_account), region.filter(is_region))
}

/// What became of a record's lines: accepted = matched + unmatched + quarantined, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineCounts {
    /// How many there were.
    pub accepted: u64,
    /// They are in a group that fired when this record was assessed.
    pub matched: u64,
    /// They were understood, and no finding came of them.
    pub unmatched: u64,
    /// They could not be understood.
    pub quarantined: u64,
}

impl LineCounts {
    /// The same, when so many different lines matched.
    #[must_use]
    pub fn with_matched(self, matched: usize) -> Self {
        let understood = self.accepted.saturating_sub(self.quarantined);
        let matched = (matched as u64).min(understood);
        Self {
            matched,
            unmatched: understood - matched,
            ..self
        }
    }
}

/// The lines that could not be understood: the first few by name, the others by number.
#[derive(Clone, Debug, Default)]
pub struct LineFaults {
    named: Vec<String>,
    count: u64,
}

impl LineFaults {
    /// Counts a line, and names it if it is one of the first.
    pub fn push(&mut self, line: usize, reason: &dyn std::fmt::Display) {
        self.count += 1;
        if self.named.len() < NAMED_MAX {
            self.named.push(format!("line {line}: {reason}"));
        }
    }

    /// How many lines there were.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// All of it in one text; `None` when there was no fault.
    pub fn reason(&self) -> Option<String> {
        let more = self.count.saturating_sub(self.named.len() as u64);
        let named = self.named.join("; ");
        match (self.count, more) {
            (0, _) => None,
            (count, 0) => Some(format!("{count} malformed lines: {named}")),
            (count, _) => Some(format!("{count} malformed lines: {named}; and {more} more")),
        }
    }
}

/// Puts lines into records: each as large as allowed, in order.
pub(crate) struct Chunker<'a> {
    kind: LineKind,
    columns: Vec<Cow<'a, str>>,
    out: &'a mut Split,
    text: String,
    lines: usize,
    first_line: usize,
}

impl<'a> Chunker<'a> {
    pub(crate) fn new(kind: LineKind, columns: Vec<Cow<'a, str>>, out: &'a mut Split) -> Self {
        Self {
            kind,
            columns,
            out,
            text: String::new(),
            lines: 0,
            first_line: 0,
        }
    }

    /// Adds line `number` of the file, the one after the line before. One that is too long is put aside; its place stays.
    pub(crate) fn push(&mut self, number: usize, line: &[u8]) {
        let mut line = line;
        if line.len() > LINE_BYTES_MAX {
            self.out.faults.push(format!(
                "line {number} has {} bytes, and no log has lines above {LINE_BYTES_MAX}",
                line.len()
            ));
            line = b"";
        }
        let full = self.lines >= CHUNK_LINES_MAX || self.text.len() + line.len() > CHUNK_BYTES_MAX;
        if self.lines > 0 && full {
            self.flush();
        }
        if self.lines == 0 {
            self.first_line = number;
        }
        // What is not UTF-8 is no column's value, so the line will be found malformed; it must not spoil its neighbours.
        self.text.push_str(&String::from_utf8_lossy(line));
        self.text.push('\n');
        self.lines += 1;
    }

    /// Ends the record that is under way.
    pub(crate) fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        self.lines = 0;
        if text.trim().is_empty() {
            return;
        }
        let body = Body {
            line_log: Head {
                kind: self.kind,
                columns: self.columns.clone(),
                first_line: self.first_line,
            },
            lines: Cow::Owned(text),
        };
        match to_raw_value(&body) {
            Ok(body) => self.out.records.push(RawRecord {
                id: RecordId::of_bytes(body.get().as_bytes()),
                envelope: None,
                body,
            }),
            Err(error) => self.out.faults.push(error.to_string()),
        }
    }
}

/// Takes a log of lines apart; `false` when it is none, and nothing is done then.
pub(crate) fn split_log(bytes: &[u8], out: &mut Split) -> bool {
    if bytes.starts_with(crate::flow::PARQUET_MAGIC) {
        crate::flow::split_parquet(bytes, out);
        return true;
    }
    let mut lines = bytes.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
    let Some(first) = lines.find(|line| !line.is_empty()) else {
        return false;
    };
    if let Some((columns, header)) = crate::flow::columns_of(first) {
        push_all(LineKind::Flow, columns, bytes, header, out);
        return true;
    }
    if !first.starts_with(b"{") {
        return false;
    }
    if let Some(kind) = json_kind(first) {
        push_all(kind, Vec::new(), bytes, false, out);
        return true;
    }
    split_subscription(bytes, out)
}

/// All lines, but for the header if there is one.
fn push_all(
    kind: LineKind,
    columns: Vec<Cow<'_, str>>,
    bytes: &[u8],
    header: bool,
    out: &mut Split,
) {
    let mut chunker = Chunker::new(kind, columns, out);
    let mut skip = header;
    let bytes = bytes.trim_ascii_end();
    for (at, line) in bytes.split(|b| *b == b'\n').enumerate() {
        let mut line = line.trim_ascii();
        if !line.is_empty() && std::mem::take(&mut skip) {
            line = b"";
        }
        chunker.push(at + 1, line);
    }
    chunker.flush();
}

/// Whether `text` has all of `words` in it: cheaper than to read it as JSON, and nearly always the answer is no.
fn has_all(text: &[u8], words: &[&str]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| words.iter().all(|word| text.contains(word)))
}

/// The fields that only these logs have together.
#[derive(Deserialize)]
struct Marks<'a> {
    #[serde(borrow)]
    query_timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    query_name: Option<&'a RawValue>,
    #[serde(borrow, rename = "webaclId")]
    acl: Option<&'a RawValue>,
    #[serde(borrow, rename = "httpRequest")]
    request: Option<&'a RawValue>,
}

fn json_kind(line: &[u8]) -> Option<LineKind> {
    let may_be = line.len() <= LINE_BYTES_MAX
        && (has_all(line, &["query_timestamp", "query_name"])
            || has_all(line, &["webaclId", "httpRequest"]));
    if !may_be {
        return None;
    }
    match serde_json::from_slice(line).ok()? {
        Marks {
            query_timestamp: Some(_),
            query_name: Some(_),
            ..
        } => Some(LineKind::Dns),
        Marks {
            acl: Some(_),
            request: Some(_),
            ..
        } => Some(LineKind::Waf),
        _ => None,
    }
}

/// What a subscription of a CloudWatch log group sends.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscription<'a> {
    message_type: &'a str,
    #[serde(borrow)]
    log_events: Vec<LogEvent<'a>>,
}

#[derive(Deserialize)]
struct LogEvent<'a> {
    #[serde(borrow)]
    message: Cow<'a, str>,
}

/// The messages of a subscription, when they are of one of our logs. A flow log in CloudWatch has no header: its lines are understood when
/// they are in the default format.
fn split_subscription(bytes: &[u8], out: &mut Split) -> bool {
    if !has_all(bytes, &["messageType", "logEvents"]) {
        return false;
    }
    let Ok(sent) = serde_json::from_slice::<Subscription>(bytes) else {
        return false;
    };
    if sent.message_type == "CONTROL_MESSAGE" {
        // It only says that the subscription can be reached.
        return true;
    }
    let Some(first) = sent.log_events.first() else {
        return true;
    };
    let first = first.message.trim().as_bytes();
    let (kind, columns) = match (crate::flow::columns_of(first), json_kind(first)) {
        (Some((columns, false)), _) => (LineKind::Flow, columns),
        (_, Some(kind)) => (kind, Vec::new()),
        _ => return false,
    };
    let columns = columns
        .into_iter()
        .map(|name| Cow::Owned(name.into_owned()))
        .collect();
    let mut chunker = Chunker::new(kind, columns, out);
    for (at, event) in sent.log_events.iter().enumerate() {
        let message = event.message.trim();
        // A message is one line, whatever is in it.
        let message = message.replace(['\n', '\r'], " ");
        chunker.push(at + 1, message.as_bytes());
    }
    chunker.flush();
    true
}

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;
