//! The one table of colours and sizes. Views name what a thing is; what that looks like stands here.

use eframe::egui::style::WidgetVisuals;
use eframe::egui::{
    Color32, Context, CornerRadius, FontFamily, FontId, Margin, Stroke, TextStyle, Theme as Shade, Visuals,
    vec2,
};

use crate::model::{Preferences, Theme};

/// Points between things that belong together.
pub const GAP: f32 = 8.0;

/// Points between groups of things.
pub const SPACE: f32 = 16.0;

/// Corners of cards, tiles and questions.
pub const RADIUS: f32 = 10.0;

/// Corners of buttons and fields.
pub const SMALL_RADIUS: u8 = 7;

/// The side of a round button in the call's bar: large enough for a finger (WCAG 2.2, 2.5.8 asks for 24).
pub const ROUND: f32 = 46.0;

/// The width of the panel beside the tiles.
pub const PANEL: f32 = 372.0;

/// A window narrower than this shows the panel instead of the tiles.
pub const NARROW: f32 = 760.0;

/// The widest that a column of text and fields gets.
pub const COLUMN: f32 = 560.0;

/// Colours of one look. Texts have at least 4.5 to 1 against what they stand on, 7 to 1 in high contrast
/// (WCAG 2.2, 1.4.3 and 1.4.6); a test says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Behind everything.
    pub page: Color32,
    /// Cards, panels, questions.
    pub card: Color32,
    /// Buttons and fields.
    pub control: Color32,
    /// Outlines of cards.
    pub outline: Color32,
    /// Outlines of buttons, fields and boxes: 3 to 1 against what they stand on (WCAG 2.2, 1.4.11).
    pub edge: Color32,
    /// Texts.
    pub text: Color32,
    /// Texts that matter less.
    pub weak: Color32,
    /// What the next step is.
    pub accent: Color32,
    /// On `accent`, and on `danger`.
    pub on_accent: Color32,
    /// As it should be: media flows, somebody speaks.
    pub good: Color32,
    /// To be noticed: paused, waiting.
    pub warn: Color32,
    /// Wrong, and what ends something.
    pub bad: Color32,
    /// Behind what ends something.
    pub danger: Color32,
    /// Behind tiles.
    pub stage: Color32,
    /// A tile without a picture.
    pub tile: Color32,
    /// Behind texts that stand on pictures.
    pub shade: Color32,
    /// Texts on pictures.
    pub on_shade: Color32,
}

/// Red, green, blue: two hexadecimal digits each.
const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

const DARK: Tokens = Tokens {
    page: rgb(0x14171c),
    card: rgb(0x1d2128),
    control: rgb(0x2b313b),
    outline: rgb(0x3a424e),
    edge: rgb(0x6b7685),
    text: rgb(0xeceff3),
    weak: rgb(0xa9b2bf),
    accent: rgb(0x2a6fdb),
    on_accent: rgb(0xffffff),
    good: rgb(0x4cc38a),
    warn: rgb(0xf2b14a),
    bad: rgb(0xff8a80),
    danger: rgb(0xc6323b),
    stage: rgb(0x0d0f13),
    tile: rgb(0x242932),
    shade: Color32::from_black_alpha(190),
    on_shade: rgb(0xffffff),
};

const LIGHT: Tokens = Tokens {
    page: rgb(0xf4f6f9),
    card: rgb(0xffffff),
    control: rgb(0xe6eaf0),
    outline: rgb(0xc9d0da),
    edge: rgb(0x7d8794),
    text: rgb(0x1a1e24),
    weak: rgb(0x525c69),
    accent: rgb(0x1f5fc8),
    on_accent: rgb(0xffffff),
    good: rgb(0x0f754a),
    warn: rgb(0x8a5600),
    bad: rgb(0xb4232c),
    danger: rgb(0xb82a33),
    stage: rgb(0xe4e8ee),
    tile: rgb(0xd3d9e2),
    shade: Color32::from_black_alpha(190),
    on_shade: rgb(0xffffff),
};

impl Tokens {
    /// The look that was chosen, on a system that is dark or not.
    #[must_use]
    pub fn new(preferences: &Preferences, system_is_dark: bool) -> Self {
        let is_dark = match preferences.theme {
            Theme::System => system_is_dark,
            Theme::Light => false,
            Theme::Dark => true,
        };
        let base = if is_dark { DARK } else { LIGHT };
        match (preferences.high_contrast, is_dark) {
            (false, _) => base,
            (true, true) => Self {
                page: Color32::BLACK,
                card: rgb(0x0a0a0a),
                control: rgb(0x1c1c1c),
                outline: Color32::WHITE,
                edge: Color32::WHITE,
                text: Color32::WHITE,
                weak: rgb(0xe2e6ea),
                accent: rgb(0x7db4ff),
                on_accent: Color32::BLACK,
                good: rgb(0x6ff0b4),
                warn: rgb(0xffd080),
                bad: rgb(0xffb3ac),
                danger: rgb(0xffa29b),
                stage: Color32::BLACK,
                tile: rgb(0x161616),
                shade: Color32::from_black_alpha(235),
                ..base
            },
            (true, false) => Self {
                page: Color32::WHITE,
                control: rgb(0xf2f2f2),
                outline: Color32::BLACK,
                edge: Color32::BLACK,
                text: Color32::BLACK,
                weak: rgb(0x2b2f35),
                accent: rgb(0x0b3d91),
                good: rgb(0x004d2c),
                warn: rgb(0x5c3600),
                bad: rgb(0x84000c),
                danger: rgb(0x8c0010),
                stage: Color32::WHITE,
                tile: rgb(0xe8e8e8),
                shade: Color32::from_black_alpha(235),
                ..base
            },
        }
    }

    /// Whether it is light on dark.
    #[must_use]
    pub fn is_dark(&self) -> bool {
        self.page.intensity() < 0.5
    }

    /// Makes everything that egui draws by itself look like this.
    pub fn apply(&self, ctx: &Context) {
        let shade = if self.is_dark() { Shade::Dark } else { Shade::Light };
        ctx.set_theme(shade);
        let mut visuals = if self.is_dark() {
            Visuals::dark()
        } else {
            Visuals::light()
        };
        let corner = CornerRadius::same(SMALL_RADIUS);
        let state = |fill: Color32, outline: Stroke| WidgetVisuals {
            bg_fill: fill,
            weak_bg_fill: fill,
            bg_stroke: outline,
            corner_radius: corner,
            fg_stroke: Stroke::new(1.5, self.text),
            expansion: 0.0,
        };
        visuals.panel_fill = self.page;
        visuals.window_fill = self.card;
        visuals.extreme_bg_color = self.control;
        visuals.text_edit_bg_color = Some(self.control);
        visuals.override_text_color = Some(self.text);
        visuals.weak_text_color = Some(self.weak);
        visuals.hyperlink_color = self.accent;
        visuals.warn_fg_color = self.warn;
        visuals.error_fg_color = self.bad;
        visuals.window_corner_radius = CornerRadius::same(RADIUS as u8);
        visuals.menu_corner_radius = corner;
        visuals.window_stroke = Stroke::new(1.0, self.outline);
        visuals.selection.bg_fill = self.accent.gamma_multiply(0.55);
        visuals.selection.stroke = Stroke::new(2.0, self.text);
        visuals.widgets.noninteractive = state(self.card, Stroke::new(1.0, self.outline));
        visuals.widgets.inactive = state(self.control, Stroke::new(1.0, self.edge));
        visuals.widgets.hovered = state(self.hovered(self.control), Stroke::new(1.0, self.weak));
        // Pressed, and focused: to be seen from across the room.
        visuals.widgets.active = state(self.hovered(self.control), Stroke::new(2.5, self.text));
        visuals.widgets.open = state(self.control, Stroke::new(1.0, self.weak));
        ctx.set_visuals_of(shade, visuals);
        ctx.all_styles_mut(|style| {
            let font = |size: f32| FontId::new(size, FontFamily::Proportional);
            style.text_styles = [
                (TextStyle::Small, font(12.5)),
                (TextStyle::Body, font(15.0)),
                (TextStyle::Button, font(15.0)),
                (TextStyle::Heading, font(24.0)),
                (TextStyle::Monospace, FontId::new(13.5, FontFamily::Monospace)),
            ]
            .into();
            style.spacing.item_spacing = vec2(GAP, GAP);
            style.spacing.button_padding = vec2(14.0, 8.0);
            style.spacing.interact_size = vec2(36.0, 36.0);
            style.spacing.icon_width = 20.0;
            style.spacing.icon_width_inner = 12.0;
            style.spacing.menu_margin = Margin::same(6);
            style.spacing.combo_width = 120.0;
            style.spacing.scroll.floating = false;
            style.spacing.scroll.bar_width = 7.0;
            style.spacing.scroll.foreground_color = false;
            style.interaction.selectable_labels = false;
            style.animation_time = 0.0;
        });
    }

    /// A fill that the pointer is over.
    #[must_use]
    pub fn hovered(&self, fill: Color32) -> Color32 {
        fill.lerp_to_gamma(self.text, 0.12)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.2's contrast ratio.
    fn contrast(one: Color32, other: Color32) -> f32 {
        let luminance = |colour: Color32| {
            let [r, g, b] = [colour.r(), colour.g(), colour.b()].map(|value| {
                let value = f32::from(value) / 255.0;
                if value <= 0.04045 {
                    value / 12.92
                } else {
                    ((value + 0.055) / 1.055).powf(2.4)
                }
            });
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
        one.max(other) / one.min(other)
    }

    #[test]
    fn texts_can_be_read_in_every_look() {
        for (high_contrast, least) in [(false, 4.5), (true, 7.0)] {
            for is_dark in [false, true] {
                let preferences = Preferences {
                    high_contrast,
                    ..Preferences::default()
                };
                let t = Tokens::new(&preferences, is_dark);
                for ground in [t.page, t.card] {
                    assert!(contrast(t.edge, ground) >= 3.0, "{:?} on {ground:?}", t.edge);
                    for text in [t.text, t.weak, t.good, t.warn, t.bad] {
                        let ratio = contrast(text, ground);
                        assert!(
                            ratio >= least,
                            "{text:?} on {ground:?}: {ratio}, {preferences:?}, {is_dark}"
                        );
                    }
                }
                let pairs = [
                    (t.on_accent, t.accent),
                    (t.on_accent, t.danger),
                    (t.text, t.control),
                    (t.text, t.tile),
                    (t.text, t.stage),
                ];
                for (text, ground) in pairs {
                    let ratio = contrast(text, ground);
                    assert!(
                        ratio >= least,
                        "{text:?} on {ground:?}: {ratio}, {preferences:?}, {is_dark}"
                    );
                }
            }
        }
    }
}
