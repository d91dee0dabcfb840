//! A minute of a rate, as a line without axes.

use eframe::egui::{Rect, Response, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo, WidgetType, pos2};

use crate::model::Graph;
use crate::tokens::Tokens;

/// Draws the rates of the last minute, the newest on the right; the highest of them reaches the top.
pub fn graph(ui: &mut Ui, tokens: &Tokens, graph: &Graph, size: Vec2, name: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let painter = ui.painter();
    painter.rect_filled(rect, 4.0, tokens.control);
    let inside: Rect = rect.shrink(3.0);
    let highest = graph.0.iter().copied().max().unwrap_or(0).max(1) as f32;
    let step = inside.width() / (Graph::LEN - 1) as f32;
    let line = graph.0.iter().rev().enumerate().map(|(age, rate)| {
        let height = *rate as f32 / highest * inside.height();
        pos2(inside.right() - age as f32 * step, inside.bottom() - height)
    });
    painter.add(Shape::line(line.collect(), Stroke::new(1.5, tokens.good)));
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, name));
    response
}
