use serde_json::{Value, json};

use super::*;

#[test]
fn events_keep_the_names_that_programs_rely_on() {
    let path = json!({
        "kind": "direct", "via": null, "local": "[fe80::1%2]:5", "interface": "eth0", "remote": "[fe80::2%2]:6",
        "peer_interface": null,
    });
    let with = |base: &Value, more: Value| {
        let mut all = base.clone();
        let fields = all.as_object_mut().expect("fields");
        fields.extend(more.as_object().expect("fields").clone());
        all
    };
    let route = json!({"id": 1, "peer": null, "state": "active", "approved_by": "code", "theirs": "given"});
    let route = with(&path, route);
    let step = with(
        &route,
        json!({"at": 1.0, "old_state": "approved", "reason": "rule"}),
    );
    let counts = json!({
        "sent_bytes": 1, "sent_packets": 2, "recv_bytes": 3, "recv_packets": 4, "refused_bytes": 5,
        "refused_packets": 6, "first": 0.1, "last": 0.2,
    });
    let row = with(
        &counts,
        json!({"local": "10.0.0.1:1", "remote": "10.0.0.2:2", "peer": "p"}),
    );
    let audio = json!({
        "delay_ms": 30.0, "concealed": 0, "frame_ms": 10.0, "network_ms": null, "buffer_ms": 20.0, "target_ms": 20.0,
        "recovered": 0, "stretched": 1, "level_db": -20.0,
    });
    let video = json!({
        "fps": 30, "width": 640, "height": 360, "freezes": 0, "frozen_s": 0.0, "delay_ms": null, "decode_ms": 1.0,
        "lost": 0, "dropped_packets": 0,
    });
    let stats = json!({
        "peer": "p", "rtt_ms": 1.0, "loss": 0.0, "send_bps": 1, "recv_bps": 2, "estimate_bps": 3,
        "gave_way": "nothing", "sent_layer": "360p30", "pacing_ms": 0.0, "queue_ms": 0.0, "sent_loss": 0.0,
        "repaired": 0, "left_out": 0, "encode_ms": null, "dropped_packets": 0, "audio": audio, "video": video,
    });
    let earlier = json!({"steps": 0, "activations": 0, "first": 0.0, "last": 0.0});
    let events = [
        ("listening", json!({"local": ["127.0.0.1:1"]})),
        (
            "code",
            json!({"code": "C", "expires": "2026-10-25T01:00:00Z", "uses": 1}),
        ),
        ("knock", json!({"peer": "p", "name": "Ann", "from": "10.0.0.2:2"})),
        ("joined", json!({"peer": "p", "name": "Ann", "invited_by": "q"})),
        (
            "left",
            json!({"peer": "p", "name": "Ann", "invited_by": "q", "why": "lost"}),
        ),
        ("route", step.clone()),
        (
            "ask",
            json!({
                "id": 1, "peer": "p", "name": null, "old": path, "new": route, "reason": "first",
                "shares_address": true,
            }),
        ),
        ("answered", json!({"id": 1, "answer": "denied"})),
        ("waiting", json!({"peer": "p", "name": "Ann"})),
        (
            "first_audio",
            json!({"peer": "p", "track": "voice", "since_join": 0.1}),
        ),
        (
            "first_audio",
            json!({"peer": "p", "track": "screen_audio", "since_join": 0.1}),
        ),
        (
            "first_video",
            json!({"peer": "p", "track": "camera", "since_join": 0.1}),
        ),
        (
            "first_video",
            json!({"peer": "p", "track": "screen", "since_join": 0.1}),
        ),
        ("problem", json!({"code": "c", "message": "m", "peer": null})),
        ("hears", json!({"matrix": {"p": ["q"]}})),
        ("stats", with(&stats, json!({"screen": stats["video"]}))),
        ("stats", stats),
        (
            "ledger",
            json!({"rows": [row], "earlier": with(&counts, json!({"rows": 7}))}),
        ),
        ("history", json!({"steps": [step], "earlier": earlier})),
        ("saved", json!({"path": "a.json"})),
        (
            "encoder",
            json!({"name": "aom", "ms_per_frame": 5.0, "held_back": 0, "dropped": 0}),
        ),
        ("end", json!({"why": "left"})),
    ];
    for (name, fields) in events {
        let line = with(&fields, json!({"event": name, "t": 1.5}));
        for line in [line.clone(), with(&line, json!({"participant": "Bob"}))] {
            let read: Line = serde_json::from_value(line.clone()).expect(name);
            assert_eq!(serde_json::to_value(&read).expect("JSON"), line);
        }
    }
}

#[test]
fn a_code_does_not_print() {
    let code = Event::Code {
        code: CodeText("CAAQC".into()),
        expires: String::new(),
        uses: 1,
    };
    assert!(!format!("{code:?}").contains("CAAQC"));
}
