//! Patterns and events made of few names and few values, so that they meet often.

/// Numbers that look random and are the same each time (SplitMix64).
pub(crate) struct Random {
    state: u64,
    /// Whether events are made in order: no two names in one object are the same up to their first dot.
    pub(crate) in_order: bool,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15),
            in_order: false,
        }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn place(&mut self, len: usize) -> usize {
        usize::try_from(self.below(u64::try_from(len).unwrap())).unwrap()
    }

    fn pick<'t>(&mut self, all: &[&'t str]) -> &'t str {
        all[self.place(all.len())]
    }
}

const TEXTS: [&str; 30] = [
    "",
    "a",
    "ab",
    "abc",
    "abcab",
    "b",
    "bcd",
    "abcdabcdab",
    "xabcdx",
    "AB",
    "Ab",
    "aB",
    "É",
    "é",
    "ß",
    "SS",
    "ss",
    "ı",
    "I",
    "ſ",
    "K",
    "1",
    "null",
    "10.0.0.1",
    "10.0.0.01",
    "::ffff:10.0.0.1",
    "10.1.2.3",
    "2001:db8::1",
    "2001:DB8:0::1",
    "😀a",
];

/// The same, some with escapes, as JSON writes them.
fn text(random: &mut Random) -> String {
    let text = random.pick(&TEXTS);
    let escaped: String = match random.below(6) {
        0 => text.chars().map(escape).collect(),
        1 => text
            .chars()
            .take(1)
            .map(escape)
            .chain(text.chars().skip(1).map(String::from))
            .collect(),
        2 => format!(
            "{}{}",
            text,
            random.pick(&["\\n", "\\\"", "\\\\", "\\/", "\\ud800", "\\t\\u0000"])
        ),
        _ => text.to_owned(),
    };
    format!("\"{escaped}\"")
}

fn escape(c: char) -> String {
    let mut units = [0; 2];
    c.encode_utf16(&mut units)
        .iter()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect()
}

const NUMBERS: [&str; 16] = [
    "0",
    "-0",
    "0.0",
    "-0.0e5",
    "1",
    "1.0",
    "10e-1",
    "1E0",
    "2",
    "2.5",
    "25e-1",
    "-1",
    "300",
    "3.0e2",
    "1.00000000000000000001",
    "1e400",
];

fn scalar(random: &mut Random) -> String {
    match random.below(10) {
        0..6 => text(random),
        6..9 => random.pick(&NUMBERS).to_owned(),
        _ => random.pick(&["true", "false", "null"]).to_owned(),
    }
}

const KEYS: [&str; 8] = ["a", "a", "b", "b", "c", "a.b", "b.a", ""];

fn key(random: &mut Random) -> String {
    let key = random.pick(&KEYS);
    written(random, key)
}

/// A key as JSON writes it.
fn written(random: &mut Random, key: &str) -> String {
    if random.one_in(12) {
        format!("\"{}\"", key.chars().map(escape).collect::<String>())
    } else {
        format!("\"{key}\"")
    }
}

fn space(random: &mut Random) -> &'static str {
    random.pick(&[
        "",
        "",
        "",
        "",
        "",
        " ",
        "\n\t",
        "\r\n                                                            ",
    ])
}

fn value(random: &mut Random, depth: u64) -> String {
    match random.below(10) {
        0..3 if depth > 0 => object(random, depth - 1),
        3..6 if depth > 0 => {
            let elements: Vec<String> = (0..random.below(4))
                .map(|_| value(random, depth - 1) + space(random))
                .collect();
            format!("[{}{}]", space(random), elements.join(","))
        }
        _ => scalar(random),
    }
}

fn object(random: &mut Random, depth: u64) -> String {
    let mut keys: Vec<&str> = (0..random.below(5)).map(|_| random.pick(&KEYS)).collect();
    if random.in_order {
        keep_first(&mut keys);
    }
    let members: Vec<String> = keys
        .into_iter()
        .map(|key| {
            let (key, value) = (written(random, key), value(random, depth));
            format!(
                "{}{key}{}:{}{value}",
                space(random),
                space(random),
                space(random)
            )
        })
        .collect();
    format!("{{{}{}}}", members.join(","), space(random))
}

/// Leaves out the keys that are the same up to their first dot as one before.
fn keep_first(keys: &mut Vec<&str>) {
    let mut parts = Vec::new();
    keys.retain(|key| {
        let part = key.split('.').next();
        let is_new = !parts.contains(&part);
        parts.push(part);
        is_new
    });
}

/// An event.
pub(crate) fn event(random: &mut Random) -> String {
    object(random, 4)
}

fn list(random: &mut Random, member: impl Fn(&mut Random) -> String) -> String {
    let members: Vec<String> = (0..1 + random.below(3)).map(|_| member(random)).collect();
    format!("[{}]", members.join(","))
}

fn wildcard(random: &mut Random) -> String {
    let pieces = ["", "a", "ab", "b", "cda", "bcd", "abcd", "*", "É", "0.0"];
    let wildcard: Vec<&str> = (0..1 + random.below(3))
        .map(|_| random.pick(&pieces))
        .collect();
    format!("\"{}\"", wildcard.join("*").replace("**", "*"))
}

fn numeric(random: &mut Random) -> String {
    let (low, high) = (
        random.pick(&["-1", "0", "-0.0", "1"]),
        random.pick(&["2", "2.5", "3e2"]),
    );
    match random.below(4) {
        0 => format!("[\"=\", {low}]"),
        1 => format!("[\"{}\", {high}]", random.pick(&["<", "<="])),
        2 => format!("[\"{}\", {low}]", random.pick(&[">", ">="])),
        _ => format!(
            "[\"{}\", {low}, \"{}\", {high}]",
            random.pick(&[">", ">="]),
            random.pick(&["<", "<="])
        ),
    }
}

fn anything_but(random: &mut Random) -> String {
    let number = |random: &mut Random| random.pick(&["0", "1.0", "300"]).to_owned();
    match random.below(7) {
        0 => text(random),
        1 => list(random, text),
        2 => list(random, number),
        3 => format!("{{\"prefix\": {}}}", text(random)),
        4 => format!("{{\"suffix\": {}}}", list(random, text)),
        5 => format!("{{\"equals-ignore-case\": {}}}", list(random, text)),
        _ => format!("{{\"wildcard\": {}}}", wildcard(random)),
    }
}

fn member(random: &mut Random) -> String {
    let folded = |random: &mut Random| format!("{{\"equals-ignore-case\": {}}}", text(random));
    match random.below(16) {
        0..5 => scalar(random),
        5 => format!("{{\"prefix\": {}}}", text(random)),
        6 => format!("{{\"suffix\": {}}}", text(random)),
        7 => folded(random),
        8 => format!("{{\"prefix\": {}}}", folded(random)),
        9 => format!("{{\"suffix\": {}}}", folded(random)),
        10 => format!("{{\"wildcard\": {}}}", wildcard(random)),
        11 => format!("{{\"numeric\": {}}}", numeric(random)),
        12 => format!(
            "{{\"cidr\": \"{}\"}}",
            random.pick(&[
                "10.0.0.0/8",
                "10.0.0.0/31",
                "0.0.0.0/0",
                "2001:db8::/32",
                "::/0",
                "10.1.2.3/24"
            ])
        ),
        13 => format!("{{\"exists\": {}}}", random.one_in(2)),
        _ => format!("{{\"anything-but\": {}}}", anything_but(random)),
    }
}

/// A pattern; some are refused.
pub(crate) fn pattern(random: &mut Random) -> String {
    fields(random, 2)
}

fn fields(random: &mut Random, depth: u64) -> String {
    let members: Vec<String> = (0..1 + random.below(3))
        .map(|_| match random.below(12) {
            0 if depth > 0 => {
                let alternatives: Vec<String> = (0..2 + random.below(2))
                    .map(|_| fields(random, depth - 1))
                    .collect();
                format!("\"$or\": [{}]", alternatives.join(","))
            }
            1..5 if depth > 0 => format!("{}: {}", key(random), fields(random, depth - 1)),
            _ => format!("{}: {}", key(random), list(random, member)),
        })
        .collect();
    format!("{{{}}}", members.join(","))
}

/// Some short pieces, one after the other.
fn pieces(random: &mut Random, between: &str) -> String {
    let all = ["ab", "cd", "abcd", "x", "É", "é", "B"];
    let pieces: Vec<&str> = (0..1 + random.below(4))
        .map(|_| random.pick(&all))
        .collect();
    pieces.join(between)
}

/// An event of two fields with several values each.
pub(crate) fn event_of_values(random: &mut Random) -> String {
    let value = |random: &mut Random| match random.below(8) {
        0..3 => random.pick(&NUMBERS).to_owned(),
        3..7 => format!("\"{}\"", pieces(random, "")),
        _ => scalar(random),
    };
    let values = |random: &mut Random| {
        let values: Vec<String> = (0..1 + random.below(4)).map(|_| value(random)).collect();
        values.join(",")
    };
    format!("{{\"a\":[{}],\"b\":[{}]}}", values(random), values(random))
}

/// A pattern that asks for one or both of these fields.
pub(crate) fn pattern_of_values(random: &mut Random) -> String {
    let list = |random: &mut Random| {
        let star = if random.one_in(2) { "*" } else { "" };
        match random.below(5) {
            0..2 => format!("{{\"wildcard\": \"{star}{}{star}\"}}", pieces(random, "*")),
            2 => format!("{{\"numeric\": {}}}", numeric(random)),
            3 => random.pick(&NUMBERS).to_owned(),
            _ => member(random),
        }
    };
    let (a, b) = (list(random), list(random));
    match random.below(3) {
        0 => format!("{{\"a\": [{a}], \"b\": [{b}]}}"),
        1 => format!("{{\"a\": [{a}]}}"),
        _ => format!("{{\"b\": [{a}, {b}]}}"),
    }
}

const FEW: [&str; 4] = ["1", "2", "\"a\"", "\"b\""];

/// An event of arrays in which the same few fields come again and again.
pub(crate) fn event_of_arrays(random: &mut Random) -> String {
    let fields = |random: &mut Random| {
        let fields = ["a", "b", "c", "d"].map(|name| (random.below(3) > 0).then_some(name));
        let member = |name| format!("\"{name}\":{}", random.pick(&FEW));
        fields.into_iter().flatten().map(member).collect::<Vec<_>>()
    };
    let element = |random: &mut Random| {
        let mut members = fields(random);
        let has_a = members
            .first()
            .is_some_and(|member| member.starts_with("\"a\""));
        if random.one_in(3) && !(random.in_order && has_a) {
            let inner: Vec<String> = (0..random.below(3))
                .map(|_| format!("{{{}}}", fields(random).join(",")))
                .collect();
            members.push(format!("\"a\":[{}]", inner.join(",")));
        }
        format!("{{{}}}", members.join(","))
    };
    let array = |random: &mut Random| {
        let elements: Vec<String> = (0..1 + random.below(3)).map(|_| element(random)).collect();
        format!("[{}]", elements.join(","))
    };
    let name = if random.in_order {
        "b"
    } else {
        random.pick(&["a", "b"])
    };
    format!("{{\"a\":{},\"{name}\":{}}}", array(random), array(random))
}

/// A pattern that asks for several fields of such arrays.
pub(crate) fn pattern_of_arrays(random: &mut Random) -> String {
    let names = [
        "a.a", "a.b", "a.c", "a.d", "b.a", "b.b", "a.a.a", "a.a.b", "a.a.c",
    ];
    let member = |random: &mut Random| match random.below(8) {
        0 => "{\"exists\": false}".to_owned(),
        1 => "{\"exists\": true}".to_owned(),
        2 => format!("{{\"anything-but\": {}}}", random.pick(&FEW)),
        _ => random.pick(&FEW).to_owned(),
    };
    let fields: Vec<String> = (0..2 + random.below(3))
        .map(|_| {
            let list: Vec<String> = (0..1 + random.below(2)).map(|_| member(random)).collect();
            format!("\"{}\": [{}]", random.pick(&names), list.join(","))
        })
        .collect();
    format!("{{{}}}", fields.join(","))
}

/// An array of numbers that no pattern asks for, of some blocks.
fn numbers(random: &mut Random) -> String {
    let mut text = "[".repeat(usize::try_from(1 + random.below(3)).unwrap());
    let depth = text.len();
    for at in 0..random.below(20) {
        if at > 0 {
            text += random.pick(&[",", ", ", " ,\n", "],[", " ] , [ "]);
        }
        text += random.pick(&[
            "0",
            "-0.5",
            "-122.4194155",
            "37",
            "0.0",
            " 1234567890123456789",
        ]);
    }
    text + &"]".repeat(depth)
}

/// The bytes of an event, most with something changed in them.
pub(crate) fn mutated(random: &mut Random) -> Vec<u8> {
    const ODD: &[u8] = b"{}[]\",:\\ 0-e.tu\x01\xff";
    let mut bytes = event(random).into_bytes();
    if random.one_in(2) {
        let numbers = format!("{{\"n\":{},", numbers(random));
        bytes.splice(..1, numbers.into_bytes());
    }
    for _ in 0..random.below(3) {
        let at = random.place(bytes.len());
        let odd = ODD[random.place(ODD.len())];
        match random.below(5) {
            0 => bytes.truncate(at.max(1)),
            1 if bytes.len() > 1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, odd),
            3 => bytes[at] = odd,
            _ => bytes = [&bytes[..at], "é".as_bytes(), &bytes[at..]].concat(),
        }
    }
    bytes
}
