//! What goes wrong, and for how long.

use std::time::Duration;

use tokio::time::sleep;

use super::dice::Dice;
use super::world::World;
use crate::control_plane::ControlPlane;
use crate::serve::{Fault, Injected, Verb};

/// How many things go wrong, one after the other and at once.
const ROUNDS: u64 = 12;
/// How long a round takes at most.
const ROUND: Duration = Duration::from_secs(60);
/// How many things are wrong at once.
const AT_ONCE: usize = 4;
/// For how long a server that is about to end hears what it does not answer any more, at most.
const LAST_MOMENT: Duration = Duration::from_secs(2);

/// What has gone wrong.
#[derive(Default)]
pub(super) struct Happened {
    /// How often something happened to a request or a watch.
    pub(super) hits: usize,
    /// How often the servers were started again.
    pub(super) restarts: u64,
}

/// Lets things go wrong, each for a while; what happened.
pub(super) async fn meddle(world: &World) -> Happened {
    let mut dice = world.dice("trouble");
    let slow = [(0.5, 5), (0.99, 200), (1.0, 2_000)];
    let slow = slow.map(|(share, ms)| (share, Duration::from_millis(ms)));
    let _slow = world.plane().inject(Fault::latency_quantiles(slow));
    let (mut going_on, mut happened) = (Vec::<Injected>::new(), Happened::default());
    for _ in 0..ROUNDS {
        going_on.push(match drawn(&mut dice, world.projects()) {
            Some(fault) => world.plane().inject(fault),
            None => {
                happened.restarts += 1;
                restart(world.plane(), &mut dice).await
            }
        });
        sleep(dice.time(ROUND)).await;
        if going_on.len() == AT_ONCE {
            happened.hits += going_on.remove(0).hits();
        }
    }
    happened.hits += going_on.iter().map(Injected::hits).sum::<usize>();
    happened
}

/// The server of the root and of all projects ends, is away for a while, and begins again with the data that it had.
/// What it kept in memory is not there any more: it sets up each storage anew, for as long as what is returned lives,
/// and may have lost the history that watches go on from.
async fn restart(plane: &ControlPlane, dice: &mut Dice) -> Injected {
    // Of what comes in its last moment it is not known whether it was done.
    let last = plane.inject(match dice.below(2) {
        0 => Fault::lost_answer(),
        _ => Fault::reset(),
    });
    sleep(dice.time(LAST_MOMENT)).await;
    let away = plane.inject(Fault::refused_connection());
    drop(last);
    let forgets = dice.below(2) == 0;
    for served in plane.shared.world.planes() {
        let project = served.project.as_deref();
        plane.drop_watches(project);
        if forgets {
            plane.compact(project);
        }
    }
    sleep(dice.time(ROUND)).await;
    drop(away);
    plane.inject(Fault::storage_initializes())
}

/// Something that goes wrong, or `None` for a restart.
fn drawn(dice: &mut Dice, projects: &[String]) -> Option<Fault> {
    let fault = match dice.below(18) {
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
        15 => Fault::silence(),
        16 => Fault::late_bookmarks(),
        _ => return None,
    };
    // The root too, where a fleet learns of its projects.
    let whose = dice.below(projects.len() as u64 + 1) as usize;
    Some(match projects.get(whose) {
        Some(project) => fault.in_project(project),
        None => fault.at_root(),
    })
}
