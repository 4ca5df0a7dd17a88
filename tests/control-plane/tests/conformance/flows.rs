//! Flow control: which priority level a flow has, and what stays as it is.

use serde_json::{Value, json};

use super::support::Talk;

const FLOWS: &str = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas";
const LEVELS: &str = "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations";

/// Whether the schema is there and its level is, or is not.
fn dangles(object: &Value, status: &str) -> bool {
    object["status"]["conditions"][0]["status"] == status
}

conformance! {
    async fn schemas_say_whether_their_level_is_there(talk: &mut Talk) {
        let schema = json!({"metadata": {"name": "{ns}"}, "spec": {"priorityLevelConfiguration": {"name": "{ns}"}, "matchingPrecedence": 9000, "rules": []}});
        talk.prepare(FLOWS, schema).await;
        let one = format!("{FLOWS}/{{ns}}");
        talk.get_until(&one, |code, schema| code == 200 && dangles(schema, "True")).await;
        let level = json!({"metadata": {"name": "{ns}"}, "spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": 1, "limitResponse": {"type": "Reject"}}}});
        talk.prepare(LEVELS, level).await;
        talk.get_until(&one, |code, schema| code == 200 && dangles(schema, "False")).await;
        talk.unsaid("DELETE", &format!("{LEVELS}/{{ns}}"), None).await;
        talk.get_until(&one, |code, schema| code == 200 && dangles(schema, "True")).await;
    }

    async fn what_a_server_needs_stays_as_it_is(talk: &mut Talk) {
        for (path, name, changes) in [
            (LEVELS, "exempt", vec![
                json!({"type": "Limited"}), json!({"type": "Limited", "exempt": null, "limited": {"limitResponse": {"type": "Reject"}}}), json!({"limited": {}}),
            ]),
            (LEVELS, "catch-all", vec![
                json!({"limited": {"nominalConcurrencyShares": 6}}), json!({"limited": {"lendablePercent": 6}}), json!({"limited": {"borrowingLimitPercent": 6}}),
                json!({"limited": {"limitResponse": {"type": "Queue", "queuing": {}}}}), json!({"type": "Exempt", "limited": null}),
            ]),
            (FLOWS, "exempt", vec![
                json!({"matchingPrecedence": 2}), json!({"rules": null}), json!({"distinguisherMethod": {"type": "ByUser"}}), json!({"priorityLevelConfiguration": {"name": "x"}}),
            ]),
            (FLOWS, "catch-all", vec![
                json!({"matchingPrecedence": 2}), json!({"distinguisherMethod": null}), json!({"priorityLevelConfiguration": {"name": "x"}}),
            ]),
        ] {
            for change in changes {
                talk.patch("merge", &format!("{path}/{name}?dryRun=All"), json!({"spec": change})).await;
            }
        }
    }
}
