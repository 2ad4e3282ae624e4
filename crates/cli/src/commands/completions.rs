//! `sbe completions`.

use crate::{failure::Failure, options::Options};
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

/// Examples, for `--help`.
pub const EXAMPLES: &str = "\
Examples:
  source <(sbe completions bash)
  sbe completions zsh > ~/.zfunc/_sbe
  sbe completions fish > ~/.config/fish/completions/sbe.fish";

/// For which shell.
#[derive(Debug, Args)]
pub struct Completions {
    /// Shell.
    shell: Shell,
}

/// Prints the completions.
pub fn run(args: &Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Options::command(), "sbe", &mut script);
    crate::output::print_bytes(&script);
    Ok(())
}
