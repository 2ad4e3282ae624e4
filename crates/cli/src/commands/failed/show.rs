//! `sbe failed show`: one entry, whole.

use super::entry::Entry;
use crate::{
    context::Context,
    failure::Failure,
    output::print,
    parked::{
        choice::only,
        list::at,
        queue::Queue,
        record::{Record, retention},
    },
    table::printable,
    times,
};

/// The fields that hold keys.
const SECRETS: [&str; 2] = ["\"aesKey\"", "\"previousAesKey\""];

pub(super) async fn run(
    queue: &Queue,
    id: &str,
    show_secrets: bool,
    context: &Context,
) -> Result<(), Failure> {
    let held = only(queue, id, context).await?;
    let body = if show_secrets { held.body.clone() } else { without_keys(&held.body) };
    if context.output.json {
        print(held.to_json(&body));
        return Ok(());
    }
    let entry = Entry::read(&held.body).ok();
    let facts = entry.as_ref().map_or_else(Entry::unreadable, Entry::facts);
    print(format_args!("id        {}", held.id));
    print(format_args!("parked    {}", at(held.sent)));
    print(format_args!("function  {}", printable(&facts.origin)));
    print(format_args!("reason    {}", printable(&facts.reason)));
    if let Some(arrived) = entry.and_then(|entry| entry.arrived())
        && let Some(retention) = retention(&context.system).await
    {
        let now = times::now();
        print(format_args!("record    {}", Record::new(arrived, retention, now).told(now)));
    }
    print(printable(&body));
    Ok(())
}

/// A JSON text without the values of the fields that hold keys.
fn without_keys(json: &str) -> String {
    SECRETS.iter().fold(json.to_owned(), |json, name| {
        let mut parts = json.split(name);
        let mut shown = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            shown += name;
            shown += &without_first_value(part);
        }
        shown
    })
}

/// What follows a field's name, without its value if that is a string.
fn without_first_value(text: &str) -> String {
    let value =
        text.trim_start().strip_prefix(':').map(str::trim_start).and_then(|text| text.strip_prefix('"'));
    // Base64 has no quotes and no escapes.
    match value.and_then(|value| value.split_once('"')) {
        Some((_, rest)) => format!(r#":"(hidden)"{rest}"#),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_not_shown() {
        let json = r#"{"deliveries":[{"aesKey": "a/b=","x":1},{"previousAesKey":"c","aesKey":null}],"text":"\"aesKey\":\"d\""}"#;
        let shown = r#"{"deliveries":[{"aesKey":"(hidden)","x":1},{"previousAesKey":"(hidden)","aesKey":null}],"text":"\"aesKey\":\"d\""}"#;
        assert_eq!(without_keys(json), shown);
    }
}
