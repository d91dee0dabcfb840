//! What waits for the disk.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::RecordingId;
use crate::picture::Picture;

/// Blocks that may wait: two seconds of one member, and no more pictures than that.
const MAX_BLOCKS: usize = 200;

/// And what else: more than the members of a call can come and go in the time of those blocks.
const MAX_OTHERS: usize = 1024;

/// One block of one stream, as played out.
pub struct Block {
    pub file: RecordingId,
    /// Samples that the disk was too slow for, before these: written as silence, so that the clock holds.
    pub lost: u64,
    pub samples: Vec<f32>,
    pub picture: Option<Arc<Picture>>,
}

pub enum Message {
    Open { file: RecordingId, name: String },
    Block(Block),
    Close { file: RecordingId },
}

#[derive(Default)]
struct Waiting {
    messages: VecDeque<Message>,
    blocks: usize,
    is_over: bool,
    /// All of it was written.
    is_done: bool,
}

/// Messages to the recorder's thread. Who pushes does not wait.
#[derive(Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

impl Queue {
    /// A block; returns false when the disk is too slow for it.
    pub fn try_push(&self, block: Block) -> bool {
        let mut waiting = self.lock();
        let has_room = waiting.blocks < MAX_BLOCKS;
        if has_room {
            waiting.blocks += 1;
            waiting.messages.push_back(Message::Block(block));
            self.changed.notify_all();
        }
        has_room
    }

    /// Anything else. It is dropped when absurdly much waits.
    pub fn push(&self, message: Message) {
        let mut waiting = self.lock();
        if waiting.messages.len() < MAX_BLOCKS + MAX_OTHERS {
            waiting.messages.push_back(message);
            self.changed.notify_all();
        }
    }

    /// No more will come. Waits until all was written, but no longer than this.
    pub fn end(&self, patience: Duration) {
        let mut waiting = self.lock();
        waiting.is_over = true;
        self.changed.notify_all();
        let is_busy = |waiting: &mut Waiting| !waiting.is_done;
        let _in_time = self.changed.wait_timeout_while(waiting, patience, is_busy);
    }

    /// All was written.
    pub fn finish(&self) {
        self.lock().is_done = true;
        self.changed.notify_all();
    }

    /// The next, once there is one; `None` after the last.
    pub fn pop(&self) -> Option<Message> {
        let is_idle = |waiting: &mut Waiting| waiting.messages.is_empty() && !waiting.is_over;
        let waiting = self.changed.wait_while(self.lock(), is_idle);
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        let message = waiting.messages.pop_front();
        waiting.blocks -= usize::from(matches!(message, Some(Message::Block(_))));
        message
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
