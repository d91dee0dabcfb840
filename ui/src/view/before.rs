//! The page before a call: what will be sent, and who learns what. Camera and microphone are off until they are
//! switched on here.

use std::net::SocketAddr;

use eframe::egui::{Align, ComboBox, Layout, Rect, RichText, Sense, Ui, vec2};

use super::{Entry, Page, Scene, column, sources};
use crate::command::Command;
use crate::format;
use crate::model::{Address, Choice, CodeText, Model, Reading, Rule, Wanted};
use crate::picture::{Canvas, Fit, Source};
use crate::tokens::{GAP, NARROW, RADIUS};
use crate::widget::{self, Icon, Look};

/// The widest that both columns together get, points.
const WIDTH: f32 = 1020.0;

/// What is filled in.
#[derive(Default)]
pub struct State {
    wanted: Wanted,
    camera_is_on: bool,
    microphone_is_on: bool,
}

impl State {
    /// The page is opened: it begins with what was chosen last, with everything off.
    pub fn begin(&mut self, scene: &mut Scene<'_>) {
        let model = scene.model;
        let mut wanted = model.wanted.clone();
        let devices = &model.devices;
        for (choice, names) in [
            (&mut wanted.camera, &devices.cameras),
            (&mut wanted.microphone, &devices.microphones),
            (&mut wanted.speaker, &devices.speakers),
        ] {
            // What was used last may not be plugged in today.
            let is_there = match choice {
                Choice::Off => false,
                Choice::Named(name) => names.contains(name),
                Choice::Default | Choice::Test | Choice::File(_) => true,
            };
            if !is_there {
                *choice = Choice::Default;
            }
        }
        retain_present(&mut wanted.share, model);
        if wanted.share.is_empty() {
            let first = model.addresses.iter().find(|own| own.medium != "loopback");
            wanted
                .share
                .extend(first.or(model.addresses.first()).map(|own| own.address));
        }
        // Whatever was on before is off now, as the page shows it.
        if model.own.camera.is_some() {
            scene.wish(Command::Camera(Choice::Off));
        }
        if model.own.microphone.is_some() {
            scene.wish(Command::Microphone(Choice::Off));
        }
        *self = Self {
            wanted,
            ..Self::default()
        };
    }

    /// The page is left without a call: what was tried out is switched off.
    pub fn end(&mut self, scene: &mut Scene<'_>) {
        scene.wish(Command::Camera(Choice::Off));
        scene.wish(Command::Microphone(Choice::Off));
        scene.wish(Command::Speaker(Choice::Off));
        scene.wish(Command::ReadCode(CodeText::default()));
        *self = Self::default();
    }

    pub fn show(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        canvas: &mut Canvas,
        entry: Entry,
    ) -> Option<Page> {
        let mut next = None;
        retain_present(&mut self.wanted.share, scene.model);
        let title = match entry {
            Entry::Start => "before-start",
            Entry::Join => "before-join",
        };
        column(ui, WIDTH, |ui| {
            ui.horizontal(|ui| {
                if widget::small(ui, &scene.tokens, Icon::Close, &scene.get("back")).clicked() {
                    next = Some(Page::Home);
                }
                ui.label(RichText::new(scene.get(title)).size(24.0).strong());
            });
            ui.add_space(GAP);
            if ui.available_width() < NARROW {
                self.devices(ui, scene, canvas);
                ui.add_space(GAP);
                self.form(ui, scene, entry);
            } else {
                let half = (ui.available_width() - GAP) / 2.0;
                ui.horizontal_top(|ui| {
                    ui.vertical(|ui| {
                        ui.set_width(half);
                        self.devices(ui, scene, canvas);
                    });
                    ui.vertical(|ui| {
                        ui.set_width(half);
                        self.form(ui, scene, entry);
                    });
                });
            }
        });
        next
    }

    fn devices(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, canvas: &mut Canvas) {
        let tokens = scene.tokens;
        widget::card(ui, &tokens, |ui| {
            let width = ui.available_width();
            let (place, response) = ui.allocate_exact_size(vec2(width, width * 9.0 / 16.0), Sense::hover());
            let fit = Fit {
                mirrored: true,
                radius: RADIUS,
            };
            ui.painter().rect_filled(place, RADIUS, tokens.tile);
            let is_seen = scene.model.own.camera.is_some() && canvas.draw(ui, place, &Source::Own, fit);
            if !is_seen {
                let id = "preview";
                widget::avatar(
                    ui,
                    &tokens,
                    place.center(),
                    place.height() * 0.22,
                    &self.wanted.name,
                    id,
                );
            }
            response.widget_info(|| {
                let name = scene.get(if is_seen { "preview" } else { "preview-off" });
                eframe::egui::WidgetInfo::labeled(eframe::egui::WidgetType::Image, true, name)
            });
            self.toggles(ui, scene, place);
            ui.add_space(GAP);
            sources::level(ui, scene);
            ui.add_space(GAP);
            let devices = &scene.model.devices;
            let (camera, microphone, speaker) = (
                sources::choose(ui, scene, "camera", &self.wanted.camera, &devices.cameras, false),
                sources::choose(
                    ui,
                    scene,
                    "microphone",
                    &self.wanted.microphone,
                    &devices.microphones,
                    false,
                ),
                sources::choose(
                    ui,
                    scene,
                    "speaker",
                    &self.wanted.speaker,
                    &devices.speakers,
                    false,
                ),
            );
            if let Some(choice) = camera {
                self.wanted.camera = choice;
                self.switch_camera(scene);
            }
            if let Some(choice) = microphone {
                self.wanted.microphone = choice;
                self.switch_microphone(scene);
            }
            if let Some(choice) = speaker {
                self.wanted.speaker = choice.clone();
                scene.wish(Command::Speaker(choice));
            }
            sources::speaker_test(ui, scene);
        });
    }

    /// Camera and microphone on or off, over the preview's lower edge.
    fn toggles(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, preview: Rect) {
        let size = vec2(120.0, 50.0);
        let center = preview.center_bottom() - vec2(0.0, 12.0 + size.y / 2.0);
        let place = Rect::from_center_size(center, size);
        let builder = eframe::egui::UiBuilder::new()
            .max_rect(place)
            .layout(Layout::left_to_right(Align::Center).with_main_justify(false));
        let mut inner = ui.new_child(builder);
        inner.add_space(8.0);
        let look = |is_on: bool| if is_on { Look::On } else { Look::Off };
        let name = scene.get(if self.microphone_is_on {
            "microphone-on"
        } else {
            "microphone-off"
        });
        let look_now = look(self.microphone_is_on);
        if widget::round(&mut inner, &scene.tokens, Icon::Microphone, &name, look_now).clicked() {
            self.microphone_is_on = !self.microphone_is_on;
            self.switch_microphone(scene);
        }
        let name = scene.get(if self.camera_is_on {
            "camera-on"
        } else {
            "camera-off"
        });
        let look_now = look(self.camera_is_on);
        if widget::round(&mut inner, &scene.tokens, Icon::Camera, &name, look_now).clicked() {
            self.camera_is_on = !self.camera_is_on;
            self.switch_camera(scene);
        }
    }

    fn switch_camera(&self, scene: &mut Scene<'_>) {
        let is_on = self.camera_is_on;
        scene.wish(Command::Camera(if is_on {
            self.wanted.camera.clone()
        } else {
            Choice::Off
        }));
    }

    fn switch_microphone(&self, scene: &mut Scene<'_>) {
        let is_on = self.microphone_is_on;
        scene.wish(Command::Microphone(if is_on {
            self.wanted.microphone.clone()
        } else {
            Choice::Off
        }));
    }

    fn form(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, entry: Entry) {
        let tokens = scene.tokens;
        widget::card(ui, &tokens, |ui| {
            let label = ui.label(scene.get("name"));
            let field = widget::field(&mut self.wanted.name)
                .hint_text(scene.get("name-hint"))
                .char_limit(64);
            ui.add(field).labelled_by(label.id);

            if let (Entry::Join, Reading::Good(summary)) = (entry, &scene.model.code) {
                widget::section(ui, &scene.get("before-contacts"));
                for address in &summary.contacts {
                    ui.monospace(address.to_string());
                }
                if let Some(clock) = &summary.over_by {
                    let values = [("clock", clock.as_str())];
                    let sentence = scene.text.with("before-contacts-over", &values);
                    ui.label(RichText::new(sentence).color(tokens.warn));
                } else {
                    let values = [("span", &*format::span(scene.text, summary.expires_in))];
                    widget::weak(ui, &scene.text.with("before-contacts-hint", &values));
                }
            }
            widget::section(ui, &scene.get("before-share"));
            for address in &scene.model.addresses {
                self.address(ui, scene, address);
            }
            if scene.model.addresses.is_empty() {
                let sentence = if scene.model.interfaces.is_empty() {
                    scene.get("before-no-address")
                } else {
                    let names = scene.model.interfaces.join(", ");
                    let values = [("interfaces", names.as_str())];
                    scene.text.with("before-no-address-on", &values)
                };
                ui.label(RichText::new(sentence).color(tokens.bad));
            }
            ui.checkbox(&mut self.wanted.tell_medium, scene.get("before-tell-medium"));

            widget::section(ui, &scene.get("before-rules"));
            rule(ui, scene, &mut self.wanted.rule);
            ui.checkbox(&mut self.wanted.admit_by_code, scene.get("before-admit-by-code"));

            widget::section(ui, &scene.get("before-who"));
            let who = match entry {
                Entry::Start => "before-who-start",
                Entry::Join => "before-who-join",
            };
            widget::weak(ui, &scene.get(who));
        });
    }

    fn address(&mut self, ui: &mut Ui, scene: &Scene<'_>, own: &Address) {
        let at = self
            .wanted
            .share
            .iter()
            .position(|shared| shared.ip() == own.address.ip());
        let mut is_shared = at.is_some();
        let reach = match (own.medium, own.is_public, own.address.is_ipv6()) {
            ("loopback", ..) => "reach-machine",
            (_, true, true) => "reach-public-6",
            (_, true, false) => "reach-public-4",
            (_, false, _) => "reach-network",
        };
        let interface = format::interface(scene.text, Some(&own.interface), Some(own.medium));
        let words = format!("{}\n{interface}, {}", own.address.ip(), scene.get(reach));
        if ui.checkbox(&mut is_shared, words).changed() {
            match at {
                Some(at) => {
                    self.wanted.share.remove(at);
                }
                None => self.wanted.share.push(own.address),
            }
        }
        if is_shared && own.is_public && own.medium != "vpn" {
            let warning = if own.is_lasting {
                "reach-warn-machine"
            } else {
                "reach-warn-home"
            };
            ui.label(
                RichText::new(scene.get(warning))
                    .color(scene.tokens.warn)
                    .size(13.5),
            );
        }
    }

    /// Below the page, always in sight: what is missing, and the button that goes on.
    pub fn go(&self, ui: &mut Ui, scene: &mut Scene<'_>, entry: Entry) {
        let missing = if self.wanted.share.is_empty() {
            Some("before-missing-address")
        } else if self.wanted.name.trim().is_empty() {
            Some("before-missing-name")
        } else {
            None
        };
        let label = match entry {
            Entry::Start => "before-start-button",
            Entry::Join => "before-join-button",
        };
        column(ui, WIDTH, |ui| {
            ui.horizontal_wrapped(|ui| {
                let button = widget::primary(&scene.tokens, &scene.get(label));
                if ui.add_enabled(missing.is_none(), button).clicked() {
                    match (entry, &scene.model.code) {
                        (Entry::Start, _) => scene.wish(Command::Start(self.wanted.clone())),
                        (Entry::Join, Reading::Good(summary)) => {
                            scene.wish(Command::Join(summary.text.clone(), self.wanted.clone()));
                        }
                        (Entry::Join, _) => {}
                    }
                }
                if let Some(missing) = missing {
                    ui.label(RichText::new(scene.get(missing)).color(scene.tokens.warn));
                }
            });
        });
    }
}

/// Addresses that are gone are shared no more.
fn retain_present(share: &mut Vec<SocketAddr>, model: &Model) {
    share.retain(|shared| model.addresses.iter().any(|own| own.address.ip() == shared.ip()));
}

/// Where media may go unasked: the rules, in words.
pub fn rule(ui: &mut Ui, scene: &Scene<'_>, chosen: &mut Rule) -> bool {
    let before = *chosen;
    let words = |rule: Rule| scene.get(rule_name(rule));
    let label = ui.label(scene.get("rule"));
    let width = ui.available_width().min(420.0);
    let combo = ComboBox::from_id_salt("rule")
        .selected_text(words(*chosen))
        .width(width)
        .truncate();
    let response = combo.show_ui(ui, |ui| {
        for rule in [Rule::Ask, Rule::Listed, Rule::Same, Rule::All, Rule::None] {
            ui.selectable_value(chosen, rule, words(rule));
        }
    });
    response.response.labelled_by(label.id);
    *chosen != before
}

/// The text's name for a rule.
pub const fn rule_name(rule: Rule) -> &'static str {
    match rule {
        Rule::Ask => "rule-ask",
        Rule::Listed => "rule-listed",
        Rule::Same => "rule-same",
        Rule::All => "rule-all",
        Rule::None => "rule-none",
    }
}
