//! What fan-out costs and what it survives.
//!
//! The real functions run against an AWS that answers at once, counts every call, and can be told
//! to fail.
//!
//! # Layout
//!
//! - [`sink`]: that AWS: an HTTP server which speaks the parts of its protocols that fan-out uses
//! - [`population`]: any number of sessions, made up from their index and never stored
//! - [`events`]: what Lambda would hand to the functions
//! - [`measure`]: one measurement in a process of its own
//! - [`usage`]: what the process used: CPU time and peak memory
//! - [`conditions`]: the sessions and the faults of a sink, as options of the command line
//! - [`harness`]: runs measurements beside a sink and collects what both say
//! - [`cold_start`]: time to the first request, and size, of the functions' binaries
//! - [`figures`]: what was measured, beside its targets
//! - [`logs`]: what it costs to log the stages of every message
//! - [`wide`]: broadcasts and messages to an account of many sessions, carried to their end
//! - [`model`]: the time that a broadcast takes on Lambda
//! - [`report`]: the figures as text and as plots
//! - [`plot`]: bars in SVG

pub mod cold_start;
pub mod conditions;
pub mod events;
pub mod figures;
pub mod harness;
pub mod logs;
pub mod measure;
pub mod model;
pub mod plot;
pub mod population;
pub mod report;
pub mod sink;
pub mod usage;
pub mod wide;
