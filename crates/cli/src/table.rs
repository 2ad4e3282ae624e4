//! Tables for people: columns that line up, and text that cannot move the cursor.

/// Lines with a head; every column but the last is as wide as its widest cell.
///
/// ```
/// use sbe_cli::table::table;
/// let rows = [["1".into(), "tab-1".into()], ["acme".into(), "t".into()]];
/// assert_eq!(table(["ACCOUNT", "SESSION"], &rows), "ACCOUNT  SESSION\n1        tab-1\nacme     t");
/// ```
pub fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let head = head.map(ToOwned::to_owned);
    let rows: Vec<[String; N]> =
        std::iter::once(&head).chain(rows).map(|row| row.each_ref().map(|cell| printable(cell))).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A text on one line of a terminal: control characters are shown, not obeyed.
///
/// ```
/// assert_eq!(sbe_cli::table::printable("a\u{1b}[2J\nb é"), "a\\u{1b}[2J\\nb é");
/// ```
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

/// The first characters of a text, and an ellipsis where it is longer.
pub fn shortened(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
