//! Settings: how the window looks, what is done to the voice, and what is kept. Outside a call a page, in a call a panel.

use eframe::egui::{ComboBox, RichText, Slider, Ui};

use super::{Page, Scene, reading_column};
use crate::command::Command;
use crate::format;
use crate::model::Theme;
use crate::text::LANGUAGES;
use crate::tokens::GAP;
use crate::widget::{self, Icon};

/// The page.
pub fn page(ui: &mut Ui, scene: &mut Scene<'_>) -> Option<Page> {
    let mut next = None;
    reading_column(ui, |ui| {
        ui.horizontal(|ui| {
            if widget::small(ui, &scene.tokens, Icon::Close, &scene.get("back")).clicked() {
                next = Some(Page::Home);
            }
            ui.label(RichText::new(scene.get("settings")).size(24.0).strong());
        });
        ui.add_space(GAP);
        let tokens = scene.tokens;
        widget::card(ui, &tokens, |ui| {
            look(ui, scene);
            sound(ui, scene);
            sending(ui, scene);
            kept(ui, scene);
        });
    });
    next
}

/// Language, colours, size.
pub fn look(ui: &mut Ui, scene: &mut Scene<'_>) {
    let mut wanted = scene.model.preferences.clone();
    widget::section(ui, &scene.get("settings-look"));

    let current = scene.text.language();
    let label = ui.label(scene.get("settings-language"));
    let own_name = LANGUAGES
        .iter()
        .find(|(name, ..)| *name == current)
        .map_or(current, |(_, own, _)| own);
    let combo = ComboBox::from_id_salt("language")
        .selected_text(own_name)
        .width(200.0);
    let response = combo.show_ui(ui, |ui| {
        for (name, own, _) in LANGUAGES {
            if ui.selectable_label(name == current, own).clicked() {
                wanted.language = Some(name.to_owned());
            }
        }
    });
    response.response.labelled_by(label.id);

    ui.label(scene.get("settings-theme"));
    ui.horizontal_wrapped(|ui| {
        for (theme, name) in [
            (Theme::System, "theme-system"),
            (Theme::Light, "theme-light"),
            (Theme::Dark, "theme-dark"),
        ] {
            ui.radio_value(&mut wanted.theme, theme, scene.get(name));
        }
    });
    ui.checkbox(&mut wanted.high_contrast, scene.get("settings-contrast"));
    let label = ui.label(scene.get("settings-size"));
    // The size changes when the slider is let go: under the pointer it would run away.
    let id = ui.id().with("text size");
    let mut size = ui.data(|data| data.get_temp(id)).unwrap_or(wanted.text_size);
    let slider = Slider::new(&mut size, 0.8..=2.0)
        .step_by(0.1)
        .custom_formatter(|size, _| format!("{:.0} %", size * 100.0));
    let response = ui.add(slider).labelled_by(label.id);
    if response.dragged() {
        ui.data_mut(|data| data.insert_temp(id, size));
    } else {
        ui.data_mut(|data| data.remove::<f32>(id));
        if response.drag_stopped() || response.changed() {
            wanted.text_size = size;
        }
    }
    if wanted != scene.model.preferences {
        scene.wish(Command::Prefer(wanted));
    }
}

/// What is done to what the microphone hears; it changes while somebody talks.
pub fn sound(ui: &mut Ui, scene: &mut Scene<'_>) {
    widget::section(ui, &scene.get("settings-sound"));
    let now = scene.model.preferences.processing;
    let mut switch = |mut is_on: bool, name: &str, command: fn(bool) -> Command| {
        if ui.checkbox(&mut is_on, scene.get(name)).changed() {
            scene.wish(command(is_on));
        }
    };
    switch(now.echo, "settings-echo", Command::CancelEcho);
    switch(now.noise, "settings-noise", Command::SuppressNoise);
    switch(now.gain, "settings-gain", Command::AdjustGain);
}

/// What may be chosen for the uplink, kbit/s.
const UPLINKS: [u32; 6] = [500, 1_000, 2_000, 5_000, 10_000, 20_000];

/// How much is sent.
pub fn sending(ui: &mut Ui, scene: &mut Scene<'_>) {
    widget::section(ui, &scene.get("settings-sending"));
    let mut wanted = scene.model.preferences.clone();
    let now = &mut wanted.sending;
    let name = |uplink: Option<u32>| match uplink {
        Some(kilobits) => format::rate(scene.text, u64::from(kilobits) * 1000),
        None => scene.get("settings-uplink-any"),
    };
    let label = ui.label(scene.get("settings-uplink"));
    let combo = ComboBox::from_id_salt("uplink")
        .selected_text(name(now.uplink))
        .width(200.0);
    let response = combo.show_ui(ui, |ui| {
        for uplink in std::iter::once(None).chain(UPLINKS.map(Some)) {
            ui.selectable_value(&mut now.uplink, uplink, name(uplink));
        }
    });
    response.response.labelled_by(label.id);
    if now.uplink.is_some() {
        widget::weak(ui, &scene.get("settings-uplink-hint"));
    }
    ui.checkbox(&mut now.constant_rate, scene.get("settings-constant"));
    if wanted != scene.model.preferences {
        scene.wish(Command::Prefer(wanted));
    }
}

/// What is kept, where, and how to be rid of it.
pub fn kept(ui: &mut Ui, scene: &mut Scene<'_>) {
    widget::section(ui, &scene.get("settings-kept"));
    let path = scene.model.settings_path.clone();
    widget::weak(ui, &scene.text.with("settings-kept-hint", &[("path", &path)]));
    if ui.button(scene.get("settings-forget")).clicked() {
        scene.wish(Command::Forget);
    }
}
