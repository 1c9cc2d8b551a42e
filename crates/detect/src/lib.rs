//! Sigma rules and event patterns: events to findings.
