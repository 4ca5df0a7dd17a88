//! What the macros cost: the time of an expansion, the time of builds, and the code that a controller adds.
//!
//! ```sh
//! cargo bench --profile dev -p kommodore-tests --bench macros             # everything
//! cargo bench --profile dev -p kommodore-tests --bench macros -- code     # only some: expansion, builds, by-hand, code
//! ```
//!
//! With the profile `dev`, as macros are compiled without optimization, for a release too.

mod builds;
mod by_hand;
mod code;
mod expansion;
mod machine;
mod project;

// The macros themselves, which only rustc can call where they are. They look for each other at the root.
#[path = "../../macros/src/args/mod.rs"]
mod args;
#[path = "../../macros/src/check/mod.rs"]
mod check;
#[path = "../../macros/src/condition_type.rs"]
mod condition_type;
#[allow(unused_imports, reason = "of unit tests, which are no part of a bench")]
#[path = "../../macros/src/durations.rs"]
mod durations;
#[allow(unused_imports, reason = "of unit tests, which are no part of a bench")]
#[path = "../../macros/src/errors.rs"]
mod errors;
#[path = "../../macros/src/expand/mod.rs"]
mod expand;
#[path = "../../macros/src/model.rs"]
mod model;
#[allow(unused_imports, reason = "of unit tests, which are no part of a bench")]
#[path = "../../macros/src/names.rs"]
mod names;
#[path = "../../macros/src/options.rs"]
mod options;
#[path = "../../macros/src/read.rs"]
mod read;
#[allow(unused_imports, reason = "of unit tests, which are no part of a bench")]
#[path = "../../macros/src/selectors.rs"]
mod selectors;
#[path = "../../macros/src/target.rs"]
mod target;

fn main() {
    println!("{}\n", machine::machine());
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    for (name, measure) in [
        ("expansion", expansion::measure as fn()),
        ("builds", builds::measure),
        ("by-hand", by_hand::measure),
        ("code", code::measure),
    ] {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            measure();
        }
    }
}
