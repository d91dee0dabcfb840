//! What the call says, to the program above.

use std::sync::{Arc, Mutex, PoisonError};

use sightline_mesh_proto::{Channel, Command, Event};
use tokio::sync::{Notify, mpsc};

/// Events that may wait for the program above.
pub const EVENTS: usize = 6144;

/// Connections with one member: the one that serves, the one before, and two that meet on the way back.
pub const MAX_PER_PEER: u32 = 4;

/// Members at the most.
const MEMBERS: usize = 16;

/// Messages of all connections find room beside everything else: each has credit for so many.
const _: () = {
    let connections = MEMBERS * MAX_PER_PEER as usize;
    let (mut messages, mut at) = (0, 0);
    while at < Channel::ALL.len() {
        messages += Channel::ALL[at].max_messages();
        at += 1;
    }
    assert!(messages * connections <= EVENTS / 2);
};

/// Messages that the program above has taken, and whose senders may send more. There are no more of them than there was credit
/// for.
#[derive(Clone)]
pub struct Consumed {
    commands: Arc<Mutex<Vec<Command>>>,
    waiting: Arc<Notify>,
}

impl Consumed {
    /// `waiting` wakes the loop.
    pub fn new(waiting: &Arc<Notify>) -> Self {
        Self {
            commands: Arc::default(),
            waiting: Arc::clone(waiting),
        }
    }

    fn push(&self, command: Command) {
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        commands.push(command);
        drop(commands);
        self.waiting.notify_one();
    }

    /// What the call is to be told of it.
    pub fn take(&self) -> Vec<Command> {
        std::mem::take(&mut *self.commands.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The call's events, in order. A message counts as taken by the program with its event.
pub struct Events {
    events: mpsc::Receiver<Event>,
    consumed: Consumed,
}

impl Events {
    pub(crate) const fn new(events: mpsc::Receiver<Event>, consumed: Consumed) -> Self {
        Self { events, consumed }
    }

    /// Waits for the next event; `None` when the loop has ended. Not for the mesh's own thread.
    pub fn blocking_recv(&mut self) -> Option<Event> {
        let event = self.events.blocking_recv()?;
        self.note(&event);
        Some(event)
    }

    /// The next event, if it is there.
    pub fn try_recv(&mut self) -> Option<Event> {
        let event = self.events.try_recv().ok()?;
        self.note(&event);
        Some(event)
    }

    fn note(&self, event: &Event) {
        if let Event::Message {
            conn, channel, body, ..
        } = event
        {
            self.consumed.push(Command::Consumed(*conn, *channel, body.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use libp2p::identity::PeerId;
    use sightline_mesh_proto::ConnId;

    use super::*;

    #[tokio::test]
    async fn what_is_taken_is_told_to_a_loop_that_waits_for_nothing_else() {
        let waiting = Arc::new(Notify::new());
        let consumed = Consumed::new(&waiting);
        let (sink, events) = mpsc::channel(4);
        let mut events = Events::new(events, consumed.clone());
        let message = Event::Message {
            peer: PeerId::random(),
            conn: ConnId(3),
            channel: Channel::Feedback,
            body: vec![0; 7],
        };
        sink.send(message).await.expect("room");
        assert!(consumed.take().is_empty());
        assert!(events.try_recv().is_some());
        waiting.notified().await;
        let taken = consumed.take();
        assert!(
            matches!(taken[..], [Command::Consumed(ConnId(3), Channel::Feedback, 7)]),
            "{taken:?}"
        );
    }
}
