//! What users are allowed.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Talk;

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
const PATIENCE: Duration = Duration::from_secs(60);

impl Talk {
    /// Lets a user who is so called in this case alone do something, in the namespace of the case or everywhere, and
    /// waits until the server knows. Nothing of it is written down.
    pub(crate) async fn allow(&self, user: &str, everywhere: bool, name: &str, rules: Value) {
        let user = self.fill(&format!("{user}.{{ns}}"));
        self.allow_subject(
            json!({"kind": "User", "name": user}),
            everywhere,
            name,
            rules,
        )
        .await;
    }

    /// The same for any subject.
    pub(crate) async fn allow_subject(
        &self,
        subject: Value,
        everywhere: bool,
        name: &str,
        mut rules: Value,
    ) {
        let (at, prefix, kind) = match everywhere {
            true => (RBAC.to_owned(), "cluster", "ClusterRole"),
            false => (format!("{RBAC}/namespaces/{{ns}}"), "", "Role"),
        };
        let metadata = json!({"name": self.fill(&format!("{name}.{{ns}}"))});
        let role = self.fill(&format!("{name}.{{ns}}"));
        // What tells that the rules count.
        let mark =
            json!({"apiGroups": ["mark.example.com"], "resources": [role], "verbs": ["see"]});
        rules.as_array_mut().unwrap().push(mark);
        self.prepare(
            &format!("{at}/{prefix}roles"),
            json!({"metadata": metadata, "rules": rules}),
        )
        .await;
        let role_ref = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role});
        let binding = json!({"metadata": metadata, "roleRef": role_ref, "subjects": [subject]});
        self.prepare(&format!("{at}/{prefix}rolebindings"), binding)
            .await;
        let mut attributes = json!({"group": "mark.example.com", "resource": role, "verb": "see"});
        if !everywhere {
            attributes["namespace"] = self.fill("{ns}").into();
        }
        let text = |field: &str| subject[field].as_str().unwrap_or_default();
        let name = text("name");
        let mut spec = match text("kind") {
            "Group" => json!({"user": "anybody", "groups": [name]}),
            "User" => json!({"user": name}),
            _ => json!({"user": format!("system:serviceaccount:{}:{name}", text("namespace"))}),
        };
        spec["resourceAttributes"] = attributes;
        self.until_allowed(&spec).await;
    }

    async fn until_allowed(&self, spec: &Value) {
        let begun = Instant::now();
        loop {
            let review = json!({"spec": spec});
            let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
            let answer = self.prepare(path, review).await;
            if answer["status"]["allowed"] == true {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{spec} is not allowed");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
