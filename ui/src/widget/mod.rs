//! The window's own controls. Each has a name and a role in the accessibility tree.

mod graph;
pub mod icon;
mod qr;

use eframe::egui::accesskit::Live;
use eframe::egui::{
    Align2, Button, Color32, Context, FontId, Frame, Id, InnerResponse, Margin, Modal, ModalResponse, Rect,
    Response, RichText, Sense, Stroke, StrokeKind, TextBuffer, TextEdit, TextStyle, Ui, Vec2, WidgetInfo,
    WidgetType, vec2,
};

pub use graph::graph;
pub use icon::Icon;
pub use qr::qr;

use crate::tokens::{GAP, RADIUS, ROUND, SMALL_RADIUS, SPACE, Tokens};

/// What a round button says by its look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// An ordinary one.
    Plain,
    /// What it stands for is open, or on.
    On,
    /// What it stands for is off: crossed out.
    Off,
    /// It ends something.
    Danger,
}

/// A round button with an icon. `name` is its tooltip and its name for assistive technology.
pub fn round(ui: &mut Ui, tokens: &Tokens, icon: Icon, name: &str, look: Look) -> Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(ROUND), Sense::click());
    let (fill, colour) = match look {
        Look::Plain | Look::Off => (tokens.control, tokens.text),
        Look::On => (tokens.accent, tokens.on_accent),
        Look::Danger => (tokens.danger, tokens.on_accent),
    };
    let fill = if response.hovered() {
        tokens.hovered(fill)
    } else {
        fill
    };
    let painter = ui.painter();
    let radius = ROUND / 2.0;
    painter.circle_filled(rect.center(), radius, fill);
    let colour = if look == Look::Off { tokens.bad } else { colour };
    icon.draw(painter, rect, 22.0, colour, look == Look::Off);
    if response.has_focus() {
        painter.circle_stroke(rect.center(), radius, Stroke::new(3.0, tokens.text));
    }
    response.widget_info(|| match look {
        Look::On | Look::Off => {
            WidgetInfo::selected(WidgetType::Button, ui.is_enabled(), look == Look::On, name)
        }
        Look::Plain | Look::Danger => WidgetInfo::labeled(WidgetType::Button, ui.is_enabled(), name),
    });
    response.on_hover_text(name)
}

/// A small button with an icon only.
pub fn small(ui: &mut Ui, tokens: &Tokens, icon: Icon, name: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(28.0), Sense::click());
    let painter = ui.painter();
    if response.hovered() || response.has_focus() {
        painter.rect_filled(rect, SMALL_RADIUS, tokens.hovered(tokens.control));
    }
    if response.has_focus() {
        let ring = Stroke::new(2.5, tokens.text);
        painter.rect_stroke(rect, SMALL_RADIUS, ring, StrokeKind::Inside);
    }
    icon.draw(painter, rect, 16.0, tokens.text, false);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, ui.is_enabled(), name));
    response.on_hover_text(name)
}

/// The next step: at most one on a page.
pub fn primary<'a>(tokens: &Tokens, text: &str) -> Button<'a> {
    Button::new(RichText::new(text).color(tokens.on_accent).strong())
        .fill(tokens.accent)
        .min_size(vec2(0.0, 40.0))
}

/// A step that ends something.
pub fn danger<'a>(tokens: &Tokens, text: &str) -> Button<'a> {
    Button::new(RichText::new(text).color(tokens.on_accent).strong())
        .fill(tokens.danger)
        .min_size(vec2(0.0, 40.0))
}

/// A surface that holds what belongs together, as wide as there is room.
pub fn card<R>(ui: &mut Ui, tokens: &Tokens, contents: impl FnOnce(&mut Ui) -> R) -> InnerResponse<R> {
    Frame::new()
        .fill(tokens.card)
        .stroke(Stroke::new(1.0, tokens.outline))
        .corner_radius(RADIUS)
        .inner_margin(Margin::same(SPACE as i8))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            contents(ui)
        })
}

/// A field for one line of text.
pub fn field(text: &mut dyn TextBuffer) -> TextEdit<'_> {
    TextEdit::singleline(text)
        .desired_width(f32::INFINITY)
        .margin(Margin::symmetric(10, 8))
}

/// A field for a code: several lines of letters of one width.
pub fn code_field(text: &mut dyn TextBuffer, rows: usize) -> TextEdit<'_> {
    TextEdit::multiline(text)
        .desired_rows(rows)
        .desired_width(f32::INFINITY)
        .margin(Margin::symmetric(10, 8))
        .font(TextStyle::Monospace)
}

/// What lies over everything else until it is answered.
pub fn modal<R>(
    ctx: &Context,
    tokens: &Tokens,
    name: &str,
    contents: impl FnOnce(&mut Ui) -> R,
) -> ModalResponse<R> {
    let frame = Frame::new()
        .fill(tokens.card)
        .stroke(Stroke::new(1.0, tokens.edge))
        .corner_radius(RADIUS)
        .inner_margin(Margin::same(SPACE as i8 + 4));
    Modal::new(Id::new(name)).frame(frame).show(ctx, contents)
}

/// Has assistive technology read this out when it appears.
pub fn announce(response: &Response, live: Live) {
    response
        .ctx
        .accesskit_node_builder(response.id, |node| node.set_live(live));
}

/// A heading within a page or panel.
pub fn section(ui: &mut Ui, text: &str) {
    ui.add_space(GAP / 2.0);
    ui.label(RichText::new(text).strong().size(17.0));
}

/// Text that matters less.
pub fn weak(ui: &mut Ui, text: &str) -> Response {
    let colour = ui.visuals().weak_text_color();
    ui.label(RichText::new(text).color(colour).size(13.5))
}

/// How loud something is, 0 to 1, as a bar; `name` says what it measures.
pub fn meter(ui: &mut Ui, tokens: &Tokens, level: f32, name: &str) -> Response {
    let width = ui.available_width().min(360.0);
    let (rect, response) = ui.allocate_exact_size(vec2(width, 12.0), Sense::hover());
    let painter = ui.painter();
    painter.rect_filled(rect, 6.0, tokens.control);
    let level = level.clamp(0.0, 1.0);
    let filled = Rect::from_min_size(rect.min, vec2(rect.width() * level, rect.height()));
    let colour = if level > 0.92 { tokens.bad } else { tokens.good };
    painter.rect_filled(filled, 6.0, colour);
    painter.rect_stroke(rect, 6.0, Stroke::new(1.0, tokens.outline), StrokeKind::Inside);
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(WidgetType::ProgressIndicator, true, name);
        info.value = Some(f64::from(level));
        info
    });
    response
}

/// A person without a picture: the first letters of their name, on a colour of their own.
pub fn avatar(ui: &Ui, tokens: &Tokens, center: eframe::egui::Pos2, radius: f32, name: &str, id: &str) {
    /// Dark enough for white letters.
    const COLOURS: [u32; 6] = [0x2f5d9b, 0x7a3f8f, 0x1f736b, 0x944a2d, 0x5d5a9e, 0x8a355a];
    let hash = id.bytes().fold(5381_usize, |hash, byte| {
        hash.wrapping_mul(33).wrapping_add(usize::from(byte))
    });
    let hex = COLOURS[hash % COLOURS.len()];
    let fill = Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8);
    let painter = ui.painter();
    painter.circle_filled(center, radius, fill);
    if tokens.outline == tokens.text {
        painter.circle_stroke(center, radius, Stroke::new(2.0, tokens.outline));
    }
    let initials: String = name
        .split_whitespace()
        .filter_map(|word| word.chars().next())
        .take(2)
        .flat_map(char::to_uppercase)
        .collect();
    let letters = if initials.is_empty() {
        "?".to_owned()
    } else {
        initials
    };
    let font = FontId::proportional(radius * 0.8);
    painter.text(center, Align2::CENTER_CENTER, letters, font, Color32::WHITE);
}
