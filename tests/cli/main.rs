//! `sbe`, the real binary, on the running system.

mod load;
mod locating;
