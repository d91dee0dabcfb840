//! Parts of frames that are sent again, in one copy or more, and whether one of those can still come.

use std::collections::BTreeMap;

/// From which loss on a lost part is sent again twice, and three times: a part that is lost twice freezes the picture.
const COPIES: [f32; 2] = [0.005, 0.03];

/// Parts on their way again whose copies are counted.
const MAX_REPAIRS: usize = 4096;

/// Names a part that was sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RepairId(u64);

/// What of one link is on its way again.
#[derive(Debug, Default)]
pub struct Repairs {
    /// How many copies of each part.
    copies: BTreeMap<RepairId, usize>,
    next: u64,
}

impl Repairs {
    /// A part is sent again. Returns its name, and in how many copies it is to leave on a link that loses such a share.
    pub fn begin(&mut self, loss: f32) -> (RepairId, usize) {
        let id = RepairId(self.next);
        self.next += 1;
        let copies = 1 + COPIES.iter().filter(|limit| loss > **limit).count();
        self.copies.insert(id, copies);
        (id, copies)
    }

    /// A copy has come.
    pub fn handle_arrived(&mut self, id: RepairId) {
        self.copies.remove(&id);
    }

    /// A copy is lost. Returns whether no other can still come, nor has.
    pub fn handle_lost(&mut self, id: RepairId) -> bool {
        let Some(copies) = self.copies.get_mut(&id) else {
            return false;
        };
        *copies -= 1;
        if *copies == 0 {
            self.copies.remove(&id);
            return true;
        }
        false
    }

    /// Forgets the oldest, beyond what is remembered.
    pub fn trim(&mut self) {
        while self.copies.len() > MAX_REPAIRS {
            self.copies.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_lost_when_its_last_copy_is_and_none_has_come() {
        let mut repairs = Repairs::default();
        let (one, copies) = repairs.begin(0.1);
        assert_eq!(copies, 3);
        assert_eq!([1, 2, 3].map(|_| repairs.handle_lost(one)), [false, false, true]);
        let (two, copies) = repairs.begin(0.01);
        assert_eq!(copies, 2);
        assert!(!repairs.handle_lost(two));
        repairs.handle_arrived(two);
        assert!(!repairs.handle_lost(two), "it has come");
    }

    #[test]
    fn memory_is_bounded_when_nothing_is_ever_told() {
        let mut repairs = Repairs::default();
        for _ in 0..2 * MAX_REPAIRS {
            repairs.begin(0.0);
            repairs.trim();
        }
        assert_eq!(repairs.copies.len(), MAX_REPAIRS);
    }
}
