//! The bar below the tiles: microphone, camera, panels, leave.

use eframe::egui::{RichText, Ui, vec2};

use super::{Side, State};
use crate::command::Command;
use crate::format;
use crate::model::{Call, Choice};
use crate::tokens::{GAP, ROUND};
use crate::view::Scene;
use crate::view::overlay::{Leaving, Overlays};
use crate::widget::{self, Icon, Look};

/// Muted, or not; a microphone that is off is switched on.
pub fn toggle_microphone(scene: &mut Scene<'_>) {
    let own = &scene.model.own;
    let command = match &own.microphone {
        Some(_) => Command::Mute(!own.muted),
        None if own.microphone_is_missing => Command::Microphone(Choice::Off),
        None => Command::Microphone(scene.model.wanted.microphone.switched_on()),
    };
    scene.wish(command);
}

/// The camera on, or off.
pub fn toggle_camera(scene: &mut Scene<'_>) {
    let choice = match &scene.model.own.camera {
        Some(_) => Choice::Off,
        None if scene.model.own.camera_is_missing => Choice::Off,
        None => scene.model.wanted.camera.switched_on(),
    };
    scene.wish(Command::Camera(choice));
}

impl State {
    pub(super) fn bar(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, call: &Call, overlays: &mut Overlays) {
        let own = &scene.model.own;
        let is_silent = own.muted || own.microphone.is_none();
        if own.muted && own.speaking && own.microphone.is_some() {
            ui.vertical_centered(|ui| {
                ui.label(
                    RichText::new(scene.get("you-are-muted"))
                        .color(scene.tokens.warn)
                        .strong(),
                );
            });
        }
        // Nine buttons and what stands beside them.
        let wide = ui.available_width() > 9.0 * (ROUND + GAP) + 300.0;
        let buttons = 9.0 * ROUND + 8.0 * GAP + 2.0 * GAP;
        ui.horizontal(|ui| {
            let beside = ((ui.available_width() - buttons) / 2.0).max(0.0);
            let text_room = (beside - GAP).max(0.0);
            if wide {
                ui.allocate_ui(vec2(text_room, ROUND), |ui| {
                    ui.set_min_width(text_room);
                    status(ui, scene, call);
                });
            } else {
                ui.add_space(beside);
                ui.spacing_mut().item_spacing.x =
                    ((ui.available_width() - 9.0 * ROUND) / 9.0).clamp(2.0, GAP);
            }
            let name = scene.get(match (&scene.model.own.microphone, is_silent) {
                (None, _) if scene.model.own.microphone_is_missing => "microphone-missing",
                (None, _) => "microphone-off",
                (_, true) => "you-muted",
                (_, false) => "you-unmuted",
            });
            let look = if is_silent { Look::Off } else { Look::On };
            if widget::round(ui, &scene.tokens, Icon::Microphone, &name, look).clicked() {
                toggle_microphone(scene);
            }
            let has_camera = scene.model.own.camera.is_some();
            let name = scene.get(match (has_camera, scene.model.own.camera_is_missing) {
                (true, _) => "camera-on",
                (false, true) => "camera-missing",
                (false, false) => "camera-off",
            });
            let look = if has_camera { Look::On } else { Look::Off };
            if widget::round(ui, &scene.tokens, Icon::Camera, &name, look).clicked() {
                toggle_camera(scene);
            }
            ui.add_space(GAP);
            let is_large = self.has_stage;
            let (icon, name) = if is_large {
                (Icon::Grid, "layout-grid")
            } else {
                (Icon::Stage, "layout-stage")
            };
            if widget::round(ui, &scene.tokens, icon, &scene.get(name), Look::Plain).clicked() {
                self.has_stage = !is_large;
                self.pinned = None;
            }
            for (side, icon) in [
                (Side::People, Icon::People),
                (Side::Routes, Icon::Route),
                (Side::Invite, Icon::Invite),
                (Side::Diagnostics, Icon::Diagnostics),
                (Side::Settings, Icon::Settings),
            ] {
                let look = if self.side == Some(side) {
                    Look::On
                } else {
                    Look::Plain
                };
                let name = scene.get(side.title());
                if widget::round(ui, &scene.tokens, icon, &name, look).clicked() {
                    self.toggle(side);
                }
            }
            ui.add_space(GAP);
            if widget::round(
                ui,
                &scene.tokens,
                Icon::Leave,
                &scene.get("leave-button"),
                Look::Danger,
            )
            .clicked()
            {
                overlays.leaving = Some(Leaving::Call);
            }
            if wide {
                let rest = eframe::egui::Layout::right_to_left(eframe::egui::Align::Center);
                ui.with_layout(rest, |ui| {
                    if widget::small(ui, &scene.tokens, Icon::Help, &scene.get("key-help-open")).clicked() {
                        overlays.has_help = true;
                    }
                    if widget::small(ui, &scene.tokens, Icon::Cover, &scene.get("key-cover")).clicked() {
                        overlays.is_covered = true;
                    }
                });
            }
        });
    }
}

/// For how long, and to how many addresses sound and picture go just now.
fn status(ui: &mut Ui, scene: &Scene<'_>, call: &Call) {
    let active = call
        .people
        .iter()
        .filter(|person| {
            let route = person.route.as_ref();
            route.is_some_and(|route| route.state == crate::model::RouteState::Active)
        })
        .count();
    let lasted = scene.model.now.saturating_sub(call.since);
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.add_space(4.0);
        ui.label(RichText::new(format::clock(lasted)).strong());
        let own = &scene.model.own;
        let words = if own.camera.is_none() && own.microphone.is_none() {
            scene.get("bar-nothing")
        } else {
            scene
                .text
                .with("bar-addresses", &[("count", &active.to_string())])
        };
        ui.add(eframe::egui::Label::new(RichText::new(words).color(scene.tokens.weak).size(13.0)).truncate());
    });
}
