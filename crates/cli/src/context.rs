//! What every command is given.

use crate::{interrupt::Interrupt, output::Output};
use sbe_client::System;

/// The system, and how to talk to whoever runs the command.
#[derive(Debug, Clone)]
pub struct Context {
    /// The system.
    pub system: System,
    /// How results are printed.
    pub output: Output,
    /// Ctrl-C.
    pub interrupt: Interrupt,
}
