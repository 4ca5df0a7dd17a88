//! What the README says of a simulation of one's own, as it says it.

use kommodore::{Manager, Milo};
use kommodore_control_plane::simulation::{Process, Simulation, World, insist_unless};
use kommodore_tests::{Sites as WebsiteController, Website, website as new_website};
use kube::CustomResourceExt as _;
use kube::api::{Api, PostParams};

const README: &str = include_str!("../README.md");

fn website() -> Website {
    let mut website = new_website("one");
    website.metadata.namespace = None;
    website
}

/// It takes as many seeds as one likes; here few, as another test takes a thousand.
const SEEDS: [&str; 2] = ["0..1_000", "0..20"];

#[test]
fn my_controller_gets_over_it() {
    Simulation::new()
        .crd(&Website::crd())
        .projects(["red", "blue"])
        .namespace("default")
        .run(
            0..20,
            async |process: Process| {
                Manager::builder(process.config())
                    .connect(process.connector())
                    .seed(process.seed())
                    .provider(Milo::external())
                    .controller(WebsiteController::default())
                    .run_until(process.stopped())
                    .await
            },
            async |world: &World| {
                let sites: Api<Website> = Api::namespaced(world.client("red")?, "default");
                let create = async || sites.create(&PostParams::default(), &website()).await;
                insist_unless(409, create).await; // it is there: the answer got lost
                Ok(()) // and whatever else users do
            },
        )
        .unwrap();
}

#[test]
fn the_readme_says_it_as_it_is_here() {
    let [all, few] = SEEDS;
    let readme = README.replace(all, few);
    let begin = readme.find("#[test]\nfn my_controller").expect("the test");
    let (said, _) = readme[begin..].split_once("```").expect("its end");
    assert!(include_str!("yours.rs").contains(said), "{said}");
}
