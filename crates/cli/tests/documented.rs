//! Every `sbe` command line, `make` target and file that the documents name exists.

use clap::{Parser, error::ErrorKind};
use sbe_cli::options::Options;
use std::path::Path;

const DOCUMENTS: [(&str, &str); 7] = [
    ("README.md", include_str!("../../../README.md")),
    ("CONTRIBUTING.md", include_str!("../../../CONTRIBUTING.md")),
    ("docs/COST.md", include_str!("../../../docs/COST.md")),
    ("docs/LOCAL.md", include_str!("../../../docs/LOCAL.md")),
    ("docs/OPERATIONS.md", include_str!("../../../docs/OPERATIONS.md")),
    ("docs/PERFORMANCE.md", include_str!("../../../docs/PERFORMANCE.md")),
    ("docs/SECURITY.md", include_str!("../../../docs/SECURITY.md")),
];
const MAKEFILE: &str = include_str!("../../../Makefile");

/// What stands before a command's arguments.
const SBE: [&str; 3] = ["sbe ", "target/debug/sbe ", "cargo run -p sbe -- "];

/// Lines of code blocks, which are whole commands, and code within sentences, which may be only their beginning.
struct Code {
    lines: Vec<String>,
    spans: Vec<String>,
}

fn code(markdown: &str) -> Code {
    let (mut lines, mut prose, mut in_block) = (Vec::new(), String::new(), false);
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if in_block {
            lines.push(line.trim().to_owned());
        } else {
            // A span may go on on the next line.
            prose.extend([line.trim(), " "]);
        }
    }
    Code { lines, spans: prose.split('`').skip(1).step_by(2).map(str::to_owned).collect() }
}

/// The words of a command as a shell divides them, up to a comment, a pipe or a redirection.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for character in command.chars().chain([' ']) {
        match (quote, character) {
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            (None, ' ') if ["#", "|", ">"].contains(&word.as_str()) => return words,
            (None, ' ') if word.is_empty() => {}
            (None, ' ') => words.push(std::mem::take(&mut word)),
            _ => word.push(character),
        }
    }
    words
}

fn sbe_arguments(command: &str) -> Option<Vec<String>> {
    let arguments = SBE.iter().find_map(|start| command.strip_prefix(start))?;
    // What stands for any command is tried with one.
    Some(words(arguments).into_iter().map(|word| word.replace("COMMAND", "status")).collect())
}

/// Why the command line does not take `arguments`; within a sentence they may be incomplete.
fn fault(arguments: &[String], is_whole: bool) -> Option<String> {
    let parsed = Options::try_parse_from(std::iter::once("sbe").chain(arguments.iter().map(String::as_str)));
    let error = parsed.err()?;
    let is_fine = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => true,
        ErrorKind::MissingRequiredArgument
        | ErrorKind::MissingSubcommand
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => !is_whole,
        _ => false,
    };
    (!is_fine).then(|| error.to_string())
}

#[test]
fn every_sbe_command_line_of_the_documents_parses() {
    let mut tried = 0;
    for (name, text) in DOCUMENTS {
        let Code { lines, spans } = code(text);
        let lines = lines.iter().map(|line| (line, true));
        for (command, is_whole) in lines.chain(spans.iter().map(|span| (span, false))) {
            let Some(arguments) = sbe_arguments(command) else { continue };
            tried += 1;
            assert_eq!(fault(&arguments, is_whole), None, "{name}: {command}");
        }
    }
    assert!(tried > 30, "{tried}");
}

#[test]
fn every_make_target_of_the_documents_exists() {
    let mut tried = 0;
    for (name, text) in DOCUMENTS {
        let Code { lines, spans } = code(text);
        for command in lines.iter().chain(&spans) {
            let Some(arguments) = command.strip_prefix("make ") else { continue };
            let arguments = words(arguments);
            let target = arguments.iter().find(|word| !word.contains('=')).expect("a target");
            tried += 1;
            let rule = format!("{target}: ");
            assert!(MAKEFILE.lines().any(|line| line.starts_with(&rule)), "{name}: {command}");
        }
    }
    assert!(tried > 5, "{tried}");
}

#[test]
fn every_file_that_the_documents_name_by_its_path_is_there() {
    const DIRECTORIES: [&str; 7] = [".ci/", ".github/", "crates/", "docs/", "scripts/", "tests/", "web/"];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut tried = 0;
    for (name, text) in DOCUMENTS {
        let is_path = |span: &&String| {
            DIRECTORIES.iter().any(|start| span.starts_with(start)) && !span.contains([' ', '*', '…', '<'])
        };
        for path in code(text).spans.iter().filter(is_path) {
            tried += 1;
            assert!(root.join(path).exists(), "{name}: {path}");
        }
    }
    assert!(tried > 20, "{tried}");
}

#[test]
fn a_command_that_does_not_exist_is_found() {
    let fault = |command: &str, is_whole| fault(&sbe_arguments(command).expect("of sbe"), is_whole);
    assert!(fault("sbe frobnicate", false).is_some());
    assert!(fault("sbe doctor --frobnicate", false).is_some());
    assert!(fault("sbe trace # what became of it", true).is_some());
    assert_eq!(fault("sbe trace", false), None);
    assert_eq!(fault("sbe --env prod status --all | sort", true), None);
}
