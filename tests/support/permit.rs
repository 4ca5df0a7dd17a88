//! What an operator is allowed by roles, verb by verb.

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use kommodore::{ManagerPermissions, Permissions};
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::{Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::eventually::eventually;
use super::fleet::{Fleet, OPERATOR as USER};

/// Where the Leases are.
pub const OF_LEASES: &str = "default";

fn rule(group: &str, resource: &str, verbs: &[&str]) -> PolicyRule {
    PolicyRule {
        api_groups: Some(vec![group.into()]),
        resources: Some(vec![resource.into()]),
        verbs: verbs.iter().map(ToString::to_string).collect(),
        ..PolicyRule::default()
    }
}

/// One verb on one resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Permission {
    /// The API group.
    pub group: String,
    /// The resource, with its subresource.
    pub resource: String,
    /// The verb.
    pub verb: String,
}

/// All that some rules allow, one by one.
pub fn single(rules: &[PolicyRule]) -> Vec<Permission> {
    let mut all = Vec::new();
    for rule in rules {
        for group in rule.api_groups.iter().flatten() {
            for resource in rule.resources.iter().flatten() {
                all.extend(rule.verbs.iter().map(|verb| Permission {
                    group: group.clone(),
                    resource: resource.clone(),
                    verb: verb.clone(),
                }));
            }
        }
    }
    all
}

fn each(permissions: &Permissions) -> Vec<Permission> {
    let rules = permissions.rules();
    let rules = rules
        .iter()
        .map(|one| rule(&one.group, &one.resource, &one.verbs));
    single(&rules.collect::<Vec<_>>())
}

impl Permission {
    /// What is said where it is missing: the words of the API server, but for `finalizers`.
    pub fn missed(&self) -> String {
        let (verb, resource, group) = (&self.verb, &self.resource, &self.group);
        format!("cannot {verb} resource \"{resource}\" in API group \"{group}\"")
    }

    /// Whether a control plane allows it, everywhere or in a namespace.
    async fn is_given(&self, client: &Client, namespace: Option<&str>) -> bool {
        let (resource, subresource) = match self.resource.split_once('/') {
            Some((resource, subresource)) => (resource, Some(subresource)),
            None => (self.resource.as_str(), None),
        };
        let review = SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: Some(USER.into()),
                resource_attributes: Some(ResourceAttributes {
                    group: Some(self.group.clone()),
                    resource: Some(resource.into()),
                    subresource: subresource.map(Into::into),
                    verb: Some(self.verb.clone()),
                    namespace: namespace.map(Into::into),
                    ..ResourceAttributes::default()
                }),
                ..SubjectAccessReviewSpec::default()
            },
            ..SubjectAccessReview::default()
        };
        let reviews = Api::all(client.clone());
        let answer = reviews.create(&PostParams::default(), &review).await;
        answer
            .expect("the API server answers")
            .status
            .expect("the API server answers")
            .allowed
    }
}

/// What an operator is allowed.
#[derive(Clone, Debug)]
pub struct Permit {
    /// In the control plane of each project.
    pub members: Vec<Permission>,
    /// In the root.
    pub host: Vec<Permission>,
    /// In the namespace of its Lease, in the root.
    pub election: Vec<Permission>,
}

impl Permit {
    /// What a manager says that it has to be allowed.
    pub fn of(permissions: &ManagerPermissions) -> Self {
        let election = permissions.lease.as_ref().map(|(namespace, election)| {
            assert_eq!(namespace, OF_LEASES);
            each(election)
        });
        Self {
            members: each(&permissions.member),
            host: each(&permissions.host),
            election: election.unwrap_or_default(),
        }
    }

    /// All of it.
    pub fn all(&self) -> Vec<Permission> {
        [&self.members[..], &self.host, &self.election].concat()
    }

    /// All but one.
    #[must_use]
    pub fn without(&self, missing: &Permission) -> Self {
        let mut permit = self.clone();
        for part in [&mut permit.members, &mut permit.host, &mut permit.election] {
            part.retain(|permission| permission != missing);
        }
        permit
    }

    /// Allows the operator this, of `full`, and nothing more.
    pub async fn grant(&self, fleet: &Fleet, full: &Self) {
        let (root, member) = (fleet.client(), fleet.project_client("red"));
        for (client, may) in [(&root, &self.host), (&member, &self.members)] {
            let mut role = ClusterRole {
                rules: Some(rules(may)),
                ..ClusterRole::default()
            };
            role.metadata.name = Some(USER.into());
            put(Api::all(client.clone()), &role).await;
            let mut binding = ClusterRoleBinding {
                role_ref: role_ref("ClusterRole"),
                subjects: Some(vec![subject()]),
                ..ClusterRoleBinding::default()
            };
            binding.metadata.name = Some(USER.into());
            put(Api::all(client.clone()), &binding).await;
        }
        let mut role = Role {
            rules: Some(rules(&self.election)),
            ..Role::default()
        };
        role.metadata.name = Some(USER.into());
        put(Api::namespaced(root.clone(), OF_LEASES), &role).await;
        let mut binding = RoleBinding {
            role_ref: role_ref("Role"),
            subjects: Some(vec![subject()]),
            ..RoleBinding::default()
        };
        binding.metadata.name = Some(USER.into());
        put(Api::namespaced(root.clone(), OF_LEASES), &binding).await;
        for (client, namespace, all, may) in [
            (&member, None, &full.members, &self.members),
            (&root, None, &full.host, &self.host),
            (&root, Some(OF_LEASES), &full.election, &self.election),
        ] {
            eventually("the rules are in force", async || {
                for permission in all {
                    let given = permission.is_given(client, namespace).await;
                    if given != may.contains(permission) {
                        return Err(format!("{permission:?} is given: {given}"));
                    }
                }
                Ok(())
            })
            .await;
        }
    }
}

fn rules(permissions: &[Permission]) -> Vec<PolicyRule> {
    let rule_of = |one: &Permission| rule(&one.group, &one.resource, &[&one.verb]);
    permissions.iter().map(rule_of).collect()
}

fn role_ref(kind: &str) -> RoleRef {
    RoleRef {
        api_group: Some("rbac.authorization.k8s.io".into()),
        kind: kind.into(),
        name: USER.into(),
    }
}

fn subject() -> Subject {
    Subject {
        api_group: Some("rbac.authorization.k8s.io".into()),
        kind: "User".into(),
        name: USER.into(),
        ..Subject::default()
    }
}

async fn put<K>(api: Api<K>, object: &K)
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + Serialize + DeserializeOwned,
{
    let name = object.meta().name.clone().expect("the API server answers");
    let params = PatchParams::apply("permissions").force();
    api.patch(&name, &params, &Patch::Apply(object))
        .await
        .expect("the API server answers");
}
