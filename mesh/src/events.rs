//! What the call says, to the program above.

use std::collections::VecDeque;

use sightline_mesh_proto::{Channel, Command, Event};
use tokio::sync::mpsc;

use crate::actor::Input;

/// Events that may wait for the program above.
pub const EVENTS: usize = 1024;

/// Members at the most.
const MEMBERS: usize = 16;

/// Messages of all members find room beside everything else: each has credit for so many.
const _: () = assert!(Channel::Feedback.max_messages() * MEMBERS * Channel::ALL.len() <= EVENTS / 2);

/// The call's events, in order. Who takes the next one has handled the one before: its sender may send more.
pub struct Events {
    events: mpsc::Receiver<Event>,
    inputs: mpsc::WeakSender<Input>,
    /// What was taken, and the loop had no time to be told.
    consumed: VecDeque<Command>,
}

impl Events {
    pub(crate) fn new(events: mpsc::Receiver<Event>, inputs: &mpsc::Sender<Input>) -> Self {
        Self {
            events,
            inputs: inputs.downgrade(),
            consumed: VecDeque::new(),
        }
    }

    /// Waits for the next event; `None` when the loop has ended. Not for the mesh's own thread.
    pub fn blocking_recv(&mut self) -> Option<Event> {
        self.tell_consumed();
        let event = self.events.blocking_recv()?;
        self.note(&event);
        Some(event)
    }

    /// The next event, if it is there.
    pub fn try_recv(&mut self) -> Option<Event> {
        self.tell_consumed();
        let event = self.events.try_recv().ok()?;
        self.note(&event);
        Some(event)
    }

    fn note(&mut self, event: &Event) {
        if let Event::Message {
            conn, channel, body, ..
        } = event
        {
            let consumed = Command::Consumed(*conn, *channel, body.len());
            self.consumed.push_back(consumed);
        }
    }

    /// Does not wait: the loop may be waiting for whoever takes events. What it has no room for is told later, and there is no
    /// more of it than there was credit for.
    fn tell_consumed(&mut self) {
        let Some(inputs) = self.inputs.upgrade() else {
            return self.consumed.clear();
        };
        while let Some(command) = self.consumed.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(Input::Command(command))) =
                inputs.try_send(Input::Command(command))
            {
                return self.consumed.push_front(command);
            }
        }
    }
}
