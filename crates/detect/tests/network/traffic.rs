//! Traffic by chance, from a seed: of clients, servers, health checks, the noise of the internet; and what is hidden in it.

/// 2025-11-21T10:00:00Z.
pub const T0: i64 = 1_763_719_200;
pub const HEADER: &str = "version account-id interface-id instance-id region srcaddr dstaddr srcport dstport protocol packets bytes start end action tcp-flags flow-direction log-status";

/// Xorshift: the same each time.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    fn port(&mut self) -> usize {
        32_768 + self.below(28_000)
    }
}

/// A line, and when it begins.
pub type Line = (i64, String);

struct Flow<'a> {
    host: usize,
    from: &'a str,
    to: &'a str,
    ports: (usize, usize),
    packets: usize,
    bytes: usize,
    start: i64,
    accept: bool,
    flags: u8,
    out: bool,
}

fn line(flow: &Flow<'_>) -> Line {
    let Flow {
        host,
        from,
        to,
        ports: (sp, dp),
        packets,
        bytes,
        start,
        accept,
        flags,
        out,
    } = flow;
    let action = if *accept { "ACCEPT" } else { "REJECT" };
    let way = if *out { "egress" } else { "ingress" };
    let end = start + 50;
    let text = format!(
        "5 111122223333 eni-own{host} i-own{host} us-east-1 {from} {to} {sp} {dp} 6 {packets} {bytes} {start} {end} {action} {flags} {way} OK"
    );
    (*start, text)
}

fn own(host: usize) -> String {
    format!("10.0.1.{}", host + 4)
}

/// Both directions of a conversation, as the interface of `host` sees them.
fn conversation(
    dice: &mut Dice,
    host: usize,
    other: &str,
    port: usize,
    start: i64,
    asks: bool,
    out: &mut Vec<Line>,
) {
    let (mine, high) = (own(host), dice.port());
    let (from, to) = if asks {
        (mine.as_str(), other)
    } else {
        (other, mine.as_str())
    };
    let (packets, bytes) = (6 + dice.below(200), 400 + dice.below(60_000));
    let ask = Flow {
        host,
        from,
        to,
        ports: (high, port),
        packets,
        bytes,
        start,
        accept: true,
        flags: 2,
        out: asks,
    };
    out.push(line(&ask));
    let answer = Flow {
        from: to,
        to: from,
        ports: (port, high),
        packets: packets + dice.below(100),
        bytes: bytes * 3,
        flags: 18,
        out: !asks,
        ..ask
    };
    out.push(line(&answer));
}

/// `count` lines over `seconds`: twenty hosts that ask and answer, and strangers who knock.
pub fn background(dice: &mut Dice, count: usize, seconds: usize) -> Vec<Line> {
    const USUAL: [usize; 6] = [443, 443, 80, 5432, 6379, 8080];
    let mut out = Vec::new();
    while out.len() < count {
        let host = dice.below(20);
        let start = T0 + i64::try_from(dice.below(seconds)).unwrap();
        match dice.below(10) {
            // To services outside.
            0..=3 => {
                let other = format!("52.{}.{}.{}", dice.below(40), dice.below(4), dice.below(20));
                conversation(dice, host, &other, 443, start, true, &mut out);
            }
            // Among ourselves.
            4..=6 => {
                let (other, port) = (own(20 + dice.below(30)), USUAL[dice.below(6)]);
                conversation(dice, host, &other, port, start, true, &mut out);
            }
            // As a server.
            7 => {
                let (other, port) = (own(20 + dice.below(30)), USUAL[dice.below(6)]);
                conversation(dice, host, &other, port, start, false, &mut out);
            }
            // Late packets of connections that the security group has forgotten.
            8 => {
                let (other, high) = (format!("52.1.1.{}", dice.below(20)), dice.port());
                let mine = own(host);
                let flow = Flow {
                    host,
                    from: &other,
                    to: &mine,
                    ports: (443, high),
                    packets: 1,
                    bytes: 40,
                    start,
                    accept: false,
                    flags: 16,
                    out: false,
                };
                out.push(line(&flow));
            }
            // The noise of the internet.
            _ => {
                let other = format!(
                    "{}.{}.{}.{}",
                    60 + dice.below(60),
                    dice.below(256),
                    dice.below(256),
                    dice.below(256)
                );
                let (mine, high) = (own(host), dice.port());
                let flow = Flow {
                    host,
                    from: &other,
                    to: &mine,
                    ports: (high, 1 + dice.below(10_000)),
                    packets: 1,
                    bytes: 44,
                    start,
                    accept: false,
                    flags: 2,
                    out: false,
                };
                out.push(line(&flow));
            }
        }
    }
    out.truncate(count);
    out.sort_by_key(|line| line.0);
    out
}

/// What is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    PortScan,
    PortScanAccepted,
    PortSweep,
    PortScanOutside,
    Beacon,
    Volume,
    Pool,
}

impl Kind {
    pub const ALL: [Self; 7] = [
        Self::PortScan,
        Self::PortScanAccepted,
        Self::PortSweep,
        Self::PortScanOutside,
        Self::Beacon,
        Self::Volume,
        Self::Pool,
    ];

    pub fn detection(self) -> &'static str {
        match self {
            Self::PortScan | Self::PortScanAccepted => "network/port-scan.network",
            Self::PortSweep => "network/port-sweep.network",
            Self::PortScanOutside => "network/port-scan-outside.network",
            Self::Beacon => "network/beacon.network",
            Self::Volume => "network/exfiltration.network",
            Self::Pool => "network/mining-pool-port.network",
        }
    }
}

/// Its lines, within `seconds`.
pub fn plant(dice: &mut Dice, kind: Kind, seconds: usize) -> Vec<Line> {
    let host = dice.below(20);
    let mine = own(host);
    let within = |dice: &mut Dice, seconds: usize| T0 + i64::try_from(dice.below(seconds)).unwrap();
    // Within three quarters of a window, wherever it begins: so much is always seen together.
    let begin = dice.below(seconds.saturating_sub(2400));
    let knock = Flow {
        host,
        from: &mine,
        to: "10.0.7.7",
        ports: (40_000, 1),
        packets: 1,
        bytes: 44,
        start: T0,
        accept: false,
        flags: 2,
        out: true,
    };
    match kind {
        Kind::PortScan | Kind::PortScanAccepted => (0..150)
            .map(|port| {
                let start = within(dice, 2400) + i64::try_from(begin).unwrap();
                let accept = kind == Kind::PortScanAccepted;
                line(&Flow {
                    ports: (dice.port(), 1 + port * 7),
                    start,
                    accept,
                    packets: 1 + dice.below(3),
                    ..knock
                })
            })
            .collect(),
        Kind::PortSweep => (0..150)
            .map(|at| {
                let to = format!("10.0.{}.{}", 8 + at / 100, at % 100);
                let start = within(dice, 2400) + i64::try_from(begin).unwrap();
                line(&Flow {
                    to: &to,
                    ports: (dice.port(), 445),
                    start,
                    ..knock
                })
            })
            .collect(),
        Kind::PortScanOutside => (0..300)
            .map(|port| {
                let start = within(dice, 2400) + i64::try_from(begin).unwrap();
                line(&Flow {
                    from: "198.51.100.7",
                    to: &mine,
                    ports: (dice.port(), 1 + port * 7),
                    start,
                    out: false,
                    ..knock
                })
            })
            .collect(),
        Kind::Beacon => {
            let every = 60 + dice.below(40);
            (0..seconds / every)
                .map(|at| {
                    let jitter = dice.below(every / 3);
                    let start = T0 + i64::try_from(at * every + jitter).unwrap();
                    let flow = Flow {
                        to: "203.0.113.80",
                        ports: (33_000 + at, 443),
                        packets: 9,
                        bytes: 1500,
                        start,
                        accept: true,
                        ..knock
                    };
                    line(&flow)
                })
                .collect()
        }
        Kind::Volume => (0..40)
            .map(|at| {
                let start = T0 + i64::try_from(begin + at * 50).unwrap();
                line(&Flow {
                    to: "203.0.113.99",
                    ports: (40_001, 443),
                    packets: 700_000,
                    bytes: 1_000_000_000,
                    start,
                    accept: true,
                    flags: 0,
                    ..knock
                })
            })
            .collect(),
        Kind::Pool => (0..40)
            .map(|at| {
                let start = T0 + i64::try_from(begin + at * 58).unwrap();
                line(&Flow {
                    to: "203.0.113.33",
                    ports: (40_002, 3333),
                    packets: 9,
                    bytes: 900,
                    start,
                    accept: true,
                    flags: 0,
                    ..knock
                })
            })
            .collect(),
    }
}

/// Files of so many lines.
pub fn chunks(lines: &[Line], size: usize) -> Vec<Vec<u8>> {
    let file = |lines: &[Line]| {
        let lines: Vec<&str> = lines.iter().map(|line| line.1.as_str()).collect();
        format!("{HEADER}\n{}\n", lines.join("\n")).into_bytes()
    };
    lines.chunks(size).map(file).collect()
}
