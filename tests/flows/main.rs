//! Flows from a backend's call to a browser's decrypted message, on the running system.

#![allow(clippy::unwrap_used, reason = "in a test an unwrap is an assertion")]

mod aliases;
mod bad_input;
mod broadcasts;
mod cleanup;
mod contention;
mod direct;
mod endings;
mod given_up;
mod history;
mod ids;
mod isolation;
mod keeping;
mod metrics;
mod offline;
mod output;
mod presence;
mod publish;
mod receipts;
mod recipes;
mod renewal;
mod restore;
mod routes;
mod secrecy;
mod sending;
mod sessions;
mod status;
mod unread;
mod vectors;
mod wide;
