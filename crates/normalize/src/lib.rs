//! Source bytes to records, and records to normalised events.
