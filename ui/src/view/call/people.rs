//! Who is here.

use eframe::egui::{RichText, Slider, Ui};

use super::tile::quality_name;
use crate::command::Command;
use crate::model::Call;
use crate::tokens::GAP;
use crate::view::Scene;
use crate::widget;

pub fn show(ui: &mut Ui, scene: &mut Scene<'_>, call: &Call) {
    let tokens = scene.tokens;
    widget::card(ui, &tokens, |ui| {
        let name = scene.text.name(&call.name);
        ui.label(RichText::new(scene.text.with("people-you", &[("name", &name)])).strong());
    });
    if call.people.is_empty() {
        widget::weak(ui, &scene.get("people-nobody"));
    }
    for person in &call.people {
        ui.add_space(GAP / 2.0);
        widget::card(ui, &tokens, |ui| {
            let name = scene.text.name(&person.name);
            ui.label(RichText::new(&name).strong());
            let who = |name: &Option<String>| match name {
                Some(name) => scene.text.name(name),
                None => scene.get("you"),
            };
            let by = who(&person.invited_by);
            widget::weak(ui, &scene.text.with("people-invited-by", &[("name", &by)]));
            let mut states = vec![scene.get(quality_name(person.quality))];
            if person.muted {
                states.push(scene.get("muted"));
            }
            if person.speaking {
                states.push(scene.get("speaks"));
            }
            widget::weak(ui, &states.join(" · "));
            for other in &person.cannot_hear {
                let whom = who(other);
                let values = [("name", &*name), ("whom", &*whom)];
                let words = scene.text.with("people-cannot-hear", &values);
                ui.label(RichText::new(words).color(tokens.bad));
            }
            let label = widget::weak(ui, &scene.get("volume"));
            let mut volume = person.volume * 100.0;
            let slider = Slider::new(&mut volume, 0.0..=200.0)
                .suffix(" %")
                .fixed_decimals(0)
                .step_by(5.0);
            if ui.add(slider).labelled_by(label.id).changed() {
                scene.wish(Command::Volume(person.id.clone(), volume / 100.0));
            }
        });
    }
}
