//! Lists of the API, page by page.

use crate::{
    calls::{Calls, query},
    failure::Failure,
    output::{Output, one_line, print, report, unexpected},
};
use clap::Args;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The most items that a page may have, which is what reading all takes.
const LARGEST_PAGE: u32 = 1000;

/// Which pages of a list.
#[derive(Debug, Clone, Args)]
pub struct Paging {
    /// The whole list, page by page. With --json: an item a line.
    #[arg(long, conflicts_with_all = ["limit", "next"])]
    all: bool,

    /// At most so many items. [default: 100]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: Option<u32>,

    /// Where a page before said that this one begins.
    #[arg(long, value_name = "TOKEN")]
    next: Option<String>,
}

impl Paging {
    /// Whether a page or more was asked for.
    pub fn is_given(&self) -> bool {
        self.all || self.limit.is_some() || self.next.is_some()
    }
}

/// A page of a list.
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow, alias = "sessions", alias = "messages")]
    items: Vec<&'a RawValue>,
    next: Option<String>,
}

/// Prints a list: as the replies are, item by item where all are asked for, or as the text that `text`
/// makes of a page. Answers how many items there were.
pub async fn list(
    calls: &Calls<'_>,
    output: Output,
    path: &str,
    parameters: &[(&str, Option<String>)],
    paging: &Paging,
    text: impl Fn(&[&RawValue]) -> Result<String, serde_json::Error>,
) -> Result<usize, Failure> {
    let (mut count, mut next) = (0, paging.next.clone());
    loop {
        let limit = if paging.all { Some(LARGEST_PAGE) } else { paging.limit };
        let mut parameters = parameters.to_vec();
        parameters.extend([("limit", limit.map(|limit| limit.to_string())), ("next", next)]);
        let reply = calls.get(&format!("{path}{}", query(&parameters))).await?;
        let page: Page<'_> = serde_json::from_str(&reply.text).map_err(|error| unexpected(&error))?;
        count += page.items.len();
        match (output.json, paging.all) {
            (true, true) => page.items.iter().for_each(|item| print(one_line(item.get()))),
            (true, false) => print(one_line(&reply.text)),
            (false, _) if page.items.is_empty() => {}
            (false, _) => print(text(&page.items).map_err(|error| unexpected(&error))?),
        }
        next = page.next;
        match &next {
            Some(_) if paging.all => {}
            Some(token) if !output.json => {
                report(format_args!("there may be more: --next {token}, or --all"));
                return Ok(count);
            }
            _ => return Ok(count),
        }
    }
}
