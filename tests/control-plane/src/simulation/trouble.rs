//! What goes wrong, and for how long.

use std::time::Duration;

use tokio::time::sleep;

use super::dice::Dice;
use super::world::World;
use crate::serve::{Fault, Injected, Verb};

/// How many things go wrong, one after the other and at once.
const ROUNDS: u64 = 12;
/// How long a round takes at most.
const ROUND: Duration = Duration::from_secs(60);
/// How many things are wrong at once.
const AT_ONCE: usize = 4;

/// Lets things go wrong, each for a while; how often something happened.
pub(super) async fn meddle(world: &World) -> usize {
    let mut dice = world.dice("trouble");
    let slow = [(0.5, 5), (0.99, 200), (1.0, 2_000)];
    let slow = slow.map(|(share, ms)| (share, Duration::from_millis(ms)));
    let _slow = world.plane().inject(Fault::latency_quantiles(slow));
    let (mut going_on, mut hits) = (Vec::<Injected>::new(), 0);
    for _ in 0..ROUNDS {
        going_on.push(world.plane().inject(drawn(&mut dice, world.projects())));
        sleep(dice.time(ROUND)).await;
        if going_on.len() == AT_ONCE {
            hits += going_on.remove(0).hits();
        }
    }
    hits + going_on.iter().map(Injected::hits).sum::<usize>()
}

fn drawn(dice: &mut Dice, projects: &[String]) -> Fault {
    let fault = match dice.below(16) {
        0 => Fault::status(500),
        1 => Fault::status(503),
        2 => Fault::status(429).retry_after(3),
        3 => Fault::status(409).verb(Verb::Patch).times(6),
        4 => Fault::status(409).verb(Verb::Update).times(6),
        5 => Fault::dropped_watch(),
        6 => Fault::hung_watch(),
        7 => Fault::expired_watch(),
        8 => Fault::without_bookmarks(),
        9 => Fault::lost_answer().verb(Verb::Patch).times(3),
        10 => Fault::lost_answer().times(2),
        11 => Fault::stale_by(4).verb(Verb::List).verb(Verb::Watch),
        12 => Fault::partition(),
        13 => Fault::refused_connection(),
        14 => Fault::reset(),
        _ => Fault::silence(),
    };
    // The root too, where a fleet learns of its projects.
    let whose = dice.below(projects.len() as u64 + 1) as usize;
    match projects.get(whose) {
        Some(project) => fault.in_project(project),
        None => fault.at_root(),
    }
}
