//! How a voice is packed: how much sound a packet carries, and how many parities of what came before. Both follow what the
//! links lose and carry and how many there are, never what is said.

use std::time::{Duration, Instant};

use crate::audio::{Protection, Span};
use crate::rate::Bitrate;

/// From which loss on protection is strong: it sounds worse while nothing is lost, and has everything that comes at all two
/// packets later at the latest (`tests/quality.sh`: at 10 % light is better, at 20 % strong).
const LOSS: f32 = 0.15;

/// Links to which packets of 10 ms go at the most: each costs as much work as one of 20 ms.
const FEW: usize = 3;

/// 400 kbit/s: what each of them must carry: packets of 10 ms take 171, of 20 ms 124 on IPv6.
const QUICK: Bitrate = Bitrate(400_000);

/// 10 s: how long things must be better before there is less protection or shorter packets.
const CALM: Duration = Duration::from_secs(10);

/// One link, as far as packing goes.
#[derive(Clone, Copy, Debug)]
pub struct LinkQuality {
    /// What it carries.
    pub estimate: Bitrate,
    /// It would carry more, if it were asked to.
    pub is_sated: bool,
    /// The share of packets that it loses, over some seconds.
    pub loss: f32,
}

/// How a voice is packed just now.
#[derive(Debug)]
pub struct Packing {
    span: Span,
    protection: Protection,
    /// Since when shorter packets, and fewer parities, would do.
    quick_since: Option<Instant>,
    calm_since: Option<Instant>,
}

impl Default for Packing {
    fn default() -> Self {
        Self {
            span: Span::Ten,
            protection: Protection::Light,
            quick_since: None,
            calm_since: None,
        }
    }
}

impl Packing {
    /// Takes how the links are. Returns how to pack the next packet.
    pub fn handle_links(&mut self, links: &[LinkQuality], now: Instant) -> (Span, Protection) {
        let loss = links.iter().map(|link| link.loss).fold(0.0, f32::max);
        if loss >= LOSS {
            self.protection = Protection::Strong;
            self.calm_since = None;
        } else if self.protection == Protection::Strong && is_over(&mut self.calm_since, now) {
            self.protection = Protection::Light;
        }
        // A third of 10 ms is too little for a voice: at 20 % loss twice as long frames are heard better.
        let is_quick = self.protection == Protection::Light
            && links.len() <= FEW
            && links.iter().all(|link| link.is_sated || link.estimate >= QUICK);
        if !is_quick {
            self.span = Span::Twenty;
            self.quick_since = None;
        } else if self.span == Span::Twenty && is_over(&mut self.quick_since, now) {
            self.span = Span::Ten;
        }
        (self.span, self.protection)
    }
}

/// Whether something has been so for long enough.
fn is_over(since: &mut Option<Instant>, now: Instant) -> bool {
    now >= *since.get_or_insert(now) + CALM
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(kilobits: u32, loss: f32) -> LinkQuality {
        LinkQuality {
            estimate: Bitrate(kilobits * 1000),
            is_sated: false,
            loss,
        }
    }

    #[test]
    fn protection_comes_at_once_and_goes_slowly() {
        let start = Instant::now();
        let mut packing = Packing::default();
        let mut at = |seconds: u64, loss| {
            let now = start + Duration::from_secs(seconds);
            packing.handle_links(&[link(2000, 0.0), link(2000, loss)], now).1
        };
        assert_eq!(at(0, 0.0), Protection::Light);
        assert_eq!(at(1, 0.20), Protection::Strong);
        assert_eq!(at(2, 0.0), Protection::Strong);
        assert_eq!(at(11, 0.0), Protection::Strong);
        assert_eq!(at(12, 0.0), Protection::Light);
        assert_eq!(at(13, 0.14), Protection::Light);
        assert_eq!(at(14, 0.15), Protection::Strong);
    }

    #[test]
    fn strong_protection_comes_with_long_packets() {
        let start = Instant::now();
        let mut packing = Packing::default();
        let mut at = |seconds: u64, loss| {
            packing.handle_links(&[link(2000, loss)], start + Duration::from_secs(seconds))
        };
        assert_eq!(at(0, 0.1), (Span::Ten, Protection::Light));
        assert_eq!(at(1, 0.2), (Span::Twenty, Protection::Strong));
        assert_eq!(at(2, 0.0), (Span::Twenty, Protection::Strong));
        assert_eq!(at(12, 0.0), (Span::Twenty, Protection::Light));
        assert_eq!(at(22, 0.0), (Span::Ten, Protection::Light));
    }

    #[test]
    fn short_packets_are_for_few_and_quick_links() {
        let start = Instant::now();
        let mut packing = Packing::default();
        let quick = link(2000, 0.0);
        assert_eq!(packing.handle_links(&[quick], start).0, Span::Ten);
        let later = start + CALM;
        assert_eq!(packing.handle_links(&[quick; 3], later).0, Span::Ten);
        assert_eq!(packing.handle_links(&[quick; 4], later).0, Span::Twenty);
        assert_eq!(
            packing.handle_links(&[quick, link(300, 0.0)], later).0,
            Span::Twenty
        );
        assert_eq!(
            packing.handle_links(&[quick], later).0,
            Span::Twenty,
            "not at once again"
        );
    }
}
