//! A window without a screen: models to show, and what the user does with it.
#![allow(dead_code, reason = "each test file uses a part of it")]

mod raster;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use eframe::egui::{Shape, Ui, UiBuilder, Vec2};
use egui_kittest::Harness;
use sightline_ui::model::{
    Address, AddressRow, Call, Choice, CodeSummary, Devices, Graph, History, Invite, InviteState, Knock, Own,
    Path, Person, PersonId, Preferences, Quality, Question, Reading, Route, RouteState, Rule, Step, Theme,
    Wanted,
};
use sightline_ui::{Command, Model, Picture, Pictures, Source, Text, View};

pub use raster::Raster;

/// A window, its model, and what was wished.
pub struct Stand {
    pub view: View,
    pub model: Model,
    pub wishes: Vec<Command>,
    pub level: f32,
}

/// A window of this size, in English.
pub fn window(size: [f32; 2], model: Model) -> Harness<'static, Stand> {
    window_in(Text::new("en"), size, model)
}

/// A window with these texts.
pub fn window_in(text: Text, size: [f32; 2], model: Model) -> Harness<'static, Stand> {
    let pictures = Arc::<Pictures>::default();
    pictures.put(Source::Own, Arc::new(Gradient([320, 180], 40)));
    for (n, person) in model.call.iter().flat_map(|call| &call.people).enumerate() {
        let picture = Gradient([320, 180], 90 + 37 * n);
        pictures.put(Source::Camera(person.id.clone()), Arc::new(picture));
    }
    let stand = Stand {
        view: View::new(text, pictures, None),
        model,
        wishes: Vec::new(),
        level: 0.6,
    };
    let show = |ui: &mut Ui, stand: &mut Stand| {
        let all = ui.ctx().content_rect();
        ui.set_clip_rect(all);
        let ground = ui.painter().add(Shape::Noop);
        ui.scope_builder(UiBuilder::new().max_rect(all), |ui| {
            stand.wishes.extend(stand.view.watch(ui.ctx(), &stand.model));
            let wishes = stand.view.show(ui, &stand.model, stand.level);
            stand.wishes.extend(wishes);
        });
        let fill = Shape::rect_filled(all, 0.0, stand.view.ground());
        ui.painter().set(ground, fill);
    };
    Harness::builder()
        .with_size(Vec2::from(size))
        .with_max_steps(20)
        .with_step_dt(0.25)
        .renderer(Raster::default())
        .build_ui_state(show, stand)
}

/// Draws until nothing changes, but for what moves for ever.
pub fn settle(harness: &mut Harness<'_, Stand>) {
    harness.run_steps(6);
}

/// A picture that shows which way up it is and what is left and right.
pub struct Gradient(pub [usize; 2], pub usize);

impl Picture for Gradient {
    fn size(&self) -> [usize; 2] {
        self.0
    }

    fn planes(&self) -> [&[u8]; 3] {
        static PLANES: Mutex<Vec<(usize, &'static [u8])>> = Mutex::new(Vec::new());
        let Self([width, height], hue) = *self;
        let mut planes = PLANES.lock().expect("unpoisoned");
        let known = planes
            .iter()
            .find(|(known, _)| *known == hue)
            .map(|(_, data)| *data);
        let data = known.unwrap_or_else(|| {
            let luma = (0..width * height).map(|at| {
                let (x, y) = (at % width, at / width);
                let (dx, dy) = (x as i64 - width as i64 / 3, y as i64 - height as i64 / 2);
                let is_head = dx * dx + dy * dy < 45 * 45;
                if is_head {
                    200
                } else {
                    (60 + x * 100 / width + y * 40 / height) as u8
                }
            });
            let chroma = width.div_ceil(2) * height.div_ceil(2);
            let colours = (0..2 * chroma).map(|at| if at < chroma { (hue % 160 + 50) as u8 } else { 110 });
            let data: &'static [u8] = Vec::leak(luma.chain(colours).collect());
            planes.push((hue, data));
            data
        });
        let (y, rest) = data.split_at(width * height);
        let (u, v) = rest.split_at(rest.len() / 2);
        [y, u, v]
    }
}

pub fn preferences(theme: Theme, high_contrast: bool) -> Preferences {
    Preferences {
        theme,
        high_contrast,
        ..Preferences::default()
    }
}

/// At home, with devices and addresses.
pub fn at_home() -> Model {
    let address = |address: [u8; 4], interface: &str, medium, is_public| Address {
        address: (address, 0).into(),
        interface: interface.into(),
        medium,
        is_public,
        is_lasting: false,
    };
    Model {
        now: Duration::from_secs(100),
        devices: Devices {
            cameras: vec!["Integrated Camera".into()],
            microphones: vec!["Built-in Audio Analog Stereo".into(), "USB Headset".into()],
            speakers: vec!["Built-in Audio Analog Stereo".into(), "USB Headset".into()],
        },
        addresses: vec![
            address([192, 168, 1, 5], "wlan0", "wifi", false),
            address([10, 8, 0, 3], "wg0", "vpn", false),
            address([203, 0, 113, 9], "eth0", "cable", true),
            Address {
                address: ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 5], 0).into(),
                interface: "eth0".into(),
                medium: "cable",
                is_public: true,
                is_lasting: true,
            },
        ],
        preferences: preferences(Theme::Dark, false),
        wanted: Wanted {
            name: "Ann Archer".into(),
            camera: Choice::Default,
            microphone: Choice::Named("USB Headset".into()),
            speaker: Choice::Default,
            ..Wanted::default()
        },
        settings_path: "/home/ann/.config/sightline/settings.json".into(),
        record_path: "/home/ann/sightline-call.html".into(),
        ..Model::default()
    }
}

pub const CODE: &str = "AEQ2T-5HWKE-ZLQ4P-XNRSU-7VY3B-GDFCM-JOIA2-KTWXZ-6PQRS-TUVWX-YZ234-567AB-CDEFG-HIJKL-MNOPQ-RSTUV-WXYZ2-34567-ABCDE-FGHIJ-KLMNO-PQRST-UVWXY-Z2345-67ABC-DEFGH";

/// At home, with a code that can be used.
pub fn with_code() -> Model {
    Model {
        code: Reading::Good(CodeSummary {
            text: CODE.into(),
            contacts: vec![
                ([192, 168, 1, 9], 52_024).into(),
                ([198, 51, 100, 7], 52_024).into(),
            ],
            expires_in: Duration::from_secs(23 * 3600),
            over_by: None,
        }),
        ..at_home()
    }
}

pub fn path(last: u8, port: u16) -> Path {
    Path {
        via: None,
        local: ([192, 168, 1, 5], 41_828).into(),
        interface: Some("wlan0".into()),
        medium: Some("wifi"),
        remote: ([192, 168, 1, last], port).into(),
        remote_medium: None,
    }
}

pub fn person(n: u8, name: &str) -> Person {
    Person {
        id: PersonId(Arc::from(format!("12D3KooW{n}{name}"))),
        name: name.into(),
        invited_by: (n > 1).then(|| "Bob Brown".into()),
        route: Some(Route {
            path: path(8 + n, 52_000 + u16::from(n)),
            state: RouteState::Active,
            approved_by: Some("code"),
            theirs: "given",
            reason: "ready",
        }),
        has_video: true,
        volume: 1.0,
        quality: Quality::Good,
        round_trip: Some(Duration::from_millis(18)),
        loss: 0.004,
        receiving: 612_000,
        sending: 598_000,
        audio_delay: Some(Duration::from_millis(61)),
        video_delay: Some(Duration::from_millis(44)),
        pictures: 30,
        ..Person::default()
    }
}

/// In a call with so many others.
pub fn in_call(others: usize) -> Model {
    const NAMES: [&str; 9] = [
        "Bob Brown",
        "Cleo",
        "Dan Dürrenmatt",
        "Eve",
        "Finn Ferreira-Fontaine",
        "Gil",
        "Hana",
        "Ian",
        "Jo",
    ];
    let home = at_home();
    let mut people: Vec<_> = (1..)
        .zip(NAMES)
        .take(others)
        .map(|(n, name)| person(n, name))
        .collect();
    if let Some(bob) = people.first_mut() {
        bob.speaking = true;
    }
    if let Some(cleo) = people.get_mut(1) {
        cleo.muted = true;
        cleo.has_video = false;
        cleo.quality = Quality::Fair;
    }
    let addresses = people.iter().map(address_row).collect();
    let steps = people.iter().flat_map(steps).collect();
    Model {
        now: Duration::from_secs(1000),
        own: Own {
            camera: Some("Integrated Camera".into()),
            microphone: Some("USB Headset".into()),
            speaker: Some("USB Headset".into()),
            ..Own::default()
        },
        call: Some(Call {
            me: PersonId(Arc::from("12D3KooWme")),
            name: "Ann Archer".into(),
            is_in: true,
            since: Duration::from_secs(246),
            addresses,
            history: History {
                earlier: 0,
                steps: Arc::new(steps),
            },
            invites: vec![
                Invite {
                    number: 1,
                    code: CODE.into(),
                    expires_in: Duration::from_secs(80_000),
                    state: InviteState::UsedBy("Bob Brown".into()),
                },
                Invite {
                    number: 2,
                    code: CODE.into(),
                    expires_in: Duration::from_secs(85_000),
                    state: InviteState::Open,
                },
            ],
            local: vec![([192, 168, 1, 5], 41_828).into()],
            people,
            ..Call::default()
        }),
        ..home
    }
}

fn address_row(person: &Person) -> AddressRow {
    let path = person.route.as_ref().map(|route| route.path.clone());
    let mut graph = Graph::default();
    (0..45u64).for_each(|n| graph.push(1_100_000 + (n * n * 7919) % 240_000));
    AddressRow {
        pair: path.as_ref().map(|path| (path.local, path.remote)),
        interface: path.and_then(|path| path.interface),
        whose: Some(person.name.clone()),
        sent: 52_430_000,
        received: 54_112_000,
        refused: 0,
        sending: person.sending,
        receiving: person.receiving,
        first: Duration::from_secs(246),
        last: Duration::from_secs(999),
        graph,
    }
}

fn steps(person: &Person) -> Vec<Step> {
    let route = person.route.clone().expect("a route");
    let step = |at: u64, state, reason, approved_by| Step {
        at: Duration::from_secs(at),
        time: format!("09:{:02}:{:02}", at / 60, at % 60),
        name: Some(person.name.clone()),
        route: Route {
            state,
            reason,
            approved_by,
            ..route.clone()
        },
    };
    vec![
        step(246, RouteState::Proposed, "first", None),
        step(246, RouteState::Approved, "rule", Some("code")),
        step(247, RouteState::Active, "ready", Some("code")),
    ]
}

/// Bob has moved: media to him is paused, and the user is asked.
pub fn with_question() -> Model {
    let mut model = in_call(2);
    let call = model.call.as_mut().expect("a call");
    let bob = &mut call.people[0];
    bob.speaking = false;
    let old = bob.route.clone().expect("a route");
    bob.route = Some(Route {
        state: RouteState::Paused,
        reason: "remote_address",
        ..old.clone()
    });
    call.questions.push(Question {
        id: 7,
        name: Some("Bob Brown".into()),
        person: Some(bob.id.clone()),
        old: Some(old.path.clone()),
        new: Path {
            remote: ([198, 51, 100, 7], 52_024).into(),
            remote_medium: Some("mobile"),
            ..old.path
        },
        reason: "remote_address",
        tells_address: false,
        wider_rule: Some(Rule::Same),
    });
    model
}

/// Eve is at the door.
pub fn with_knock() -> Model {
    let mut model = in_call(2);
    let call = model.call.as_mut().expect("a call");
    call.knocks.push(Knock {
        id: PersonId(Arc::from("12D3KooWeve")),
        name: "Eve".into(),
        from: ([198, 51, 100, 77], 40_404).into(),
    });
    model
}
