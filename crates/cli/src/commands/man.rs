//! `sbe man`.

use crate::{
    failure::Failure,
    options::Options,
    output::{print_bytes, report},
};
use clap::{Args, CommandFactory as _};
use std::{io, path::PathBuf};

/// Examples, for `--help`.
pub const EXAMPLES: &str = "\
Examples:
  sbe man | man -l -
  sbe man --dir ~/.local/share/man/man1      this page and one for each command";

/// Where the pages go.
#[derive(Debug, Args)]
pub struct Man {
    /// Write this page and one for each command to a directory.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints the man page, or writes all.
pub fn run(args: &Man) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::Usage(format!("the man page cannot be written: {error}"));
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Options::command()).render(&mut page).map_err(failed)?;
        print_bytes(&page);
        return Ok(());
    };
    std::fs::create_dir_all(dir).map_err(failed)?;
    clap_mangen::generate_to(Options::command(), dir).map_err(failed)?;
    report(format_args!("the pages are in {}", dir.display()));
    Ok(())
}
