//! The live table of a demo.

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
            let stats = pair.stats.as_ref();
            let millis = |value: Option<f64>| told(value.map(|millis| format!("{millis:.1} ms")));
            lines.push(format!(
                "{who:<5} ← {whom:<5} {:<22} {:>8} {:>10} {:>5} {:>9} {:>9} {:>6}",
                told(pair.remote.map(|remote| remote.to_string())),
                millis(stats.and_then(|stats| stats.rtt_ms)),
                told(stats.map(|stats| (stats.recv_bps / 1000).to_string())),
                told(stats.map(|stats| stats.video.fps.to_string())),
                millis(stats.and_then(|stats| stats.audio.delay_ms)),
                millis(stats.and_then(|stats| stats.video.delay_ms)),
                told(stats.map(|stats| format!("{:.1} %", stats.loss * 100.0))),
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

/// What is not known yet is a dash.
fn told(value: Option<String>) -> String {
    value.unwrap_or_else(|| "-".to_owned())
}
