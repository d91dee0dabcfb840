//! Where tiles go: plain geometry.

use eframe::egui::{Pos2, Rect, Vec2, pos2, vec2};

use crate::tokens::GAP;

/// Tiles are this much wider than high.
const SHAPE: f32 = 16.0 / 9.0;

/// The corner that the own picture was moved to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Corner {
    #[default]
    BottomRight,
    BottomLeft,
    TopRight,
    TopLeft,
}

impl Corner {
    /// The corner of `room` that is nearest to `point`.
    pub fn nearest(room: Rect, point: Pos2) -> Self {
        match (point.x < room.center().x, point.y < room.center().y) {
            (false, false) => Self::BottomRight,
            (true, false) => Self::BottomLeft,
            (false, true) => Self::TopRight,
            (true, true) => Self::TopLeft,
        }
    }

    /// A tile of this size in this corner.
    pub fn place(self, room: Rect, size: Vec2) -> Rect {
        let room = room.shrink(GAP);
        let (right, bottom) = (room.right() - size.x, room.bottom() - size.y);
        let corner = match self {
            Self::BottomRight => pos2(right, bottom),
            Self::BottomLeft => pos2(room.left(), bottom),
            Self::TopRight => pos2(right, room.top()),
            Self::TopLeft => room.min,
        };
        Rect::from_min_size(corner, size)
    }
}

/// `count` tiles of one size, as large as they can be.
pub fn grid(room: Rect, count: usize) -> Vec<Rect> {
    if count == 0 {
        return Vec::new();
    }
    let size_in = |columns: usize| {
        let rows = count.div_ceil(columns);
        let width = (room.width() - GAP * (columns - 1) as f32) / columns as f32;
        let height = (room.height() - GAP * (rows - 1) as f32) / rows as f32;
        vec2(width, height).max(Vec2::splat(1.0))
    };
    // A tile may be a quarter narrower than its shape: what is cut off a picture then is its edges.
    let shaped = |room: Vec2| {
        let shape = (room.x / room.y).clamp(SHAPE * 0.76, SHAPE * 1.15);
        let width = room.x.min(room.y * shape);
        vec2(width, width / shape)
    };
    let area = |columns: usize| {
        let size = shaped(size_in(columns));
        size.x * size.y
    };
    let columns = (1..=count)
        .max_by(|one, other| area(*one).total_cmp(&area(*other)))
        .unwrap_or(1);
    let size = shaped(size_in(columns));
    let rows = count.div_ceil(columns);
    let height = rows as f32 * size.y + (rows - 1) as f32 * GAP;
    let top = room.center().y - height / 2.0;
    let tile = |n: usize| {
        let row = n / columns;
        let in_row = columns.min(count - row * columns);
        let width = in_row as f32 * size.x + (in_row - 1) as f32 * GAP;
        let left = room.center().x - width / 2.0;
        let corner = pos2(
            left + (n % columns) as f32 * (size.x + GAP),
            top + row as f32 * (size.y + GAP),
        );
        Rect::from_min_size(corner, size)
    };
    (0..count).map(tile).collect()
}

/// One large tile, and a strip of the others below it, or beside it where there is more room.
pub fn stage(room: Rect, others: usize) -> (Rect, Vec<Rect>) {
    if others == 0 {
        return (room, Vec::new());
    }
    let is_wide = room.width() > room.height() * SHAPE * 1.05;
    let (large, strip) = if is_wide {
        let width = (room.width() * 0.2).clamp(110.0, 240.0).min(room.width() / 2.0);
        let (large, strip) = room.split_left_right_at_x(room.right() - width);
        (large.with_max_x(large.right() - GAP), strip)
    } else {
        let height = (room.height() * 0.2).clamp(70.0, 150.0).min(room.height() / 2.0);
        let (large, strip) = room.split_top_bottom_at_y(room.bottom() - height);
        (large.with_max_y(large.bottom() - GAP), strip)
    };
    (large, grid_along(strip, others, is_wide))
}

/// A single line of tiles.
fn grid_along(strip: Rect, count: usize, is_column: bool) -> Vec<Rect> {
    let gaps = GAP * (count - 1) as f32;
    let across = if is_column { strip.width() } else { strip.height() };
    let along = if is_column { strip.height() } else { strip.width() };
    let wanted = if is_column { across / SHAPE } else { across * SHAPE };
    let length = wanted.min((along - gaps) / count as f32).max(1.0);
    let begin = (along - length * count as f32 - gaps).max(0.0) / 2.0;
    let tile = |n: usize| {
        let at = begin + n as f32 * (length + GAP);
        let (corner, size) = if is_column {
            (vec2(0.0, at), vec2(across, length))
        } else {
            (vec2(at, 0.0), vec2(length, across))
        };
        Rect::from_min_size(strip.min + corner, size)
    };
    (0..count).map(tile).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_lie_in_the_room_and_never_on_each_other() {
        for (width, height) in [(1260.0, 640.0), (620.0, 380.0), (300.0, 700.0), (3800.0, 2000.0)] {
            let room = Rect::from_min_size(pos2(5.0, 7.0), vec2(width, height));
            for count in 1..=16 {
                let (large, mut strip) = stage(room, count - 1);
                strip.push(large);
                for tiles in [grid(room, count), strip] {
                    assert_eq!(tiles.len(), count);
                    for (n, tile) in tiles.iter().enumerate() {
                        assert!(room.expand(0.1).contains_rect(*tile), "{count} in {room}: {tile}");
                        let others = tiles.iter().skip(n + 1);
                        assert!(others.clone().all(|other| !other.shrink(0.1).intersects(*tile)));
                    }
                }
            }
        }
    }

    #[test]
    fn tiles_are_as_large_as_they_can_be() {
        let room = Rect::from_min_size(pos2(0.0, 0.0), vec2(1280.0, 720.0));
        let columns = |count: usize| {
            let tiles = grid(room, count);
            tiles.iter().filter(|tile| tile.top() == tiles[0].top()).count()
        };
        assert_eq!([1, 2, 4, 6, 9].map(columns), [1, 2, 2, 3, 3]);
        assert!(grid(room, 1)[0].width() > 1200.0);
    }

    #[test]
    fn the_own_picture_goes_to_the_corner_it_is_dropped_near() {
        let room = Rect::from_min_size(pos2(0.0, 0.0), vec2(800.0, 600.0));
        for corner in [
            Corner::TopLeft,
            Corner::TopRight,
            Corner::BottomLeft,
            Corner::BottomRight,
        ] {
            let place = corner.place(room, vec2(160.0, 90.0));
            assert!(room.contains_rect(place));
            assert_eq!(Corner::nearest(room, place.center()), corner);
        }
    }
}
