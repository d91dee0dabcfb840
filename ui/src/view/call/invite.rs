//! Codes: a fresh one as text and as a picture, and what became of those before.

use eframe::egui::{RichText, Ui};

use crate::command::Command;
use crate::format;
use crate::model::{Call, Invite, InviteState};
use crate::tokens::GAP;
use crate::view::Scene;
use crate::widget;

/// Whether the code was copied just now.
#[derive(Default)]
pub struct State {
    copied: Option<u64>,
}

impl State {
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, call: &Call) {
        widget::weak(ui, &scene.get("invite-hint"));
        ui.add_space(GAP);
        let open = call
            .invites
            .iter()
            .rev()
            .find(|invite| invite.state == InviteState::Open);
        match open {
            Some(invite) => self.fresh(ui, scene, invite),
            None => {
                widget::weak(ui, &scene.get("invite-none"));
            }
        }
        let button = widget::primary(&scene.tokens, &scene.get("invite-new"));
        if ui.add(button).clicked() {
            scene.wish(Command::NewCode);
        }
        ui.add_space(GAP);
        widget::section(ui, &scene.get("invite-list"));
        for invite in call.invites.iter().rev() {
            line(ui, scene, invite);
        }
        let open = call
            .invites
            .iter()
            .filter(|invite| invite.state == InviteState::Open)
            .count();
        if open > 1 && ui.button(scene.get("invite-withdraw-all")).clicked() {
            scene.wish(Command::WithdrawAll);
        }
    }

    fn fresh(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, invite: &Invite) {
        ui.vertical_centered(|ui| {
            let side = ui.available_width().min(270.0);
            widget::qr(ui, &invite.code, side, &scene.get("invite-qr"));
        });
        let mut code: &str = &invite.code;
        let label = widget::weak(ui, &scene.get("invite-code"));
        ui.add(widget::code_field(&mut code, 3)).labelled_by(label.id);
        let span = format::span(scene.text, invite.expires_in);
        widget::weak(ui, &scene.text.with("invite-expires", &[("span", &span)]));
        ui.horizontal_wrapped(|ui| {
            let is_copied = self.copied == Some(invite.number);
            let label = scene.get(if is_copied { "invite-copied" } else { "invite-copy" });
            if ui.button(label).clicked() {
                ui.ctx().copy_text(String::from(&*invite.code));
                self.copied = Some(invite.number);
            }
            if ui.button(scene.get("invite-withdraw")).clicked() {
                scene.wish(Command::Withdraw(invite.number));
            }
        });
    }
}

fn line(ui: &mut Ui, scene: &mut Scene<'_>, invite: &Invite) {
    let number = invite.number.to_string();
    let words = match &invite.state {
        InviteState::Open => scene.get("fate-open"),
        InviteState::UsedBy(name) => {
            let name = scene.text.name(name);
            scene.text.with("fate-used", &[("name", &name)])
        }
        InviteState::Withdrawn => scene.get("fate-withdrawn"),
        InviteState::Expired => scene.get("fate-expired"),
    };
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(scene.text.with("invite-number", &[("number", &number)])).strong());
        widget::weak(ui, &words);
    });
}
