//! Every address that takes part, as counted at the socket, and what every route did.

use std::path::PathBuf;

use eframe::egui::{RichText, Ui, vec2};

use crate::command::Command;
use crate::format;
use crate::model::{AddressRow, Call, Step};
use crate::tokens::GAP;
use crate::view::{Scene, before};
use crate::widget;

/// Steps shown; all of them are saved.
const SHOWN: usize = 200;

/// What is typed.
#[derive(Default)]
pub struct State {
    path: Option<String>,
}

impl State {
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, call: &Call) {
        let mut rule = call.rule;
        if before::rule(ui, scene, &mut rule) {
            scene.wish(Command::Rule(rule));
        }
        widget::section(ui, &scene.get("routes-addresses"));
        widget::weak(ui, &scene.get("routes-addresses-hint"));
        for row in &call.addresses {
            address(ui, scene, row);
        }
        if call.addresses.is_empty() {
            widget::weak(ui, &scene.get("routes-none"));
        }
        self.save(ui, scene);
        widget::section(ui, &scene.get("routes-history"));
        if call.history.earlier > 0 {
            let count = call.history.earlier.to_string();
            widget::weak(ui, &scene.text.with("routes-earlier", &[("count", &count)]));
        }
        for one in call.history.steps.iter().rev().take(SHOWN) {
            step(ui, scene, one);
        }
    }

    fn save(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        widget::section(ui, &scene.get("routes-save"));
        let path = self.path.get_or_insert_with(|| scene.model.record_path.clone());
        let label = widget::weak(ui, &scene.text.get("routes-save-hint"));
        ui.add(widget::field(path)).labelled_by(label.id);
        if ui.button(scene.text.get("routes-save-button")).clicked() {
            scene.commands.push(Command::Save(PathBuf::from(&*path)));
        }
    }
}

fn address(ui: &mut Ui, scene: &Scene<'_>, row: &AddressRow) {
    let tokens = scene.tokens;
    widget::card(ui, &tokens, |ui| {
        ui.spacing_mut().item_spacing.y = 3.0;
        let whose = match (&row.whose, row.pair) {
            (Some(name), _) => scene.text.name(name),
            (None, Some(_)) => scene.get("routes-stranger"),
            (None, None) => scene.get("routes-others"),
        };
        ui.horizontal_top(|ui| {
            ui.vertical(|ui| {
                ui.set_width(ui.available_width() - 96.0 - GAP);
                ui.label(RichText::new(&whose).strong());
                if let Some((_, remote)) = row.pair {
                    ui.monospace(remote.to_string());
                }
            });
            let name = scene.text.with("routes-graph", &[("name", &whose)]);
            widget::graph(ui, &tokens, &row.graph, vec2(96.0, 34.0), &name);
        });
        if let Some((local, _)) = row.pair {
            let interface = row
                .interface
                .as_deref()
                .map(|name| format!(" ({name})"))
                .unwrap_or_default();
            widget::weak(
                ui,
                &format!("{} {local}{interface}", scene.get("question-from-here")),
            );
        }
        let values = [
            ("out", &*format::rate(scene.text, row.sending)),
            ("in", &*format::rate(scene.text, row.receiving)),
        ];
        ui.label(scene.text.with("routes-rates", &values));
        let values = [
            ("out", &*format::bytes(scene.text, row.sent)),
            ("in", &*format::bytes(scene.text, row.received)),
        ];
        widget::weak(ui, &scene.text.with("routes-totals", &values));
        if row.refused > 0 {
            let count = row.refused.to_string();
            let words = scene.text.with("routes-refused", &[("count", &count)]);
            ui.label(RichText::new(words).color(tokens.warn).size(13.5));
        }
        let values = [
            (
                "first",
                &*format::clock(scene.model.now.saturating_sub(row.first)),
            ),
            ("last", &*format::clock(scene.model.now.saturating_sub(row.last))),
        ];
        widget::weak(ui, &scene.text.with("routes-times", &values));
    });
}

fn step(ui: &mut Ui, scene: &Scene<'_>, step: &Step) {
    let route = &step.route;
    let name = match &step.name {
        Some(name) => scene.text.name(name),
        None => scene.get("whoever-gave-the-code"),
    };
    ui.label(
        RichText::new(format!("{}  {name}", step.time))
            .strong()
            .size(13.5),
    );
    let colour = match route.state {
        crate::model::RouteState::Active => scene.tokens.good,
        crate::model::RouteState::Closed => scene.tokens.weak,
        _ => scene.tokens.warn,
    };
    ui.label(
        RichText::new(format::route_state(scene.text, route))
            .color(colour)
            .size(13.5),
    );
    widget::weak(ui, &format!("{} → {}", route.path.local, route.path.remote));
    let mut why = scene.get(&format!("reason-{}", route.reason));
    if let Some(by) = route.approved_by {
        let approval = scene.get(&format!("approval-{by}"));
        why = format!(
            "{why}. {}",
            scene.text.with("routes-approved-by", &[("approval", &approval)])
        );
    }
    widget::weak(ui, &why);
    ui.add_space(GAP / 2.0);
}
