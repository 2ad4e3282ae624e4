//! The figures as text and as plots.

use crate::{
    figures::{Fanout, Figure, Figures, SESSIONS, Scaled, grouped, micros},
    harness::Measured,
    plot::{Bar, bars},
};
use anyhow::Result;
use std::{fmt::Write as _, fs, path::Path};

/// Writes the report into `directory`; gives its text.
pub fn write(figures: &Figures, directory: &Path) -> Result<String> {
    fs::create_dir_all(directory)?;
    let text = text(figures)?;
    fs::write(directory.join("report.txt"), &text)?;
    let plots = [
        ("targets.svg", targets(&figures.with_targets())),
        ("sender.svg", sender(&figures.fanout)),
        ("scaling.svg", scaling(&figures.fanout.scaling)),
    ];
    let mut page = String::from("<!doctype html><meta charset=utf-8><title>Fan-out, measured</title>\n");
    for (name, svg) in plots {
        fs::write(directory.join(name), svg)?;
        writeln!(page, "<p><img src=\"{name}\" alt=\"{name}\"></p>")?;
    }
    writeln!(page, "<pre>{}</pre>", text.replace('&', "&amp;").replace('<', "&lt;"))?;
    fs::write(directory.join("index.html"), page)?;
    Ok(text + "\nPlots: target/bench-report/index.html\n")
}

/// Figures beside their targets.
pub fn table(figures: &[Figure]) -> Result<String> {
    let mut text = format!("{:<64} {:>9} {:<4}    {:>9}\n", "Figure", "value", "", "target");
    for figure in figures {
        let reached = if figure.is_reached() { "" } else { "  NOT REACHED" };
        let Figure { name, value, least, target, unit } = &figure;
        let least = if *least > 0.0 { format!(", >= {least:.2}") } else { String::new() };
        writeln!(text, "{name:<64} {value:>9.2} {unit:<4} <= {target:>9.2}{least}{reached}")?;
    }
    Ok(text)
}

fn text(figures: &Figures) -> Result<String> {
    let mut text = table(&figures.with_targets())?;
    let fanout = &figures.fanout;
    writeln!(text, "\nCPU for each delivery of 1 KB, 10,000 sessions x 10 messages")?;
    writeln!(text, "{:<24} {:>12} {:>14} {:>14}", "", "s / million", "x SDK alone", "x bare HTTP")?;
    for (name, measured) in ways(fanout) {
        let cpu = measured.used.cpu;
        let (sdk, http) = (cpu / fanout.sdk_floor.used.cpu, cpu / fanout.http_floor.used.cpu);
        writeln!(text, "{name:<24} {:>12.2} {sdk:>14.2} {http:>14.2}", micros(measured, SESSIONS * 10))?;
    }
    writeln!(
        text,
        "\nOne message of 1 KB to so many sessions: CPU microseconds for each, peak memory in MiB"
    )?;
    writeln!(text, "{:>10} {:>14} {:>10} {:>14} {:>10}", "sessions", "dispatcher", "", "sender", "")?;
    for Scaled { sessions, dispatcher, sender } in &fanout.scaling {
        let cpu = (micros(dispatcher, *sessions), micros(sender, *sessions));
        let peak = (dispatcher.used.peak_mib, sender.used.peak_mib);
        writeln!(text, "{sessions:>10} {:>14.2} {:>10.1} {:>14.2} {:>10.1}", cpu.0, peak.0, cpu.1, peak.1)?;
    }
    text.push_str(&figures.wide.text()?);
    let [put, batch, checked] = &fanout.histories;
    for (title, measured) in [
        ("Sender, 10,000 sessions x 10 messages", &fanout.sender),
        ("Dispatcher, 20 broadcasts to 10,000 sessions of 10,000 users", &fanout.dispatcher),
        ("History of 10,000 entries by conditional PutItem", put),
        ("The same by BatchWriteItem, which cannot tell a replay", batch),
        ("The same by BatchWriteItem after BatchGetItem", checked),
    ] {
        write!(text, "\n{}", calls(title, measured)?)?;
    }
    Ok(text)
}

fn ways(fanout: &Fanout) -> [(&'static str, &Measured); 4] {
    [
        ("sender", &fanout.sender),
        ("SDK alone", &fanout.sdk_floor),
        ("bare HTTP with SigV4", &fanout.http_floor),
        ("payload work", &fanout.payload_work),
    ]
}

/// What was asked of AWS, and what it bills.
pub fn calls(title: &str, measured: &Measured) -> Result<String> {
    let mut text = String::new();
    let used = measured.used;
    writeln!(text, "{title}: {:.2} CPU s, {:.2} s, peak {:.1} MiB", used.cpu, used.wall, used.peak_mib)?;
    writeln!(text, "{:<44} {:>8} {:>9} {:>12} {:>10}", "", "calls", "entries", "bytes", "billed")?;
    for (name, count) in &measured.tally.0 {
        let (calls, entries, bytes, units) = (count.calls, count.entries, count.bytes, count.units);
        writeln!(text, "{name:<44} {calls:>8} {entries:>9} {bytes:>12} {units:>10.1}")?;
    }
    Ok(text)
}

fn targets(figures: &[Figure]) -> String {
    let bar = |figure: &Figure| Bar {
        name: figure.name.clone(),
        value: if figure.target > 0.0 { figure.value / figure.target } else { figure.value },
        label: format!("{:.2} of {} {}", figure.value, figure.target, figure.unit),
        stands_out: !figure.is_reached(),
    };
    let all: Vec<Bar> = figures.iter().map(bar).collect();
    bars("Figures beside their targets", "Each bar as a part of its target", &all, Some((1.0, "target")))
}

fn sender(fanout: &Fanout) -> String {
    let bar = |(name, measured): (&str, &Measured)| {
        let value = micros(measured, SESSIONS * 10);
        let label = format!("{value:.2} us");
        Bar { name: name.into(), value, label, stands_out: name == "sender" }
    };
    let all = ways(fanout).map(bar);
    let subtitle = "CPU microseconds, 10,000 sessions x 10 messages x 1 KB, one call to SQS for each session";
    bars("What a delivery costs", subtitle, &all, None)
}

fn scaling(scaled: &[Scaled]) -> String {
    let bar = |(name, measured, sessions): (&str, &Measured, usize)| {
        let value = micros(measured, sessions);
        let label = format!("{value:.1} us, {:.0} MiB", measured.used.peak_mib);
        let name = format!("{name}, {} sessions", grouped(sessions));
        Bar { name, value, label, stands_out: false }
    };
    let dispatchers = scaled.iter().map(|at| ("dispatcher", &at.dispatcher, at.sessions));
    let senders = scaled.iter().map(|at| ("sender", &at.sender, at.sessions));
    let all: Vec<Bar> = dispatchers.chain(senders).map(bar).collect();
    let subtitle = "CPU microseconds for one message of 1 KB to one session, and peak memory";
    bars("Cost by the number of sessions", subtitle, &all, None)
}
