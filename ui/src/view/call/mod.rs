//! The call: tiles, the bar below them, questions over them, a panel beside them.

mod bar;
mod layout;
mod question;
mod tile;

mod diagnostics;
mod invite;
mod people;
mod routes;

use std::collections::BTreeMap;

use eframe::egui::{CentralPanel, Context, Frame, Margin, Panel, RichText, ScrollArea, Ui};

use super::overlay::{Leaving, Overlays};
use super::{Scene, settings, sources};
use crate::command::Command;
use crate::keys::{self, Action};
use crate::model::{Call, Choice, Model, PersonId, TileSize};
use crate::picture::Canvas;
use crate::tokens::{GAP, NARROW, PANEL, SPACE};
use crate::widget::{self, Icon};

/// What is shown beside the tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    People,
    Routes,
    Invite,
    Settings,
    Diagnostics,
}

impl Side {
    const fn title(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Routes => "routes",
            Self::Invite => "invite",
            Self::Settings => "settings",
            Self::Diagnostics => "diagnostics",
        }
    }
}

/// What the user has opened, pinned, moved.
#[derive(Default)]
pub struct State {
    side: Option<Side>,
    pinned: Option<PersonId>,
    has_stage: bool,
    /// The speaker's tile stays large until somebody else has spoken.
    last_speaker: Option<PersonId>,
    own_corner: layout::Corner,
    /// How large each picture is shown, as it was told last.
    tile_sizes: BTreeMap<PersonId, TileSize>,
    is_talking: bool,
    /// When each question or knock was first seen, in the window's seconds.
    seen: BTreeMap<question::Ask, f64>,
    routes: routes::State,
    invite: invite::State,
}

impl State {
    /// Keys that work in a call.
    pub fn handle_keys(
        &mut self,
        ctx: &Context,
        scene: &mut Scene<'_>,
        call: &Call,
        actions: &[Action],
        overlays: &mut Overlays,
    ) {
        for action in actions {
            match action {
                // Nobody is there to hear or see anything yet, and nothing would show that it is on.
                Action::Mute | Action::Camera if !call.is_in => {}
                Action::Mute => bar::toggle_microphone(scene),
                Action::Camera => bar::toggle_camera(scene),
                Action::People => self.toggle(Side::People),
                Action::Routes => self.toggle(Side::Routes),
                Action::Invite => self.toggle(Side::Invite),
                Action::Diagnostics => self.toggle(Side::Diagnostics),
                Action::Settings => self.toggle(Side::Settings),
                Action::Layout => self.has_stage = !self.has_stage,
                Action::Leave => overlays.leaving = Some(Leaving::Call),
                Action::Close => self.side = None,
                Action::Yes | Action::YesByRule | Action::No => {
                    question::handle_key(&self.seen, ctx, scene, call, *action);
                }
                Action::Cover | Action::Help => {}
            }
        }
    }

    /// The microphone is open for as long as the key to talk is held.
    pub fn handle_talk_key(&mut self, ctx: &Context, model: &Model) -> Option<Command> {
        if model.call.as_ref().is_none_or(|call| call.ended.is_some()) {
            self.is_talking = false;
            return None;
        }
        let is_held = keys::is_talking(ctx);
        let begins = is_held && !self.is_talking && model.own.muted;
        let ends = !is_held && self.is_talking;
        if !begins && !ends {
            return None;
        }
        self.is_talking = begins;
        Some(Command::Mute(!begins))
    }

    /// While nobody can see the window nobody's pictures are asked for; what is drawn again is asked for again.
    pub fn handle_minimized(&mut self, ctx: &Context, model: &Model) -> Option<Command> {
        if !is_minimized(ctx) {
            return None;
        }
        let people = model.call.as_ref()?.people.iter();
        let hidden: BTreeMap<_, _> = people
            .map(|person| (person.id.clone(), TileSize::Hidden))
            .collect();
        (hidden != self.tile_sizes).then(|| {
            self.tile_sizes.clone_from(&hidden);
            Command::Tiles(hidden)
        })
    }

    fn toggle(&mut self, side: Side) {
        self.side = if self.side == Some(side) { None } else { Some(side) };
    }

    pub fn show(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        call: &Call,
        canvas: &mut Canvas,
        overlays: &mut Overlays,
    ) {
        if let Some(ended) = &call.ended {
            return over(ui, scene, &scene.text.say(&ended.saying), ended.as_wished);
        }
        if !call.is_in {
            joining(ui, scene, call);
            return question::show(&mut self.seen, ui, scene, call);
        }
        let tokens = scene.tokens;
        let bar = Frame::new()
            .fill(tokens.page)
            .inner_margin(Margin::symmetric(12, 8));
        Panel::bottom("bar")
            .frame(bar)
            .show_separator_line(false)
            .resizable(false)
            .show(ui, |ui| self.bar(ui, scene, call, overlays));
        if let Some(side) = self.side {
            let is_narrow = ui.available_width() < NARROW;
            let frame = Frame::new().fill(tokens.card).inner_margin(Margin::same(14));
            if is_narrow {
                CentralPanel::default()
                    .frame(frame)
                    .show(ui, |ui| self.panel(ui, scene, call, side));
            } else {
                Panel::right("side")
                    .frame(frame)
                    .exact_size(PANEL)
                    .resizable(false)
                    .show(ui, |ui| self.panel(ui, scene, call, side));
            }
            if is_narrow {
                question::show(&mut self.seen, ui, scene, call);
                return;
            }
        }
        let stage = Frame::new().inner_margin(Margin::same(10));
        CentralPanel::default().frame(stage).show(ui, |ui| {
            self.tiles(ui, scene, call, canvas);
            question::show(&mut self.seen, ui, scene, call);
        });
    }

    fn panel(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, call: &Call, side: Side) {
        ui.horizontal(|ui| {
            ui.label(RichText::new(scene.get(side.title())).size(20.0).strong());
            let layout = eframe::egui::Layout::right_to_left(eframe::egui::Align::Center);
            ui.with_layout(layout, |ui| {
                if widget::small(ui, &scene.tokens, Icon::Close, &scene.get("close-panel")).clicked() {
                    self.side = None;
                }
            });
        });
        ui.add_space(GAP);
        ScrollArea::vertical()
            .id_salt(side.title())
            .auto_shrink(false)
            .show(ui, |ui| match side {
                Side::People => people::show(ui, scene, call),
                Side::Routes => self.routes.show(ui, scene, call),
                Side::Invite => self.invite.show(ui, scene, call),
                Side::Diagnostics => diagnostics::show(ui, scene, call),
                Side::Settings => {
                    widget::section(ui, &scene.get("settings-devices"));
                    sources_in_call(ui, scene);
                    settings::sound(ui, scene);
                    settings::sending(ui, scene);
                    settings::look(ui, scene);
                }
            });
    }
}

fn is_minimized(ctx: &Context) -> bool {
    ctx.input(|input| input.viewport().minimized.unwrap_or(false))
}

/// Devices, changed in the call.
fn sources_in_call(ui: &mut Ui, scene: &mut Scene<'_>) {
    let own = &scene.model.own;
    let devices = &scene.model.devices;
    let wanted = &scene.model.wanted;
    let chosen = |in_use: &Option<String>, wanted: &Choice| match in_use {
        None => Choice::Off,
        Some(_) => wanted.clone(),
    };
    let camera = chosen(&own.camera, &wanted.camera);
    let microphone = chosen(&own.microphone, &wanted.microphone);
    let speaker = chosen(&own.speaker, &wanted.speaker);
    if let Some(choice) = sources::choose(ui, scene, "camera", &camera, &devices.cameras, true) {
        scene.wish(Command::Camera(choice));
    }
    if let Some(choice) = sources::choose(ui, scene, "microphone", &microphone, &devices.microphones, true) {
        scene.wish(Command::Microphone(choice));
    }
    sources::level(ui, scene);
    if let Some(choice) = sources::choose(ui, scene, "speaker", &speaker, &devices.speakers, true) {
        scene.wish(Command::Speaker(choice));
    }
    sources::speaker_test(ui, scene);
}

/// Between the wish to join and being let in.
fn joining(ui: &mut Ui, scene: &mut Scene<'_>, call: &Call) {
    centered(ui, scene, |ui, scene| {
        ui.label(RichText::new(scene.get("joining")).size(20.0).strong());
        ui.label(scene.get("joining-hint"));
        for address in &call.contacts {
            ui.monospace(address.to_string());
        }
        ui.add_space(SPACE);
        if ui.button(scene.get("joining-give-up")).clicked() {
            scene.wish(Command::Leave);
        }
    });
}

/// After the end.
fn over(ui: &mut Ui, scene: &mut Scene<'_>, sentence: &str, as_wished: bool) {
    centered(ui, scene, |ui, scene| {
        let title = if as_wished { "ended" } else { "ended-otherwise" };
        ui.label(RichText::new(scene.get(title)).size(24.0).strong());
        ui.label(sentence);
        ui.add_space(SPACE);
        if ui
            .add(widget::primary(&scene.tokens, &scene.get("ended-home")))
            .clicked()
        {
            scene.wish(Command::Close);
        }
    });
}

fn centered(ui: &mut Ui, scene: &mut Scene<'_>, contents: impl FnOnce(&mut Ui, &mut Scene<'_>)) {
    let frame = Frame::new().inner_margin(Margin::same(SPACE as i8));
    CentralPanel::default().frame(frame).show(ui, |ui| {
        ui.vertical_centered(|ui| {
            ui.add_space(ui.available_height() * 0.25);
            ui.set_max_width(460.0);
            contents(ui, scene);
        });
    });
}
