//! Choosing and trying devices: before a call and in the settings beside one.

use std::time::Duration;

use eframe::egui::{ComboBox, Ui};

use super::Scene;
use crate::command::Command;
use crate::model::Choice;
use crate::widget;

/// 66 ms: how often a meter moves.
const METER: Duration = Duration::from_millis(66);

/// A list of devices of one kind, and none of them where that can be chosen. Returns what was chosen.
pub fn choose(
    ui: &mut Ui,
    scene: &Scene<'_>,
    label: &str,
    chosen: &Choice,
    names: &[String],
    with_off: bool,
) -> Option<Choice> {
    let shown = |choice: &Choice| match choice {
        Choice::Off => scene.get("device-off"),
        Choice::Default => scene.get("device-default"),
        Choice::Named(name) => name.clone(),
        Choice::Test => scene.get("device-test"),
        Choice::File(path) => path.display().to_string(),
    };
    let mut picked = None;
    let label = ui.label(scene.get(label));
    let width = ui.available_width().min(360.0);
    let combo = ComboBox::from_id_salt(label.id)
        .selected_text(shown(chosen))
        .width(width)
        .truncate();
    let response = combo.show_ui(ui, |ui| {
        let named = names.iter().cloned().map(Choice::Named);
        let off = with_off.then_some(Choice::Off);
        for choice in off.into_iter().chain([Choice::Default]).chain(named) {
            if ui.selectable_label(*chosen == choice, shown(&choice)).clicked() {
                picked = Some(choice);
            }
        }
    });
    response.response.labelled_by(label.id);
    picked
}

/// The microphone's level, and what to do with it.
pub fn level(ui: &mut Ui, scene: &Scene<'_>) {
    let own = &scene.model.own;
    widget::meter(ui, &scene.tokens, scene.level, &scene.get("level"));
    if own.microphone.is_some() {
        ui.ctx().request_repaint_after(METER);
    }
    let name = match (&own.microphone, own.speaking) {
        (None, _) => "level-off",
        (Some(_), false) => "level-say-something",
        (Some(_), true) => "level-heard",
    };
    widget::weak(ui, &scene.get(name));
}

/// The button that plays a tone.
pub fn speaker_test(ui: &mut Ui, scene: &mut Scene<'_>) {
    if ui.button(scene.get("speaker-test")).clicked() {
        scene.wish(Command::TestSpeaker);
    }
}
