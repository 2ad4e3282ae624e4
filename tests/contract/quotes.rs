//! A sentence that a comment quotes from a document stands there, word for word.

use sbe_tests::system::root;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// All Rust files below a directory.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| !path.ends_with("target"))
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// White space folded, and without the marks that a comment may set otherwise.
fn plain(text: &str) -> String {
    text.replace(['`', '*'], "").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The runs of comment lines of a file, each as one text.
fn comments(source: &str) -> Vec<String> {
    let mut runs = vec![String::new()];
    for line in source.lines() {
        match line.trim_start().strip_prefix("//") {
            Some(comment) => {
                let run = runs.last_mut().unwrap();
                run.push_str(comment.trim_start_matches(['/', '!']));
                run.push('\n');
            }
            None => runs.push(String::new()),
        }
    }
    runs
}

/// What a comment quotes: the document and the words. Marks within code do not end a quote.
fn quotes(comment: &str) -> Vec<(String, String)> {
    let mut quotes = Vec::new();
    let mut rest = comment;
    while let Some((_, after)) = rest.split_once("docs/") {
        rest = after;
        let Some((document, after)) = after.split_once(".md") else { break };
        let Some(words) = after.trim_start_matches('`').strip_prefix(": \"") else { continue };
        let mut in_code = false;
        let end = words.char_indices().find(|(_, char)| {
            in_code ^= *char == '`';
            *char == '"' && !in_code
        });
        let (end, _) = end.unwrap_or_else(|| panic!("a quote of docs/{document}.md does not end"));
        quotes.push((document.to_owned(), words[..end].to_owned()));
    }
    quotes
}

#[test]
fn quotes_are_word_for_word() {
    let (mut count, mut wrong) = (0, Vec::new());
    for path in ["crates", "tests"].iter().flat_map(|directory| sources(&root().join(directory))) {
        let source = fs::read_to_string(&path).unwrap();
        for (document, quoted) in comments(&source).iter().flat_map(|comment| quotes(comment)) {
            count += 1;
            let text = plain(&fs::read_to_string(root().join(format!("docs/{document}.md"))).unwrap());
            if !text.contains(&plain(&quoted)) {
                wrong.push(format!("{}: {quoted}", path.display()));
            }
        }
    }
    assert!(count > 50, "{count} quotes were found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
