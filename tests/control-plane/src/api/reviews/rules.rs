//! What may I? `SelfSubjectRulesReview`.

use serde_json::{Value, json};

use crate::api::Target;
use crate::auth::rbac::{Grants, Rule};
use crate::failure::Failure;

pub(super) fn answer(target: &Target, review: &mut Value) -> Result<(), Failure> {
    let namespace = review.pointer("/spec/namespace").and_then(Value::as_str);
    let Some(namespace) = namespace.filter(|namespace| !namespace.is_empty()) else {
        return Err(Failure::bad_request("no namespace on request"));
    };
    let status = if target.world.auth.rbac {
        let user = target.caller.user();
        let grants = Grants::of(&target.plane.store, user, namespace);
        let mut status = status(grants.rules(namespace));
        if let Some(error) = grants.errors(namespace) {
            status["evaluationError"] = error.into();
        }
        status
    } else {
        status(without_roles().iter())
    };
    review["metadata"] = json!({});
    review["spec"] = json!({});
    review["status"] = status;
    Ok(())
}

fn status<'a>(rules: impl Iterator<Item = &'a Rule>) -> Value {
    let (resources, paths): (Vec<_>, Vec<_>) = rules.map(Rule::to_review).unzip();
    let present = |rules: Vec<Option<Value>>| rules.into_iter().flatten().collect::<Vec<_>>();
    json!({
        "resourceRules": present(resources), "nonResourceRules": present(paths), "incomplete": false,
    })
}

/// What everybody may, and everything: as it is for the admin of a server with roles.
fn without_roles() -> Vec<Rule> {
    let list = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    let create = |group: &str, resources: &[&str]| Rule {
        verbs: list(&["create"]),
        groups: list(&[group]),
        resources: list(resources),
        ..Rule::default()
    };
    let get = |urls: &[&str]| Rule {
        verbs: list(&["get"]),
        urls: list(urls),
        ..Rule::default()
    };
    let access = ["selfsubjectaccessreviews", "selfsubjectrulesreviews"];
    let public = ["/healthz", "/livez", "/readyz", "/version", "/version/"];
    let discovery = [
        "/api",
        "/api/*",
        "/apis",
        "/apis/*",
        "/healthz",
        "/livez",
        "/openapi",
        "/openapi/*",
        "/readyz",
        "/version",
        "/version/",
    ];
    let [resources, paths] = Rule::everything();
    vec![
        create("authorization.k8s.io", &access),
        create("authentication.k8s.io", &["selfsubjectreviews"]),
        resources,
        get(&public),
        get(&discovery),
        paths,
    ]
}
