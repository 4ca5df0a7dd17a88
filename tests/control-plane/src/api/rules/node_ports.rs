//! The ports of nodes that Services have: each is given away once.

use std::collections::{HashMap, HashSet};

use http::StatusCode;
use serde_json::{Map, Value};

use super::super::target::Target;
use super::checks::{list, number, text};
use super::service_rules::is_health_checked;
use crate::failure::{Cause, Failure};
use crate::object;
use crate::store::Transaction;

/// The ports of nodes that a server gives away.
const RANGE: std::ops::Range<u64> = 30_000..32_768;
/// The first of them are left to who asks for one, as long as there are others (KEP-3668).
const ASKED_FOR: u64 = 86;
const TAKEN: &str = "provided port is already allocated";

/// Gives a Service the ports that it needs, and refuses those that it asks for and cannot have.
pub(super) fn allocate(
    target: &Target,
    transaction: &Transaction<'_>,
    old: Option<&Value>,
    new: &mut Value,
    dry_run: bool,
) -> Result<(), Failure> {
    let is_service = target.resource.is("", "services") && target.subresource.is_none();
    let (needs, is_checked) = (needs_ports(&new["spec"]), is_health_checked(&new["spec"]));
    let may_have = needs || is_balancer(&new["spec"]);
    if !is_service || !(may_have || is_checked) {
        return Ok(());
    }
    let before = old.map(|old| &old["spec"]);
    let services = transaction.all(target.bucket());
    let mut ports = Ports {
        target,
        taken: services.iter().flat_map(|one| of(&one["spec"])).collect(),
        dry_run,
        asked: Vec::new(),
    };
    let name = object::name(new).to_owned();
    let spec = object::field_mut(new, "spec");
    match before {
        _ if !may_have => {}
        None => ports.give(spec, &name, needs)?,
        Some(before) => ports.give_again(before, spec, &name, needs)?,
    }
    if is_checked {
        ports.give_health_check(before.filter(|before| is_health_checked(before)), spec)?;
    }
    Ok(())
}

struct Ports<'a> {
    target: &'a Target,
    taken: HashSet<u64>,
    dry_run: bool,
    /// What was given away in this request.
    asked: Vec<u64>,
}

impl Ports<'_> {
    /// Of a new Service: ports of the same number share one. One that does not need any has those that it asks for.
    fn give(
        &mut self,
        spec: &mut Map<String, Value>,
        name: &str,
        needs: bool,
    ) -> Result<(), Failure> {
        let mut of_port: HashMap<u64, u64> = HashMap::new();
        let mut said: HashMap<u64, u64> = HashMap::new();
        for port in ports_of(spec) {
            if let Some(node_port) = node_port(port) {
                said.entry(own_port(port)).or_insert(node_port);
            }
        }
        for (index, port) in ports_mut(spec).iter_mut().enumerate() {
            if !needs && node_port(port).is_none() {
                continue;
            }
            let own = own_port(port);
            let given = match (of_port.get(&own), node_port(port)) {
                (Some(shared), None) => *shared,
                (Some(shared), Some(asked)) if *shared == asked => continue,
                (Some(_), Some(asked)) => {
                    self.take_for(index, asked, name)?;
                    continue;
                }
                (None, _) => match said.get(&own) {
                    Some(asked) => {
                        self.take_for(index, *asked, name)?;
                        *asked
                    }
                    None => self.next().ok_or_else(full)?,
                },
            };
            of_port.insert(own, given);
            object::as_map(port).insert("nodePort".to_owned(), given.into());
        }
        Ok(())
    }

    /// Of one that is there already.
    fn give_again(
        &mut self,
        before: &Value,
        spec: &mut Map<String, Value>,
        service: &str,
        needs: bool,
    ) -> Result<(), Failure> {
        if needs && needs_ports(before) {
            keep(before, spec);
        }
        let kept: HashSet<u64> = of(before).into_iter().collect();
        let (mut seen, mut taken) = (HashSet::new(), HashSet::new());
        for (index, port) in ports_mut(spec).iter_mut().enumerate() {
            let given = match node_port(port) {
                Some(asked) => {
                    if !kept.contains(&asked) && taken.insert(asked) {
                        self.take_for(index, asked, service)?;
                    }
                    asked
                }
                None if !needs => continue,
                None => {
                    let given = self.next().ok_or_else(full)?;
                    object::as_map(port).insert("nodePort".to_owned(), given.into());
                    given
                }
            };
            let protocol = text(port, "protocol").to_owned();
            if !seen.insert((protocol.clone(), given)) {
                let message = format!("duplicate nodePort: {{{protocol} {given}}}");
                return Err(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "", message));
            }
        }
        Ok(())
    }

    fn give_health_check(
        &mut self,
        before: Option<&Value>,
        spec: &mut Map<String, Value>,
    ) -> Result<(), Failure> {
        const FIELD: &str = "healthCheckNodePort";
        let asked = spec
            .get(FIELD)
            .and_then(Value::as_u64)
            .filter(|port| *port != 0);
        let given = match (before, asked) {
            (Some(before), None) => before[FIELD].clone(),
            (Some(_), Some(_)) => return Ok(()),
            (None, Some(asked)) => self.take(asked).map(|()| asked.into()).map_err(|why| {
                internal(&format!(
                    "failed to allocate requested HealthCheck NodePort {asked}: {why}"
                ))
            })?,
            (None, None) => {
                let why = "failed to allocate a HealthCheck NodePort 0: range is full";
                self.next().ok_or_else(|| internal(why))?.into()
            }
        };
        spec.insert(FIELD.to_owned(), given);
        Ok(())
    }

    fn take_for(&mut self, index: usize, port: u64, service: &str) -> Result<(), Failure> {
        self.take(port).map_err(|why| {
            let field = format!("spec.ports[{index}].nodePort");
            let cause = Cause::invalid(&field, &port.into(), &why);
            Failure::invalid("", "Service", service, vec![cause])
        })
    }

    /// Takes a port; one that is not to be kept can be anything.
    fn take(&mut self, port: u64) -> Result<(), String> {
        if !self.dry_run && !RANGE.contains(&port) {
            let (first, last) = (RANGE.start, RANGE.end - 1);
            return Err(format!(
                "provided port is not in the valid range. The range of valid ports is {first}-{last}"
            ));
        }
        if !self.taken.insert(port) {
            return Err(TAKEN.to_owned());
        }
        self.asked.push(port);
        Ok(())
    }

    /// Any port that is free, from one that chance picks on; where nothing is kept, the one after the greatest.
    fn next(&mut self) -> Option<u64> {
        let next = if self.dry_run {
            Some(1 + self.asked.iter().copied().max().unwrap_or(RANGE.end))
        } else {
            let begin = RANGE.start + ASKED_FOR;
            let size = RANGE.end - begin;
            let first = self.target.world.ids.number() % size;
            (0..size)
                .map(|step| begin + (first + step) % size)
                .chain(RANGE.start..begin)
                .find(|port| !self.taken.contains(port))
        };
        if let Some(port) = next {
            self.taken.insert(port);
            self.asked.push(port);
        }
        next
    }
}

/// A port that is not said is that of before, by its name.
fn keep(before: &Value, spec: &mut Map<String, Value>) {
    let known: HashMap<&str, u64> = list(before, "ports")
        .iter()
        .filter_map(|port| Some((text(port, "name"), node_port(port)?)))
        .collect();
    let used: HashSet<u64> = ports_of(spec).iter().filter_map(node_port).collect();
    for port in ports_mut(spec) {
        if node_port(port).is_none()
            && let Some(known) = known.get(text(port, "name"))
            && !used.contains(known)
        {
            object::as_map(port).insert("nodePort".to_owned(), (*known).into());
        }
    }
}

fn needs_ports(spec: &Value) -> bool {
    text(spec, "type") == "NodePort"
        || (is_balancer(spec) && spec["allocateLoadBalancerNodePorts"] != Value::Bool(false))
}

fn is_balancer(spec: &Value) -> bool {
    text(spec, "type") == "LoadBalancer"
}

fn full() -> Failure {
    internal("failed to allocate a nodePort: range is full")
}

fn internal(why: &str) -> Failure {
    let message = format!("Internal error occurred: {why}");
    Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message)
        .with_causes(vec![Cause::new("", "", why)])
}

fn of(spec: &Value) -> Vec<u64> {
    let health = spec["healthCheckNodePort"]
        .as_u64()
        .filter(|port| *port != 0);
    list(spec, "ports")
        .iter()
        .filter_map(node_port)
        .chain(health)
        .collect()
}

fn node_port(port: &Value) -> Option<u64> {
    port["nodePort"].as_u64().filter(|port| *port != 0)
}

fn own_port(port: &Value) -> u64 {
    number(port, "port")
        .and_then(|port| u64::try_from(port).ok())
        .unwrap_or_default()
}

fn ports_of(spec: &Map<String, Value>) -> &[Value] {
    let ports = spec.get("ports").and_then(Value::as_array);
    ports.map(Vec::as_slice).unwrap_or_default()
}

fn ports_mut(spec: &mut Map<String, Value>) -> &mut [Value] {
    let ports = spec.get_mut("ports").and_then(Value::as_array_mut);
    ports.map(Vec::as_mut_slice).unwrap_or_default()
}
