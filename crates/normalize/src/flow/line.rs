//! One line of a flow log.

use std::borrow::Cow;
use std::net::IpAddr;

use quell_model::{Direction, Flow, FlowAction, Timestamp};

use super::columns::Column;

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FlowLine<'a> {
    /// A flow.
    Flow(Flow<'a>),
    /// `NODATA`: there was no traffic; `SKIPDATA`: some was not recorded. Or the format leaves out the addresses.
    Nothing,
}

/// Why a line is not a flow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlowFault {
    /// There are more or fewer values than columns.
    #[error("it has {found} values and the log has {wanted} columns")]
    Values {
        /// How many values.
        found: usize,
        /// How many columns.
        wanted: usize,
    },
    /// A value is not what its column has.
    #[error("«{value}» is not {what}")]
    Value {
        /// The value, cut.
        value: String,
        /// What the column has.
        what: &'static str,
    },
    /// A value that no flow is without is `-`.
    #[error("it has no {0}")]
    Missing(&'static str),
}

/// Reads the lines of one log.
#[derive(Debug)]
pub struct FlowReader {
    columns: Vec<Column>,
}

/// A fault quotes no more of a value.
const QUOTE_CHARS_MAX: usize = 40;
/// 9999-12-31 in seconds: what is beyond is no time.
const SECONDS_MAX: u64 = 253_402_300_799;

impl FlowReader {
    /// A reader for a log with these columns. Columns that nobody knows are passed over.
    pub fn new(columns: &[Cow<'_, str>]) -> Self {
        let columns = columns.iter().map(|name| Column::of(name)).collect();
        Self { columns }
    }

    /// Reads one line.
    ///
    /// # Errors
    /// [`FlowFault`] when it is not a flow of this log.
    pub fn read<'a>(&self, line: &'a str) -> Result<FlowLine<'a>, FlowFault> {
        let mut draft = Draft::default();
        let mut values = line.split(' ');
        for column in &self.columns {
            let Some(value) = values.next() else {
                return Err(self.values(line));
            };
            if value != "-" {
                draft.set(*column, value)?;
            }
        }
        if values.next().is_some() {
            return Err(self.values(line));
        }
        draft.finish()
    }

    fn values(&self, line: &str) -> FlowFault {
        FlowFault::Values {
            found: line.split(' ').count(),
            wanted: self.columns.len(),
        }
    }
}

#[derive(Default)]
struct Draft<'a> {
    account: Option<&'a str>,
    region: Option<&'a str>,
    interface: Option<&'a str>,
    instance: Option<&'a str>,
    vpc: Option<&'a str>,
    source: Option<IpAddr>,
    target: Option<IpAddr>,
    source_port: u16,
    target_port: u16,
    protocol: u8,
    packets: u64,
    bytes: u64,
    start: Option<u64>,
    end: Option<u64>,
    action: Option<FlowAction>,
    is_empty: bool,
    tcp_flags: Option<u8>,
    direction: Option<Direction>,
    target_service: Option<&'a str>,
}

impl<'a> Draft<'a> {
    fn set(&mut self, column: Column, value: &'a str) -> Result<(), FlowFault> {
        match column {
            Column::Other => {}
            Column::Version => drop(number(value, 255, "a version")?),
            Column::Account => self.account = Some(account(value)?),
            Column::Region => self.region = Some(name(value, "a Region")?),
            Column::Interface => self.interface = Some(name(value, "an interface's id")?),
            Column::Instance => self.instance = Some(name(value, "an instance's id")?),
            Column::Vpc => self.vpc = Some(name(value, "a VPC's id")?),
            Column::TargetService => self.target_service = Some(name(value, "a service's name")?),
            Column::Source => self.source = Some(address(value)?),
            Column::Target => self.target = Some(address(value)?),
            Column::SourcePort => self.source_port = port(value)?,
            Column::TargetPort => self.target_port = port(value)?,
            Column::Protocol => self.protocol = small(number(value, 255, "a protocol's number")?),
            Column::Packets => self.packets = number(value, u64::MAX, "a number of packets")?,
            Column::Bytes => self.bytes = number(value, u64::MAX, "a number of bytes")?,
            Column::Start => self.start = Some(number(value, SECONDS_MAX, "a time in seconds")?),
            Column::End => self.end = Some(number(value, SECONDS_MAX, "a time in seconds")?),
            Column::TcpFlags => self.tcp_flags = Some(small(number(value, 255, "TCP flags")?)),
            Column::Action => {
                self.action = Some(match value {
                    "ACCEPT" => FlowAction::Accept,
                    "REJECT" => FlowAction::Reject,
                    _ => return Err(fault(value, "an action (ACCEPT, REJECT)")),
                });
            }
            Column::Status => match value {
                "OK" => {}
                "NODATA" | "SKIPDATA" => self.is_empty = true,
                _ => return Err(fault(value, "a status (OK, NODATA, SKIPDATA)")),
            },
            Column::Direction => {
                self.direction = Some(match value {
                    "ingress" => Direction::Ingress,
                    "egress" => Direction::Egress,
                    _ => return Err(fault(value, "a direction (ingress, egress)")),
                });
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<FlowLine<'a>, FlowFault> {
        let (source, target) = match (self.source, self.target) {
            _ if self.is_empty => return Ok(FlowLine::Nothing),
            (Some(source), Some(target)) => (source, target),
            // Neither column, or neither value: a log of other things.
            (None, None) => return Ok(FlowLine::Nothing),
            (None, _) => return Err(FlowFault::Missing("srcaddr")),
            (_, None) => return Err(FlowFault::Missing("dstaddr")),
        };
        let Some(start) = self.start.or(self.end) else {
            return Err(FlowFault::Missing("start"));
        };
        let end = self.end.unwrap_or(start).max(start);
        let moment = |seconds: u64| {
            let seconds = i64::try_from(seconds).unwrap_or(i64::MAX / 1000);
            Timestamp::from_millis(seconds.saturating_mul(1000))
        };
        Ok(FlowLine::Flow(Flow {
            account: self.account,
            region: self.region,
            interface: self.interface,
            instance: self.instance,
            vpc: self.vpc,
            source,
            target,
            source_port: self.source_port,
            target_port: self.target_port,
            protocol: self.protocol,
            packets: self.packets,
            bytes: self.bytes,
            start: moment(start),
            end: moment(end),
            action: self.action.unwrap_or(FlowAction::Accept),
            tcp_flags: self.tcp_flags,
            direction: self.direction,
            target_service: self.target_service,
        }))
    }
}

fn fault(value: &str, what: &'static str) -> FlowFault {
    FlowFault::Value {
        value: value.escape_debug().take(QUOTE_CHARS_MAX).collect(),
        what,
    }
}

/// Digits and nothing else: `u64::from_str` would also take `+7`.
fn number(value: &str, max: u64, what: &'static str) -> Result<u64, FlowFault> {
    let digits = value.bytes().try_fold(0u64, |number, byte| {
        let digit = byte.is_ascii_digit().then_some(u64::from(byte & 0x0f))?;
        number.checked_mul(10)?.checked_add(digit)
    });
    match digits {
        Some(number) if number <= max && !value.is_empty() => Ok(number),
        _ => Err(fault(value, what)),
    }
}

fn small(number: u64) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

fn port(value: &str) -> Result<u16, FlowFault> {
    let number = number(value, 65_535, "a port")?;
    Ok(u16::try_from(number).unwrap_or(u16::MAX))
}

fn address(value: &str) -> Result<IpAddr, FlowFault> {
    let parsed: Result<IpAddr, _> = value.parse();
    // An address of version 4 in one of version 6 is the same host.
    parsed
        .map(|address| address.to_canonical())
        .map_err(|_| fault(value, "an address"))
}

fn account(value: &str) -> Result<&str, FlowFault> {
    let is_number = value.len() == 12 && value.bytes().all(|b| b.is_ascii_digit());
    if is_number || value == "unknown" {
        Ok(value)
    } else {
        Err(fault(value, "an account"))
    }
}

/// An id as AWS writes them: it becomes part of an ARN and of keys.
fn name<'a>(value: &'a str, what: &'static str) -> Result<&'a str, FlowFault> {
    let good = !value.is_empty()
        && value.len() <= 128
        && value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if good {
        Ok(value)
    } else {
        Err(fault(value, what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::columns_of;

    fn reader(header: &str) -> FlowReader {
        FlowReader::new(&columns_of(header.as_bytes()).unwrap().0)
    }

    const LINE: &str = "2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK";

    fn flow<'a>(reader: &FlowReader, line: &'a str) -> Flow<'a> {
        match reader.read(line).unwrap() {
            FlowLine::Flow(flow) => flow,
            FlowLine::Nothing => panic!("{line}"),
        }
    }

    #[test]
    fn the_default_format_needs_no_header() {
        let flow = flow(&reader(LINE), LINE);
        assert_eq!(flow.account, Some("123456789010"));
        assert_eq!(flow.interface, Some("eni-1235b8ca123456789"));
        assert_eq!(flow.source.to_string(), "172.31.16.139");
        assert_eq!((flow.source_port, flow.target_port), (20641, 22));
        assert_eq!((flow.packets, flow.bytes, flow.protocol), (20, 4249, 6));
        assert_eq!(flow.start.seconds(), 1_418_530_010);
        assert_eq!(flow.action, FlowAction::Accept);
    }

    #[test]
    fn columns_stand_in_any_order_and_unknown_ones_are_passed_over() {
        let header = "end start dstaddr new-in-2031 srcaddr flow-direction tcp-flags instance-id dstport action reject-reason";
        let reader = reader(header);
        let flow = flow(
            &reader,
            "20 10 2001:db8::1 {x} ::ffff:10.0.0.9 egress 18 i-0abc 443 REJECT BPA",
        );
        assert_eq!(flow.source.to_string(), "10.0.0.9");
        assert_eq!(flow.target.to_string(), "2001:db8::1");
        assert_eq!(flow.tcp_flags, Some(18));
        assert_eq!(flow.direction, Some(Direction::Egress));
        assert_eq!((flow.instance, flow.interface), (Some("i-0abc"), None));
        assert_eq!(flow.action, FlowAction::Reject);
    }

    #[test]
    fn a_transit_gateways_log_is_one_too() {
        let header = "version resource-type account-id tgw-id tgw-attachment-id srcaddr dstaddr srcport dstport protocol packets bytes start end log-status";
        let line = "6 TransitGateway 123456789012 tgw-0123 tgw-attach-0123 10.1.0.1 10.2.0.1 4000 443 6 1 40 100 160 OK";
        let reader = reader(header);
        assert_eq!(flow(&reader, line).interface, Some("tgw-attach-0123"));
    }

    #[test]
    fn nothing_recorded_is_no_fault() {
        let reader = reader(LINE);
        for status in ["NODATA", "SKIPDATA"] {
            let line =
                format!("2 123456789010 eni-1 - - - - - - - 1431280876 1431280934 - {status}");
            assert_eq!(reader.read(&line), Ok(FlowLine::Nothing));
        }
    }

    #[test]
    fn each_malformed_line_says_why() {
        let reader = reader(LINE);
        let with = |at: usize, value: &str| {
            let mut values: Vec<&str> = LINE.split(' ').collect();
            values[at] = value;
            reader.read(&values.join(" ")).unwrap_err().to_string()
        };
        assert_eq!(with(3, "172.31.16"), "«172.31.16» is not an address");
        assert_eq!(with(5, "65536"), "«65536» is not a port");
        assert_eq!(with(8, "+7"), "«+7» is not a number of packets");
        assert_eq!(
            with(9, "99999999999999999999"),
            "«99999999999999999999» is not a number of bytes"
        );
        assert_eq!(with(3, "-"), "it has no srcaddr");
        assert_eq!(
            with(12, "accept"),
            "«accept» is not an action (ACCEPT, REJECT)"
        );
        assert_eq!(with(2, "eni/../x"), "«eni/../x» is not an interface's id");
        assert_eq!(
            reader.read("2 123456789010").unwrap_err().to_string(),
            "it has 2 values and the log has 14 columns"
        );
        assert!(reader.read(&format!("{LINE} x")).is_err());
    }
}
