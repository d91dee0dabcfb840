//! What lies over everything: the cover, the list of keys, the question whether to leave, and notices.

use eframe::egui::accesskit::Live;
use eframe::egui::{
    Align2, Area, CentralPanel, Context, Frame, Grid, Id, Margin, Order, RichText, Sense, Stroke, Ui,
    WidgetInfo, WidgetType, vec2,
};

use super::Scene;
use crate::command::Command;
use crate::keys;
use crate::tokens::{GAP, RADIUS, SPACE};
use crate::widget::{self, Icon};

/// What is to be left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// The call.
    Call,
    /// The call, and the window is closed.
    Window,
}

/// What lies over everything just now.
#[derive(Clone, Copy, Debug, Default)]
pub struct Overlays {
    pub is_covered: bool,
    pub has_help: bool,
    pub leaving: Option<Leaving>,
}

/// Hides everything. Sound goes on; that something waits for an answer is told, not what.
pub fn cover(ui: &mut Ui, scene: &mut Scene<'_>, is_covered: &mut bool) {
    CentralPanel::default().frame(Frame::new()).show(ui, |ui| {
        let response = ui.interact(ui.max_rect(), Id::new("cover"), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, scene.get("cover")));
        ui.vertical_centered(|ui| {
            ui.add_space(ui.available_height() * 0.4);
            widget::weak(ui, &scene.get("cover"));
            let waits = scene
                .model
                .call
                .as_ref()
                .is_some_and(|call| !call.questions.is_empty() || !call.knocks.is_empty());
            if waits {
                ui.label(RichText::new(scene.get("cover-question")).color(scene.tokens.warn));
            }
            if scene.model.call.is_some() {
                let own = &scene.model.own;
                let is_silent = own.muted || own.microphone.is_none();
                ui.label(scene.get(if is_silent { "cover-muted" } else { "cover-heard" }));
            }
            ui.add_space(GAP);
            if ui.button(scene.get("cover-take-away")).clicked() {
                *is_covered = false;
            }
        });
    });
}

/// The list of keys.
pub fn help(ctx: &Context, scene: &Scene<'_>, is_open: &mut bool) {
    if !*is_open {
        return;
    }
    let modal = widget::modal(ctx, &scene.tokens, "help", |ui| {
        ui.set_max_width(460.0);
        ui.label(RichText::new(scene.get("help")).size(20.0).strong());
        ui.add_space(GAP);
        eframe::egui::ScrollArea::vertical()
            .max_height(ui.ctx().content_rect().height() - 170.0)
            .show(ui, |ui| {
                Grid::new("keys")
                    .num_columns(2)
                    .min_row_height(0.0)
                    .spacing(vec2(SPACE, 7.0))
                    .show(ui, |ui| {
                        for (key, _, name) in keys::KEYS {
                            ui.monospace(key.symbol_or_name());
                            ui.label(scene.get(name));
                            ui.end_row();
                        }
                        ui.monospace(scene.get("key-space"));
                        ui.label(scene.get("key-talk"));
                        ui.end_row();
                        ui.monospace(ctx.format_shortcut(&keys::QUIT));
                        ui.label(scene.get("key-quit"));
                        ui.end_row();
                    });
            });
        ui.add_space(GAP);
        ui.button(scene.get("close")).clicked()
    });
    if modal.inner || modal.should_close() {
        *is_open = false;
    }
}

/// Whether to leave.
pub fn leaving(ctx: &Context, scene: &mut Scene<'_>, leaving: &mut Option<Leaving>) {
    let Some(what) = *leaving else {
        return;
    };
    let modal = widget::modal(ctx, &scene.tokens, "leaving", |ui| {
        ui.set_max_width(400.0);
        ui.label(RichText::new(scene.get("leave-question")).size(20.0).strong());
        widget::weak(ui, &scene.get("leave-hint"));
        ui.add_space(GAP);
        ui.horizontal_wrapped(|ui| {
            let stay = ui.button(scene.get("leave-stay"));
            if ctx.memory(eframe::egui::Memory::focused).is_none() {
                stay.request_focus();
            }
            let leave = ui.add(widget::danger(&scene.tokens, &scene.get("leave-button")));
            (stay.clicked(), leave.clicked())
        })
        .inner
    });
    let (stays, leaves) = modal.inner;
    if leaves {
        scene.wish(match what {
            Leaving::Call => Command::Leave,
            Leaving::Window => Command::Quit,
        });
    }
    if stays || leaves || modal.should_close() {
        *leaving = None;
    }
}

/// What the user has to be told, above on the left, until it is read. A question comes before it.
pub fn notices(ctx: &Context, scene: &mut Scene<'_>) {
    if scene.model.notices.is_empty() {
        return;
    }
    let tokens = scene.tokens;
    let width = (ctx.content_rect().width() - 2.0 * SPACE).min(360.0);
    let area = Area::new(Id::new("notices"))
        .order(Order::Middle)
        .anchor(Align2::LEFT_TOP, vec2(SPACE, SPACE))
        .default_width(width);
    area.show(ctx, |ui| {
        for notice in &scene.model.notices {
            let frame = Frame::new()
                .fill(tokens.card)
                .stroke(Stroke::new(
                    1.5,
                    if notice.is_passing {
                        tokens.edge
                    } else {
                        tokens.warn
                    },
                ))
                .corner_radius(RADIUS)
                .inner_margin(Margin::symmetric(12, 8));
            frame.show(ui, |ui| {
                ui.set_width(width - 24.0);
                ui.horizontal_top(|ui| {
                    ui.vertical(|ui| {
                        ui.set_width(width - 24.0 - 28.0 - GAP);
                        let words = ui.label(scene.text.say(&notice.saying));
                        widget::announce(&words, Live::Polite);
                    });
                    if widget::small(ui, &tokens, Icon::Close, &scene.text.get("dismiss")).clicked() {
                        scene.commands.push(Command::Dismiss(notice.id));
                    }
                });
            });
        }
    });
}
