//! Charts in SVG, drawn with the page's colours: columns, lines and marks over one axis.
//!
//! They are scaled to the width of the page. Numbers stand inside the plot, so that they may be set
//! larger on a narrow one.

use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 240.0;
const BOTTOM: f64 = 208.0;
const TOP: f64 = 84.0;

/// A chart; its x axis goes from 0 to 1.
#[derive(Debug, Default)]
pub struct Chart<'a> {
    /// What it shows, for those who hear it.
    pub title: String,
    /// Columns of equal width, from left to right: value, and what it says.
    pub columns: Vec<(f64, String)>,
    /// Lines: their style (a class of the page's) and points with x from 0 to 1.
    pub lines: Vec<(&'a str, Vec<(f64, f64)>)>,
    /// Vertical lines at x, with a name.
    pub marks: Vec<(f64, String)>,
    /// Names of places on the x axis.
    pub ticks: Vec<(f64, String)>,
    /// The unit of the values.
    pub unit: &'a str,
}

impl Chart<'_> {
    /// The drawing.
    pub fn svg(&self) -> String {
        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n",
            escaped(&self.title)
        );
        let top = if self.marks.is_empty() { 28.0 } else { TOP };
        let most = round_up(self.largest());
        let y = |value: f64| BOTTOM - value / most * (BOTTOM - top);
        self.grid(&mut svg, most, y);
        self.columns(&mut svg, y);
        for (class, points) in &self.lines {
            let points: String =
                points.iter().map(|(x, value)| format!("{:.1},{:.1} ", x * WIDTH, y(*value))).collect();
            let _ = writeln!(svg, "<polyline class=\"{class}\" points=\"{}\"/>", points.trim_end());
        }
        self.axis(&mut svg);
        self.marks(&mut svg);
        svg + "</svg>\n"
    }

    fn largest(&self) -> f64 {
        let columns = self.columns.iter().map(|(value, _)| *value);
        let lines = self.lines.iter().flat_map(|(_, points)| points.iter().map(|(_, value)| *value));
        columns.chain(lines).fold(0.0, f64::max)
    }

    fn grid(&self, svg: &mut String, most: f64, y: impl Fn(f64) -> f64) {
        for value in [most / 2.0, most] {
            let at = y(value);
            let _ = writeln!(
                svg,
                "<line class=\"grid\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
                 <text class=\"value\" x=\"0\" y=\"{:.1}\">{} {}</text>",
                at - 5.0,
                short(value),
                self.unit
            );
        }
    }

    fn columns(&self, svg: &mut String, y: impl Fn(f64) -> f64) {
        let width = WIDTH / f64::from(u32::try_from(self.columns.len().max(1)).unwrap_or(1));
        let mut x = 0.0;
        for (value, says) in &self.columns {
            if *value > 0.0 {
                let top = y(*value).min(BOTTOM - 1.5);
                let _ = writeln!(
                    svg,
                    "<rect class=\"column\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"><title>{}</title></rect>",
                    x + width * 0.08,
                    width * 0.84,
                    BOTTOM - top,
                    escaped(says)
                );
            }
            x += width;
        }
    }

    fn axis(&self, svg: &mut String) {
        let _ =
            writeln!(svg, "<line class=\"axis\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{BOTTOM}\" y2=\"{BOTTOM}\"/>");
        for (x, name) in &self.ticks {
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"{}\">{}</text>",
                x * WIDTH,
                HEIGHT - 8.0,
                anchor(*x),
                escaped(name)
            );
        }
    }

    /// Their names stand below each other, since the places may be close.
    fn marks(&self, svg: &mut String) {
        let mut row = 20.0;
        for (x, name) in &self.marks {
            let (at, right) = (x * WIDTH, *x > 0.6);
            let (anchor, text) = if right { ("end", at - 6.0) } else { ("start", at + 6.0) };
            let _ = writeln!(
                svg,
                "<line class=\"mark\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{:.1}\" y2=\"{BOTTOM}\"/>\
                 <text class=\"name\" x=\"{text:.1}\" y=\"{row}\" text-anchor=\"{anchor}\">{}</text>",
                row - 14.0,
                escaped(name)
            );
            row += 25.0;
        }
    }
}

fn anchor(x: f64) -> &'static str {
    if x < 0.06 {
        "start"
    } else if x > 0.94 {
        "end"
    } else {
        "middle"
    }
}

/// The next of 1, 2, 4, 5, 10, 20, …, so that halves are short too; 1 for nothing.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let magnitude = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 4.0, 5.0, 8.0, 10.0]
        .map(|step| step * magnitude)
        .into_iter()
        .find(|step| *step >= value)
        .unwrap_or(value)
}

fn short(value: f64) -> String {
    if value >= 10_000.0 {
        format!("{}k", value / 1000.0)
    } else {
        format!("{}", (value * 100.0).round() / 100.0)
    }
}

/// Text as HTML has it.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_as_high_as_its_value_and_text_is_escaped() {
        let columns = vec![(100.0, "a < b".into()), (0.0, "none".into()), (50.0, "half".into())];
        let svg = Chart { title: "\"x\"".into(), columns, unit: "", ..Chart::default() }.svg();
        assert!(svg.contains("height=\"180.0\"") && svg.contains("height=\"90.0\""), "{svg}");
        assert!(svg.contains("a &lt; b") && svg.contains("&quot;x&quot;") && !svg.contains("none"));
    }

    #[test]
    fn the_scale_ends_at_a_round_number() {
        for (value, end) in [(0.0, 1.0), (0.3, 0.4), (1.0, 1.0), (3.0, 4.0), (99.0, 100.0), (4100.0, 5000.0)]
        {
            assert!((round_up(value) - end).abs() < 1e-9, "{value}: {}", round_up(value));
        }
    }
}
