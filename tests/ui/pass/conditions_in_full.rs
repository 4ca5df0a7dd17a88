//! Everything that can be said of a condition.

use kommodore::{ConditionReason, ConditionType, Polarity};

#[derive(Debug, PartialEq, ConditionType)]
enum Steps {
    /// The image is built,
    /// and pushed.
    Built,
    #[condition(negative, summary = false)]
    Slow,
    #[condition(rename = "example.org/DNS-Configured")]
    Dns,
}

const PUSHED: ConditionReason = ConditionReason::new("Pushed");

fn main() {
    let names = [Steps::Built, Steps::Slow, Steps::Dns].map(|step| step.name());
    assert_eq!(names, ["Built", "Slow", "example.org/DNS-Configured"]);
    for name in names {
        assert_eq!(Steps::from_name(name).map(|step| step.name()), Some(name));
    }
    assert_eq!(Steps::from_name("Dns"), None);
    assert_eq!(Steps::Built.meaning(), "The image is built, and pushed.");
    assert_eq!(Steps::Slow.polarity(), Polarity::Negative);
    assert!(Steps::Dns.counts() && !Steps::Slow.counts());
    let _ = Steps::Built.is_true(PUSHED, "it is in the registry");
}
