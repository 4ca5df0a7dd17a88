//! Configurations as kubeconfigs.

use k8s_openapi::ByteString;
use kube::Config;
use kube::config::Kubeconfig;
use serde_json::{Value, json};

/// A kubeconfig that leads to each of these places by a context of that name. The first is the current one.
pub fn kubeconfig_of(places: &[(&str, &Config)]) -> Kubeconfig {
    let cluster = |(name, config): &(&str, &Config)| {
        let mut cluster = json!({"server": config.cluster_url.to_string()});
        if let Some(authorities) = &config.root_cert {
            cluster["certificate-authority-data"] = base64(pem(authorities).into_bytes());
        }
        json!({"name": name, "cluster": cluster})
    };
    let user = |(name, config): &(&str, &Config)| json!({"name": name, "user": config.auth_info});
    let context = |(name, _): &(&str, &Config)| json!({"name": name, "context": {"cluster": name, "user": name}});
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config",
        "current-context": places[0].0,
        "clusters": places.iter().map(cluster).collect::<Vec<_>>(),
        "users": places.iter().map(user).collect::<Vec<_>>(),
        "contexts": places.iter().map(context).collect::<Vec<_>>(),
    });
    serde_json::from_value(kubeconfig).expect("a kubeconfig")
}

fn base64(bytes: Vec<u8>) -> Value {
    serde_json::to_value(ByteString(bytes)).expect("base64 is JSON")
}

fn pem(authorities: &[Vec<u8>]) -> String {
    let one = |authority: &Vec<u8>| {
        let text = base64(authority.clone());
        let text = text.as_str().unwrap_or_default();
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    };
    authorities.iter().map(one).collect()
}
