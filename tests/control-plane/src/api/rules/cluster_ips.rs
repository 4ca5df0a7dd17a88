//! The addresses of Services: each is given away once.

use std::net::Ipv4Addr;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::service_addresses;
use super::super::target::Target;
use super::checks::list;
use super::service_networks::{self, Network};
use super::{addresses, service_rules, services};
use crate::failure::{Cause, Causes, Failure};
use crate::object;
use crate::store::Transaction;

/// The server's own.
const OF_THE_SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const PATH: &str = "spec.clusterIPs";
const POLICY: &str = "spec.ipFamilyPolicy";

/// Gives a Service the address that it needs, and refuses one that it asks for and cannot have.
pub(super) fn allocate(
    target: &Target,
    transaction: &Transaction<'_>,
    old: Option<&Value>,
    new: &mut Value,
    dry_run: bool,
) -> Result<(), Failure> {
    if !target.resource.is("", "services") || target.subresource.is_some() {
        return Ok(());
    }
    services::name_fields(old, new);
    let name = object::name(new).to_owned();
    let refuse = |wrong| Failure::invalid("", "Service", &name, wrong);
    let is_external = |service: &Value| service["spec"]["type"] == "ExternalName";
    if is_external(new) {
        return Ok(());
    }
    let wrong = service_rules::check_addresses(&new["spec"]);
    if !wrong.is_empty() {
        return Err(refuse(wrong));
    }
    let before = old.filter(|old| !is_external(old));
    let before = before.map_or(&Value::Null, |old| &old["spec"]);
    let families = Families::of(before, &new["spec"]);
    let wrong = families.check(before, &new["spec"]);
    if !wrong.is_empty() {
        return Err(refuse(wrong));
    }
    let is_given = old.is_none_or(is_external) && !service_rules::is_headless(&new["spec"]);
    let given = match is_given {
        true => Some(
            Range {
                target,
                transaction,
                service: new,
                dry_run,
            }
            .give(&refuse)?,
        ),
        false => None,
    };
    let spec = object::field_mut(new, "spec");
    if let Some(given) = given {
        spec.insert("clusterIP".to_owned(), given.clone().into());
        spec.insert("clusterIPs".to_owned(), json!([given]));
    }
    families.settle(spec);
    Ok(())
}

/// Of what families the addresses of a Service are.
struct Families {
    policy: String,
    said: Vec<Value>,
    /// Nobody but the user says what is behind it, so it can be of any family.
    is_free: bool,
}

impl Families {
    /// Those that are not said are those of `before`.
    fn of(before: &Value, spec: &Value) -> Self {
        let selects = spec["selector"]
            .as_object()
            .is_some_and(|selector| !selector.is_empty());
        let is_free = service_rules::is_headless(spec) && !selects;
        let said = [spec, before].map(|spec| spec["ipFamilyPolicy"].as_str());
        let policy = said.into_iter().flatten().next();
        let policy = policy.unwrap_or(match is_free {
            true => "RequireDualStack",
            false => "SingleStack",
        });
        let mut said = list(spec, "ipFamilies").to_vec();
        if policy == "SingleStack" && said == list(before, "ipFamilies") {
            // To want one is to let go of the other.
            said.truncate(1);
        }
        Self {
            policy: policy.to_owned(),
            said,
            is_free,
        }
    }

    /// What a cluster of IPv4 alone cannot do.
    fn check(&self, before: &Value, spec: &Value) -> Vec<Cause> {
        let ips = list(spec, "clusterIPs");
        let policy = Value::from(self.policy.as_str());
        let mut wrong = Vec::new();
        let is_fewer = self.said.len() < list(before, "ipFamilies").len();
        if policy != "SingleStack" && is_fewer && !self.said.is_empty() {
            let why = "must be 'SingleStack' to release the secondary IP family";
            wrong.push(Cause::invalid(POLICY, &policy, why));
        }
        for (values, what) in [(ips, "cluster IPs"), (&self.said, "IP families")] {
            if policy == "SingleStack" && values.len() == 2 {
                let why = format!(
                    "must be 'RequireDualStack' or 'PreferDualStack' when multiple {what} are specified"
                );
                wrong.push(Cause::invalid(POLICY, &policy, &why));
            }
        }
        let mut told = Causes::default();
        for (index, ip) in ips.iter().enumerate().skip(self.said.len()) {
            if addresses::parse(ip).is_some_and(|ip| ip.is_ipv6()) {
                let path = format!("{PATH}[{index}]");
                let why = "IPv6 is not configured on this cluster";
                told.add(|| Cause::invalid(&path, &spec["clusterIPs"], why));
            }
        }
        wrong.extend(told.made());
        if !wrong.is_empty() || self.is_free {
            return wrong;
        }
        if policy == "RequireDualStack" {
            let why = "this cluster is not configured for dual-stack services";
            wrong.push(Cause::invalid(POLICY, &policy, why));
        }
        for (index, family) in self.said.iter().enumerate() {
            if family == "IPv6" {
                let path = format!("spec.ipFamilies[{index}]");
                wrong.push(Cause::invalid(
                    &path,
                    family,
                    "not configured on this cluster",
                ));
            }
        }
        wrong
    }

    fn settle(self, spec: &mut Map<String, Value>) {
        let mut families = self.said;
        if families.is_empty() {
            families.push("IPv4".into());
        }
        if self.is_free && self.policy != "SingleStack" && families.len() < 2 {
            let other = match families[0] == "IPv4" {
                true => "IPv6",
                false => "IPv4",
            };
            families.push(other.into());
        }
        spec.insert("ipFamilies".to_owned(), families.into());
        spec.insert("ipFamilyPolicy".to_owned(), self.policy.into());
    }
}

/// An address is an object, which says by its name whose it is.
fn unnamed(asked: &Value, given: &str) -> Cause {
    let (shown, of) = match asked.get(0) {
        Some(_) => (asked.clone(), format!(" {given}")),
        None => (json!([""]), String::new()),
    };
    let why = format!(
        "failed to allocate IP{of}: IPAddress.networking.k8s.io \"{given}\" is invalid: spec.parentRef.name: Required value"
    );
    Cause::invalid(PATH, &shown, &why)
}

struct Range<'a, 'b> {
    target: &'a Target,
    transaction: &'a Transaction<'b>,
    service: &'a Value,
    dry_run: bool,
}

impl Range<'_, '_> {
    fn give(self, refuse: &impl Fn(Vec<Cause>) -> Failure) -> Result<String, Failure> {
        let asked = &self.service["spec"]["clusterIPs"];
        let given = match asked.get(0).map(addresses::parse) {
            None => self.next()?,
            Some(ip) => {
                let ip = ip.map(|ip| ip.to_string()).unwrap_or_default();
                self.check(&ip).map_err(|why| {
                    let why = format!("failed to allocate IP {ip}: {why}");
                    refuse(vec![Cause::invalid(PATH, asked, &why)])
                })?;
                ip
            }
        };
        if object::name(self.service).is_empty() && !self.dry_run {
            return Err(refuse(vec![unnamed(asked, &given)]));
        }
        Ok(given)
    }

    /// Whether an address that is asked for can be had. Where nothing is kept, it is enough that there is such a one.
    fn check(&self, ip: &str) -> Result<(), String> {
        let number = ip.parse::<Ipv4Addr>().unwrap_or(Ipv4Addr::UNSPECIFIED);
        let networks = self.networks();
        let is_inside = networks.iter().any(|network| network.has(number));
        match (is_inside, self.dry_run) {
            (true, true) => Ok(()),
            (true, false) if self.is_taken(number) => {
                Err("provided IP is already allocated".to_owned())
            }
            (true, false) => Ok(()),
            (false, false) => {
                Err("the provided network does not match the current range".to_owned())
            }
            (false, true) => Err(format!(
                "the provided IP ({ip}) is not in the valid range. The range of valid IPs is {}",
                service_networks::FIRST
            )),
        }
    }

    /// Any address that is free, from one that chance picks on; where nothing is kept, that of the network.
    fn next(&self) -> Result<String, Failure> {
        if self.dry_run {
            return Ok(service_networks::FIRST.address().to_string());
        }
        let chance = self.target.world.ids.number();
        let networks = self.networks();
        let mut addresses = networks
            .iter()
            .flat_map(|network| network.addresses(chance));
        let free = addresses.find(|address| !self.is_taken(*address));
        free.map(|address| address.to_string()).ok_or_else(|| {
            let why = "failed to allocate a serviceIP: range is full";
            let message = format!("Internal error occurred: {why}");
            Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message)
                .with_causes(vec![Cause::new("", "", why)])
        })
    }

    fn networks(&self) -> Vec<Network> {
        service_networks::all(&self.target.plane.store)
    }

    fn is_taken(&self, address: Ipv4Addr) -> bool {
        let meta = |field| object::meta(self.service, field);
        let is_server = (meta("namespace"), meta("name")) == (Some("default"), Some("kubernetes"));
        (address == OF_THE_SERVER && !is_server)
            || service_addresses::is_taken(self.transaction, &address.to_string())
    }
}
