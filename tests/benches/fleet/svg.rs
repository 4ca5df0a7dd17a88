//! A chart of what matters most.

use std::fmt::Write as _;

use super::report::{Report, number};

const SHOWN: [(&str, &str); 10] = [
    ("engage", "wall time"),
    ("idle", "memory a project"),
    ("create", "wall time"),
    ("create", "CPU of each"),
    ("create", "writes of each"),
    ("change", "latency, p99"),
    ("restart", "CPU of each"),
    ("quiet beside hot", "latency, p99"),
    ("engage, a tenth dead", "wall time"),
    ("engage, 20 ms of latency", "wall time"),
];
const COLORS: [&str; 4] = ["#0b7a75", "#c8553d", "#4c6fb1", "#9a9a9a"];
const BAR: usize = 14;
const LEFT: usize = 340;
const WIDTH: f64 = 460.0;

/// Bars, of which the longest of each row is as long as any other.
pub(crate) fn chart(report: &Report) -> String {
    let mut body = String::new();
    let mut y = 56;
    for (phase, what) in SHOWN {
        let Some(row) = report
            .rows
            .iter()
            .find(|row| row.phase == phase && row.what == what)
        else {
            continue;
        };
        let longest = row
            .values
            .values()
            .copied()
            .fold(f64::MIN_POSITIVE, f64::max);
        let _ = writeln!(
            body,
            r#"<text x="{}" y="{}" text-anchor="end">{phase}: {what}</text>"#,
            LEFT - 10,
            y + BAR - 3
        );
        for (contender, color) in report.contenders.iter().zip(COLORS) {
            let Some(value) = row.values.get(contender) else {
                continue;
            };
            let width = (value.max(0.0) / longest * WIDTH).max(1.0);
            let _ = writeln!(
                body,
                r#"<rect x="{LEFT}" y="{y}" width="{width:.1}" height="{}" fill="{color}"/>
<text x="{:.1}" y="{}">{} {}</text>"#,
                BAR - 2,
                LEFT as f64 + width + 6.0,
                y + BAR - 3,
                number(*value),
                row.unit
            );
            y += BAR;
        }
        y += BAR;
    }
    let mut legend = String::new();
    for (nth, (contender, color)) in report.contenders.iter().zip(COLORS).enumerate() {
        let x = LEFT + nth * 120;
        let _ = writeln!(
            legend,
            r#"<rect x="{x}" y="32" width="12" height="12" fill="{color}"/><text x="{}" y="42">{contender}</text>"#,
            x + 18
        );
    }
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="940" height="{y}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
<text x="10" y="20" font-size="10">{}</text>
{legend}{body}</svg>
"#,
        report.heading()
    )
}
