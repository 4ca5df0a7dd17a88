//! Objects: what may be written, and what becomes of it.

use serde_json::json;

use super::support::Talk;

conformance! {
    async fn a_created_object_gets_what_the_server_gives(talk: &mut Talk) {
        let maps = "/api/v1/namespaces/{ns}/configmaps";
        talk.post(maps, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"a": "b"}})).await;
        talk.post(maps, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}})).await;
        talk.post(maps, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "many-"}})).await;
        talk.get(&format!("{maps}/one")).await;
        talk.get(&format!("{maps}/two")).await;
        talk.post(maps, json!({"metadata": {"name": "Not_A_Name"}})).await;
    }
}
