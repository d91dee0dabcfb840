//! A code as a square of dots.

use eframe::egui::{Color32, Rect, Response, Sense, Ui, Vec2, WidgetInfo, WidgetType, vec2};
use fast_qr::ECL;
use fast_qr::qr::QRBuilder;

/// Light modules around the code (ISO/IEC 18004, 6.3.8).
const QUIET: usize = 4;

/// Draws `text` as a QR code, at most `side` points wide: black on white in every look, or cameras cannot read
/// it. Nothing is drawn of a text that is too long for one.
pub fn qr(ui: &mut Ui, text: &str, side: f32, name: &str) -> Option<Response> {
    // A screen shows no scratches: fewer and larger dots are read more easily than more correction.
    let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
    let modules = code.size + 2 * QUIET;
    // Whole pixels: edges that are not sharp are hard to read.
    let pixels = ui.pixels_per_point();
    let module = ((side * pixels / modules as f32).floor().max(1.0)) / pixels;
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(module * modules as f32), Sense::hover());
    let painter = ui.painter();
    painter.rect_filled(rect, 0.0, Color32::WHITE);
    for row in 0..code.size {
        let mut column = 0;
        while column < code.size {
            let begin = column;
            while column < code.size && code[row][column].value() {
                column += 1;
            }
            if column > begin {
                let corner = vec2((begin + QUIET) as f32, (row + QUIET) as f32) * module;
                let size = vec2((column - begin) as f32, 1.0) * module;
                painter.rect_filled(Rect::from_min_size(rect.min + corner, size), 0.0, Color32::BLACK);
            }
            column += 1;
        }
    }
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, name));
    Some(response)
}
