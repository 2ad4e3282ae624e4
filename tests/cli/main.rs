//! `sbe`, the real binary, on the running system.

mod failed;
mod locating;
mod own;
mod purge;
mod rejected;
mod remove_all;
