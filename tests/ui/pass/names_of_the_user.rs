//! Types of the user with the names that the expansion needs, and no prelude.

#![no_implicit_prelude]
#![allow(dead_code, non_camel_case_types)]

use ::k8s_openapi::api::apps::v1::Deployment;
use ::k8s_openapi::api::core::v1::Secret;
use ::kommodore::controller;

struct Action;
struct Box;
struct BoxFuture;
struct Cleanup;
struct ConditionType;
struct Context;
struct Controller;
struct Option;
struct Polarity;
struct Reconcile;
struct Result;
struct Send;
struct Start;
struct String;
struct Sync;
struct Vec;
struct str;
fn keys() {}

#[controller(
    for = Deployment,
    watches(Secret => Self::using),
    finalizer = "demo.kommodore.dev/rollout",
    conditions = Steps,
)]
struct Rollout(u8);

#[derive(::kommodore::ConditionType)]
enum Steps {
    Polarity,
    #[condition(negative)]
    Result,
}

impl ::kommodore::Reconcile for Rollout {
    async fn reconcile(
        &self,
        _: &Deployment,
        _: &::kommodore::Context<Self>,
    ) -> ::kommodore::Result<::kommodore::Action> {
        ::std::result::Result::Ok(::kommodore::Action::done())
    }
}

impl ::kommodore::Cleanup for Rollout {
    async fn cleanup(
        &self,
        _: &Deployment,
        _: &::kommodore::Context<Self>,
    ) -> ::kommodore::Result<::kommodore::Action> {
        ::std::result::Result::Ok(::kommodore::Action::done())
    }
}

impl Rollout {
    fn using(
        &self,
        _: &Secret,
        _: &::kommodore::Cluster,
    ) -> ::std::option::Option<::kommodore::ObjectKey> {
        ::std::option::Option::None
    }
}

fn main() {
    let _ = Rollout(0);
}
