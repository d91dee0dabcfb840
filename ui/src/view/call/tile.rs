//! A participant's tile: picture or initials, name, who speaks, and always the route.

use std::collections::BTreeMap;

use eframe::egui::text::{LayoutJob, TextFormat, TextWrapping};
use eframe::egui::{
    Align2, Color32, FontId, Id, Painter, Rect, Response, Sense, Stroke, StrokeKind, Ui, WidgetInfo,
    WidgetType, pos2, vec2,
};

use super::{State, is_minimized, layout};
use crate::command::Command;
use crate::format;
use crate::model::{Call, Person, PersonId, Quality, RouteState, TileSize};
use crate::picture::{Canvas, Fit, Source};
use crate::tokens::{GAP, RADIUS};
use crate::view::Scene;
use crate::widget::{self, Icon};

/// The own picture's width beside others.
const OWN_WIDTH: f32 = 180.0;

impl State {
    /// All tiles.
    pub(super) fn tiles(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, call: &Call, canvas: &mut Canvas) {
        let room = ui.max_rect();
        if let Some(speaker) = call.people.iter().find(|person| person.speaking) {
            self.last_speaker = Some(speaker.id.clone());
        }
        let is_here = |id: &PersonId| call.people.iter().any(|person| person.id == *id);
        self.pinned = self.pinned.take().filter(is_here);
        if call.people.is_empty() {
            return alone(ui, scene, call, canvas, room);
        }
        let large = match &self.pinned {
            Some(pinned) => Some(pinned.clone()),
            None if self.has_stage => {
                let speaker = self.last_speaker.clone().filter(is_here);
                speaker.or_else(|| call.people.first().map(|person| person.id.clone()))
            }
            None => None,
        };
        let mut sizes = BTreeMap::new();
        let pixels = ui.ctx().pixels_per_point();
        let mut note = |person: &Person, place: Rect| {
            sizes.insert(person.id.clone(), TileSize::of(place.height() * pixels));
        };
        match large {
            Some(large) => {
                let (place, strip) = layout::stage(room, call.people.len() - 1);
                let mut strip = strip.into_iter();
                for person in &call.people {
                    let place = if person.id == large {
                        Some(place)
                    } else {
                        strip.next()
                    };
                    // Who has no place may have one any moment.
                    note(person, place.unwrap_or(Rect::ZERO));
                    if let Some(place) = place {
                        self.tile(ui, scene, call, canvas, (person, place));
                    }
                }
            }
            None => {
                for (person, place) in call.people.iter().zip(layout::grid(room, call.people.len())) {
                    note(person, place);
                    self.tile(ui, scene, call, canvas, (person, place));
                }
            }
        }
        if sizes != self.tile_sizes && !is_minimized(ui.ctx()) {
            self.tile_sizes.clone_from(&sizes);
            scene.wish(Command::Tiles(sizes));
        }
        self.own_tile(ui, scene, call, canvas, room);
    }

    fn tile(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        call: &Call,
        canvas: &mut Canvas,
        (person, place): (&Person, Rect),
    ) {
        let response = ui.interact(place, Id::new(("tile", &person.id)), Sense::click());
        let is_pinned = self.pinned.as_ref() == Some(&person.id);
        if response.clicked() {
            self.pinned = if is_pinned { None } else { Some(person.id.clone()) };
        }
        let name = scene.text.name(&person.name);
        let status = status(scene, call, person);
        describe(&response, scene, person, &name, status.as_deref());
        let tokens = &scene.tokens;
        let painter = ui.painter().with_clip_rect(place);
        let fit = Fit {
            mirrored: false,
            radius: RADIUS,
        };
        let is_seen = person.has_video && canvas.draw(ui, place, &Source::Camera(person.id.clone()), fit);
        if !is_seen {
            painter.rect_filled(place, RADIUS, tokens.tile);
            let radius = (place.height() * 0.2).min(place.width() * 0.2).min(80.0);
            let center = place.center() - vec2(0.0, place.height() * 0.06);
            widget::avatar(ui, tokens, center, radius, &person.name, &person.id.0);
        }
        if let Some(status) = &status {
            veil(&painter, scene, place, status);
        }
        labels(&painter, scene, place, &name, person, is_pinned);
        let ring = if person.speaking {
            Some(Stroke::new(3.0, tokens.good))
        } else if status.is_some() {
            Some(Stroke::new(2.0, tokens.warn))
        } else if tokens.outline == tokens.text {
            Some(Stroke::new(1.0, tokens.outline))
        } else {
            None
        };
        let ring = if response.has_focus() {
            Some(Stroke::new(4.0, tokens.text))
        } else {
            ring
        };
        if let Some(ring) = ring {
            painter.rect_stroke(place, RADIUS, ring, StrokeKind::Inside);
        }
    }

    /// The own picture: small, mirrored, in a corner that it can be moved to.
    fn own_tile(&mut self, ui: &mut Ui, scene: &Scene<'_>, call: &Call, canvas: &mut Canvas, room: Rect) {
        let width = OWN_WIDTH.min(room.width() * 0.28);
        let size = vec2(width, width * 9.0 / 16.0);
        let mut place = self.own_corner.place(room, size);
        let response = ui.interact(place, Id::new("own"), Sense::drag());
        if let Some(pointer) = response.interact_pointer_pos().filter(|_| response.dragged()) {
            place = Rect::from_center_size(pointer, size);
        }
        if response.drag_stopped() {
            self.own_corner =
                layout::Corner::nearest(room, response.interact_pointer_pos().unwrap_or(place.center()));
        }
        own(ui, scene, call, canvas, place, &response);
    }
}

/// Nobody else is here yet: the own picture in the middle.
fn alone(ui: &Ui, scene: &Scene<'_>, call: &Call, canvas: &mut Canvas, room: Rect) {
    let hint = 64.0;
    let above = room.with_max_y(room.bottom() - hint);
    for place in layout::grid(above, 1) {
        let response = ui.interact(place, Id::new("own"), Sense::hover());
        own(ui, scene, call, canvas, place, &response);
    }
    let font = FontId::proportional(15.0);
    let below = pos2(room.center().x, room.bottom() - hint / 2.0);
    let galley = ui
        .painter()
        .layout(scene.get("alone"), font, scene.tokens.text, room.width() - 20.0);
    ui.painter()
        .galley(below - galley.size() / 2.0, galley, scene.tokens.text);
}

fn own(ui: &Ui, scene: &Scene<'_>, call: &Call, canvas: &mut Canvas, place: Rect, response: &Response) {
    let (tokens, own) = (&scene.tokens, &scene.model.own);
    let painter = ui.painter().with_clip_rect(place.expand(2.0));
    let fit = Fit {
        mirrored: true,
        radius: RADIUS,
    };
    let is_seen = own.camera.is_some() && canvas.draw(ui, place, &Source::Own, fit);
    if !is_seen {
        painter.rect_filled(place, RADIUS, tokens.tile);
        let radius = (place.height() * 0.25).min(80.0);
        widget::avatar(
            ui,
            tokens,
            place.center() - vec2(0.0, 6.0),
            radius,
            &call.name,
            &call.me.0,
        );
    }
    let is_silent = own.muted || own.microphone.is_none();
    let name = scene.get("you");
    strip(
        &painter,
        scene,
        place,
        &[(&name, tokens.on_shade)],
        is_silent.then_some(Icon::Microphone),
    );
    let ring = if own.speaking && !is_silent {
        tokens.good
    } else {
        tokens.outline
    };
    let width = if own.speaking && !is_silent { 3.0 } else { 1.5 };
    painter.rect_stroke(place, RADIUS, Stroke::new(width, ring), StrokeKind::Inside);
    response.widget_info(|| {
        let words = scene.get(if is_seen { "own-tile" } else { "own-tile-off" });
        WidgetInfo::labeled(WidgetType::Image, true, words)
    });
}

/// Why nothing flows to somebody, if nothing does.
fn status(scene: &Scene<'_>, call: &Call, person: &Person) -> Option<String> {
    let asked = call
        .questions
        .iter()
        .find(|question| question.person.as_ref() == Some(&person.id));
    if let Some(question) = asked {
        let reason = scene.get(&format!("reason-{}", question.reason));
        return Some(format!("{}\n{reason}", scene.get("tile-your-answer")));
    }
    if person.is_being_asked {
        return Some(scene.get("tile-they-are-asked"));
    }
    match &person.route {
        None => Some(scene.get("tile-no-route")),
        Some(route) if route.state == RouteState::Active => None,
        Some(route) => {
            let state = format::route_state(scene.text, route);
            let reason = scene.get(&format!("reason-{}", route.reason));
            Some(format!("{state}\n{reason}"))
        }
    }
}

/// What assistive technology reads of a tile.
fn describe(response: &Response, scene: &Scene<'_>, person: &Person, name: &str, status: Option<&str>) {
    let mut words = vec![name.to_owned()];
    if person.speaking {
        words.push(scene.get("speaks"));
    }
    if person.muted {
        words.push(scene.get("muted"));
    }
    words.push(scene.get(quality_name(person.quality)));
    if let Some(route) = &person.route {
        words.push(format::route_line(scene.text, &route.path));
    }
    words.extend(status.map(str::to_owned));
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, words.join(", ")));
}

/// A dark veil with the reason for it.
fn veil(painter: &Painter, scene: &Scene<'_>, place: Rect, words: &str) {
    painter.rect_filled(place, RADIUS, Color32::from_black_alpha(170));
    let mut job = lines(words, 15.0, Color32::WHITE, place.width() - 24.0, 6);
    job.halign = eframe::egui::Align::Center;
    let galley = painter.layout_job(job);
    let top = place.center().y - galley.size().y / 2.0 - place.height() * 0.08;
    let corner = pos2(place.center().x, top.max(place.top() + 10.0));
    painter.galley(corner, galley, scene.tokens.on_shade);
}

/// Name, muted, quality, pinned, and below it the route.
fn labels(painter: &Painter, scene: &Scene<'_>, place: Rect, name: &str, person: &Person, is_pinned: bool) {
    let tokens = &scene.tokens;
    let route = person
        .route
        .as_ref()
        .map(|route| format::route_line(scene.text, &route.path));
    let mut rows = vec![(name, tokens.on_shade)];
    if let Some(route) = &route {
        rows.push((route, Color32::from_gray(225)));
    }
    let icon = person.muted.then_some(Icon::Microphone);
    let used = strip(painter, scene, place, &rows, icon);
    bars(
        painter,
        scene,
        pos2(used.right() - 14.0, used.top() + 6.0),
        person.quality,
    );
    if is_pinned {
        let corner = Rect::from_min_size(place.min + vec2(8.0, 8.0), vec2(28.0, 28.0));
        painter.rect_filled(corner, 6.0, tokens.shade);
        Icon::Pin.draw(painter, corner, 16.0, tokens.on_shade, false);
    }
}

/// Lines of text on a dark strip along the lower edge. Returns the strip.
fn strip(
    painter: &Painter,
    scene: &Scene<'_>,
    place: Rect,
    rows: &[(&str, Color32)],
    silent: Option<Icon>,
) -> Rect {
    let inset = 6.0;
    let room = place.width() - 2.0 * inset - 2.0 * GAP - 30.0;
    let icon_room = if silent.is_some() { 20.0 } else { 0.0 };
    let galleys: Vec<_> = rows
        .iter()
        .enumerate()
        .map(|(n, (words, colour))| {
            let (size, room) = if n == 0 {
                (14.0, room - icon_room)
            } else {
                (12.0, room + 30.0)
            };
            painter.layout_job(lines(words, size, *colour, room.max(10.0), 1))
        })
        .collect();
    let height: f32 = galleys.iter().map(|galley| galley.size().y + 1.0).sum::<f32>() + 8.0;
    let widest = galleys.iter().map(|galley| galley.size().x).fold(0.0, f32::max);
    let width = (widest + 2.0 * GAP + icon_room + 30.0).min(place.width() - 2.0 * inset);
    let corner = place.left_bottom() + vec2(inset, -inset - height);
    let area = Rect::from_min_size(corner, vec2(width, height));
    painter.rect_filled(area, 7.0, scene.tokens.shade);
    let mut at = area.min + vec2(GAP, 4.0);
    for (n, galley) in galleys.into_iter().enumerate() {
        let size = galley.size();
        let indent = if n == 0 { icon_room } else { 0.0 };
        if let (0, Some(icon)) = (n, silent) {
            let spot = Rect::from_center_size(at + vec2(6.0, size.y / 2.0), vec2(16.0, 16.0));
            icon.draw(painter, spot, 15.0, Color32::from_rgb(0xff, 0x8a, 0x80), true);
        }
        painter.galley(at + vec2(indent, 0.0), galley, scene.tokens.on_shade);
        at.y += size.y + 1.0;
    }
    area
}

/// Text in at most so many lines, cut with an ellipsis.
fn lines(words: &str, size: f32, colour: Color32, width: f32, rows: usize) -> LayoutJob {
    let format = TextFormat::simple(FontId::proportional(size), colour);
    let mut job = LayoutJob::single_section(words.to_owned(), format);
    job.wrap = TextWrapping {
        max_width: width,
        max_rows: rows,
        break_anywhere: rows == 1,
        overflow_character: Some('…'),
    };
    job.halign = eframe::egui::Align::LEFT;
    job
}

/// Four bars, as on a telephone.
fn bars(painter: &Painter, scene: &Scene<'_>, left_top: eframe::egui::Pos2, quality: Quality) {
    let (full, colour) = match quality {
        Quality::Unknown => (0, scene.tokens.on_shade),
        Quality::Good => (4, Color32::from_rgb(0x6f, 0xe0, 0xa8)),
        Quality::Fair => (2, Color32::from_rgb(0xff, 0xc8, 0x5a)),
        Quality::Poor => (1, Color32::from_rgb(0xff, 0x8a, 0x80)),
        Quality::Nothing => (0, Color32::from_rgb(0xff, 0x8a, 0x80)),
    };
    for n in 0..4u8 {
        let height = 4.0 + 3.0 * f32::from(n);
        let x = left_top.x - 12.0 + 5.0 * f32::from(n);
        let bar = Rect::from_min_max(
            pos2(x, left_top.y + 14.0 - height),
            pos2(x + 3.0, left_top.y + 14.0),
        );
        let fill = if n < full {
            colour
        } else {
            Color32::from_white_alpha(70)
        };
        painter.rect_filled(bar, 1.0, fill);
    }
    if quality == Quality::Nothing {
        let center = left_top + vec2(-3.0, 7.0);
        painter.text(
            center,
            Align2::CENTER_CENTER,
            "×",
            FontId::proportional(16.0),
            colour,
        );
    }
}

/// The text's name for a quality.
pub const fn quality_name(quality: Quality) -> &'static str {
    match quality {
        Quality::Unknown => "quality-unknown",
        Quality::Good => "quality-good",
        Quality::Fair => "quality-fair",
        Quality::Poor => "quality-poor",
        Quality::Nothing => "quality-nothing",
    }
}
