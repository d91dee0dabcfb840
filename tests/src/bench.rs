//! What benches share: what was asked for, and figures of many values.

use sightline::event::Ledger;

/// What stands after a word of the command line.
#[must_use]
pub fn after(word: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != word).nth(1)
}

/// Whether a bench is to run: all do, or the one that stands after `only`.
#[must_use]
pub fn is_wanted(name: &str) -> bool {
    after("only").is_none_or(|only| only == name)
}

/// The mean; 0 of nothing.
#[must_use]
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The values at the median and at 95 %; not a number of nothing.
#[must_use]
pub fn quantiles(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values.get((values.len() as f64 * share) as usize).copied();
    (at(0.5).unwrap_or(f64::NAN), at(0.95).unwrap_or(f64::NAN))
}

/// What a ledger says was sent, bytes; each packet has headers of UDP and IPv4.
#[must_use]
pub fn bytes_on_the_wire(ledger: &Ledger) -> u64 {
    let counts = ledger.rows.iter().map(|row| &row.counts);
    counts
        .map(|counts| counts.sent_bytes + 28 * counts.sent_packets)
        .sum()
}
