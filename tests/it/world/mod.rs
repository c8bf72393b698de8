//! The generated world, judged from outside: by a solver that reads the text, by probes that look for shortcuts,
//! and by the facts that each part tells.

mod parts;
mod shortcuts;
mod solver;

use superalign_core::Seed;
use superalign_data::world::World;

/// The world of the embedded ladder.
fn world() -> World {
    World::new(Seed::new(1))
}
