//! The live table of a demo.

use serde_json::Value;

use super::summary::Summary;
use crate::terminal::{draw_over, write_error};

/// Draws the table, over the last one where that can be done.
pub struct Table {
    is_terminal: bool,
    drawn: usize,
}

impl Table {
    pub const fn new(is_terminal: bool) -> Self {
        Self {
            is_terminal,
            drawn: 0,
        }
    }

    /// Draws what is known now.
    pub fn draw(&mut self, summary: &Summary) {
        let mut lines = vec![format!(
            "{:<5} ← {:<5} {:<22} {:>8} {:>10} {:>5} {:>9} {:>9} {:>6}",
            "who", "whom", "address", "trip", "kbit/s in", "fps", "sound", "picture", "loss"
        )];
        for (who, whom, pair) in summary.pairs() {
            let stats = &pair.stats;
            lines.push(format!(
                "{who:<5} ← {whom:<5} {:<22} {:>8} {:>10} {:>5} {:>9} {:>9} {:>6}",
                pair.remote.as_deref().unwrap_or("-"),
                millis(&stats["rtt_ms"]),
                stats["recv_bps"]
                    .as_u64()
                    .map_or_else(|| "-".into(), |bps| (bps / 1000).to_string()),
                stats["video"]["fps"]
                    .as_u64()
                    .map_or_else(|| "-".into(), |fps| fps.to_string()),
                millis(&stats["audio"]["delay_ms"]),
                millis(&stats["video"]["delay_ms"]),
                stats["loss"]
                    .as_f64()
                    .map_or_else(|| "-".into(), |loss| format!("{:.1} %", loss * 100.0)),
            ));
        }
        if self.is_terminal {
            draw_over(self.drawn, &lines);
        } else {
            for line in &lines {
                write_error(line);
            }
            write_error("");
        }
        self.drawn = lines.len();
    }
}

fn millis(value: &Value) -> String {
    value
        .as_f64()
        .map_or_else(|| "-".into(), |millis| format!("{millis:.1} ms"))
}
