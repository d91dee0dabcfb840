//! Questions over the call: a path to approve, a peer to admit. They never take keyboard focus, and a stray Return, space or
//! double click does not answer them: that takes a mouse click (or its equivalent in assistive technology) or a function
//! key, once the question has been visible for a moment.

use std::collections::BTreeMap;

use eframe::egui::accesskit::Live;
use eframe::egui::{
    Area, Button, Context, Frame, Id, Margin, Order, Response, RichText, ScrollArea, Sense, Stroke, Ui, pos2,
    vec2,
};

use crate::command::Command;
use crate::format;
use crate::keys::Action;
use crate::model::{Answer, Call, Knock, Path, PersonId, Question};
use crate::tokens::{GAP, RADIUS, SPACE};
use crate::view::Scene;
use crate::view::before::rule_name;
use crate::widget;

/// Seconds for which a new question cannot be answered: what was meant for something else must not hit it.
const SETTLING: f64 = 0.6;

/// Room for three answers, with two lines of what each means, points.
const ANSWERS: f32 = 150.0;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ask {
    Route(u64),
    Knock(PersonId),
}

/// The question in front: routes first, since media waits for them.
fn front(call: &Call) -> Option<Ask> {
    let route = call.questions.first().map(|question| Ask::Route(question.id));
    route.or_else(|| call.knocks.first().map(|knock| Ask::Knock(knock.id.clone())))
}

fn is_settled(seen: &BTreeMap<Ask, f64>, ask: &Ask, now: f64) -> bool {
    seen.get(ask).is_some_and(|since| now - since >= SETTLING)
}

/// A function key answers the question in front.
pub fn handle_key(
    seen: &BTreeMap<Ask, f64>,
    ctx: &Context,
    scene: &mut Scene<'_>,
    call: &Call,
    action: Action,
) {
    let now = ctx.input(|input| input.time);
    let Some(ask) = front(call).filter(|ask| is_settled(seen, ask, now)) else {
        return;
    };
    let command = match (ask, action) {
        (Ask::Route(id), Action::Yes) => Some(Command::Answer(id, Answer::Once)),
        (Ask::Route(id), Action::YesByRule) => {
            let wider = call.questions.first().and_then(|question| question.wider_rule);
            wider.map(|rule| Command::Answer(id, Answer::WithRule(rule)))
        }
        (Ask::Route(id), Action::No) => Some(Command::Answer(id, Answer::No)),
        (Ask::Knock(who), Action::Yes) => Some(Command::Admit(who)),
        (Ask::Knock(who), Action::No) => Some(Command::Refuse(who)),
        _ => None,
    };
    scene.commands.extend(command);
}

/// Shows the question in front, and how many wait behind it.
pub fn show(seen: &mut BTreeMap<Ask, f64>, ui: &Ui, scene: &mut Scene<'_>, call: &Call) {
    let now = ui.ctx().input(|input| input.time);
    let Some(ask) = front(call) else {
        return seen.clear();
    };
    // Only what is in front is seen, and so only it settles.
    if !seen.contains_key(&ask) {
        seen.clear();
        seen.insert(ask.clone(), now);
    }
    let settled = is_settled(seen, &ask, now);
    if !settled {
        ui.ctx()
            .request_repaint_after(std::time::Duration::from_secs_f64(SETTLING));
    }
    let room = ui.max_rect();
    let width = (room.width() - 2.0 * SPACE).min(600.0);
    let area = Area::new(Id::new("question"))
        .order(Order::Foreground)
        .fixed_pos(pos2(room.center().x - width / 2.0, room.top() + SPACE))
        .constrain_to(room)
        .default_size(vec2(width, room.height()));
    area.show(ui.ctx(), |ui| {
        Frame::new()
            .fill(scene.tokens.card)
            .stroke(Stroke::new(2.0, scene.tokens.warn))
            .corner_radius(RADIUS)
            .inner_margin(Margin::same(SPACE as i8))
            .show(ui, |ui| {
                ui.set_width(width - 2.0 * SPACE);
                // What is asked may be long, its answers are always in sight.
                let most = (room.height() - ANSWERS - 4.0 * SPACE).max(80.0);
                ScrollArea::vertical().max_height(most).show(ui, |ui| match &ask {
                    Ask::Route(_) => call
                        .questions
                        .iter()
                        .take(1)
                        .for_each(|one| route(ui, scene, one)),
                    Ask::Knock(_) => call.knocks.iter().take(1).for_each(|one| knock(ui, scene, one)),
                });
                ui.add_space(GAP / 2.0);
                match &ask {
                    Ask::Route(_) => {
                        call.questions
                            .iter()
                            .take(1)
                            .for_each(|one| route_answers(ui, scene, one, settled));
                    }
                    Ask::Knock(_) => {
                        call.knocks
                            .iter()
                            .take(1)
                            .for_each(|one| knock_answers(ui, scene, one, settled));
                    }
                }
                let behind = call.questions.len() + call.knocks.len() - 1;
                if behind > 0 {
                    let count = behind.to_string();
                    widget::weak(ui, &scene.text.with("question-behind", &[("count", &count)]));
                }
            });
    });
}

fn route(ui: &mut Ui, scene: &Scene<'_>, question: &Question) {
    let name = match &question.name {
        Some(name) => scene.text.name(name),
        None => scene.get("whoever-gave-the-code"),
    };
    let title = scene.text.with("question-title", &[("name", &name)]);
    let heading = ui.label(RichText::new(title).size(18.0).strong());
    widget::announce(&heading, Live::Assertive);
    let paused = if question.old.is_some() {
        "question-paused"
    } else {
        "question-not-begun"
    };
    ui.label(scene.text.with(paused, &[("name", &name)]));
    ui.add_space(GAP / 2.0);
    ui.columns_const(|[left, right]| {
        path(
            left,
            scene,
            "question-before",
            question.old.as_ref(),
            question.old.as_ref(),
        );
        path(
            right,
            scene,
            "question-now",
            Some(&question.new),
            question.old.as_ref(),
        );
    });
    let reason = scene.get(&format!("reason-{}", question.reason));
    ui.label(RichText::new(reason).color(scene.tokens.warn));
    if question.tells_address {
        let address = question.new.local.to_string();
        let words = scene
            .text
            .with("question-tells-address", &[("address", &address)]);
        ui.label(RichText::new(words).color(scene.tokens.warn));
    }
}

fn route_answers(ui: &mut Ui, scene: &mut Scene<'_>, question: &Question, settled: bool) {
    let answers = [
        Some((
            Answer::Once,
            scene.get("answer-once"),
            "F2",
            scene.get("answer-once-hint"),
        )),
        question.wider_rule.map(|rule| {
            let rule_words = scene.get(rule_name(rule));
            let hint = scene.text.with("answer-rule-hint", &[("rule", &rule_words)]);
            (Answer::WithRule(rule), scene.get("answer-rule"), "F3", hint)
        }),
        Some((
            Answer::No,
            scene.get("answer-no"),
            "F4",
            scene.get("answer-no-hint"),
        )),
    ];
    for (answer, label, key, hint) in answers.into_iter().flatten() {
        if answer_button(ui, scene, &label, key, &hint, settled).clicked() {
            scene.wish(Command::Answer(question.id, answer));
        }
    }
}

fn knock(ui: &mut Ui, scene: &Scene<'_>, knock: &Knock) {
    let name = scene.text.name(&knock.name);
    let title = scene.text.with("knock-title", &[("name", &name)]);
    let heading = ui.label(RichText::new(title).size(18.0).strong());
    widget::announce(&heading, Live::Assertive);
    ui.label(
        scene
            .text
            .with("knock-from", &[("address", &knock.from.to_string())]),
    );
    widget::weak(ui, &scene.get("knock-hint"));
}

fn knock_answers(ui: &mut Ui, scene: &mut Scene<'_>, knock: &Knock, settled: bool) {
    let name = scene.text.name(&knock.name);
    let (yes, no) = (scene.get("knock-admit"), scene.get("knock-refuse"));
    let hint = scene.text.with("knock-admit-hint", &[("name", &name)]);
    if answer_button(ui, scene, &yes, "F2", &hint, settled).clicked() {
        scene.wish(Command::Admit(knock.id.clone()));
    }
    let hint = scene.get("knock-refuse-hint");
    if answer_button(ui, scene, &no, "F4", &hint, settled).clicked() {
        scene.wish(Command::Refuse(knock.id.clone()));
    }
}

/// One of both paths, side by side; what differs from the path before stands out.
fn path(ui: &mut Ui, scene: &Scene<'_>, title: &str, path: Option<&Path>, before: Option<&Path>) {
    let tokens = &scene.tokens;
    Frame::new()
        .fill(tokens.control)
        .corner_radius(7)
        .inner_margin(Margin::same(10))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 3.0;
            widget::weak(ui, &scene.get(title));
            let Some(path) = path else {
                ui.label(scene.get("question-no-route"));
                return;
            };
            let interface =
                |path: &Path| format::interface(scene.text, path.interface.as_deref(), path.medium);
            let remote_medium = |path: &Path| {
                path.remote_medium
                    .map(|medium| scene.get(&format!("medium-{medium}")))
            };
            let rows = [
                (
                    Some(path.remote.to_string()),
                    before.map(|path| Some(path.remote.to_string())),
                ),
                (remote_medium(path), before.map(remote_medium)),
                (
                    Some(format::kind(scene.text, path)),
                    before.map(|path| Some(format::kind(scene.text, path))),
                ),
                (
                    Some(path.local.to_string()),
                    before.map(|path| Some(path.local.to_string())),
                ),
                (Some(interface(path)), before.map(|path| Some(interface(path)))),
            ];
            for (at, (words, old)) in rows.into_iter().enumerate() {
                let is_new = old.is_some_and(|old| old != words);
                let Some(words) = words else {
                    continue;
                };
                if at == 3 {
                    widget::weak(ui, &scene.get("question-from-here"));
                }
                let words = RichText::new(words).monospace();
                ui.label(if is_new {
                    words.color(tokens.warn).strong()
                } else {
                    words
                });
            }
        });
}

/// A button that only a click presses: it takes no focus, so no key that is meant for something else reaches it.
fn answer_button(
    ui: &mut Ui,
    scene: &Scene<'_>,
    label: &str,
    key: &str,
    hint: &str,
    settled: bool,
) -> Response {
    ui.horizontal_top(|ui| {
        let words = RichText::new(format!("{label}  [{key}]")).strong();
        let button = Button::new(words).sense(Sense::CLICK).min_size(vec2(150.0, 36.0));
        let response = ui.add_enabled(settled, button);
        ui.vertical(|ui| {
            ui.add_space(3.0);
            ui.label(RichText::new(hint).color(scene.tokens.weak).size(13.0));
        });
        response
    })
    .inner
}
