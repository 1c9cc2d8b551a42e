//! Flow logs of VPCs and transit gateways, versions 2 to 10, in text and Parquet.
//!
//! A text file says in its first line which columns it has; the default format may come without. The lines become flows one at a
//! time, borrowed from the text: nothing is allocated for a line. A Parquet file becomes the same lines.

mod columns;
mod line;
mod parquet;

pub use line::{FlowFault, FlowLine, FlowReader};

pub(crate) use columns::columns_of;
pub(crate) use parquet::{MAGIC as PARQUET_MAGIC, split_parquet};
