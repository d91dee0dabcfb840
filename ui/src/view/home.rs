//! Home: start a call, or join one.

use eframe::egui::{RichText, ScrollArea, Ui};
use zeroize::Zeroizing;

use super::{Entry, Page, Scene, reading_column};
use crate::command::Command;
use crate::format;
use crate::model::{Choice, Reading};
use crate::tokens::{GAP, SPACE};
use crate::widget::{self, Icon};

/// The most that the field for a code takes of the page, points: twice as much as a code alone.
const CODE_HEIGHT: f32 = 160.0;

/// What is being typed, and whether a picture is being looked at.
#[derive(Default)]
pub struct State {
    code: Zeroizing<String>,
    /// A picture is being looked at; what was known of a code before.
    before_picture: Option<Reading>,
}

impl State {
    /// The code of a call that was not joined is not kept.
    pub fn forget_code(&mut self) {
        *self = Self::default();
    }

    /// Whether a code has just come from a picture.
    pub fn take_arrival(&mut self, code: &Reading) -> bool {
        let is_new = self.before_picture.as_ref().is_some_and(|before| before != code);
        let came = is_new && matches!(code, Reading::Good(_));
        if came {
            self.before_picture = None;
        }
        came
    }

    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) -> Option<Page> {
        let mut next = None;
        self.take_dropped_files(ui, scene);
        reading_column(ui, |ui| {
            ui.add_space(2.0 * SPACE);
            ui.horizontal(|ui| {
                ui.label(RichText::new("Sightline").size(34.0).strong());
            });
            ui.label(RichText::new(scene.get("home-tagline")).size(16.0));
            ui.add_space(SPACE);

            widget::card(ui, &scene.tokens.clone(), |ui| {
                widget::section(ui, &scene.get("home-start"));
                widget::weak(ui, &scene.get("home-start-hint"));
                if ui
                    .add(widget::primary(&scene.tokens, &scene.get("home-start-button")))
                    .clicked()
                {
                    next = Some(Page::Before(Entry::Start));
                }
            });
            ui.add_space(GAP);
            widget::card(ui, &scene.tokens.clone(), |ui| {
                if self.join(ui, scene) {
                    next = Some(Page::Before(Entry::Join));
                }
            });

            ui.add_space(SPACE);
            last_settings(ui, scene);
            ui.horizontal_wrapped(|ui| {
                let (dot, _) =
                    ui.allocate_exact_size(eframe::egui::vec2(12.0, 20.0), eframe::egui::Sense::hover());
                ui.painter().circle_filled(dot.center(), 5.0, scene.tokens.good);
                ui.label(scene.get("home-nothing-connected"));
            });
            ui.add_space(GAP);
            if ui.button(scene.get("settings")).clicked() {
                next = Some(Page::Settings);
            }
        });
        next
    }

    /// The part about joining. True when the code is to be used.
    fn join(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) -> bool {
        widget::section(ui, &scene.get("home-join"));
        let label = widget::weak(ui, &scene.get("home-join-hint"));
        let field = widget::code_field(&mut *self.code, 2).hint_text(scene.get("home-code-field"));
        // However much is pasted, the buttons below stay in sight.
        let rows = ScrollArea::vertical().id_salt("code").max_height(CODE_HEIGHT);
        let field = rows.show(ui, |ui| ui.add(field)).inner.labelled_by(label.id);
        if field.changed() {
            self.before_picture = None;
            scene.wish(Command::ReadCode(self.code.as_str().into()));
        }
        let mut is_used = false;
        match &scene.model.code {
            Reading::Nothing => {}
            Reading::Good(summary) => {
                let (sentence, colour) = if let Some(clock) = &summary.over_by {
                    let values = [("clock", clock.as_str())];
                    (scene.text.with("home-code-over", &values), scene.tokens.warn)
                } else {
                    let values = [("span", &*format::span(scene.text, summary.expires_in))];
                    (scene.text.with("home-code-good", &values), scene.tokens.good)
                };
                ui.label(RichText::new(sentence).color(colour));
            }
            Reading::Bad(saying) => {
                let sentence = scene.text.say(saying);
                ui.label(RichText::new(sentence).color(scene.tokens.bad));
            }
        }
        ui.horizontal_wrapped(|ui| {
            let is_good = matches!(scene.model.code, Reading::Good(_));
            let button = widget::primary(&scene.tokens, &scene.get("home-join-button"));
            if ui.add_enabled(is_good, button).clicked() {
                is_used = true;
            }
            let name = if scene.model.own.scanning {
                "home-scan-stop"
            } else {
                "home-scan"
            };
            let is_clip = matches!(scene.model.wanted.camera, Choice::File(_) | Choice::Test);
            if (is_clip || !scene.model.devices.cameras.is_empty()) && ui.button(scene.get(name)).clicked() {
                let begins = !scene.model.own.scanning;
                self.before_picture = begins.then(|| scene.model.code.clone());
                scene.wish(Command::Scan(!scene.model.own.scanning));
            }
        });
        if scene.model.own.scanning {
            ui.label(scene.get("home-scanning"));
        }
        widget::weak(ui, &scene.get("home-drop-hint"));
        is_used
    }

    fn take_dropped_files(&mut self, ui: &Ui, scene: &mut Scene<'_>) {
        let files = ui.ctx().input(|input| input.raw.dropped_files.clone());
        for path in files.into_iter().filter_map(|file| file.path) {
            self.before_picture = Some(scene.model.code.clone());
            scene.wish(Command::ReadPicture(path));
        }
    }
}

/// What the user chose last, in a line.
fn last_settings(ui: &mut Ui, scene: &Scene<'_>) {
    let wanted = &scene.model.wanted;
    if wanted.name.is_empty() {
        return;
    }
    let device = |choice: &Choice| match choice {
        Choice::Named(name) => name.clone(),
        _ => scene.get("device-default"),
    };
    let values = [
        ("name", &*wanted.name),
        ("microphone", &device(&wanted.microphone)),
        ("speaker", &device(&wanted.speaker)),
    ];
    ui.horizontal_wrapped(|ui| {
        let (place, _) = ui.allocate_exact_size(eframe::egui::vec2(12.0, 20.0), eframe::egui::Sense::hover());
        Icon::Settings.draw(ui.painter(), place, 14.0, scene.tokens.weak, false);
        widget::weak(ui, &scene.text.with("home-last", &values));
    });
}
