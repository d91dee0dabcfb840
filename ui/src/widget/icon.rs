//! Icons, drawn with strokes on a grid of 24 by 24, so that they look the same at every size and in every font.

use eframe::egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, vec2};

/// A picture for a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// A microphone.
    Microphone,
    /// A camera.
    Camera,
    /// Two people.
    People,
    /// Two ends, and the way between them.
    Route,
    /// A person, and a plus.
    Invite,
    /// Sliders.
    Settings,
    /// A pulse.
    Diagnostics,
    /// A question mark.
    Help,
    /// A receiver, put down.
    Leave,
    /// Four tiles.
    Grid,
    /// One large tile and small ones.
    Stage,
    /// A pin.
    Pin,
    /// An eye.
    Cover,
    /// A cross.
    Close,
}

impl Icon {
    /// Draws it into the middle of `place`, crossed out if `is_off`.
    pub fn draw(self, painter: &Painter, place: Rect, size: f32, colour: Color32, is_off: bool) {
        let unit = size / 24.0;
        let origin = place.center() - vec2(12.0, 12.0) * unit;
        let at = |x: f32, y: f32| -> Pos2 { origin + vec2(x, y) * unit };
        let stroke = Stroke::new((unit * 1.9).max(1.2), colour);
        let line = |points: &[(f32, f32)]| {
            let points = points.iter().map(|(x, y)| at(*x, *y)).collect();
            painter.add(Shape::line(points, stroke));
        };
        let circle = |x: f32, y: f32, radius: f32| {
            painter.circle_stroke(at(x, y), radius * unit, stroke);
        };
        let block = |x: f32, y: f32, width: f32, height: f32, radius: f32| {
            let rect = Rect::from_min_size(at(x, y), vec2(width, height) * unit);
            painter.rect_stroke(rect, radius * unit, stroke, StrokeKind::Middle);
        };
        let arc = |x: f32, y: f32, radius: f32, from: f32, to: f32| {
            let point = |n: u8| {
                let angle = (from + (to - from) * f32::from(n) / 16.0).to_radians();
                at(x + radius * angle.cos(), y + radius * angle.sin())
            };
            painter.add(Shape::line((0..=16).map(point).collect(), stroke));
        };
        match self {
            Self::Microphone => {
                block(9.0, 3.0, 6.0, 11.0, 3.0);
                arc(12.0, 11.0, 7.0, 0.0, 180.0);
                line(&[(12.0, 18.0), (12.0, 21.5)]);
            }
            Self::Camera => {
                block(2.5, 6.5, 12.5, 11.0, 2.0);
                line(&[(15.0, 11.0), (21.5, 7.5), (21.5, 16.5), (15.0, 13.0)]);
            }
            Self::People => {
                circle(9.0, 8.0, 3.6);
                arc(9.0, 20.5, 6.5, 180.0, 360.0);
                arc(16.0, 8.0, 3.6, -80.0, 80.0);
                arc(16.0, 20.5, 6.0, 285.0, 360.0);
            }
            Self::Route => {
                circle(5.0, 18.0, 2.6);
                circle(19.0, 6.0, 2.6);
                line(&[
                    (7.6, 18.0),
                    (17.0, 18.0),
                    (17.0, 12.0),
                    (7.0, 12.0),
                    (7.0, 6.0),
                    (16.4, 6.0),
                ]);
            }
            Self::Invite => {
                circle(9.5, 8.0, 3.8);
                arc(9.5, 20.5, 6.8, 180.0, 360.0);
                line(&[(19.0, 8.0), (19.0, 14.0)]);
                line(&[(16.0, 11.0), (22.0, 11.0)]);
            }
            Self::Settings => {
                for (y, knob) in [(6.0, 15.0), (12.0, 8.0), (18.0, 13.0)] {
                    line(&[(3.0, y), (knob - 2.4, y)]);
                    line(&[(knob + 2.4, y), (21.0, y)]);
                    circle(knob, y, 2.4);
                }
            }
            Self::Diagnostics => {
                line(&[
                    (2.5, 12.0),
                    (7.0, 12.0),
                    (10.0, 5.0),
                    (14.0, 19.0),
                    (17.0, 12.0),
                    (21.5, 12.0),
                ]);
            }
            Self::Help => {
                circle(12.0, 12.0, 9.0);
                arc(12.0, 9.8, 2.7, 180.0, 400.0);
                line(&[(14.0, 11.6), (12.0, 13.2), (12.0, 14.4)]);
                painter.circle_filled(at(12.0, 17.2), 1.2 * unit, colour);
            }
            Self::Leave => {
                let wide = Stroke::new(unit * 3.6, colour);
                let points = (0..=16)
                    .map(|n: u8| {
                        let angle = (205.0 + 130.0 * f32::from(n) / 16.0_f32).to_radians();
                        at(12.0 + 9.5 * angle.cos(), 18.5 + 9.5 * angle.sin())
                    })
                    .collect();
                painter.add(Shape::line(points, wide));
                for (x, y) in [(4.4, 14.6), (19.6, 14.6)] {
                    let rect = Rect::from_center_size(at(x, y + 0.6), vec2(5.2, 3.6) * unit);
                    painter.rect_filled(rect, 1.2 * unit, colour);
                }
            }
            Self::Grid => {
                for (x, y) in [(3.5, 3.5), (13.5, 3.5), (3.5, 13.5), (13.5, 13.5)] {
                    block(x, y, 7.0, 7.0, 1.5);
                }
            }
            Self::Stage => {
                block(3.0, 3.5, 18.0, 10.5, 1.5);
                for x in [3.0, 10.0, 17.0] {
                    block(x, 17.0, 4.0, 3.5, 0.8);
                }
            }
            Self::Pin => {
                line(&[(8.0, 3.5), (16.0, 3.5)]);
                line(&[
                    (9.5, 3.5),
                    (9.5, 10.0),
                    (6.0, 14.5),
                    (18.0, 14.5),
                    (14.5, 10.0),
                    (14.5, 3.5),
                ]);
                line(&[(12.0, 14.5), (12.0, 21.0)]);
            }
            Self::Cover => {
                arc(12.0, 18.0, 11.0, 213.0, 327.0);
                arc(12.0, 6.0, 11.0, 33.0, 147.0);
                circle(12.0, 12.0, 3.0);
            }
            Self::Close => {
                line(&[(6.0, 6.0), (18.0, 18.0)]);
                line(&[(18.0, 6.0), (6.0, 18.0)]);
            }
        }
        if is_off {
            line(&[(3.5, 3.5), (20.5, 20.5)]);
        }
    }
}
