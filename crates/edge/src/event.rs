//! Reads events without telling their content.

use lambda_runtime::Error;
use serde::Deserialize;

/// Reads an event.
///
/// # Errors
/// Where the event is malformed, but not what is there: the parser's own error would quote it, and
/// errors are logged.
pub fn parse<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Error> {
    serde_json::from_str(json).map_err(|error| {
        format!("the event is malformed at line {}, column {}", error.line(), error.column()).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_does_not_quote_the_event() {
        let error = parse::<Vec<u8>>(r#""private text""#).unwrap_err();
        assert_eq!(error.to_string(), "the event is malformed at line 1, column 14");
    }
}
