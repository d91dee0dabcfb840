use proptest::prelude::*;

use super::*;

const CHANNEL: Channel = Channel::Feedback;

/// What happens next between two members.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The sender's program says something of this length.
    Say(usize),
    /// What may be sent is.
    Send,
    /// The receiver's program takes a message.
    Take,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..=CHANNEL.max_message()).prop_map(Step::Say),
        Just(Step::Send),
        Just(Step::Take)
    ]
}

proptest! {
    #[test]
    fn everything_that_is_taken_in_arrives_once_in_order_and_both_sides_stay_within_the_window(
        steps in prop::collection::vec(step(), 0..400),
    ) {
        let [mut sender, mut receiver] = [(), ()].map(|()| Channels::default());
        let (mut said, mut arrived, mut waiting) = (Vec::new(), Vec::new(), VecDeque::new());
        // In the end the receiver's program takes everything.
        let rest = [Step::Send, Step::Take].repeat(2 * steps.len() + 2);
        for step in steps.into_iter().chain(rest) {
            match step {
                Step::Say(len) => {
                    let message = vec![said.len() as u8; len];
                    match sender.push(CHANNEL, message.clone()) {
                        Ok(()) => said.push(message),
                        Err(back) => prop_assert_eq!(back, message),
                    }
                }
                Step::Send => while let Some((_, message)) = sender.poll() {
                    prop_assert_eq!(receiver.handle_message(CHANNEL, message.len()), Ok(()));
                    waiting.push_back(message);
                },
                Step::Take => if let Some(message) = waiting.pop_front() {
                    if let Some(credit) = receiver.handle_consumed(CHANNEL, message.len()) {
                        prop_assert_eq!(sender.handle_credit(CHANNEL, credit), Ok(()));
                    }
                    arrived.push(message);
                },
            }
            let held = |messages: &VecDeque<Vec<u8>>| messages.iter().map(|message| CHANNEL.cost(message.len())).sum::<usize>();
            prop_assert!(held(&waiting) <= CHANNEL.window());
            prop_assert!(held(&sender.0[0].queue) <= CHANNEL.window());
        }
        prop_assert_eq!(arrived, said);
    }
}

#[test]
fn who_is_turned_away_hears_once_when_there_is_room_again() {
    let mut channels = Channels::default();
    while channels.push(CHANNEL, vec![0; 500]).is_ok() {}
    assert_eq!(channels.poll_room(), None);
    while channels.poll().is_some() {}
    assert_eq!(channels.poll_room(), Some(CHANNEL));
    assert_eq!(channels.poll_room(), None);
    assert!(channels.push(CHANNEL, vec![0; 500]).is_ok());
    assert!(
        channels
            .push(CHANNEL, vec![0; CHANNEL.max_message() + 1])
            .is_err()
    );
}

#[test]
fn who_sends_or_gives_more_than_there_is_breaks_the_protocol() {
    let mut channels = Channels::default();
    assert_eq!(channels.handle_credit(CHANNEL, 1), Err(Violation));
    assert_eq!(
        channels.handle_message(CHANNEL, CHANNEL.max_message() + 1),
        Err(Violation)
    );
    let fit = CHANNEL.window() / (100 + COST);
    for _ in 0..fit {
        assert_eq!(channels.handle_message(CHANNEL, 100), Ok(()));
    }
    assert_eq!(channels.handle_message(CHANNEL, 100), Err(Violation));
    // A program that says it took more than there was gives no credit for it.
    let credit = (0..2 * fit).filter_map(|_| channels.handle_consumed(CHANNEL, 100));
    let (given, taken) = (credit.sum::<u32>() as usize, fit * (100 + COST));
    assert!(
        given <= taken && given > taken - CHANNEL.window() / 4,
        "{given} of {taken}"
    );
}

/// What is said, in fragments of such sizes at the most, as it comes; credit is given for what is taken.
fn pass(sender: &mut Channels, receiver: &mut Channels, rooms: &[usize]) -> Vec<Vec<u8>> {
    let mut came = Vec::new();
    let mut rooms = rooms.iter().cycle();
    while let Some(fragment) = rooms.next().and_then(|room| sender.poll_fragment(*room)) {
        let whole = receiver.handle_fragment(&fragment).expect("a fragment");
        if let Some((channel, message)) = whole {
            if let Some(credit) = receiver.handle_consumed(channel, message.len()) {
                assert_eq!(sender.handle_credit(channel, credit), Ok(()));
            }
            came.push(message);
        }
    }
    came
}

proptest! {
    #[test]
    fn bulk_comes_whole_and_in_order_in_fragments_of_whatever_size(
        lens in prop::collection::vec(0..=Channel::Bulk.max_message(), 1..14),
        rooms in prop::collection::vec(2_usize..40_000, 1..6),
    ) {
        let [mut sender, mut receiver] = [(), ()].map(|()| Channels::default());
        let said: Vec<_> = lens.iter().enumerate().map(|(n, len)| vec![n as u8; *len]).collect();
        for message in &said {
            prop_assert!(sender.push(Channel::Bulk, message.clone()).is_ok());
        }
        prop_assert!(sender.has_bulk());
        prop_assert_eq!(sender.poll(), None, "nothing of it goes on the control stream");
        prop_assert_eq!(pass(&mut sender, &mut receiver, &rooms), said);
        prop_assert!(!sender.has_bulk());
    }
}

#[test]
fn bulk_stops_where_its_credit_does_and_what_has_not_come_whole_comes_back_first() {
    let [mut sender, mut receiver] = [(), ()].map(|()| Channels::default());
    let mut said = 0_u8;
    // As much as is under way at the most, and as much again that waits.
    while sender.push(Channel::Bulk, vec![said; 30_000]).is_ok() {
        said += 1;
    }
    let mut came = 0;
    while let Some(fragment) = sender.poll_fragment(7000) {
        came += usize::from(
            receiver
                .handle_fragment(&fragment)
                .expect("there is credit")
                .is_some(),
        );
    }
    assert_eq!(came, Channel::Bulk.window() / Channel::Bulk.cost(30_000));
    assert!(!sender.has_bulk());
    for _ in 0..came {
        if let Some(credit) = receiver.handle_consumed(Channel::Bulk, 30_000) {
            sender.handle_credit(Channel::Bulk, credit).expect("it was used");
        }
    }
    assert!(sender.push(Channel::Bulk, vec![said; 30_000]).is_ok());
    assert!(sender.poll_fragment(7000).is_some());
    let back: Vec<_> = sender.into_queued().map(|(_, message)| message[0]).collect();
    assert_eq!(back.first(), Some(&(came as u8)), "a part of it has left");
    assert_eq!(back.len(), usize::from(said) + 1 - came);
}

#[test]
fn fragments_that_no_program_makes_break_the_protocol() {
    let feedback = [Channel::Feedback.id() << 1 | 1, 7];
    let unknown = [0x7f << 1 | 1, 7];
    let empty = [Channel::Bulk.id() << 1];
    for fragment in [&[][..], &feedback, &unknown, &empty] {
        assert_eq!(
            Channels::default().handle_fragment(fragment),
            Err(Violation),
            "{fragment:?}"
        );
    }
    let mut channels = Channels::default();
    let more = [&empty[..], &[0; 20_000]].concat();
    assert_eq!(channels.handle_fragment(&more), Ok(None));
    assert_eq!(channels.handle_fragment(&more), Err(Violation), "too long");
    // Without credit: as many of the smallest as there is room for, and one more.
    let mut channels = Channels::default();
    let whole = [Channel::Bulk.id() << 1 | 1];
    for _ in 0..Channel::Bulk.max_messages() {
        assert!(
            channels
                .handle_fragment(&whole)
                .is_ok_and(|message| message.is_some())
        );
    }
    assert_eq!(channels.handle_fragment(&whole), Err(Violation));
}
