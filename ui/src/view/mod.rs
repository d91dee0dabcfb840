//! What the window shows: reads the model, returns the user's wishes. What is open and what is being typed is
//! the view's own; everything else comes from the model.
//!
//! ```text
//!   mod.rs ── which page; cover, help, leaving, notices
//!     ├ home.rs ── start, join          ├ before.rs ── what will be sent, and who learns what
//!     └ call/ ── tiles, bar, questions, and the panels beside them
//!   settings.rs, sources.rs ── shared by pages and panels
//! ```

mod before;
mod call;
mod home;
mod overlay;
mod settings;
mod sources;

use self::overlay::Overlays;

use std::sync::Arc;

use eframe::egui::{CentralPanel, Color32, Context, Frame, Margin, Panel, ScrollArea, Ui};
use eframe::glow;

use crate::command::Command;
use crate::fonts;
use crate::keys::{self, Action};
use crate::model::{Model, Preferences, Reading};
use crate::picture::{Canvas, Pictures};
use crate::text::Text;
use crate::tokens::{COLUMN, SPACE, Tokens};

/// What everything that is drawn reads, and where wishes go.
pub(crate) struct Scene<'a> {
    pub text: &'a Text,
    pub tokens: Tokens,
    pub model: &'a Model,
    /// How loud the microphone is, muted or not: 0 (silence) to 1 (full scale), on a scale of decibels.
    pub level: f32,
    pub commands: &'a mut Vec<Command>,
}

impl Scene<'_> {
    pub fn wish(&mut self, command: Command) {
        self.commands.push(command);
    }

    pub fn get(&self, name: &str) -> String {
        self.text.get(name)
    }
}

/// How a call is to be entered from the page before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Start,
    Join,
}

/// The page outside a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    Home,
    Before(Entry),
    Settings,
}

/// The window's contents.
pub struct View {
    text: Text,
    /// The system's language.
    system: String,
    /// The one that was chosen.
    language: Option<String>,
    /// The look that egui was told last.
    applied: Option<(Tokens, f32)>,
    canvas: Canvas,
    page: Page,
    home: home::State,
    before: before::State,
    call: call::State,
    overlays: Overlays,
    ground: Color32,
}

impl View {
    /// Shows `pictures`, with OpenGL where there is a context. `text` is the system's language.
    #[must_use]
    pub fn new(text: Text, pictures: Arc<Pictures>, context: Option<Arc<glow::Context>>) -> Self {
        Self {
            system: text.language().to_owned(),
            text,
            language: None,
            applied: None,
            canvas: Canvas::new(pictures, context),
            page: Page::Home,
            home: home::State::default(),
            before: before::State::default(),
            call: call::State::default(),
            overlays: Overlays::default(),
            ground: Color32::BLACK,
        }
    }

    /// Names, addresses and pictures are hidden.
    #[must_use]
    pub const fn is_covered(&self) -> bool {
        self.overlays.is_covered
    }

    /// What the window is to be filled with before anything is drawn: a fill of the whole window by egui costs a
    /// software renderer as much as all tiles do.
    #[must_use]
    pub const fn ground(&self) -> Color32 {
        self.ground
    }

    /// The user wants the window to close. True when it may do so at once; in a call they are asked.
    pub fn handle_close(&mut self, model: &Model) -> bool {
        let is_in_call = model.call.as_ref().is_some_and(|call| call.ended.is_none());
        let asked = Some(overlay::Leaving::Window);
        // Who closes it a second time means it.
        if !is_in_call || self.overlays.leaving == asked {
            return true;
        }
        self.overlays.leaving = asked;
        false
    }

    /// The texts, in the language that is used now.
    #[must_use]
    pub const fn text(&self) -> &Text {
        &self.text
    }

    /// What is to be noticed even while nothing is drawn: the key to talk, let go.
    pub fn watch(&mut self, ctx: &Context, model: &Model) -> Option<Command> {
        let talks = self.call.handle_talk_key(ctx, model);
        talks.or_else(|| self.call.handle_minimized(ctx, model))
    }

    /// Draws everything, and returns what the user wishes. `level` is how loud the microphone is, muted or not: 0
    /// (silence) to 1 (full scale), on a scale of decibels.
    pub fn show(&mut self, ui: &mut Ui, model: &Model, level: f32) -> Vec<Command> {
        let tokens = self.apply(ui.ctx(), &model.preferences);
        let mut commands = Vec::new();
        let is_on_stage = model
            .call
            .as_ref()
            .is_some_and(|call| call.is_in && call.ended.is_none());
        self.ground = if is_on_stage && !self.overlays.is_covered {
            tokens.stage
        } else {
            tokens.page
        };
        self.canvas.forget_absent();
        let actions = keys::pressed(ui.ctx());
        if actions.contains(&Action::Cover) {
            self.overlays.is_covered = !self.overlays.is_covered;
        }
        let going_on = model.call.as_ref().filter(|call| call.ended.is_none());
        let is_free = self.overlays.leaving.is_none() && !self.overlays.has_help;
        let mut scene = Scene {
            text: &self.text,
            tokens,
            model,
            level,
            commands: &mut commands,
        };
        if self.overlays.is_covered {
            if let Some(call) = going_on.filter(|_| is_free) {
                // What needs no look at the call.
                let mut blind = actions.clone();
                blind.retain(|action| matches!(action, Action::Mute | Action::Leave));
                self.call
                    .handle_keys(ui.ctx(), &mut scene, call, &blind, &mut self.overlays);
            }
            if actions.contains(&Action::Close) {
                self.overlays.leaving = None;
            }
            overlay::cover(ui, &mut scene, &mut self.overlays.is_covered);
            overlay::leaving(ui.ctx(), &mut scene, &mut self.overlays.leaving);
            return commands;
        }
        match &model.call {
            Some(call) => {
                self.page = Page::Home;
                self.home.forget_code();
                if going_on.is_none() {
                    self.overlays.leaving = None;
                } else if is_free {
                    self.call
                        .handle_keys(ui.ctx(), &mut scene, call, &actions, &mut self.overlays);
                }
                self.call
                    .show(ui, &mut scene, call, &mut self.canvas, &mut self.overlays);
            }
            None => {
                self.overlays.leaving = None;
                self.call = call::State::default();
                Self::page(
                    ui,
                    &mut scene,
                    &mut self.canvas,
                    (&mut self.page, &mut self.home, &mut self.before),
                );
            }
        }
        if actions.contains(&Action::Help) {
            self.overlays.has_help = !self.overlays.has_help;
        }
        if actions.contains(&Action::Close) {
            self.overlays.has_help = false;
            self.overlays.leaving = None;
        }
        overlay::help(ui.ctx(), &scene, &mut self.overlays.has_help);
        overlay::leaving(ui.ctx(), &mut scene, &mut self.overlays.leaving);
        overlay::notices(ui.ctx(), &mut scene);
        commands
    }

    fn page(
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        canvas: &mut Canvas,
        (page, home, before): (&mut Page, &mut home::State, &mut before::State),
    ) {
        let frame = Frame::new().inner_margin(Margin::same(SPACE as i8));
        if let Page::Before(entry) = *page {
            let below = Frame::new()
                .fill(scene.tokens.card)
                .inner_margin(Margin::symmetric(SPACE as i8, 10));
            Panel::bottom("go")
                .frame(below)
                .resizable(false)
                .show(ui, |ui| before.go(ui, scene, entry));
        }
        CentralPanel::default().frame(frame).show(ui, |ui| {
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                let next = match *page {
                    Page::Home => home.show(ui, scene),
                    Page::Before(entry) => before.show(ui, scene, canvas, entry),
                    Page::Settings => settings::page(ui, scene),
                };
                if let Some(next) = next {
                    if *page == Page::Home && scene.model.own.scanning {
                        scene.wish(Command::Scan(false));
                    }
                    if let Page::Before(_) = next {
                        before.begin(scene);
                    } else if matches!(*page, Page::Before(_)) {
                        before.end(scene);
                        home.forget_code();
                    }
                    *page = next;
                }
            });
        });
        // A code that came from a picture leads on by itself.
        if *page == Page::Home && home.take_arrival(&scene.model.code) {
            before.begin(scene);
            *page = Page::Before(Entry::Join);
            ui.ctx().request_repaint();
        }
        if *page == Page::Before(Entry::Join) && scene.model.code == Reading::Nothing {
            before.end(scene);
            *page = Page::Home;
            ui.ctx().request_repaint();
        }
    }

    /// Brings language and look up to what the user prefers, and at the beginning the window's fonts.
    fn apply(&mut self, ctx: &Context, preferences: &Preferences) -> Tokens {
        if preferences.language != self.language {
            self.text = Text::new(preferences.language.as_ref().unwrap_or(&self.system));
            self.language.clone_from(&preferences.language);
        }
        let system_is_dark = ctx
            .input(|input| input.raw.system_theme)
            .is_none_or(|theme| theme == eframe::egui::Theme::Dark);
        if self.applied.is_none() {
            ctx.set_fonts(fonts::own());
        }
        let tokens = Tokens::new(preferences, system_is_dark);
        let size = preferences.text_size.clamp(0.8, 2.0);
        if self.applied != Some((tokens, size)) {
            tokens.apply(ctx);
            ctx.set_zoom_factor(size);
            self.applied = Some((tokens, size));
        }
        tokens
    }
}

/// A column in the middle, no wider than reads well.
pub(crate) fn column<R>(ui: &mut Ui, width: f32, contents: impl FnOnce(&mut Ui) -> R) -> R {
    let width = width.min(ui.available_width());
    let beside = ((ui.available_width() - width) / 2.0).max(0.0);
    ui.horizontal_top(|ui| {
        ui.add_space(beside);
        ui.vertical(|ui| {
            ui.set_width(width);
            contents(ui)
        })
        .inner
    })
    .inner
}

/// The column that texts and fields stand in.
pub(crate) fn reading_column<R>(ui: &mut Ui, contents: impl FnOnce(&mut Ui) -> R) -> R {
    column(ui, COLUMN, contents)
}
