use k8s_openapi::api::apps::v1::Deployment;
use kommodore::controller;

#[controller(for = Deployment)]
struct Rollout;

fn main() {}
