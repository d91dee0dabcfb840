use std::time::Duration;

use clap::Parser;
use sightline_mesh_proto::ledger::{Ledger, Passage};

use super::*;
use crate::args::{Arguments, Verb};
use crate::event::{AudioStats, Path, Route, Step, VideoStats};
use crate::record;

fn two() -> Summary {
    let arguments = Arguments::try_parse_from(["sightline", "demo", "--people", "2"]).expect("arguments");
    let Some(Verb::Demo(options)) = arguments.verb else {
        panic!("a demo")
    };
    Summary::new(&["Ann", "Bob"], &options)
}

/// A second in which Bob or Ann was as loud as this, and shown so often.
fn stats(level_db: f64, fps: u32) -> Stats {
    Stats {
        peer: "id".into(),
        rtt_ms: None,
        loss: 0.0,
        send_bps: 0,
        recv_bps: 0,
        estimate_bps: None,
        gave_way: "nothing".into(),
        sent_layer: None,
        pacing_ms: None,
        queue_ms: None,
        sent_loss: None,
        repaired: None,
        left_out: None,
        encode_ms: None,
        dropped_packets: 0,
        audio: AudioStats {
            delay_ms: None,
            concealed: 0,
            frame_ms: 10.0,
            network_ms: None,
            buffer_ms: 20.0,
            target_ms: 20.0,
            recovered: 0,
            stretched: 0,
            level_db: Some(level_db),
        },
        video: VideoStats {
            fps,
            width: None,
            height: None,
            freezes: 0,
            frozen_s: 0.0,
            delay_ms: None,
            decode_ms: None,
            lost: 0,
            dropped_packets: 0,
        },
        screen: None,
    }
}

fn tell_everything(summary: &mut Summary) {
    for (index, other, own_port, other_port) in [(0, "Bob", 1, 2), (1, "Ann", 2, 1)] {
        let mut say = |event: Event| summary.note(index, &event);
        say(Event::Listening {
            local: vec![([127, 0, 0, 1], own_port).into()],
        });
        say(Event::Joined {
            peer: "id".into(),
            name: other.into(),
            invited_by: "id".into(),
        });
        say(Event::FirstAudio {
            peer: "id".into(),
            track: Track::Voice,
            since_join: 0.1,
        });
        say(Event::FirstVideo {
            peer: "id".into(),
            track: Track::Camera,
            since_join: 0.2,
        });
        say(Event::Route(Step {
            route: Route {
                path: Path {
                    kind: "direct".into(),
                    via: None,
                    local: ([127, 0, 0, 1], own_port).into(),
                    interface: None,
                    remote: ([127, 0, 0, 1], other_port).into(),
                    peer_interface: None,
                },
                id: 1,
                peer: Some("id".into()),
                state: State::Active.word().into(),
                approved_by: None,
                theirs: "given".into(),
            },
            at: 0.0,
            old_state: None,
            reason: "rule".into(),
        }));
        say(Event::Stats(Box::new(stats(-20.0, 30))));
        say(ledger(&[(format!("127.0.0.1:{other_port}"), Passage::Sent)]));
        say(Event::End { why: "left".into() });
    }
}

/// A ledger, as a participant tells it.
fn ledger(passages: &[(String, Passage)]) -> Event {
    let mut ledger = Ledger::default();
    for (remote, passage) in passages {
        let pair = (([127, 0, 0, 1], 2).into(), remote.parse().expect("an address"));
        ledger.count(pair, 1200, *passage, None, Duration::ZERO);
    }
    Event::Ledger(record::ledger(&ledger))
}

#[test]
fn a_call_in_which_everybody_heard_and_saw_everybody_is_good() {
    let mut summary = two();
    tell_everything(&mut summary);
    let verdict = summary.verdict();
    assert!(verdict.is_good(), "{verdict:?}");
    let told = summary.to_text(&verdict);
    assert!(told.contains("Everybody heard and saw everybody."), "{told}");
    let remotes: Vec<_> = summary.pairs().map(|(.., pair)| pair.remote).collect();
    let expected = [2, 1].map(|port| Some(SocketAddr::from(([127, 0, 0, 1], port))));
    assert_eq!(remotes, expected);
}

#[test]
fn silence_a_black_picture_a_stranger_and_a_crash_are_each_told() {
    let mut summary = two();
    tell_everything(&mut summary);
    let pair = summary.participants[0].pairs.get_mut("Bob").expect("a pair");
    *pair = Pair {
        first_audio: Some(0.1),
        ..Pair::default()
    };
    pair.note(&stats(-90.0, 0));
    let verdict = summary.verdict();
    assert_eq!(verdict.not_heard, [("Ann".to_owned(), "Bob".to_owned())]);
    assert_eq!(verdict.not_seen, [("Ann".to_owned(), "Bob".to_owned())]);
    assert!(summary.to_text(&verdict).contains("Ann did not hear Bob."));

    let mut summary = two();
    tell_everything(&mut summary);
    summary.note(1, &ledger(&[("192.0.2.9:5".into(), Passage::Received)]));
    assert_eq!(summary.verdict().strangers, ["192.0.2.9:5"]);

    let mut summary = two();
    tell_everything(&mut summary);
    summary.note_exit(1);
    assert_eq!(summary.verdict().unfinished, ["Bob"]);
    assert!(!two().verdict().is_good(), "nobody said anything");
}

#[test]
fn whoever_was_refused_took_no_part_and_is_counted_with_a_row_or_without() {
    // More than have rows of their own.
    let knocks = (1..=1000).map(|port| (format!("192.0.2.9:{port}"), Passage::Refused));
    let mut summary = two();
    tell_everything(&mut summary);
    summary.note(1, &ledger(&knocks.collect::<Vec<_>>()));
    let verdict = summary.verdict();
    assert!(verdict.is_good(), "{verdict:?}");
    let text = summary.to_text(&verdict);
    let told = "No other address was contacted; 1000 packets of strangers were refused.";
    assert!(text.contains(told), "{text}");
}
