//! What stands inside a sealed packet: class, length, body, and zeros up to one of a few fixed sizes. The one place for
//! packets' sizes: the call packs and unpacks by it, media fills it.
//!
//! ```text
//!   class (1)   length of the body (2)   body   zeros        one of Class::sizes
//! ```

mod class;
mod layout;
mod size;

pub use class::Class;
pub use layout::{TooLong, UnpackError, pack, pack_as_long, unpack};
pub use size::{MAX_BODY, MAX_BULK, bulk_wire_size, wire_size};
