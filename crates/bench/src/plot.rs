//! Bars in SVG.

use std::fmt::Write as _;

/// A bar: its name, its length, and what is written at its end.
#[derive(Debug, Clone)]
pub struct Bar {
    /// Written before it.
    pub name: String,
    /// Its length, in the plot's unit.
    pub value: f64,
    /// Written behind it.
    pub label: String,
    /// Whether it stands out.
    pub stands_out: bool,
}

const WIDTH: f64 = 900.0;
const NAMES: f64 = 370.0;
const LABELS: f64 = 150.0;
const ROW: f64 = 26.0;
const TOP: f64 = 64.0;

/// Horizontal bars under a title; `mark` is a vertical line at a value, with a name.
pub fn bars(title: &str, subtitle: &str, bars: &[Bar], mark: Option<(f64, &str)>) -> String {
    let longest = bars.iter().map(|bar| bar.value).chain(mark.map(|(value, _)| value)).fold(0.0, f64::max);
    let scale = if longest > 0.0 { (WIDTH - NAMES - LABELS) / longest } else { 0.0 };
    let height = (0..bars.len()).fold(TOP + 16.0, |height, _| height + ROW);
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" font-family="system-ui, sans-serif" font-size="13">
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="16" y="26" font-size="17" font-weight="600" fill="#1c2733">{}</text>
<text x="16" y="46" fill="#5b6875">{}</text>
"##,
        escaped(title),
        escaped(subtitle)
    );
    if let Some((value, name)) = mark {
        vertical(&mut svg, NAMES + value * scale, height - 16.0, name);
    }
    let mut y = TOP;
    for bar in bars {
        row(&mut svg, bar, y, scale);
        y += ROW;
    }
    svg + "</svg>\n"
}

fn vertical(svg: &mut String, x: f64, bottom: f64, name: &str) {
    let _ = writeln!(
        svg,
        r##"<line x1="{x:.1}" x2="{x:.1}" y1="{}" y2="{bottom:.1}" stroke="#8a96a3" stroke-dasharray="4 3"/>
<text x="{x:.1}" y="{}" text-anchor="middle" font-size="12" fill="#1c2733">{}</text>"##,
        TOP - 4.0,
        TOP - 8.0,
        escaped(name)
    );
}

fn row(svg: &mut String, bar: &Bar, y: f64, scale: f64) {
    let length = (bar.value * scale).max(1.0);
    let fill = if bar.stands_out { "#c2571a" } else { "#2f6f9f" };
    let text = y + ROW * 0.62;
    let _ = writeln!(
        svg,
        r##"<text x="{:.1}" y="{text:.1}" text-anchor="end" fill="#1c2733">{}</text>
<rect x="{NAMES}" y="{:.1}" width="{length:.1}" height="{:.1}" rx="2" fill="{fill}"/>
<text x="{:.1}" y="{text:.1}" fill="#1c2733" stroke="#ffffff" stroke-width="4" paint-order="stroke">{}</text>"##,
        NAMES - 10.0,
        escaped(&bar.name),
        y + 4.0,
        ROW - 8.0,
        NAMES + length + 8.0,
        escaped(&bar.label)
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_value_and_text_is_escaped() {
        let bar = |name: &str, value| Bar { name: name.into(), value, label: "l".into(), stands_out: false };
        let svg = bars("a < b", "", &[bar("full", 2.0), bar("half", 1.0)], None);
        assert!(svg.contains("a &lt; b"));
        assert!(svg.contains(r#"width="380.0""#) && svg.contains(r#"width="190.0""#));
    }
}
