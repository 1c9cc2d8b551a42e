//! Findings to incidents: group, score, explain.
