//! The uplink, which all links share.

use crate::rate::Bitrate;

/// What each link may take of an uplink: an equal part, but no more than it has a use for; the others share the rest.
/// Where all have enough, what is left over is shared alike.
#[must_use]
pub fn share_uplink(uplink: Bitrate, needs: &[Bitrate]) -> Vec<Bitrate> {
    let mut shares = vec![Bitrate(0); needs.len()];
    let mut order: Vec<_> = (0..needs.len()).collect();
    order.sort_by_key(|link| needs[*link]);
    let mut left = uplink.0;
    for (served, link) in order.iter().enumerate() {
        let part = left / (needs.len() - served) as u32;
        shares[*link] = needs[*link].min(Bitrate(part));
        left -= shares[*link].0;
    }
    let extra = left / needs.len().max(1) as u32;
    for share in &mut shares {
        share.0 += extra;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(uplink: u32, needs: &[u32]) -> Vec<u32> {
        let needs: Vec<_> = needs.iter().copied().map(Bitrate).collect();
        let shares = share_uplink(Bitrate(uplink), &needs);
        shares.into_iter().map(|share| share.0).collect()
    }

    #[test]
    fn who_needs_little_leaves_the_rest_to_the_others() {
        assert_eq!(shares(900, &[1000, 1000, 1000]), [300, 300, 300]);
        assert_eq!(shares(900, &[1000, 100, 1000]), [400, 100, 400]);
        assert_eq!(shares(900, &[100, 350, 1000]), [100, 350, 450]);
    }

    #[test]
    fn all_together_are_never_more_than_the_uplink() {
        for needs in [&[0u32; 5][..], &[5, 10], &[u32::MAX; 9], &[1, u32::MAX], &[]] {
            let sum: u64 = shares(1000, needs).into_iter().map(u64::from).sum();
            assert!(sum <= 1000, "{needs:?}: {sum}");
        }
        assert_eq!(shares(1000, &[100, 200]), [450, 550]);
    }
}
