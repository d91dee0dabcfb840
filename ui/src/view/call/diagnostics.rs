//! What `--json` says, readable: measurements of each link, and what happened.

use eframe::egui::{Grid, RichText, Ui, vec2};

use crate::format;
use crate::model::Call;
use crate::tokens::SPACE;
use crate::view::Scene;
use crate::widget;

pub fn show(ui: &mut Ui, scene: &mut Scene<'_>, call: &Call) {
    widget::section(ui, &scene.get("diagnostics-local"));
    for address in &call.local {
        ui.monospace(address.to_string());
    }
    for person in &call.people {
        let name = scene.text.name(&person.name);
        widget::section(ui, &name);
        let percent = format!("{:.1} %", person.loss * 100.0);
        let rows = [
            ("stat-round-trip", format::millis(scene.text, person.round_trip)),
            ("stat-loss", percent),
            ("stat-sending", format::rate(scene.text, person.sending)),
            ("stat-receiving", format::rate(scene.text, person.receiving)),
            ("stat-sound-delay", format::millis(scene.text, person.audio_delay)),
            (
                "stat-picture-delay",
                format::millis(scene.text, person.video_delay),
            ),
            ("stat-pictures", person.pictures.to_string()),
            ("stat-freezes", person.freezes.to_string()),
            ("stat-concealed", person.concealed.to_string()),
        ];
        Grid::new(&person.id)
            .num_columns(2)
            .min_row_height(0.0)
            .spacing(vec2(SPACE, 4.0))
            .show(ui, |ui| {
                for (label, value) in rows {
                    widget::weak(ui, &scene.get(label));
                    ui.label(RichText::new(value).monospace());
                    ui.end_row();
                }
            });
    }
    widget::section(ui, &scene.get("diagnostics-events"));
    for line in scene.model.lines.iter().rev() {
        ui.label(RichText::new(&**line).monospace().size(11.5));
    }
}
